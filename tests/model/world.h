/* SPDX-License-Identifier: MIT */
/*
 * A heap of objects of many kinds, and next to it what the program knows about them: who refers to
 * whom, and what it holds itself. What the heap did is compared with that at rest: see settle.h.
 *
 * A change is written down before the heap is asked for it, because the heap may call back.
 *
 *     reached: held by the program, immortal, on the garbage list, or referred to by a reached one
 *     a reached thing lives; one whose count is 0 is dead; between the two is what only the
 *     collector can find
 */
#ifndef OURO_TESTS_WORLD_H
#define OURO_TESTS_WORLD_H

#include <stdlib.h>
#include <string.h>

#include <ouro/ouro.h>

#include "object/native.h"
#include "support/chooser.h"
#include "support/heaps.h"

enum { THINGS_MAX = 300, SLOTS_MAX = 4000, WEAK_MAX = 12, NOBODY = -1 };

/* All kinds but the tiny one share this layout; those with inline items have them where `items`
 * would be. */
typedef struct thing {
  ouro_object object;
  uint64_t id; /* serial number * THINGS_MAX + index of its node */
  ouro_object *field[2];
  size_t length;
  ouro_object **items;
} thing;

typedef enum shape { FIELDS, INLINE, POINTED, STRIDED, HIDDEN, LEAF } shape;

typedef struct kind {
  const char *name;
  shape shape;
  uint32_t fields, padding;
  bool tiny, whole, ends, acyclic, kept, pooled; /* whole: traverse cannot be divided */
} kind;

