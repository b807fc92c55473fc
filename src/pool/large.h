/* SPDX-License-Identifier: MIT */
/*
 * Large blocks: the system allocator's, with a record here each, so that a heap can tell its own,
 * count them, walk them and be destroyed at once.
 */
#ifndef OURO_SRC_POOL_LARGE_H
#define OURO_SRC_POOL_LARGE_H

#include "heap.h"

/* NULL: out of memory or beyond the limit. `alignment` 0: that of the system allocator (16). */
void *large_alloc(heap *h, size_t alignment, size_t size, bool zeroed);

/* Its record's index, or ADDRMAP_NONE. */
uint32_t large_find(const heap *h, const void *p);

/* Ends the block; false: p is no large block of the heap. */
bool large_free(heap *h, void *p);

/* Resizes a block with a record; NULL: it stays as it was. */
void *large_realloc(heap *h, uint32_t record, size_t size);

void large_free_all(heap *h);

#endif
