/* SPDX-License-Identifier: MIT */
/* The measured allocator: an Ouro heap behind two functions of a shared library (called.c), which
 * is what a language binding or a plugin that cannot inline pays. */
#ifndef ALLOCATOR_CALLED_H
#define ALLOCATOR_CALLED_H

#include <stddef.h>

typedef struct ouro_heap allocator;

allocator *called_open(void);
void *called_alloc(allocator *a, size_t size);
void called_free(allocator *a, void *block);
void called_free_remote(allocator *a, void *block);
void called_tick(allocator *a);

static inline allocator *allocator_open(void) { return called_open(); }

static inline void *take(allocator *a, size_t size) { return called_alloc(a, size); }
static inline void give(allocator *a, void *block) { called_free(a, block); }
static inline void give_remote(allocator *a, void *block) { called_free_remote(a, block); }
static inline void idle(allocator *a) { called_tick(a); }

#endif
