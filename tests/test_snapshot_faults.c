/* SPDX-License-Identifier: MIT */
/*
 * The writer on full disks, under signals and killed; the reader without memory. The file's system
 * calls are replaced by ones that fail when told to.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include "snapshot/everything.h"
#include "snapshot/files.h"

static char why[SNAPSHOT_WHY];

/* ---- system calls that fail ---- */

static struct {
  uint64_t fail_write, fail_map; /* the n-th from now on, 0: none */
  bool short_writes, signals;    /* writes of a few bytes; every second one is interrupted */
  int error;
} faults;

static bool is_now(uint64_t *left) { return *left && --*left == 0; }

ssize_t write(int descriptor, const void *bytes, size_t size);
ssize_t write(int descriptor, const void *bytes, size_t size) {
  static uint64_t calls;
  if (is_now(&faults.fail_write)) return errno = faults.error, faults.error ? -1 : 0;
  if (faults.signals && calls++ % 2) return errno = EINTR, -1;
  if (faults.short_writes) size = 1 + (size - 1) % 1000;
  return syscall(SYS_write, descriptor, bytes, size);
}

void *mmap(void *hint, size_t size, int rights, int flags, int descriptor, off_t offset);
void *mmap(void *hint, size_t size, int rights, int flags, int descriptor, off_t offset) {
  if (is_now(&faults.fail_map)) return errno = ENOMEM, MAP_FAILED;
  return (void *)syscall(SYS_mmap, hint, size, rights, flags, descriptor, offset);
}

/* ---- writes ---- */

enum { OBJECTS = 100000 };

/* The n-th object of a sequence without end. */
static void write_nth(writer *w, uint64_t n) {
  writer_object(w, &(writer_object_facts){.address = 64 * n + 64, .size = n, .count = n % 7});
  writer_run(w, SNAPSHOT_INDEX, n, n % 5);
  for (uint64_t i = 0; i < n % 5; i++) writer_edge(w, 64 * (n + i));
  writer_object_end(w);
}

static void check_nth(snapshot_cursor *c, uint64_t n) {
  snapshot_edge edge;
  CHECK_EQ(c->object.address, 64 * n + 64);
  CHECK_EQ(c->object.size, n);
  CHECK_EQ(c->object.count, n % 7);
  for (uint64_t i = 0; i < n % 5; i++) {
    CHECK(cursor_edge(c, &edge));
    CHECK_EQ(edge.target, 64 * (n + i));
    CHECK_EQ(edge.label, n + i);
  }
  CHECK(!cursor_edge(c, &edge));
}

/* The file holds the beginning of the sequence; how much of it. */
static uint64_t check_sequence(const snapshot *s) {
  snapshot_cursor c = {0};
  uint64_t n = 0;
  for (size_t block = 0; block < snapshot_object_blocks(s); block++) {
    CHECK(cursor_begin(&c, s, block));
    while (cursor_object(&c)) check_nth(&c, n++);
    CHECK(!c.damaged);
  }
  cursor_finish(&c);
  CHECK_EQ(snapshot_count(s).objects, n);
  return n;
}

/* Writes the sequence into a new file; what writer_end says. */
static int write_sequence(int *file) {
  writing now = write_unnamed();
  writer_type(now.w, SNAPSHOT_OTHER, 0, 0, 0, "t");
  for (uint64_t n = 0; n < OBJECTS; n++) write_nth(now.w, n);
  int error = writer_end(now.w);
  *file = now.file;
  free(now.w);
  return error;
}

TEST(short_and_interrupted_writes_are_continued) {
  int file;
  faults.short_writes = faults.signals = true;
  CHECK_EQ(write_sequence(&file), 0);
  snapshot *s = open_descriptor(file, why);
  CHECK_STR(why, "");
  CHECK(snapshot_complete(s));
  CHECK_EQ(check_sequence(s), OBJECTS);
  snapshot_close(s);
  close(file);
}

/* Whichever write fails: the first error is told, nothing is written after it, and what was written
 * before is a snapshot that ends early. */
static bool fail_nth_write(uint64_t n, int error) {
  int file;
  faults.fail_write = n;
  faults.error = error;
  int told = write_sequence(&file);
  bool reached = faults.fail_write == 0;
  faults.fail_write = 0;
  CHECK_EQ(told, reached ? error ? error : EIO : 0);
  snapshot *s = open_descriptor(file, why);
  CHECK_EQ(s != NULL, n > 1);
  if (s) CHECK_EQ(snapshot_complete(s), !reached);
  if (s) CHECK_LE(check_sequence(s), OBJECTS);
  snapshot_close(s);
  close(file);
  return reached;
}

TEST(each_write_may_fail) {
  const int errors[] = {ENOSPC, EIO, EDQUOT, 0};
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    uint64_t n = 1;
    while (fail_nth_write(n, errors[i])) n++;
    CHECK_LT(5u, n);
  }
}

TEST(a_descriptor_that_cannot_be_written_is_told) {
  writer *w = writer_begin(calloc(1, writer_size()), -1);
  for (uint64_t n = 0; n < OBJECTS; n++) write_nth(w, n);
  CHECK_EQ(writer_end(w), EBADF);
  CHECK_EQ(writer_bytes(w), 0u);
  free(w);
}

/* ---- calls that do not fit ---- */

