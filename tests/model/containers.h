/* SPDX-License-Identifier: MIT */
/*
 * A world of containers that hold values and each other, and beside it what they must hold: arrays
 * of numbers. Random operations change both; what the roots reach must be the same in both, and
 * after a full collection nothing else may be left.
 *
 * A number says what a reference is: EMPTY for NULL, below VALUES a value that is made anew at each
 * use, VALUES + i the container of node i. Two values are equal if their numbers are.
 */
#ifndef OURO_TESTS_CONTAINERS_H
#define OURO_TESTS_CONTAINERS_H

#include <string.h>

#include "support/probes.h"

enum { LIST, DICT, SET, RECORD, TUPLE, KINDS };
enum { EMPTY = -1, VALUES = 60, NODES = 48, ROOTS = 6, ROOM = 30, FIELDS = 3 };

typedef struct node {
  int kind;
  ouro_object *object; /* valid while the node is reachable */
  int length;
  int key[ROOM], value[ROOM]; /* only dictionaries have keys; both in order */
} node;

typedef struct world {
  ouro_heap *heap;
  ouro_type *record_type;
  node nodes[NODES];
  bool reachable[NODES];
  int root[ROOTS];
  uint64_t seed;
  int refused; /* operations that failed for want of memory */
} world;

/* splitmix64, of the world's own, so that a script can be played again. */
static inline uint64_t world_random(world *w) {
  uint64_t z = w->seed += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

static inline int world_below(world *w, int n) { return (int)(world_random(w) % (uint64_t)n); }

/* --- Numbers to objects and back --- */

static inline ouro_object *make_tuple(ouro_heap *heap, int number) {
  ouro_tuple *tuple = ouro_tuple_new(heap, 2);
  ouro_int *first = tuple ? ouro_int_new(heap, 1000 + number) : NULL;
  ouro_str *second = first ? ouro_str_intern(heap, "second", 6) : NULL;
  if (second) {
    ouro_tuple_init(tuple, 0, first);
    ouro_tuple_init(tuple, 1, second);
    return OURO_OBJECT(tuple);
  }
  ouro_unref(tuple);
  ouro_unref(first);
  return NULL;
}

/* A new object for a value; NULL: out of memory. */
static inline ouro_object *make_value(ouro_heap *heap, int number) {
  char text[16];
  int length = snprintf(text, sizeof text, "v%d", number);
  switch (number % 6) {
  case 0: return OURO_OBJECT(ouro_int_new(heap, 1000 + number));
  case 1: return OURO_OBJECT(ouro_str_format(heap, "v%d", number));
  case 2: return OURO_OBJECT(ouro_str_intern(heap, text, (size_t)length));
  case 3: return OURO_OBJECT(ouro_bytes_new(heap, text, (size_t)length + 1));
  case 4: return make_tuple(heap, number);
  default: return OURO_OBJECT(ouro_float_new(heap, number + 0.25));
  }
}

/* A new reference; false: out of memory. */
static inline bool make(world *w, int number, ouro_object **out) {
  *out = NULL;
  if (number == EMPTY) return true;
  if (number < VALUES) *out = make_value(w->heap, number);
  else *out = ouro_ref(w->nodes[number - VALUES].object);
  w->refused += !*out;
  return *out != NULL;
}

static inline int number_of(const world *w, const ouro_object *o) {
  if (!o) return EMPTY;
  for (int i = 0; i < NODES; i++)
    if (w->reachable[i] && w->nodes[i].object == o) return VALUES + i;
  if (ouro_is_int(o)) return (int)((const ouro_int *)o)->value - 1000;
  if (ouro_is_float(o)) return (int)((const ouro_float *)o)->value;
  if (ouro_is_str(o)) return atoi(((const ouro_str *)o)->bytes + 1);
  if (ouro_is_bytes(o)) return atoi((const char *)((const ouro_bytes *)o)->bytes + 1);
  if (!ouro_is_tuple(o)) return -2;
  return (int)((const ouro_int *)(void *)ouro_tuple_get((const void *)o, 0))->value - 1000;
}

/* --- Reachability --- */

static inline void reach(world *w, int number) {
  if (number < VALUES || w->reachable[number - VALUES]) return;
  const node *n = &w->nodes[number - VALUES];
  w->reachable[number - VALUES] = true;
  for (int i = 0; i < n->length; i++) {
    reach(w, n->value[i]);
    if (n->kind == DICT) reach(w, n->key[i]);
  }
}

static inline void reach_all(world *w) {
  memset(w->reachable, 0, sizeof w->reachable);
  for (int r = 0; r < ROOTS; r++) reach(w, w->root[r]);
}

/* Some reachable node, or one that is free; EMPTY: there is none. */
static inline int choose_node(world *w, bool reachable) {
  for (int tries = 0, i = world_below(w, NODES); tries < NODES; tries++, i = (i + 1) % NODES)
    if (w->reachable[i] == reachable) return i;
  return EMPTY;
}

static inline int choose_number(world *w) {
  int i = world_below(w, 3) ? EMPTY : choose_node(w, true);
  return i == EMPTY ? world_below(w, VALUES) : VALUES + i;
}

/* Tuples are equal to others by what they hold, which the model does not know of keys. */
static inline int choose_key(world *w, const node *n) {
  if (n->length && world_below(w, 2)) {
    int at = world_below(w, n->length);
    return n->kind == DICT ? n->key[at] : n->value[at];
  }
  int number = choose_number(w);
  return number >= VALUES && w->nodes[number - VALUES].kind == TUPLE ? 0 : number;
}

/* --- The model's side of the operations --- */

static inline int model_find(const int *numbers, int length, int number) {
  for (int i = 0; i < length; i++)
    if (numbers[i] == number) return i;
  return EMPTY;
}

static inline void model_insert(node *n, int at, int key, int value) {
  for (int i = n->length++; i > at; i--) {
    n->key[i] = n->key[i - 1];
    n->value[i] = n->value[i - 1];
  }
  n->key[at] = key;
  n->value[at] = value;
}

static inline void model_remove(node *n, int at) {
  n->length--;
  for (int i = at; i < n->length; i++) {
    n->key[i] = n->key[i + 1];
    n->value[i] = n->value[i + 1];
  }
}

/* --- Comparing --- */

static inline bool same_list(const world *w, const node *n) {
  const ouro_list *list = (const void *)n->object;
  if (ouro_list_length(list) != (size_t)n->length) return false;
  for (int i = 0; i < n->length; i++)
    if (number_of(w, ouro_list_get(list, (size_t)i)) != n->value[i]) return false;
  return true;
}

static inline bool same_dict(const world *w, const node *n) {
  ouro_object *key, *value;
  size_t position = 0;
  int i = 0;
  for (; ouro_dict_next((const void *)n->object, &position, &key, &value); i++)
    if (i == n->length || number_of(w, key) != n->key[i] || number_of(w, value) != n->value[i])
      return false;
  return i == n->length && ouro_dict_length((const void *)n->object) == (size_t)i;
}

static inline bool same_set(const world *w, const node *n) {
  ouro_object *member;
  size_t position = 0;
  int i = 0;
  for (; ouro_set_next((const void *)n->object, &position, &member); i++)
    if (i == n->length || number_of(w, member) != n->value[i]) return false;
  return i == n->length && ouro_set_length((const void *)n->object) == (size_t)i;
}

static inline bool same_fixed(const world *w, const node *n) {
  for (int i = 0; i < FIELDS; i++) {
    const ouro_object *o = n->kind == RECORD ? ouro_record_get((const void *)n->object, (size_t)i)
                                             : ouro_tuple_get((const void *)n->object, (size_t)i);
    if (number_of(w, o) != n->value[i]) return false;
  }
  return true;
}

static inline bool same_node(const world *w, const node *n) {
  switch (n->kind) {
  case LIST: return same_list(w, n);
  case DICT: return same_dict(w, n);
  case SET: return same_set(w, n);
  default: return same_fixed(w, n);
  }
}

#endif
