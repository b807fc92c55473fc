/* SPDX-License-Identifier: MIT */
#include "dump.h"

#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../hook.h"
#include "os/os.h"
#include "take.h"

/* A limit counts as crossed again only after so much less was used, in thousandths of it. */
#define BELOW_PERMILLE 100

/* Files of one process; each number is tried from where the last one was. */
#define NUMBERS_MOST 1000000u

/* Of the address space that is left, kept for a child. */
#define RESERVED_SHARE 8

enum { DOMAIN_MEM, DOMAIN_OBJ, DOMAINS };

static const PyMemAllocatorDomain domains[DOMAINS] = {PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

/* One per process, as signals and limits are. */
static struct {
  pthread_mutex_t lock; /* of the options, against the ticker's look */
  trigger_options options;
  atomic_bool armed, signalled;
  ouro_heap *heap;
  limits group;
  bool crossed; /* the limit, and not yet well below it again */
  bool failed;  /* an allocation has, and its snapshot was taken */
  uint64_t look_ns;
  unsigned number;    /* of the last file */
  dev_t error_device; /* with `error_inode`: what standard error was */
  ino_t error_inode;
  /* What trigger_look found. */
  const char *prefix;
  char reason[TRIGGER_WHY];
  ledger book;
  bool book_known;
  PyMemAllocatorEx under[DOMAINS];
  bool hooked;
} trigger = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- Telling ---------------------------------------------------------------------------------- */

/* Programs close standard error, and what gets its number is not for us. */
static void note_error_stream(void) {
  struct stat info = {.st_ino = 0};
  if (fstat(STDERR_FILENO, &info) != 0) info.st_ino = 0;
  trigger.error_device = info.st_dev;
  trigger.error_inode = info.st_ino;
}

static bool may_tell(void) {
  struct stat info;
  return trigger.error_inode != 0 && fstat(STDERR_FILENO, &info) == 0 &&
         info.st_dev == trigger.error_device && info.st_ino == trigger.error_inode;
}

static void tell(const char *path, int error) {
  if (!may_tell()) return;
  if (error == 0) dprintf(STDERR_FILENO, "ouro: %s: writing %s\n", trigger.reason, path);
  else
    dprintf(STDERR_FILENO, "ouro: %s: cannot write %s: %s\n", trigger.reason, path,
            strerror(error));
}

/* --- Taking ----------------------------------------------------------------------------------- */

/* A file that was not there, or a negative errno value; its name is in `path` then too. */
static int new_file(const char *prefix, char path[TRIGGER_PATH + 64]) {
  int file = -EEXIST;
  while (file == -EEXIST && trigger.number < NUMBERS_MOST) {
    snprintf(path, TRIGGER_PATH + 64, "%s.%ld.%u.snap", prefix, (long)getpid(), ++trigger.number);
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) file = -errno;
  }
  return file;
}

/* Where no child can be made the program waits for the whole of it, which is what it was told to;
 * but not amid an allocation, where its objects may be half made. */
static int take_to(int file, bool in_place) {
  snaptaken taken;
  const snaptake_options how = {.tells = trigger.options.tells,
                                .in_place = in_place,
                                .status = -1,
                                .ledger = trigger.book_known ? &trigger.book : NULL};
  int error = snaptake(trigger.heap, file, &how, &taken);
  if (error == 0 && taken.child > 0) snaptake_leave(taken.child);
  return error;
}

static void take(const char *prefix, bool in_place) {
  char path[TRIGGER_PATH + 64];
  int file = new_file(prefix, path);
  int error = file < 0 ? -file : take_to(file, in_place);
  if (file >= 0) close(file);
  if (file >= 0 && error != 0) unlink(path);
  tell(path, error);
}

void trigger_take(void *heap) {
  trigger.heap = heap;
  snapdump_prepare();
  take(trigger.prefix, true);
}

/* --- What the ticker looks for ---------------------------------------------------------------- */

static bool due(const char *prefix) {
  trigger.prefix = prefix;
  trigger.book_known = ledger_read(trigger.heap, &trigger.book) == 0;
  return true;
}

static bool look_for_signal(void) {
  if (!atomic_exchange(&trigger.signalled, false)) return false;
  snprintf(trigger.reason, sizeof trigger.reason, "signal %d came", trigger.options.signal);
  return due(trigger.options.prefix);
}

/* One that cannot be removed would have a snapshot taken at every look. */
static bool look_for_file(void) {
  if (trigger.options.file[0] == '\0' || unlink(trigger.options.file) != 0) return false;
  snprintf(trigger.reason, sizeof trigger.reason, "its file appeared");
  return due(trigger.options.beside);
}

static bool look_at_limit(void) {
  if (trigger.options.limit_permille == 0) return false;
  limits_use use = limits_read(&trigger.group, trigger.heap, trigger.options.heap_limit);
  unsigned now = limits_permille(&use), limit = trigger.options.limit_permille;
  bool was = trigger.crossed;
  trigger.crossed = now >= limit || (was && now + BELOW_PERMILLE >= limit);
  if (was || !trigger.crossed) return false;
  snprintf(trigger.reason, sizeof trigger.reason, "memory is at %u %% of %s", now / 10, use.name);
  return due(trigger.options.prefix);
}

bool trigger_armed(void) { return atomic_load(&trigger.armed); }

/* The ticker comes more often where there is memory to give back. */
static bool is_time(void) {
  uint64_t now = os_clock_ns();
  if (now - trigger.look_ns < TRIGGER_MS / 2 * 1000000u) return false;
  trigger.look_ns = now;
  return true;
}

