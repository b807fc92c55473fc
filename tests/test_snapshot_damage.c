/* SPDX-License-Identifier: MIT */
/*
 * Files that are damaged, cut, or made by somebody who means harm: each ends in a reason or reads
 * as far as it is good; never in a crash (run with sanitizers), never in a wrong answer that
 * passes as a whole one.
 */
#include "test.h"

#include <signal.h>

#include "snapshot/everything.h"
#include "snapshot/files.h"
#include "snapshot/golden.h"

static char why[SNAPSHOT_WHY];
static uint8_t good[4096], bad[4096];
static size_t good_size;

/* A small file with one of everything. */
static void make_good_file(void) {
  int file = unnamed_file();
  void *memory = calloc(1, writer_size());
  CHECK_EQ(golden_write_contents(writer_begin(memory, file)), 0);
  ssize_t size = pread(file, good, sizeof good, 0);
  CHECK(size > 500 && size < (ssize_t)sizeof good);
  good_size = (size_t)size;
  close(file);
  free(memory);
}

static bool starts_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

/* ---- cut ---- */

static bool is_block_border(size_t at) {
  size_t place = sizeof(snapshot_header);
  while (place < at) {
    uint32_t length = varint_fixed32(good + place + 4);
    place += sizeof(snapshot_block) + length + (0 - length) % 8;
  }
  return place == at;
}

TEST(a_file_cut_anywhere_reads_up_to_its_last_whole_block) {
  make_good_file();
  everything whole = {0}, part;
  for (size_t size = 0; size <= good_size; size++) {
    snapshot *s = open_bytes(good, size, why);
    if (size < sizeof(snapshot_header)) {
      CHECK(!s);
      CHECK_STR(why, "not a snapshot of Ouro");
      continue;
    }
    CHECK_STR(why, "");
    CHECK_EQ(snapshot_complete(s), size == good_size);
    part = ask_everything(s);
    CHECK(!part.damaged);
    CHECK_EQ(part.objects, snapshot_count(s).objects);
    CHECK_EQ(part.edges, snapshot_count(s).edges);
    if (is_block_border(size)) whole = part;
    else CHECK_EQ(part.objects, whole.objects);
    snapshot_close(s);
  }
  CHECK_EQ(whole.objects, 9u);
}

/* ---- changed bytes ---- */

/* A change of the length can only be told from a cut if the block still lies in the file. */
static void check_changed(size_t at) {
  snapshot *s = open_bytes(bad, good_size, why);
  if (s) {
    if (snapshot_complete(s)) TEST_FAIL("byte %zu changed to %d unnoticed", at, bad[at]);
    CHECK(!ask_everything(s).damaged);
    snapshot_close(s);
  } else if (at < 8) CHECK_STR(why, "not a snapshot of Ouro");
  else if (at < 12)
    CHECK(starts_with(why, "written by a later Ouro") || starts_with(why, "damaged"));
  else CHECK(starts_with(why, "damaged at byte "));
}

TEST(each_changed_byte_is_noticed) {
  make_good_file();
  for (size_t at = 0; at < good_size; at++)
    for (unsigned change = 1; change < 256; change++) {
      memcpy(bad, good, good_size);
      bad[at] ^= (uint8_t)change;
      check_changed(at);
    }
}

/* With checksums made right again, so that the checks behind them must hold. What opens can be read
 * to the end and counts no more than there is. */
TEST(each_changed_byte_behind_a_right_checksum_is_survived) {
  size_t opened = 0, damaged = 0, refused = 0;
  make_good_file();
  for (size_t at = sizeof(snapshot_header); at < good_size; at++)
    for (unsigned change = 1; change < 256; change++) {
      memcpy(bad, good, good_size);
      bad[at] ^= (uint8_t)change;
      fix_checksums(bad, good_size);
      snapshot *s = open_bytes(bad, good_size, why);
      CHECK_EQ(why[0] != 0, s == NULL);
      if (s) damaged += ask_everything(s).damaged;
      s ? opened++ : refused++;
      snapshot_close(s);
    }
  CHECK_LT(1000u, opened);
  CHECK_LT(1000u, damaged);
  CHECK_LT(1000u, refused);
}

/* ---- made by hand ---- */

typedef struct bytes {
  uint8_t at[40];
  size_t size;
} bytes;
#define BYTES(...)                                                                                 \
  { {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}) }
#define LARGEST 255, 255, 255, 255, 255, 255, 255, 255, 255, 1
#define TOO_LARGE 255, 255, 255, 255, 255, 255, 255, 255, 255, 2

