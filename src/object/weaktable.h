/* SPDX-License-Identifier: MIT */
/*
 * What weak dictionaries and weak sets have in common: a hash table whose keys are *entries*, each
 * with a link to what it refers to weakly. What an entry holds strongly is its value in the table.
 *
 *     entries in the table = entries whose link is in the chain of its referent
 *
 * An entry leaves its table in the moment in which its referent dies, whoever else is garbage then:
 * a container never has dead entries. That is more than CPython's can say, which forget an entry in
 * a callback of their own, later, and never if they were garbage themselves and were resurrected.
 */
#ifndef OURO_SRC_OBJECT_WEAKTABLE_H
#define OURO_SRC_OBJECT_WEAKTABLE_H

#include "hashtable.h"
#include "weak.h"

/* What every weak container begins with. */
typedef struct weak_holder {
  ouro_object object;
  hashtable table;
} weak_holder;

typedef struct weak_entry {
  weak_link link;
  weak_holder *holder; /* not counted: it outlives its entries */
  uint64_t hash;
  ouro_object *key; /* only in weak-value dictionaries: the key, counted by the table */
} weak_entry;

/* The `items` of a weak dictionary: what its entries hold strongly. */
#define WEAKTABLE_ITEMS                                                                            \
  {                                                                                                \
    .kind = OURO_ITEMS_POINTED, .at = offsetof(weak_holder, table.entries),                        \
    .length = offsetof(weak_holder, table.used), .stride = HASHTABLE_PAIRS,                        \
    .offset = sizeof(hashtable_entry)                                                              \
  }

static inline weak_entry *weaktable_entry(const weak_holder *holder, size_t at) {
  return (weak_entry *)(void *)hashtable_at(&holder->table, at)->key;
}

static inline ouro_object **weaktable_strong(const weak_holder *holder, size_t at) {
  return hashtable_value(hashtable_at(&holder->table, at));
}

static inline size_t weaktable_length(const weak_holder *holder) { return holder->table.live; }

/* A container of the type, with entries of `stride` (see hashtable.h). NULL: out of memory. */
void *weaktable_new(ouro_type *type, uint8_t stride);

/* The `clear` of weak dictionaries and of weak sets. */
void weaktable_clear(void *self);
void weaktable_clear_set(void *self);

/* How entries compare to a key that is looked up: those with weak keys, those with strong ones. */
int weaktable_same_weak(ouro_object *entry, const void *wanted);
int weaktable_same_strong(ouro_object *entry, const void *wanted);

/* A new entry that refers weakly to `referent`, in no table yet. NULL: out of memory. May collect.
 * Entries are of `size` bytes: with or without `key`. */
weak_entry *weaktable_make(weak_holder *holder, ouro_object *referent, uint64_t hash, size_t size);
#define WEAKTABLE_PLAIN offsetof(weak_entry, key)
#define WEAKTABLE_KEYED sizeof(weak_entry)

/* Ends an entry that is in no table. */
void weaktable_end(weak_holder *holder, weak_entry *entry);

/* The position of an entry with an equal key; HASHTABLE_NONE: there is none, and there is room to
 * add one before anything else runs; HASHTABLE_FAILED. May collect. */
size_t weaktable_place(weak_holder *holder, uint64_t hash, hashtable_same same, const void *key);

/* Takes the entry at a position out and drops what it held. */
void weaktable_remove(weak_holder *holder, size_t at);

/* The position of the next entry whose referent lives, from *position on. False: the end. */
bool weaktable_next(const weak_holder *holder, size_t *position, size_t *at);

/* --- For weak.c ------------------------------------------------------------------------------- */

/* The callback of every link that lies in an entry: tells that it does. Never called. */
void weaktable_entry_mark(ouro_weak *weak, ouro_object *closure);

/* The referent of an entry dies: the entry disappears. What it held waits for weaktable_drop. Runs
 * none of the program's code. */
typedef enum weak_lost { LOST_NOTHING, LOST_VALUE, LOST_KEY } weak_lost;
weak_lost weaktable_lost(ouro_heap *heap, weak_link *link);
void weaktable_drop(ouro_heap *heap, weak_link *link);

#endif
