/* SPDX-License-Identifier: MIT */
#include "glibc.h"

#include <malloc.h>

/* Weak: it came with glibc 2.33, other C libraries do not have it. */
extern struct mallinfo2 mallinfo2(void) __attribute__((weak));

size_t glibc_heap_at(const procfs_memory *memory, uintptr_t at, uintptr_t end) {
  struct {
    uint64_t arena, previous, size, accessible;
  } info;
  if (at % GLIBC_HEAP_BYTES != 0 || !procfs_memory_read(memory, at, &info, sizeof info)) return 0;
  bool first = info.previous == 0;
  uintptr_t arena_heap = info.arena - info.arena % GLIBC_HEAP_BYTES;
  bool fits = info.accessible % memory->page == 0 && info.accessible <= end - at &&
              info.accessible <= GLIBC_HEAP_BYTES && info.size > 0 && info.size <= info.accessible;
  /* An arena lies right behind the header of its first heap; further heaps are chained back to it.
   */
  bool chained = first ? arena_heap == at && info.arena - at < 256
                       : arena_heap != at && info.previous % GLIBC_HEAP_BYTES == 0;
  return fits && chained ? info.accessible : 0;
}

/* Length of the mapping whose chunk header is at `offset`, if it is one; else 0. */
static size_t mapped_length(const uint64_t header[2], size_t offset, size_t room, size_t page) {
  enum { FLAGS = 7, IS_MMAPPED = 2, HEADER = 16 };
  size_t length = offset + (header[1] - IS_MMAPPED);
  if (header[0] != offset || (header[1] & FLAGS) != IS_MMAPPED || length <= offset) return 0;
  if (length % page == page - HEADER) length += HEADER;
  return length % page == 0 && length <= room ? length : 0;
}

size_t glibc_mapped_at(const procfs_memory *memory, uintptr_t at, uintptr_t end,
                       const uint64_t head[GLIBC_HEAD_WORDS]) {
  size_t room = end - at, length = 0;
  /* Blocks are aligned to a power of two, and the header lies right in front. */
  for (size_t block = 16; block <= GLIBC_HEAD_WORDS * 8 && length == 0; block *= 2)
    length = mapped_length(head + (block - 16) / 8, block - 16, room, memory->page);
  if (length > 0 || head[0] != 0 || head[1] != 0) return length;
  uint64_t last[2];
  size_t offset = memory->page - sizeof last;
  bool read = room > offset && procfs_memory_read(memory, at + offset, last, sizeof last);
  return read ? mapped_length(last, offset, room, memory->page) : 0;
}

void glibc_arena_bytes(uint64_t *used, uint64_t *free) {
  *used = *free = 0;
  if (!mallinfo2) return;
  struct mallinfo2 info = mallinfo2();
  *used = info.uordblks;
  *free = info.fordblks;
}
