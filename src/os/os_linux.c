/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1 /* mremap */
#include <errno.h>
#include <fcntl.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os.h"

/* Values from the kernel's headers that older C libraries do not name. */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

size_t os_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static void *map_none(void *hint, size_t size, int flags) {
  void *p = mmap(hint, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

void *os_reserve(size_t size, size_t alignment) {
  char *p = map_none(NULL, size + alignment, 0);
  if (!p) return NULL;
  char *start = (char *)(((uintptr_t)p + alignment - 1) & ~(uintptr_t)(alignment - 1));
  if (start > p) munmap(p, (size_t)(start - p));
  size_t tail = (size_t)(p + size + alignment - (start + size));
  if (tail) munmap(start + size, tail);
  return start;
}

bool os_reserve_at(void *address, size_t size) {
  void *p = map_none(address, size, MAP_FIXED_NOREPLACE);
  if (p == address) return true;
  if (p) munmap(p, size); /* kernels before 4.17 take the address as a hint */
  return false;
}

void os_release(void *address, size_t size) { munmap(address, size); }

bool os_commit(void *address, size_t size) {
  return mprotect(address, size, PROT_READ | PROT_WRITE) == 0;
}

void *os_map(size_t size) {
  void *p =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

void *os_remap(void *address, size_t size, size_t new_size) {
  void *p = mremap(address, size, new_size, MREMAP_MAYMOVE);
  return p == MAP_FAILED ? NULL : p;
}

void os_purge(void *address, size_t size) { madvise(address, size, MADV_DONTNEED); }

void os_huge(void *address, size_t size, bool wanted) {
  madvise(address, size, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

void os_name(void *address, size_t size, const char *name) {
  prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, address, size, name);
}

size_t os_resident(const void *address, size_t size) {
  unsigned char in_core[512];
  size_t page = os_page_size(), resident = 0;
  for (size_t at = 0; at < size; at += sizeof in_core * page) {
    size_t part = size - at < sizeof in_core * page ? size - at : sizeof in_core * page;
    if (mincore((char *)(uintptr_t)address + at, part, in_core) != 0) continue;
    for (size_t i = 0; i < part / page; i++) resident += (in_core[i] & 1) * page;
  }
  return resident;
}

static uint64_t read_clock(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t os_clock_ns(void) { return read_clock(CLOCK_MONOTONIC); }

uint64_t os_clock_coarse_ns(void) { return read_clock(CLOCK_MONOTONIC_COARSE); }

uint64_t os_thread_cpu_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

/* The address of a thread-local is the thread's own as long as it lives. */
uintptr_t os_thread_id(void) {
  static _Thread_local char mine;
  return (uintptr_t)&mine;
}

uint64_t os_process_id(void) { return (uint64_t)getpid(); }

/* The second number of statm is the resident pages. */
size_t os_process_resident(void) {
  char text[128];
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  text[length < 0 ? 0 : length] = 0;
  char *pages = strchr(text, ' ');
  return pages ? strtoull(pages, NULL, 10) * os_page_size() : 0;
}

uint64_t os_wall_seconds(void) { return (uint64_t)time(NULL); }

/* Not by fork, which calls handlers that expect to be followed by a program. */
int64_t os_child(int (*run)(void *ctx), void *ctx) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  if (child == 0) _exit(run(ctx));
  int error = errno;
  sigprocmask(SIG_SETMASK, &before, NULL);
  return child < 0 ? -error : child;
}

int os_create(const char *path) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  return file < 0 ? -errno : file;
}

void os_close(int descriptor) { close(descriptor); }

uint64_t os_random(void) {
  uint64_t value;
  if (getrandom(&value, sizeof value, GRND_NONBLOCK) == (ssize_t)sizeof value) return value;
  return os_clock_ns() * 0x9E3779B97F4A7C15u ^ (uintptr_t)&value;
}

/* Of an open file; ESPIPE for what is no file of bytes with a length, as pipes and directories. */
static int map_descriptor(int descriptor, const void **at, size_t *size) {
  struct stat facts;
  if (fstat(descriptor, &facts) != 0) return errno;
  if (!S_ISREG(facts.st_mode)) return S_ISDIR(facts.st_mode) ? EISDIR : ESPIPE;
  *at = NULL;
  *size = (size_t)facts.st_size;
  if (*size == 0) return 0;
  void *p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (p == MAP_FAILED) return errno;
  *at = p;
  return 0;
}

int os_map_file(const char *path, const void **at, size_t *size) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not wait */
  if (descriptor < 0) return errno;
  int error = map_descriptor(descriptor, at, size);
  close(descriptor);
  return error;
}

void os_unmap_file(const void *at, size_t size) {
  if (at) munmap((void *)(uintptr_t)at, size);
}

int os_write_all(int descriptor, const void *data, size_t size) {
  const char *at = data;
  while (size > 0) {
    ssize_t written = write(descriptor, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : EIO;
    at += written;
    size -= (size_t)written;
  }
  return 0;
}
