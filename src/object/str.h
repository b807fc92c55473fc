/* SPDX-License-Identifier: MIT */
/*
 * Strings, as other parts see them, and what a heap knows about its texts.
 *
 * The table of interned strings holds them without counting:
 *
 *     an entry's key is alive, or being destroyed and about to remove its entry
 *     a living string has OURO_FLAG_OWN <=> the table has an entry with it
 *     no two living interned strings have the same bytes
 */
#ifndef OURO_SRC_OBJECT_STR_H
#define OURO_SRC_OBJECT_STR_H

#include "hash.h"
#include "hashtable.h"
#include <ouro/str.h>

/* The state of PART_INTERNED. The secret keys the hashes of strings and bytes. */
typedef struct texts {
  hash_secret secret;
  hashtable interned;
} texts;

/* Makes the state where there is none; the heap has a type already. False: out of memory. */
bool texts_ensure(ouro_heap *heap);

/* The hash of bytes in this heap, never 0. Only after texts_ensure. */
uint64_t texts_hash(ouro_heap *heap, const void *bytes, size_t length);

/* Text to look up among keys that may be strings. */
typedef struct str_text {
  const char *bytes;
  size_t length;
  uint64_t hash;
} str_text;

/* In a heap that has no texts yet the hash does not matter, as it has no strings either. */
str_text str_text_of(ouro_heap *heap, const char *bytes, size_t length);

/* A hashtable_same: whether the key is a string with the text of a str_text. */
int str_same(ouro_object *key, const void *wanted);

#endif