/* A file with one type, one block of this kind, and an end block with these totals. */
static void make_file(raw_file *f, uint32_t kind, const bytes *payload, const bytes *end) {
  static const uint8_t type[] = {0, SNAPSHOT_OTHER, 0, 0, 8, 1, 't'};
  raw_begin(f);
  if (kind != SNAPSHOT_TYPES) raw_block(f, SNAPSHOT_TYPES, type, sizeof type);
  raw_block(f, kind, payload->at, payload->size);
  if (end) raw_block(f, SNAPSHOT_END, end->at, end->size);
}

typedef struct refused_file {
  uint32_t kind;
  bytes payload, end;
  const char *why;
} refused_file;

static const refused_file refused_files[] = {
    {SNAPSHOT_FACTS, BYTES(1, 'k'), {{0}, 0}, "a number does not end"},
    {SNAPSHOT_FACTS, BYTES(1, 'k', 2, 'v'), {{0}, 0}, "a text does not end"},
    {SNAPSHOT_FACTS, BYTES(1, 'k', LARGEST, 'v'), {{0}, 0}, "a text does not end"},
    {SNAPSHOT_FACTS, BYTES(128), {{0}, 0}, "a number does not end"},
    {SNAPSHOT_TYPES, BYTES(1, 0, 0, 0, 8, 1, 't'), {{0}, 0}, "types are misnumbered"},
    {SNAPSHOT_TYPES, BYTES(LARGEST, 0, 0, 0, 8, 1, 't'), {{0}, 0}, "types are misnumbered"},
    {SNAPSHOT_TYPES, BYTES(0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 8, 0), {{0}, 0}, "types are misnumbered"},
    {SNAPSHOT_TYPES, BYTES(0, SNAPSHOT_TYPE_KINDS, 0, 0, 8, 0), {{0}, 0}, "no such kind of type"},
    {SNAPSHOT_TYPES, BYTES(0, 0, 255, 255, 255, 255, 16, 0, 8, 0), {{0}, 0}, "no such flags"},
    {SNAPSHOT_TYPES, BYTES(0, 0, 0, LARGEST, 8, 0), {{0}, 0}, "no address is that large"},
    {SNAPSHOT_TYPES, BYTES(0, 0, 0, 0, TOO_LARGE, 0), {{0}, 0}, "a number does not end"},
    {SNAPSHOT_NAMES, BYTES(1, 1, 'n'), {{0}, 0}, "names are misnumbered"},
    {SNAPSHOT_NAMES, BYTES(0, 0, 0, 0), {{0}, 0}, "names are misnumbered"},
    {SNAPSHOT_TEXTS, BYTES(1, 0, SNAPSHOT_TEXT_KINDS, 0), {{0}, 0}, "no such kind of text"},
    {SNAPSHOT_TEXTS, BYTES(LARGEST, 0, 0, 0), {{0}, 0}, "no address is that large"},
    {SNAPSHOT_TEXTS, BYTES(1, 3, 0, 0), {{0}, 0}, "no address is that large"}, /* below 0 */
    {SNAPSHOT_TEXTS, BYTES(1, LARGEST, 0, 0), {{0}, 0}, "no address is that large"},
    {SNAPSHOT_TEXTS, BYTES(128), {{0}, 0}, "a number does not end"},
    {SNAPSHOT_TEXTS, BYTES(1, 0, 0, 9), {{0}, 0}, "a text does not end"},
    {SNAPSHOT_CONTENTS, BYTES(LARGEST, 0, 1, 0), {{0}, 0}, "no address is that large"},
    {SNAPSHOT_CONTENTS, BYTES(1, 0, 2, 9, 'v'), {{0}, 0}, "a text does not end"},
    {SNAPSHOT_CONTENTS, BYTES(1, 0, 128), {{0}, 0}, "a number does not end"},
    {SNAPSHOT_CONTENTS, BYTES(1, 0, 2), {{0}, 0}, "a number does not end"},
    {SNAPSHOT_ROOTS, BYTES(SNAPSHOT_ROOT_KINDS, 1, 0), {{0}, 0}, "no such kind of root"},
    {SNAPSHOT_ROOTS, BYTES(0, LARGEST, 0), {{0}, 0}, "no address is that large"},
    {SNAPSHOT_ROOTS, BYTES(0, 1), {{0}, 0}, "a number does not end"},
    {SNAPSHOT_ROOTS, BYTES(0, 1, 0), BYTES(0, 0, 1, 0, 0, 0), "the end block counts"},
    {SNAPSHOT_ROOTS, BYTES(0, 1, 0), BYTES(0, 0, 1, 0, 0, 2), "the end block counts"},
    {SNAPSHOT_ROOTS, BYTES(0, 1, 0), BYTES(0, 0, 2, 0, 0, 1), "the end block counts"},
    {SNAPSHOT_ROOTS, BYTES(0, 1, 0), BYTES(0, 0, 1, 1, 0, 1), "the end block counts"},
    {SNAPSHOT_ROOTS, BYTES(0, 1, 0), BYTES(0, 0, 1, 0, 1, 1), "the end block counts"},
    {SNAPSHOT_ROOTS, BYTES(0, 1, 0), BYTES(1, 0, 1, 0, 0, 1), "the end block counts"},
    {SNAPSHOT_ROOTS, BYTES(0, 1, 0), BYTES(0, LARGEST, 1, 0, 0, 1), "the end block counts"},
    {SNAPSHOT_ROOTS, BYTES(0, 1, 0), BYTES(0, 0, 1, 0, 0), "a number does not end"},
    {SNAPSHOT_ROOTS, BYTES(0, 1, 0), BYTES(0, 0, 1, 0, 0, 1, 0), "the end block is too long"},
    {SNAPSHOT_OBJECTS, BYTES(16, 0, 0), BYTES(2, 0, 1, 0, 0, 0), "the end block counts"},
    {SNAPSHOT_OBJECTS, BYTES(16, 0, 0), BYTES(1, 4, 1, 0, 0, 0), "the end block counts"},
    {SNAPSHOT_END, BYTES(0, 0, 1, 0, 0, 0), BYTES(0, 0, 1, 0, 0, 0), "something follows the end"},
    {SNAPSHOT_OBJECTS, BYTES(16, 0), {{0}, 0}, "an object cannot be read"},
};