bool trigger_look(void) {
  if (!trigger_armed()) return false;
  pthread_mutex_lock(&trigger.lock);
  bool found = look_for_signal() || (is_time() && (look_for_file() || look_at_limit()));
  pthread_mutex_unlock(&trigger.lock);
  return found;
}

/* --- A failed allocation ---------------------------------------------------------------------- */

/* Only the first one: a program that goes on at its limit may meet thousands. */
static void *note_failure(size_t size) {
  bool wanted = trigger.options.memory_error && !trigger.failed;
  if (!wanted || !compat_running() || !hook_may_change()) return NULL;
  trigger.failed = true;
  snprintf(trigger.reason, sizeof trigger.reason, "out of memory, %zu bytes were asked for", size);
  trigger.book_known = ledger_read(trigger.heap, &trigger.book) == 0;
  take(trigger.options.prefix, false);
  return NULL;
}

static void *watch_malloc(void *ctx, size_t size) {
  const PyMemAllocatorEx *under = ctx;
  void *block = under->malloc(under->ctx, size);
  return OURO_LIKELY(block != NULL) ? block : note_failure(size);
}

static void *watch_calloc(void *ctx, size_t count, size_t size) {
  const PyMemAllocatorEx *under = ctx;
  void *block = under->calloc(under->ctx, count, size);
  return OURO_LIKELY(block != NULL) ? block : note_failure(count * size);
}

static void *watch_realloc(void *ctx, void *block, size_t size) {
  const PyMemAllocatorEx *under = ctx;
  void *moved = under->realloc(under->ctx, block, size);
  return OURO_LIKELY(moved != NULL) ? moved : note_failure(size);
}

static void watch_free(void *ctx, void *block) {
  const PyMemAllocatorEx *under = ctx;
  under->free(under->ctx, block);
}

static bool is_outermost(void) {
  PyMemAllocatorEx now;
  PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &now);
  return now.malloc == watch_malloc;
}

/* Once: a tool that was started over ours forwards to it, and must not be forwarded to in turn. */
static void put_in(void) {
  if (trigger.hooked) return;
  for (int d = 0; d < DOMAINS; d++) {
    PyMem_GetAllocator(domains[d], &trigger.under[d]);
    PyMemAllocatorEx ours = {&trigger.under[d], watch_malloc, watch_calloc, watch_realloc,
                             watch_free};
    PyMem_SetAllocator(domains[d], &ours);
  }
  trigger.hooked = true;
}

/* From 3.12 on an interpreter that starts again has put CPython's own back. */
void trigger_unhook(void) {
  for (int d = 0; d < DOMAINS && is_outermost(); d++)
    PyMem_SetAllocator(domains[d], &trigger.under[d]);
  trigger.hooked = false;
}

/* --- Setting ---------------------------------------------------------------------------------- */

static void on_signal(int number) {
  (void)number;
  atomic_store(&trigger.signalled, true);
}

static bool is_ours(int number) {
  struct sigaction now;
  return sigaction(number, NULL, &now) == 0 && now.sa_handler == on_signal;
}

static void drop_signal(void) {
  if (trigger.options.signal == 0 || !is_ours(trigger.options.signal)) return;
  signal(trigger.options.signal, SIG_DFL);
}

/* The program's own handler, or its wish to ignore it, is older than ours. */
static int set_signal(int number, char why[TRIGGER_WHY]) {
  struct sigaction now, ours = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  if (number == 0 || is_ours(number)) return 0;
  if (sigaction(number, NULL, &now) != 0) {
    snprintf(why, TRIGGER_WHY, "signal %d: %s", number, strerror(errno));
    return -1;
  }
  if (now.sa_handler != SIG_DFL || (now.sa_flags & SA_SIGINFO) != 0) {
    snprintf(why, TRIGGER_WHY, "signal %d has a handler already, or is ignored: name another one",
             number);
    return -1;
  }
  return sigaction(number, &ours, NULL);
}

/* A child has the address space of its parent and needs some more, which a limit would refuse. */
static void reserve_for_child(void) {
  size_t left = limits_address_space();
  if (left != SIZE_MAX) snaptake_reserve(left / RESERVED_SHARE);
}

static void change(ouro_heap *heap, const trigger_options *options) {
  pthread_mutex_lock(&trigger.lock);
  trigger.options = *options;
  trigger.heap = heap;
  trigger.crossed = trigger.failed = false;
  limits_find(&trigger.group, "");
  note_error_stream();
  pthread_mutex_unlock(&trigger.lock);
}

int trigger_set(ouro_heap *heap, const trigger_options *options, char why[TRIGGER_WHY]) {
  if (set_signal(options->signal, why) != 0) return -1;
  if (options->signal != trigger.options.signal) drop_signal();
  snapdump_prepare();
  reserve_for_child();
  change(heap, options);
  if (options->memory_error) put_in();
  atomic_store(&trigger.armed,
               options->signal != 0 || options->file[0] != '\0' || options->limit_permille != 0);
  return 0;
}

limits_use trigger_limit(void) {
  return limits_read(&trigger.group, trigger.heap, trigger.options.heap_limit);
}

void trigger_after_fork(void) {
  pthread_mutex_init(&trigger.lock, NULL);
  atomic_store(&trigger.signalled, false);
  trigger.crossed = trigger.failed = false;
  trigger.number = 0;
}