static void begin_object(writer *w) { writer_object(w, &(writer_object_facts){.address = 64}); }
static void too_few_edges(writer *w) {
  writer_run(w, SNAPSHOT_KEY, 0, 2);
  writer_edge(w, 64);
}
static void too_few_before_a_run(writer *w) {
  writer_run(w, SNAPSHOT_KEY, 0, 1);
  writer_run(w, SNAPSHOT_KEY, 0, 0);
}
static void too_many_edges(writer *w) {
  writer_run(w, SNAPSHOT_KEY, 0, 1);
  writer_edge(w, 64);
  writer_edge(w, 64);
}
static void edge_without_run(writer *w) { writer_edge(w, 64); }
static void name_missing(writer *w) {
  writer_run(w, SNAPSHOT_LOCAL, 0, 1);
  writer_edge(w, 64);
}
static void name_unasked(writer *w) {
  writer_run(w, SNAPSHOT_KEY, 0, 1);
  writer_named_edge(w, 0, 64);
}

/* A file that says something else than was meant is worse than none; the program goes on. */
TEST(misuse_is_an_error_of_the_writer) {
  void (*const wrong[])(writer *) = {too_few_edges,    too_few_before_a_run, too_many_edges,
                                     edge_without_run, name_missing,         name_unasked};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    writing now = write_unnamed();
    writer_type(now.w, SNAPSHOT_OTHER, 0, 0, 0, "t");
    begin_object(now.w);
    wrong[i](now.w);
    writer_object_end(now.w);
    CHECK_EQ(writer_end(now.w), EINVAL);
    snapshot *s = open_descriptor(now.file, why);
    CHECK(s && !snapshot_complete(s));
    snapshot_close(s);
    close(now.file);
    free(now.w);
  }
}

/* ---- killed ---- */

/* Never ends; tells how far it is. */
static void write_for_ever(int file, volatile uint64_t *progress) {
  writer *w = writer_begin(calloc(1, writer_size()), file);
  char text[20];
  writer_type(w, SNAPSHOT_OTHER, 0, 0, 0, "t");
  for (uint64_t n = 0;; n++) {
    write_nth(w, n);
    if (n % 3 == 0)
      writer_text(w, 64 * n + 64, SNAPSHOT_TITLE, text, (size_t)sprintf(text, "%" PRIu64, n));
    *progress = n + 1;
    if (writer_bytes(w) > 1u << 28) pause();
  }
}

/* Objects take seven bytes and more here. */
TEST(a_killed_writer_loses_its_last_block) {
  volatile uint64_t *progress =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int with_objects = 0;
  for (int i = 0; i < 60; i++) {
    int file = unnamed_file();
    *progress = 0;
    pid_t child = fork();
    if (child == 0) write_for_ever(file, progress);
    uint64_t enough = test_random() % 60000; /* what a slow machine writes, too */
    while (*progress < enough) usleep(100);
    usleep((useconds_t)(test_random() % 500));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    snapshot *s = open_descriptor(file, why);
    CHECK(s || lseek(file, 0, SEEK_END) < (off_t)sizeof(snapshot_header));
    if (s) {
      CHECK(!snapshot_complete(s));
      uint64_t objects = check_sequence(s);
      CHECK_LE(*progress, objects + (WRITER_BLOCK + 4096) / 7);
      CHECK_LE(objects, *progress + 1);
      CHECK(objects < 3 || ask_everything(s).texts >= objects / 3);
      with_objects += objects > 0;
    }
    snapshot_close(s);
    close(file);
  }
  CHECK_LT(5, with_objects);
}

/* ---- no memory ---- */

TEST(the_reader_may_be_refused_each_piece_of_memory) {
  int file, refused = 0;
  CHECK_EQ(write_sequence(&file), 0);
  for (uint64_t n = 1;; n++) {
    faults.fail_map = n;
    snapshot *s = open_descriptor(file, why);
    bool reached = faults.fail_map == 0;
    faults.fail_map = 0;
    CHECK_EQ(s == NULL, reached);
    if (s) CHECK_EQ(check_sequence(s), OBJECTS);
    snapshot_close(s);
    if (!reached) break;
    refused++;
    CHECK(!strcmp(why, "out of memory") || !strcmp(why, "cannot be read: Cannot allocate memory"));
  }
  CHECK_EQ(refused, 2);
  close(file);
}

TEST(the_reader_of_a_cut_file_may_be_refused_each_piece_of_memory) {
  int file, refused = 0;
  CHECK_EQ(write_sequence(&file), 0);
  CHECK_EQ(ftruncate(file, lseek(file, 0, SEEK_END) - 1), 0);
  for (uint64_t n = 1;; n++, refused++) {
    faults.fail_map = n;
    snapshot *s = open_descriptor(file, why);
    bool reached = faults.fail_map == 0;
    faults.fail_map = 0;
    CHECK_EQ(s == NULL, reached);
    snapshot_close(s);
    if (!reached) break;
  }
  CHECK_EQ(refused, 3);
  close(file);
}

TEST(a_cursor_without_memory_begins_nothing) {
  int file;
  snapshot_cursor c = {0};
  CHECK_EQ(write_sequence(&file), 0);
  snapshot *s = open_descriptor(file, why);
  faults.fail_map = 1;
  CHECK(!cursor_begin(&c, s, 0));
  cursor_finish(&c);
  CHECK(cursor_begin(&c, s, 0));
  CHECK(cursor_object(&c));
  cursor_finish(&c);
  snapshot_close(s);
  close(file);
}