TEST(what_does_not_fit_is_refused_with_a_reason) {
  raw_file f;
  for (size_t i = 0; i < sizeof refused_files / sizeof *refused_files; i++) {
    const refused_file *r = &refused_files[i];
    make_file(&f, r->kind, &r->payload, r->end.size ? &r->end : NULL);
    snapshot *s = open_bytes(f.bytes, f.size, why);
    if (s || !strstr(why, r->why)) TEST_FAIL("file %zu: want %s, have \"%s\"", i, r->why, why);
  }
}

/* Objects are checked as they are read: how many objects and edges are good; the cursor says that
 * something is not. */
typedef struct damaged_objects {
  bytes payload;
  uint64_t objects, edges;
} damaged_objects;

#define ALL_FIELDS SNAPSHOT_HAS_FLAGS | SNAPSHOT_HAS_SIZE | SNAPSHOT_HAS_COUNT | SNAPSHOT_HAS_DIGEST
#define RUN(kind, edges) ((kind) + SNAPSHOT_LABEL_ROOM * (edges))
#define KEYS(keys) RUN(SNAPSHOT_KEY, 2 * (keys))
#define PAIRS(pairs) RUN(SNAPSHOT_KEY, 2 * (pairs) + 1)

static const damaged_objects damaged[] = {
    {BYTES(16), 0, 0},
    {BYTES(16, 0), 0, 0},
    {BYTES(16, 1, 0), 0, 0},                      /* no such type */
    {BYTES(16, 255, 255, 255, 255, 16, 0), 0, 0}, /* its low 32 bits are one */
    {BYTES(0, 0, 0), 0, 0},                       /* at address 0 */
    {BYTES(1, 0, 0), 0, 0},                       /* below it */
    {BYTES(LARGEST, 0, 0), 0, 0},                 /* beyond the last */
    {BYTES(TOO_LARGE, 0, 0), 0, 0},               /* no number */
    {BYTES(16, 0, 0, 16, 0, 64), 1, 0},           /* no such field */
    {BYTES(16, 0, 0, 16, 0, SNAPSHOT_HAS_FLAGS), 1, 0},
    {BYTES(16, 0, SNAPSHOT_HAS_FLAGS, 255, 255, 255, 255, 16), 0, 0},
    {BYTES(16, 0, SNAPSHOT_HAS_SIZE, 128), 0, 0},
    {BYTES(16, 0, SNAPSHOT_HAS_COUNT, TOO_LARGE), 0, 0},
    {BYTES(16, 0, ALL_FIELDS, 1, 2, 3, 4, 4, 4), 0, 0}, /* three bytes of four */
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS), 0, 0},
    {BYTES(16, 0, SNAPSHOT_MORE | SNAPSHOT_HAS_SIZE, 1), 0, 0},
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, 1), 1, 0},
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, 1, KEYS(2), 2), 1, 1},
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, 1, PAIRS(1), 2), 1, 1}, /* no value behind the key */
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, 1, RUN(SNAPSHOT_INDEX, 1)), 1, 0},
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, 1, RUN(SNAPSHOT_LOCAL, 1), 0), 1, 0},
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, 1, KEYS(1), LARGEST), 1, 0},
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, 1, KEYS(1), 19), 1, 0}, /* below 0 */
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, LARGEST, KEYS(1), 2), 1, 1},
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, 1, LARGEST, 0, 0, 0), 1, 3}, /* 2^61 edges of kind 7 */
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, 1, KEYS(1), 0), 1, 0},
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, 1, KEYS(1), 0, SNAPSHOT_SAME + 1), 1, 0},
    {BYTES(16, 0, SNAPSHOT_HAS_RUNS, LARGEST, 0, 0, 0, 0), 1, 0}, /* 2^64 runs of none */
};

