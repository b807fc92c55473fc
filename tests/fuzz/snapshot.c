/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: the bytes are a snapshot's file. It is opened as it is and, since no fuzzer
 * guesses checksums, once more with header and checksums made right; all that can be asked is
 * asked, twice, and must be the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "snapshot/everything.h"
#include "snapshot/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "snapshot: does not hold: %s\n", what);
  abort();
}

static void check_totals_found(const snapshot *s, const everything *e) {
  snapshot_totals totals = snapshot_count(s);
  must(totals.objects <= snapshot_file_bytes(s), "objects are in the file");
  must(totals.edges <= snapshot_file_bytes(s), "edges are in the file");
  if (snapshot_complete(s)) return;
  must(!e->damaged, "a file without an end was read once already");
  must(totals.objects == e->objects && totals.edges == e->edges, "totals are what was found");
}

static void open_and_ask(int file) {
  char why[SNAPSHOT_WHY];
  snapshot *s = open_descriptor(file, why);
  must((s == NULL) == (why[0] != 0), "a reason where there is no snapshot");
  if (!s) return;
  everything first = ask_everything(s), second = ask_everything(s);
  must(first.sum == second.sum && first.edges == second.edges, "the same answer twice");
  check_totals_found(s, &first);
  snapshot_close(s);
}

static void write_file(int file, const uint8_t *bytes, size_t size) {
  must(ftruncate(file, (off_t)size) == 0, "a file in memory can be cut");
  must(pwrite(file, bytes, size, 0) == (ssize_t)size, "a file in memory can be written");
}

static void make_right(uint8_t *bytes, size_t size) {
  if (size < sizeof(snapshot_header)) return;
  memcpy(bytes, SNAPSHOT_MAGIC, 8);
  varint_put_fixed(varint_put_fixed(bytes + 8, SNAPSHOT_VERSION, 4), 0, 4);
  fix_checksums(bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t bytes[1 << 16];
  if (size > sizeof bytes) return 0;
  int file = unnamed_file();
  write_file(file, data, size);
  open_and_ask(file);
  if (size) memcpy(bytes, data, size);
  make_right(bytes, size);
  write_file(file, bytes, size);
  open_and_ask(file);
  close(file);
  return 0;
}