static const kind kinds[] = {
    {.name = "fields", .shape = FIELDS, .fields = 2},
    {.name = "tiny", .shape = FIELDS, .fields = 1, .tiny = true},
    {.name = "inline", .shape = INLINE, .fields = 1},
    {.name = "pointed", .shape = POINTED, .fields = 1},
    {.name = "strided", .shape = STRIDED},
    {.name = "hidden", .shape = HIDDEN},
    {.name = "whole", .shape = HIDDEN, .fields = 1, .whole = true},
    {.name = "ending fields", .shape = FIELDS, .fields = 2, .ends = true},
    {.name = "ending hidden", .shape = HIDDEN, .fields = 2, .ends = true},
    {.name = "ending pointed", .shape = POINTED, .ends = true},
    {.name = "leaf", .shape = LEAF},
    {.name = "ending leaf", .shape = LEAF, .ends = true},
    {.name = "big fields", .shape = FIELDS, .fields = 2, .padding = 1500},
    {.name = "big ending", .shape = FIELDS, .fields = 2, .padding = 700, .ends = true},
    {.name = "big leaf", .shape = LEAF, .padding = 2000},
    {.name = "acyclic", .shape = INLINE, .acyclic = true},
    {.name = "kept", .shape = FIELDS, .fields = 2, .kept = true},
    {.name = "pooled", .shape = FIELDS, .fields = 2, .pooled = true},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef enum node_state { FREE, LIVE, CONDEMNED } node_state;

typedef struct node {
  thing *at;
  const kind *kind;
  node_state state;
  uint64_t id;
  uint32_t held;   /* references of the program's: any step may drop one */
  uint32_t pinned; /* of the present step's */
  uint32_t listed; /* of the garbage list */
  bool finalized, cleared, untracked, immortal, pooled;
  uint32_t slots;
  int *edge; /* by slot: the node it refers to */
  /* of the last look */
  bool reached, seen;
  uint32_t within, perhaps; /* references from live nodes, from condemned ones */
} node;

typedef struct world {
  ouro_heap *heap;
  chooser *from;
  ouro_type *types[KINDS];
  ouro_reuse *pool;
  node nodes[THINGS_MAX];
  struct {
    ouro_weak *weak;
    uint64_t id, rescues; /* what it was made for, and the rescues until then */
  } weak[WEAK_MAX];
  uint64_t serial, finalizers, callbacks, rescues;
  unsigned nesting; /* finalizers within finalizers */
  bool limited, may_fail, ending;
  bool acted; /* a finalizer has changed something in this step */
  const char *broken;
} world;

static world *here; /* for callbacks: they get an object only */

static inline void must(bool holds, const char *what) {
  if (!holds && !here->broken) here->broken = what;
}

static inline bool is_tracked_kind(const kind *k) { return k->shape != LEAF && !k->acyclic; }

static inline node *node_of(const thing *t) {
  node *n = &here->nodes[t->id % THINGS_MAX];
  must(n->state != FREE && n->id == t->id && n->at == t, "a callback gets an object that lives");
  return n;
}

static inline bool has_id(const node *n) { return !n->kind->tiny; }

/* --- Slots: where a node's references lie --- */

static inline ouro_object **place_of(const node *n, uint32_t slot) {
  thing *t = n->at;
  if (n->kind->tiny) return (ouro_object **)(void *)&t->id;
  if (slot < n->kind->fields) return &t->field[slot];
  slot -= n->kind->fields;
  if (n->kind->shape == INLINE) return (ouro_object **)(void *)&t->items + slot;
  if (n->kind->shape == STRIDED) return t->items + slot / 2 * 3 + 1 + slot % 2;
  return t->items + slot;
}

static inline size_t length_of(const node *n, uint32_t slots) {
  uint32_t items = slots - n->kind->fields;
  return n->kind->shape == STRIDED ? items / 2 : items;
}

/* Room for more or fewer references, as the program sees it. */
static inline void resize_edges(node *n, uint32_t slots) {
  n->edge = realloc(n->edge, (slots + 1) * sizeof *n->edge);
  for (uint32_t i = n->slots; i < slots; i++) n->edge[i] = NOBODY;
  n->slots = slots;
}

static inline void set_edge(node *n, uint32_t slot, int to) {
  n->edge[slot] = to;
  ouro_assign(place_of(n, slot), to == NOBODY ? NULL : here->nodes[to].at);
}

static inline bool may_refer(const node *from, const node *to) {
  return !from->kind->acyclic || to->kind->shape == LEAF;
}

/* References for the time of a step that may call back. */
static inline void pin(node *n) {
  n->pinned++;
  ouro_ref(n->at);
}

static inline void unpin(node *n) {
  n->pinned--;
  ouro_unref(n->at);
}

/* --- What is reached --- */

static inline void reach(int i, int *stack, int *n) {
  node *to = &here->nodes[i];
  if (to->reached || to->state != LIVE) return;
  to->reached = true;
  stack[(*n)++] = i;
}

static inline void reach_all(int *stack, int n) {
  while (n > 0) {
    const node *from = &here->nodes[stack[--n]];
    for (uint32_t k = 0; k < from->slots; k++)
      if (from->edge[k] != NOBODY) {
        must(here->nodes[from->edge[k]].state == LIVE, "what a reached thing refers to lives");
        reach(from->edge[k], stack, &n);
      }
  }
}

typedef bool (*is_root)(const node *n);

static inline bool is_held(const node *n) {
  return n->held || n->pinned || n->immortal || n->listed;
}

/* What a collection spares beyond that. */
static inline bool is_spared(const node *n) {
  if (is_held(n) || (is_tracked_kind(n->kind) && n->untracked)) return true;
  return is_tracked_kind(n->kind) && n->seen && ouro_generation_of(n->at) == 3;
}

static inline void mark_from(is_root root) {
  int stack[THINGS_MAX], n = 0;
  for (int i = 0; i < THINGS_MAX; i++) here->nodes[i].reached = false;
  for (int i = 0; i < THINGS_MAX; i++)
    if (here->nodes[i].state == LIVE && root(&here->nodes[i])) reach(i, stack, &n);
  reach_all(stack, n);
}

/* --- Births and deaths --- */

static inline void forget_node(node *n) {
  free(n->edge);
  *n = (node){0};
}

static inline void forget_edges(node *n, int to) {
  for (uint32_t k = 0; k < n->slots; k++)
    if (n->edge[k] == to) n->edge[k] = NOBODY;
}

/* The address says that whoever had it is dead: the program could not know. */
static inline void note_reuse(const void *address) {
  for (int i = 0; i < THINGS_MAX; i++) {
    node *n = &here->nodes[i];
    if (n->state == FREE || n->at != address) continue;
    mark_from(is_held);
    must(!n->reached, "memory of a reached thing is not handed out");
    for (int k = 0; k < THINGS_MAX; k++) forget_edges(&here->nodes[k], i);
    forget_node(n);
  }
}

static inline node *free_node(void) {
  for (int i = 0; i < THINGS_MAX; i++)
    if (here->nodes[i].state == FREE) return &here->nodes[i];
  return NULL;
}

/* A new thing, held once. The caller made sure that there is a node. */
static inline node *note_birth(thing *t, const kind *k, uint32_t slots) {
  note_reuse(t);
  node *n = free_node();
  *n = (node){.at = t, .kind = k, .state = LIVE, .held = 1};
  n->id = ++here->serial * THINGS_MAX + (uint64_t)(n - here->nodes);
  if (has_id(n)) t->id = n->id;
  t->object.user = (uint8_t)n->id;
  resize_edges(n, slots);
  return n;
}

#endif
