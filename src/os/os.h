/* SPDX-License-Identifier: MIT */
/*
 * What Ouro asks of the operating system. Sizes are bytes and multiples of the page size,
 * addresses are page-aligned. Calls that can fail say so in their result and leave everything as
 * it was; none prints or aborts. All may be called from any thread.
 */
#ifndef OURO_SRC_OS_OS_H
#define OURO_SRC_OS_OS_H

#include <ouro/base.h>

size_t os_page_size(void);

/* A size in whole pages: `size` and what is missing to the next multiple. */
static inline size_t os_whole_pages(size_t size) {
  return (size + os_page_size() - 1) & ~(os_page_size() - 1);
}

/* Address space that may not be touched yet, aligned to `alignment` (a power of two), or NULL. */
void *os_reserve(size_t size, size_t alignment);

/* The same at exactly `address`; false where anything is mapped there already. */
bool os_reserve_at(void *address, size_t size);

/* Ends a reservation or a part of one, and whatever was committed in it. */
void os_release(void *address, size_t size);

/* Makes reserved pages usable; they read as zero. False: the system refuses more memory. */
bool os_commit(void *address, size_t size);

/* Pages that read as zero and take memory when they are written, or NULL. */
void *os_map(size_t size);

/* The same memory with another size, moved if it must be; what is new reads as zero. NULL: refused,
 * the old mapping stays. */
void *os_remap(void *address, size_t size, size_t new_size);

/* Gives the pages' memory back; they stay usable and read as zero. */
void os_purge(void *address, size_t size);

/* Asks for huge pages, or for none, in a committed range. A hint: nothing is lost where it is
 * refused. */
void os_huge(void *address, size_t size, bool wanted);

/* Names a range in /proc/PID/maps, where the kernel can. */
void os_name(void *address, size_t size, const char *name);

/* Bytes of the range that are in memory. */
size_t os_resident(const void *address, size_t size);

/* Nanoseconds of a clock that never goes back; the second one is cheaper and may lag by 4 ms. */
uint64_t os_clock_ns(void);
uint64_t os_clock_coarse_ns(void);

/* Nanoseconds of processor time that the calling thread has used. */
uint64_t os_thread_cpu_ns(void);

/* A number that no other living thread of the process has. */
uintptr_t os_thread_id(void);

/* The process: another number in a child after fork. */
uint64_t os_process_id(void);

/* Bytes of the process that are in memory; 0: not to be found out. */
size_t os_process_resident(void);

/* Seconds since 1970. */
uint64_t os_wall_seconds(void);

/* Runs `run` in a child that is a copy of this process with this thread only, all signals blocked,
 * no handlers of fork called: it must neither allocate through libc nor take a lock. Its result is
 * the child's exit status. Returns the child, for waitpid, or minus the errno value. */
int64_t os_child(int (*run)(void *ctx), void *ctx);

/* A new or emptied file that only its owner can read. Its descriptor, or minus the errno value. */
int os_create(const char *path);
void os_close(int descriptor);

/* An unpredictable number. */
uint64_t os_random(void);

/* A whole regular file in memory, to read; NULL and 0 bytes if it is empty. 0, or the errno value.
 * Whoever shortens the file meanwhile ends the reader by SIGBUS. */
int os_map_file(const char *path, const void **at, size_t *size);
void os_unmap_file(const void *at, size_t size);

/* Writes all of it, going on after short writes and signals. 0, or the errno value. */
int os_write_all(int descriptor, const void *data, size_t size);

#endif
