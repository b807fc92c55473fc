/* SPDX-License-Identifier: MIT */
#include "dump.h"

#include "schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "take.h"

#define MILLISECOND 1000000u

/* Files of others that may have the names before ours. */
#define NUMBERS_MOST 1000000u

/* One per process, as its life is. */
static struct {
  pthread_mutex_t lock; /* of what follows; its holder does not wait for the GIL */
  atomic_bool armed;
  ouro_heap *heap;
  char prefix[SCHEDULE_PATH];
  snaptells tells;
  uint64_t begun_ns, age_ns; /* the age at which the next one is due */
  pid_t writer;              /* 0: none is being written */
  unsigned number;           /* of the last file */
  unsigned kept[SCHEDULE_KEPT];
  size_t count; /* of those, the oldest first */
  ledger book;
  bool book_known;
} schedule = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- Files ------------------------------------------------------------------------------------ */

static void name_file(unsigned number, char path[SCHEDULE_FILE]) {
  snprintf(path, SCHEDULE_FILE, "%s.%u.snap", schedule.prefix, number);
}

static void remove_file(unsigned number) {
  char path[SCHEDULE_FILE];
  name_file(number, path);
  unlink(path);
}

static int new_file(void) {
  char path[SCHEDULE_FILE];
  int file = -1;
  do {
    name_file(++schedule.number, path);
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  } while (file < 0 && errno == EEXIST && schedule.number < NUMBERS_MOST);
  return file;
}

/* An older one goes only when the newer one is complete: the disk may be full. */
static void keep(unsigned number) {
  if (schedule.count == SCHEDULE_KEPT) {
    remove_file(schedule.kept[0]);
    memmove(schedule.kept, schedule.kept + 1, sizeof schedule.kept - sizeof *schedule.kept);
    schedule.count--;
  }
  schedule.kept[schedule.count++] = number;
}

static void close_book(bool complete) {
  schedule.writer = 0;
  if (complete) keep(schedule.number);
  else remove_file(schedule.number);
}

/* --- When it is time -------------------------------------------------------------------------- */

/* A program that waits for clones too may have buried the writer: what it said is lost then. */
static void look_after_writer(void) {
  int status = 0;
  if (schedule.writer == 0) return;
  pid_t ended = waitpid(schedule.writer, &status, __WALL | WNOHANG);
  if (ended != 0 && !(ended < 0 && errno == EINTR)) close_book(status == 0);
}

/* The ages that went by while a writer was busy are left out. */
static bool is_due(void) {
  uint64_t age = os_clock_ns() - schedule.begun_ns;
  if (schedule.writer != 0 || age < schedule.age_ns) return false;
  while (schedule.age_ns <= age) schedule.age_ns *= 2;
  return true;
}

bool schedule_armed(void) { return atomic_load(&schedule.armed); }

bool schedule_look(void) {
  if (!schedule_armed()) return false;
  pthread_mutex_lock(&schedule.lock);
  look_after_writer();
  bool due = is_due();
  if (due) schedule.book_known = ledger_read(schedule.heap, &schedule.book) == 0;
  pthread_mutex_unlock(&schedule.lock);
  return due;
}

/* Where no child can be made there is no snapshot: nobody asked the program to wait for it. */
static void take(void) {
  snaptaken taken;
  const snaptake_options how = {
      .tells = schedule.tells, .status = -1, .ledger = schedule.book_known ? &schedule.book : NULL};
  int file = new_file();
  if (file < 0) return;
  snapdump_prepare();
  if (snaptake(schedule.heap, file, &how, &taken) == 0) schedule.writer = taken.child;
  else remove_file(schedule.number);
  close(file);
}

void schedule_take(void *heap) {
  (void)heap;
  pthread_mutex_lock(&schedule.lock);
  if (schedule_armed()) take();
  pthread_mutex_unlock(&schedule.lock);
}

/* --- Begin and end ---------------------------------------------------------------------------- */

bool schedule_begin(ouro_heap *heap, const char *prefix, snaptells tells, unsigned first_ms) {
  if (schedule_armed() || strlen(prefix) >= SCHEDULE_PATH) return false;
  pthread_mutex_lock(&schedule.lock);
  strcpy(schedule.prefix, prefix);
  schedule.heap = heap;
  schedule.tells = tells;
  schedule.begun_ns = os_clock_ns();
  schedule.age_ns = (uint64_t)first_ms * MILLISECOND;
  schedule.writer = 0;
  schedule.number = 0;
  schedule.count = 0;
  pthread_mutex_unlock(&schedule.lock);
  atomic_store(&schedule.armed, true);
  return true;
}

static void wait_for_writer(void) {
  int status = 0;
  pid_t ended;
  if (schedule.writer == 0) return;
  do ended = waitpid(schedule.writer, &status, __WALL);
  while (ended < 0 && errno == EINTR);
  close_book(status == 0);
}

size_t schedule_end(char files[SCHEDULE_KEPT][SCHEDULE_FILE]) {
  if (!atomic_exchange(&schedule.armed, false)) return 0;
  pthread_mutex_lock(&schedule.lock);
  wait_for_writer();
  size_t count = schedule.count;
  for (size_t i = 0; i < count; i++) name_file(schedule.kept[i], files[i]);
  pthread_mutex_unlock(&schedule.lock);
  return count;
}

void schedule_after_fork(void) {
  pthread_mutex_init(&schedule.lock, NULL);
  atomic_store(&schedule.armed, false);
}
