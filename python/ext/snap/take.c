/* SPDX-License-Identifier: MIT */
#include "dump.h"

#include "take.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"

#define NICER 10

/* How long a child waits to be told the pause; its parent does so first of all. */
#define TOLD_PATIENCE_MS 200

/* Descriptors closed one by one where the kernel has no close_range (before 5.9). */
#define CLOSED_ONE_BY_ONE 65536

/* What parent and child have in common. The pause is known only when there are two of them. */
typedef struct shared_page {
  _Atomic uint64_t pause_ns;
} shared_page;

/* One per process, as its address space is. */
static struct {
  void *at; /* NULL: nothing */
  size_t size;
} reserved;

/* --- In the child: no malloc, no locks, nothing that other threads may have been amid of ------ */

static void close_range_of(unsigned first, unsigned last) {
  if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
  for (unsigned fd = first; fd <= last && fd < CLOSED_ONE_BY_ONE; fd++) close((int)fd);
}

static void close_others(int a, int b) {
  unsigned low = (unsigned)(b < 0 || a < b ? a : b);
  unsigned high = (unsigned)(a > b ? a : b);
  if (low > 0) close_range_of(0, low - 1);
  if (high > low + 1) close_range_of(low + 1, high - 1);
  close_range_of(high + 1, ~0u);
}

/* Raising it takes no privilege. */
static void be_killed_first(void) {
  int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t ignored = write(file, "1000", 4);
  (void)ignored;
  close(file);
}

/* The limits are the program's, and the child may be at them from its first moment. */
static void make_room(ouro_heap *heap) {
  static const int limits[] = {RLIMIT_AS, RLIMIT_DATA};
  if (heap != NULL) ouro_heap_set_limit(heap, 0);
  for (int i = 0; i < 2; i++) {
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)limits[i], &now) != 0) continue;
    now.rlim_cur = now.rlim_max;
    setrlimit((__rlimit_resource_t)limits[i], &now);
  }
  if (reserved.at != NULL) os_release(reserved.at, reserved.size);
}

static void become_writer(ouro_heap *heap, int file, int status) {
  const struct rlimit none = {0, 0};
  make_room(heap);
  close_others(file, status);
  prctl(PR_SET_NAME, "ouro-snapshot");
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICER);
  setrlimit(RLIMIT_CORE, &none); /* a copy of the program would be all it has to say */
  be_killed_first();
}

static uint64_t told_pause(const shared_page *page) {
  const struct timespec moment = {.tv_nsec = 1000000};
  if (page == NULL) return 0;
  for (int i = 0; i < TOLD_PATIENCE_MS && atomic_load(&page->pause_ns) == 0; i++)
    nanosleep(&moment, NULL);
  return atomic_load(&page->pause_ns);
}

static _Noreturn void write_and_end(ouro_heap *heap, int file, int status, snapdump_options *how,
                                    const shared_page *page) {
  become_writer(heap, file, status);
  how->pause_ns = told_pause(page);
  int error = snapdump_write(heap, file, how);
  snaptake_tell(status, error);
  _exit(error);
}

/* --- In the program --------------------------------------------------------------------------- */

/* As fork, but for the functions that libraries have registered for forks, and without an exit
 * signal. All other threads are gone in the child, and their locks are as they were. */
static pid_t clone_silently(void) { return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL); }

static shared_page *new_page(void) {
  void *page =
      mmap(NULL, sizeof(shared_page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return page != MAP_FAILED ? page : NULL;
}

static void drop_page(shared_page *page) {
  if (page != NULL) munmap(page, sizeof *page);
}

/* Signals are the program's: none may be handled in the child. */
static pid_t make_child(ouro_heap *heap, int file, int status, snapdump_options *how,
                        uint64_t begun, uint64_t *pause_ns) {
  sigset_t all, before;
  shared_page *page = new_page();
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = clone_silently();
  if (child == 0) write_and_end(heap, file, status, how, page);
  int error = errno;
  *pause_ns = os_clock_ns() - begun;
  if (page != NULL) atomic_store(&page->pause_ns, *pause_ns);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  drop_page(page);
  errno = error;
  return child;
}

static int write_here(ouro_heap *heap, int file, int status, snapdump_options *how, uint64_t begun,
                      uint64_t *pause_ns) {
  how->mode = "in place";
  int error = snapdump_write(heap, file, how);
  *pause_ns = os_clock_ns() - begun;
  if (status >= 0) snaptake_tell(status, error);
  return error;
}

static uint64_t resident_of(const ledger *book) {
  return book != NULL ? book->bytes[LEDGER_RESIDENT] : 0;
}

int snaptake(ouro_heap *heap, int file, const snaptake_options *options, snaptaken *out) {
  uint64_t begun = os_clock_ns();
  snapdump_options how = {.tells = options->tells,
                          .mode = "fork",
                          .process = (uint64_t)getpid(),
                          .ledger = options->ledger,
                          .resident = resident_of(options->ledger)};
  *out = (snaptaken){.child = 0};
  pid_t child = make_child(heap, file, options->status, &how, begun, &out->pause_ns);
  if (child < 0 && !options->in_place) return errno;
  if (child < 0) return write_here(heap, file, options->status, &how, begun, &out->pause_ns);
  out->child = child;
  return 0;
}

void snaptake_reserve(size_t bytes) {
  if (reserved.at != NULL) return;
  reserved.size = os_whole_pages(bytes);
  reserved.at = os_reserve(reserved.size, os_page_size());
}

/* --- Its end ---------------------------------------------------------------------------------- */

void snaptake_tell(int status, int error) {
  int32_t number = error;
  if (status < 0) return;
  ssize_t ignored = write(status, &number, sizeof number);
  (void)ignored;
}

/* A program that waits for clones too may have buried it; what it said is lost then. */
int snaptake_wait(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, __WALL) < 0) return errno == ECHILD ? 0 : errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* 0: free. A number that is another child's by now is not: ours keeps it until it is buried. */
static _Atomic pid_t left[SNAPTAKE_LEFT];

void snaptake_leave(pid_t child) {
  pid_t pushed = child;
  for (int i = 0; i < SNAPTAKE_LEFT && pushed != 0; i++) {
    pid_t empty = 0;
    if (atomic_compare_exchange_strong(&left[i], &empty, child)) pushed = 0;
  }
  if (pushed != 0) atomic_store(&left[0], child);
}

bool snaptake_reap(void) {
  bool running = false;
  for (int i = 0; i < SNAPTAKE_LEFT; i++) {
    pid_t child = atomic_load(&left[i]);
    if (child == 0) continue;
    if (waitpid(child, NULL, __WALL | WNOHANG) == 0) running = true;
    else atomic_compare_exchange_strong(&left[i], &child, 0);
  }
  return running;
}
