/* SPDX-License-Identifier: MIT */
/* The measured allocator: an Ouro heap through the inlined calls of <ouro/pool.h>. */
#ifndef ALLOCATOR_OURO_H
#define ALLOCATOR_OURO_H

#include <ouro/pool.h>

typedef ouro_heap allocator;

static inline allocator *allocator_open(void) { return ouro_heap_new(NULL); }

static inline void *take(allocator *a, size_t size) { return ouro_alloc(a, size); }
static inline void give(allocator *a, void *block) { ouro_free(a, block); }
static inline void give_remote(allocator *a, void *block) { ouro_free_remote(a, block); }

/* What the documentation asks of a program that goes idle. */
static inline void idle(allocator *a) { ouro_heap_tick(a, 10000000); }

#endif
