/* SPDX-License-Identifier: MIT */
/* The system's memory, recycled: a million cycles over tiny graphs would spend their time in the
 * kernel. Link with --wrap for these four. */
#ifndef OURO_TESTS_CYCLE_RECYCLED_H
#define OURO_TESTS_CYCLE_RECYCLED_H

#include "test.h"

#include "os/os.h"

enum { RECYCLED_SIZES = 64, RECYCLED_PAGE = 4096, RECYCLED_DEPTH = 8 };

static void *recycled[RECYCLED_SIZES][RECYCLED_DEPTH]; /* by size in pages */

void *__real_os_map(size_t size);
void __real_os_release(void *address, size_t size);

static void *recycled_take(size_t size) {
  for (int i = 0; size / RECYCLED_PAGE < RECYCLED_SIZES && i < RECYCLED_DEPTH; i++) {
    void **slot = &recycled[size / RECYCLED_PAGE][i], *p = *slot;
    if (!p) continue;
    *slot = NULL;
    return memset(p, 0, size);
  }
  return __real_os_map(size);
}

void *__wrap_os_map(size_t size) { return recycled_take(size); }

void *__wrap_os_reserve(size_t size, size_t alignment) {
  (void)alignment;
  return recycled_take(size);
}

bool __wrap_os_commit(void *address, size_t size) { return address && size; }

void __wrap_os_release(void *address, size_t size) {
  for (int i = 0; size / RECYCLED_PAGE < RECYCLED_SIZES && i < RECYCLED_DEPTH; i++)
    if (!recycled[size / RECYCLED_PAGE][i]) {
      recycled[size / RECYCLED_PAGE][i] = address;
      return;
    }
  __real_os_release(address, size);
}

#endif