static snapshot *open_objects(const bytes *payload, const bytes *end) {
  raw_file f;
  make_file(&f, SNAPSHOT_OBJECTS, payload, end);
  snapshot *s = open_bytes(f.bytes, f.size, why);
  return s;
}

TEST(damaged_objects_are_noticed_and_what_is_before_them_is_read) {
  const bytes end = BYTES(0, 0, 1, 0, 0, 0);
  for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
    snapshot *s = open_objects(&damaged[i].payload, &end);
    CHECK_STR(why, "");
    everything e = ask_everything(s);
    /* Edges of kind 7 have a name before the target: three bytes are one edge. */
    uint64_t edges = damaged[i].edges == 3 ? 1 : damaged[i].edges;
    if (!e.damaged || e.objects != damaged[i].objects || e.edges != edges)
      TEST_FAIL("objects %zu: damaged %d, %" PRIu64 " objects, %" PRIu64 " edges", i, e.damaged,
                e.objects, e.edges);
    snapshot_close(s);
    CHECK(!open_objects(&damaged[i].payload, NULL)); /* counted at once without an end block */
    CHECK(strstr(why, "an object cannot be read"));
  }
}

TEST(a_continued_object_counts_once_and_has_no_numbers) {
  const bytes payload =
      BYTES(16, 0, ALL_FIELDS | SNAPSHOT_HAS_RUNS, 1, 2, 3, 4, 4, 4, 4, 1, RUN(SNAPSHOT_UNNAMED, 1),
            2, 0, 0, SNAPSHOT_MORE | SNAPSHOT_HAS_RUNS, 1, RUN(SNAPSHOT_UNNAMED, 1), 4, 2, 0, 0);
  snapshot_cursor c = {0};
  snapshot_edge edge;
  snapshot *s = open_objects(&payload, NULL);
  CHECK_STR(why, "");
  CHECK_EQ(snapshot_count(s).objects, 2u);
  CHECK_EQ(snapshot_count(s).edges, 2u);
  CHECK(cursor_begin(&c, s, 0));
  CHECK(cursor_object(&c) && !c.object.more);
  CHECK_EQ(c.object.digest, 0x04040404u);
  CHECK(cursor_object(&c) && c.object.more);
  CHECK_EQ(c.object.address, 64u);
  CHECK_EQ(c.object.flags + c.object.size + c.object.count + c.object.digest, 0u);
  CHECK(cursor_edge(&c, &edge));
  CHECK_EQ(edge.target, 80u);
  CHECK(cursor_object(&c) && !c.object.more);
  CHECK_EQ(c.object.size, 2u); /* as the last whole object of its type */
  CHECK_EQ(c.object.digest, 0u);
  CHECK(!cursor_object(&c) && !c.damaged);
  cursor_finish(&c);
  snapshot_close(s);
}

TEST(a_value_without_a_key_has_none) {
  const bytes payload = BYTES(16, 0, SNAPSHOT_HAS_RUNS, 2, KEYS(1), 2, KEYS(0), 2, 0,
                              SNAPSHOT_HAS_RUNS, 1, RUN(SNAPSHOT_VALUE, 1), 2);
  snapshot_cursor c = {0};
  snapshot_edge edge;
  snapshot *s = open_objects(&payload, NULL);
  CHECK_STR(why, "");
  CHECK(cursor_begin(&c, s, 0));
  CHECK(cursor_object(&c) && cursor_object(&c) && cursor_edge(&c, &edge));
  CHECK_EQ(edge.kind, SNAPSHOT_VALUE);
  CHECK_EQ(edge.label, 0u);
  cursor_finish(&c);
  snapshot_close(s);
}

