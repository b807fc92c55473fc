/* SPDX-License-Identifier: MIT */
/* The measured allocator: malloc and free, called through the PLT, so that LD_PRELOAD chooses
 * which. */
#ifndef ALLOCATOR_MALLOC_H
#define ALLOCATOR_MALLOC_H

#include <stdlib.h>

typedef struct allocator allocator;

static inline allocator *allocator_open(void) { return NULL; }

static inline void *take(allocator *a, size_t size) {
  (void)a;
  return malloc(size);
}

static inline void give(allocator *a, void *block) {
  (void)a;
  free(block);
}

static inline void give_remote(allocator *a, void *block) { give(a, block); }
static inline void idle(allocator *a) { (void)a; }

#endif
