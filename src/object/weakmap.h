/* SPDX-License-Identifier: MIT */
/*
 * From objects to the first of their weak references: open addressing with linear probing, in
 * blocks of the heap.
 *
 * A table that is resized moves to its successor a few slots at a time, so that no weak reference
 * waits for a million others. Until then both are looked at:
 *
 *     count = entries in `now` + entries in `old`, no referent is in both
 *     entries in `now` <= 3/4 * now.room, room is a power of two or 0
 *     slots of `old` below `moved` hold no entry
 */
#ifndef OURO_SRC_OBJECT_WEAKMAP_H
#define OURO_SRC_OBJECT_WEAKMAP_H

#include <ouro/object.h>

struct weak_link;

typedef struct weakmap_entry {
  uintptr_t referent; /* 0: never used; 1: was used */
  struct weak_link *first;
} weakmap_entry;

typedef struct weakmap_table {
  weakmap_entry *entries;
  size_t room;
} weakmap_table;

/* All zero is an empty map. */
typedef struct weakmap {
  weakmap_table now, old;
  size_t count, moved;
} weakmap;

/* Makes room for one more entry, so that the next weakmap_put cannot fail. False: no memory. */
bool weakmap_reserve(ouro_heap *heap, weakmap *map);

/* Adds a referent that is not in the map, after a successful weakmap_reserve. */
void weakmap_put(ouro_heap *heap, weakmap *map, const ouro_object *referent,
                 struct weak_link *first);

/* Where the first weak reference of a referent is noted; NULL: not in the map. Valid until the map
 * changes. */
struct weak_link **weakmap_find(const weakmap *map, const ouro_object *referent);

/* Removes the referent, which is in the map. */
void weakmap_remove(ouro_heap *heap, weakmap *map, const ouro_object *referent);

/* The next entry from slot *at on; NULL: the end. The map must not change meanwhile. */
const weakmap_entry *weakmap_next(const weakmap *map, size_t *at);

#endif