TEST(blocks_of_a_later_writer_are_skipped) {
  const uint8_t payload[] = {1, 2, 3};
  for (uint32_t kind = SNAPSHOT_BLOCK_KINDS; kind; kind *= 2) { /* to the highest bit */
    raw_file f;
    raw_begin(&f);
    raw_block(&f, kind, payload, sizeof payload);
    raw_block(&f, SNAPSHOT_END, "\0\0\0\0\0", 6);
    snapshot *s = open_bytes(f.bytes, f.size, why);
    CHECK_STR(why, "");
    CHECK(snapshot_complete(s));
    snapshot_close(s);
  }
}

/* A length that reaches beyond the longest block is damage, not a file that was cut. */
TEST(a_block_that_is_too_long_is_refused) {
  raw_file f;
  for (uint32_t length = SNAPSHOT_BLOCK_MAX; length; length *= 2) {
    raw_begin(&f);
    raw_fixed(&f, SNAPSHOT_FACTS);
    raw_fixed(&f, length);
    raw_fixed(&f, 0);
    raw_fixed(&f, 0);
    snapshot *s = open_bytes(f.bytes, f.size, why);
    CHECK_EQ(s != NULL, length == SNAPSHOT_BLOCK_MAX);
    if (!s) CHECK_STR(why, "damaged at byte 16: no block is that long");
    snapshot_close(s);
  }
}

TEST(gaps_must_be_zero) {
  raw_file f;
  raw_begin(&f);
  raw_block(&f, SNAPSHOT_FACTS, "\1k\1", 3);
  f.bytes[f.size - 1] = 1;
  CHECK(!open_bytes(f.bytes, f.size, why));
  CHECK(strstr(why, "a gap is not zero"));
  raw_begin(&f);
  raw_block(&f, SNAPSHOT_END, "\0\0\0\0\0", 6);
  raw_put(&f, "", 1); /* one byte behind the end */
  CHECK(!open_bytes(f.bytes, f.size, why));
  CHECK(strstr(why, "something follows the end block"));
}

TEST(a_file_of_a_later_version_is_named_as_such) {
  make_good_file();
  for (uint32_t version = SNAPSHOT_VERSION + 1; version; version *= 2) {
    varint_put_fixed(good + 8, version, 4);
    CHECK(!open_bytes(good, good_size, why));
    CHECK(starts_with(why, "written by a later Ouro (format "));
  }
  varint_put_fixed(good + 8, 0, 4);
  CHECK(!open_bytes(good, good_size, why));
  CHECK_STR(why, "damaged at byte 8: no such version");
}

TEST(what_is_no_file_is_refused) {
  CHECK(!snapshot_open("/does/not/exist", why));
  CHECK_STR(why, "cannot be read: No such file or directory");
  CHECK(!snapshot_open("/proc/self", why));
  CHECK_STR(why, "cannot be read: Is a directory");
  CHECK(!snapshot_open("/dev/zero", why));
  CHECK_STR(why, "cannot be read: Illegal seek");
  CHECK(!snapshot_open("/proc/self/maps", why)); /* a file of no length */
  CHECK_STR(why, "not a snapshot of Ouro");
}

/* Bytes at random, behind a good header and good checksums. */
TEST(random_payloads_are_survived) {
  raw_file f;
  for (int i = 0; i < 20000; i++) {
    uint8_t payload[200];
    raw_begin(&f);
    for (uint32_t kind = SNAPSHOT_FACTS; kind <= SNAPSHOT_ROOTS; kind++) {
      size_t size = kind == SNAPSHOT_OBJECTS ? 1 + test_random() % sizeof payload : 0;
      for (size_t k = 0; k < size; k++)
        payload[k] = test_random() % 4 ? (uint8_t)(test_random() % 24) : (uint8_t)test_random();
      if (kind == SNAPSHOT_TYPES) raw_block(&f, kind, "\0\0\0\0\0\0\1\0\0\0\0", 12);
      else raw_block(&f, kind, payload, size);
    }
    raw_block(&f, SNAPSHOT_END, "\0\0\2\0\0", 6);
    snapshot *s = open_bytes(f.bytes, f.size, why);
    CHECK_STR(why, "");
    ask_everything(s);
    snapshot_close(s);
  }
}
