/* SPDX-License-Identifier: MIT */
/* Files that were written once are read for ever: each golden file says what its text says. */
#include "test.h"

#include "snapshot/dump.h"
#include "snapshot/files.h"
#include "snapshot/golden.h"

static char why[SNAPSHOT_WHY];

static void dump_into(char *text, size_t room, const snapshot *s) {
  FILE *to = fmemopen(text, room, "w");
  CHECK(to);
  dump_snapshot(to, s);
  CHECK_EQ(fclose(to), 0);
}

static void read_text_file(const char *path, char *text, size_t room) {
  FILE *from = fopen(path, "r");
  if (!from) TEST_FAIL("cannot read %s", path);
  text[fread(text, 1, room - 1, from)] = 0;
  fclose(from);
}

static void reads_as_ever(const char *file, const char *text) {
  static char have[1 << 16], want[1 << 16];
  snapshot *s = snapshot_open(file, why);
  CHECK_STR(why, "");
  dump_into(have, sizeof have, s);
  snapshot_close(s);
  read_text_file(text, want, sizeof want);
  CHECK_STR(have, want);
}

TEST(the_golden_file_of_format_1_reads_as_ever) {
  reads_as_ever(GOLDEN "/snapshot-1.ouro", GOLDEN "/snapshot-1.txt");
}

TEST(so_does_the_one_with_contents) {
  reads_as_ever(GOLDEN "/snapshot-1-contents.ouro", GOLDEN "/snapshot-1-contents.txt");
}

static void written_today(int (*write_golden)(writer *), const char *text) {
  static char have[1 << 16], want[1 << 16];
  int file = unnamed_file();
  void *memory = calloc(1, writer_size());
  CHECK_EQ(write_golden(writer_begin(memory, file)), 0);
  snapshot *s = open_descriptor(file, why);
  CHECK_STR(why, "");
  dump_into(have, sizeof have, s);
  snapshot_close(s);
  read_text_file(text, want, sizeof want);
  CHECK_STR(have, want);
  close(file);
  free(memory);
}

TEST(the_same_heap_written_today_reads_the_same) {
  written_today(golden_write, GOLDEN "/snapshot-1.txt");
  written_today(golden_write_contents, GOLDEN "/snapshot-1-contents.txt");
}

/* Appends the bytes of a line of the dump, "0010  01 00 ...  comment", if it is one. */
static void read_dump_line(const char *line, uint8_t *bytes, size_t room, size_t *size) {
  unsigned at, byte;
  int used = 0;
  if (sscanf(line, "%4x  %n", &at, &used) != 1 || used != 6 || at != *size) return;
  for (const char *p = line + used; sscanf(p, "%2x%n", &byte, &used) == 1 && used == 2; p += 3) {
    CHECK_LT(*size, room);
    bytes[(*size)++] = (uint8_t)byte;
    if (p[2] != ' ' || p[3] == ' ') break;
  }
}

TEST(the_dump_in_the_documentation_is_the_golden_file) {
  static char page[1 << 16];
  uint8_t dumped[1024], golden[1024];
  size_t size = 0;
  read_text_file(DOCS "/snapshot-format.md", page, sizeof page);
  for (char *line = strtok(page, "\n"); line; line = strtok(NULL, "\n"))
    read_dump_line(line, dumped, sizeof dumped, &size);
  FILE *from = fopen(GOLDEN "/snapshot-1.ouro", "r");
  CHECK(from);
  CHECK_EQ(fread(golden, 1, sizeof golden, from), size);
  fclose(from);
  CHECK(memcmp(dumped, golden, size) == 0);
}
