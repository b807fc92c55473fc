/* SPDX-License-Identifier: MIT */
/*
 * Arrays of the analysis: one per fact of a node, as long as the heap has objects. Large ones are
 * pages of their own, huge ones where the system has them: they are read in no order, and a miss of
 * the page table costs as much as the read. They read as zero at first and take memory when
 * written.
 */
#ifndef OURO_SRC_ANALYZE_ARRAY_H
#define OURO_SRC_ANALYZE_ARRAY_H

#include <ouro/base.h>

/* `count` elements of `each` bytes. NULL: out of memory. Room for none is some room. */
void *array_make(size_t count, size_t each);

/* The same elements, `count` now; new ones read as zero. NULL: out of memory, the old ones stay. */
void *array_resize(void *array, size_t old_count, size_t count, size_t each);

/* Lists whose length is found out on the way are malloc's, and freed by free: an array with room
 * for one element more than `used`, twice as long as before where there was none. NULL: out of
 * memory, array and room stay. */
void *array_widen_slow(void *array, size_t *room, size_t each);

static inline void *array_widen(void *array, size_t *room, size_t used, size_t each) {
  return used < *room ? array : array_widen_slow(array, room, each);
}

/* `count` as it was made or resized last. NULL is allowed. */
void array_free(void *array, size_t count, size_t each);

#endif
