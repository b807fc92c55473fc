/* SPDX-License-Identifier: MIT */
/* Snapshots as bytes in memory: written, made by hand, changed, opened. One thread. */
#ifndef OURO_TESTS_SNAPSHOT_FILES_H
#define OURO_TESTS_SNAPSHOT_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapshot/crc32.h"
#include "snapshot/reader.h"
#include "snapshot/varint.h"
#include "snapshot/writer.h"

/* ---- descriptors without a name in a folder ---- */

static inline int unnamed_file(void) {
  int file = memfd_create("snapshot", MFD_CLOEXEC);
  if (file < 0) perror("memfd_create"), abort();
  return file;
}

static inline snapshot *open_descriptor(int file, char why[SNAPSHOT_WHY]) {
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  why[0] = 0;
  return snapshot_open(path, why);
}

/* A snapshot of these bytes; its file goes with it. */
static inline snapshot *open_bytes(const void *bytes, size_t size, char why[SNAPSHOT_WHY]) {
  int file = unnamed_file();
  if (write(file, bytes, size) != (ssize_t)size) perror("write"), abort();
  snapshot *s = open_descriptor(file, why);
  close(file);
  return s;
}

/* A writer in memory of its own and its file. */
typedef struct writing {
  writer *w;
  int file;
} writing;

static inline writing write_unnamed(void) {
  writing now = {.file = unnamed_file()};
  now.w = writer_begin(calloc(1, writer_size()), now.file);
  return now;
}

/* Ends the file and opens it. */
static inline snapshot *read_back(writing *now, char why[SNAPSHOT_WHY]) {
  int error = writer_end(now->w);
  snapshot *s = open_descriptor(now->file, why);
  if (error) fprintf(stderr, "writer: %s\n", strerror(error)), abort();
  close(now->file);
  free(now->w);
  return s;
}

/* ---- files made by hand ---- */

typedef struct raw_file {
  uint8_t bytes[1 << 14];
  size_t size;
} raw_file;

static inline void raw_put(raw_file *f, const void *bytes, size_t size) {
  if (f->size + size > sizeof f->bytes) abort();
  if (size) memcpy(f->bytes + f->size, bytes, size);
  f->size += size;
}

static inline void raw_fixed(raw_file *f, uint32_t value) {
  uint8_t bytes[4];
  varint_put_fixed(bytes, value, 4);
  raw_put(f, bytes, 4);
}

static inline void raw_begin(raw_file *f) {
  f->size = 0;
  raw_put(f, SNAPSHOT_MAGIC, 8);
  raw_fixed(f, SNAPSHOT_VERSION);
  raw_fixed(f, 0);
}

static inline void fix_checksum(uint8_t *block, size_t length) {
  static crc32_table table;
  if (!table.of[0][1]) crc32_make(&table);
  uint32_t crc = crc32_of(&table, crc32_of(&table, 0, block, 8), block + 16, length);
  varint_put_fixed(block + 8, crc, 4);
}

static inline void raw_block(raw_file *f, uint32_t kind, const void *payload, size_t length) {
  size_t at = f->size;
  raw_fixed(f, kind);
  raw_fixed(f, (uint32_t)length);
  raw_fixed(f, 0);
  raw_fixed(f, 0);
  raw_put(f, payload, length);
  raw_put(f, "\0\0\0\0\0\0\0", (0 - length) % 8);
  fix_checksum(f->bytes + at, length);
}

/* Makes the checksums of all blocks right again, as far as blocks can be told. */
static inline void fix_checksums(uint8_t *bytes, size_t size) {
  for (size_t at = sizeof(snapshot_header); size - at >= sizeof(snapshot_block) && at < size;) {
    uint32_t length = varint_fixed32(bytes + at + 4);
    if (length > size - at - sizeof(snapshot_block)) return;
    fix_checksum(bytes + at, length);
    at += sizeof(snapshot_block) + length + (0 - length) % 8;
  }
}

#endif
