/* SPDX-License-Identifier: MIT */
/*
 * The table under dictionaries, sets, weak containers and interned strings: entries in the order
 * of their arrival, and an index that finds them by hash. It is the compact dictionary of CPython
 * (Raymond Hettinger, python-dev, December 2012), with the index behind the entries, so that the
 * block is one that Ouro can traverse and free as `items` of a type (OURO_ITEMS_POINTED):
 *
 *     block = capacity entries of `stride` bytes, then 2^log2 numbers of entries (1, 2 or 4 bytes)
 *
 *     capacity = 2^log2 * 2/3, rounded down; log2 >= 3, or no block and all zero
 *     live <= used <= capacity
 *     used = number of live entries + number of removed ones, whose key is NULL
 *
 * The table counts no references and calls nothing but the `same` that a lookup is given. Whoever
 * adds an entry gives it the references that it is to hold, whoever removes it drops them.
 */
#ifndef OURO_SRC_OBJECT_HASHTABLE_H
#define OURO_SRC_OBJECT_HASHTABLE_H

#include "runtime.h"

typedef struct hashtable {
  void *entries; /* NULL or a block of the heap, as above */
  size_t used;   /* the length of `items` */
  size_t live;
  uint32_t version; /* changes whenever an entry comes, goes or moves */
  uint8_t log2;
  uint8_t stride; /* HASHTABLE_KEYS or HASHTABLE_PAIRS; set once, before the first call */
} hashtable;

typedef struct hashtable_entry {
  uint64_t hash;
  ouro_object *key; /* NULL: removed */
} hashtable_entry;  /* with HASHTABLE_PAIRS the value stands behind it */

#define HASHTABLE_KEYS 16u
#define HASHTABLE_PAIRS 24u

/* The `items` of a type whose struct has the table in `field`. */
#define HASHTABLE_ITEMS(Struct, field, entry_stride)                                               \
  {                                                                                                \
    .kind = OURO_ITEMS_POINTED, .at = offsetof(Struct, field.entries),                             \
    .length = offsetof(Struct, field.used), .stride = (entry_stride),                              \
    .offset = offsetof(hashtable_entry, key),                                                      \
    .per_item = (entry_stride) == HASHTABLE_PAIRS ? 2 : 1,                                         \
  }

/* Results of hashtable_find that are no position. */
#define HASHTABLE_NONE SIZE_MAX          /* no such entry */
#define HASHTABLE_FAILED (SIZE_MAX - 1u) /* `same` failed */

/* Whether an entry's key is the wanted one: 1, 0, or -1 (the lookup fails). It may change the
 * table: the lookup then starts again. `key` is not kept alive meanwhile, except by `same`. */
typedef int (*hashtable_same)(ouro_object *key, const void *wanted);

/* The position of the entry with this hash for which `same` is 1. Nothing else runs between that
 * call and the return, so the position is valid until the table changes. */
size_t hashtable_find(hashtable *table, uint64_t hash, hashtable_same same, const void *wanted);

/* The two usual ones: equal as ouro_equal says, with the key kept alive; the same object. */
int hashtable_equal(ouro_object *key, const void *wanted);
int hashtable_identical(ouro_object *key, const void *wanted);

/* Makes room for one more entry, so that the next hashtable_add cannot fail; runs no code of the
 * program's. Positions change. False: out of memory, nothing changed. */
bool hashtable_reserve(ouro_heap *heap, hashtable *table);

/* Adds an entry whose key is not in the table, after a successful hashtable_reserve. */
void hashtable_add(hashtable *table, uint64_t hash, ouro_object *key, ouro_object *value);

/* Takes an entry out; what it held is the caller's to drop (read it before). Other positions stay
 * as they are; when the last live entry goes, the table starts anew. */
void hashtable_remove(ouro_heap *heap, hashtable *table, size_t position);

/* The next live entry at or behind *position, which moves behind it. NULL: the end. */
hashtable_entry *hashtable_next(const hashtable *table, size_t *position);

/* Makes the table empty and returns what was in it, with its block: for a caller who drops the
 * references and then calls hashtable_finish on the result. */
hashtable hashtable_take(hashtable *table);

/* Frees the block and leaves an empty table. References are not dropped. */
void hashtable_finish(ouro_heap *heap, hashtable *table);

static inline hashtable_entry *hashtable_at(const hashtable *table, size_t position) {
  return (hashtable_entry *)(void *)((char *)table->entries + position * table->stride);
}

/* An entry's value; only with HASHTABLE_PAIRS. */
static inline ouro_object **hashtable_value(hashtable_entry *entry) {
  return (ouro_object **)(void *)(entry + 1);
}

#endif
