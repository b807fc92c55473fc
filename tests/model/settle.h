/* SPDX-License-Identifier: MIT */
/*
 * At rest: what must hold between the heap and the world. Who has died is found out here: tracked
 * objects are listed by ouro_each_object, the others die by their counts.
 *
 *     within <= count of a live thing <= within + perhaps
 *
 * `perhaps` counts the references of condemned things: a component that the collector destroys in
 * slices is seen by nobody, but may not have dropped what it refers to.
 */
#ifndef OURO_TESTS_SETTLE_H
#define OURO_TESTS_SETTLE_H

#include "world.h"

static inline bool giant_dies(void) {
  cycle_phase phase = runtime_in(here->heap)->gc->cycle.phase;
  return phase >= CYCLE_HOLD && phase <= CYCLE_RELEASE;
}

/* --- Addresses --- */

enum { BUCKETS = 1024 };
static int buckets[BUCKETS];

static inline size_t bucket_of(const void *p) {
  return ((uintptr_t)p >> 4) * 2654435761u % BUCKETS;
}

static inline void index_nodes(void) {
  memset(buckets, 0xff, sizeof buckets);
  for (int i = 0; i < THINGS_MAX; i++) {
    if (here->nodes[i].state != LIVE) continue;
    size_t at = bucket_of(here->nodes[i].at);
    while (buckets[at] != NOBODY) at = (at + 1) % BUCKETS;
    buckets[at] = i;
  }
}

static inline node *find_node(const void *p) {
  for (size_t at = bucket_of(p); buckets[at] != NOBODY; at = (at + 1) % BUCKETS)
    if (here->nodes[buckets[at]].at == p) return &here->nodes[buckets[at]];
  return NULL;
}

/* --- What the heap says --- */

/* Weak references are objects that the world has no nodes for; they may lie where one died. */
static inline bool is_weak(const ouro_object *o) { return runtime_is(o, BUILTIN_WEAK); }

static inline void list_garbage(void) {
  for (int i = 0; i < THINGS_MAX; i++) here->nodes[i].listed = 0;
  here->rescues += ouro_garbage_length(here->heap);
  for (size_t i = 0; i < ouro_garbage_length(here->heap); i++) {
    const ouro_object *o = ouro_garbage(here->heap, i);
    node *n = is_weak(o) ? NULL : find_node(o);
    if (n) n->listed++;
    else must(is_weak(o), "garbage is known");
  }
}

static inline bool see(void *frozen, ouro_object *o) {
  node *n = is_weak(o) ? NULL : find_node(o);
  *(size_t *)frozen += ouro_generation_of(o) == 3;
  if (n) {
    must(!n->seen, "an object is listed once");
    must(!n->untracked, "an untracked object is not listed");
    n->seen = true;
  } else {
    must(is_weak(o), "an object that lives is known");
  }
  return true;
}

static size_t frozen_seen;

static inline void see_all(void) {
  frozen_seen = 0;
  for (int i = 0; i < THINGS_MAX; i++) here->nodes[i].seen = false;
  ouro_each_object(here->heap, -1, see, &frozen_seen);
}

/* --- Who is dead --- */

static inline void bury_condemned(void) {
  for (int i = 0; i < THINGS_MAX; i++)
    if (here->nodes[i].state == CONDEMNED) forget_node(&here->nodes[i]);
}

/* What is listed as tracked, if it lives. */
static inline bool is_listed_kind(const node *n) {
  return is_tracked_kind(n->kind) && !n->untracked;
}

static inline void condemn_unseen(void) {
  for (int i = 0; i < THINGS_MAX; i++) {
    node *n = &here->nodes[i];
    if (n->state != LIVE || !is_listed_kind(n) || n->seen) continue;
    must(!n->reached, "a reached thing lives");
    n->state = CONDEMNED;
  }
  if (!giant_dies()) bury_condemned();
}

static inline uint32_t references_outside(const node *n) { return n->held + n->pinned + n->listed; }

static inline void count_references(void) {
  for (int i = 0; i < THINGS_MAX; i++) here->nodes[i].within = here->nodes[i].perhaps = 0;
  for (int i = 0; i < THINGS_MAX; i++) {
    const node *n = &here->nodes[i];
    for (uint32_t k = 0; n->state != FREE && k < n->slots; k++) {
      if (n->edge[k] == NOBODY) continue;
      node *to = &here->nodes[n->edge[k]];
      if (n->state == LIVE) to->within++;
      else to->perhaps++;
    }
  }
  for (int i = 0; i < THINGS_MAX; i++) here->nodes[i].within += references_outside(&here->nodes[i]);
}

/* Things that are not listed die with their last reference; so may what they refer to. */
static inline void bury_uncounted(void) {
  for (bool again = true; again;) {
    again = false;
    count_references();
    for (int i = 0; i < THINGS_MAX; i++) {
      node *n = &here->nodes[i];
      if (n->state != LIVE || is_listed_kind(n) || n->immortal || n->within || n->perhaps) continue;
      forget_node(n);
      again = true;
    }
  }
}

/* --- What must hold of the living --- */

static inline void check_slots(const node *n) {
  for (uint32_t k = 0; k < n->slots; k++) {
    const ouro_object *there = *place_of(n, k);
    const void *wanted = n->edge[k] == NOBODY ? NULL : here->nodes[n->edge[k]].at;
    must(there == wanted, "references are as the program left them");
  }
}

static inline void check_living(const node *n) {
  uint32_t count = ouro_count(n->at);
  if (!n->seen && !n->within && !n->immortal) return; /* a condemned one may hold it, or not */
  must(!has_id(n) || n->at->id == n->id, "a live object keeps its contents");
  must(n->at->object.user == (uint8_t)n->id, "a live object keeps its byte");
  must(ouro_is_tracked(n->at) == is_listed_kind(n), "tracked is what may be part of a cycle");
  must(ouro_is_finalized(n->at) == n->finalized, "a finalizer that has run is noted");
  check_slots(n);
  if (n->immortal) {
    must(count == OURO_COUNT_IMMORTAL, "the count of an immortal object is not written");
    return;
  }
  must(count >= n->within, "a count is at least the references that are known");
  must(count <= n->within + n->perhaps, "a count is at most the references there are");
  must(count > 0, "an object without references is destroyed at once");
}

/* Untracked objects stay frozen, but are not listed. */
static inline void check_frozen(void) {
  size_t hidden = 0, all = ouro_gc_frozen_count(here->heap);
  for (int i = 0; i < THINGS_MAX; i++) {
    const node *n = &here->nodes[i];
    if (n->state == LIVE && n->untracked && is_tracked_kind(n->kind) && (n->within || n->immortal))
      hidden += frozen_is(runtime_in(here->heap), slot_of(&n->at->object));
  }
  if (giant_dies()) must(frozen_seen + hidden <= all, "frozen objects are counted");
  else must(frozen_seen + hidden == all, "frozen objects are counted, dead ones are not");
}

static inline void check_census(void) {
  ouro_type_count rows[KINDS + BUILTINS];
  size_t n = ouro_census(here->heap, rows, KINDS + BUILTINS);
  for (int k = 0; k < KINDS; k++) {
    uint64_t sure = 0, perhaps = 0, there = 0;
    for (int i = 0; i < THINGS_MAX; i++) {
      const node *x = &here->nodes[i];
      if (x->state != LIVE || x->kind != &kinds[k]) continue;
      if (x->seen || x->within || x->immortal) sure++;
      else perhaps++;
    }
    for (size_t i = 0; i < n; i++)
      if (rows[i].type == here->types[k]) there = rows[i].objects;
    must(there >= sure && there <= sure + perhaps, "the census counts what lives");
  }
}

static inline void check_weak(void) {
  for (int i = 0; i < WEAK_MAX; i++) {
    if (!here->weak[i].weak) continue;
    const node *n = &here->nodes[here->weak[i].id % THINGS_MAX];
    bool lives = n->state == LIVE && n->id == here->weak[i].id;
    thing *t = ouro_weak_get(here->weak[i].weak);
    must(!t || (lives && n->at == t), "a weak reference gives what it was made for");
    bool resurrected = here->rescues > here->weak[i].rescues; /* perhaps */
    must(t || !lives || !n->reached || resurrected, "a weak reference to what lives is not gone");
    ouro_unref(t);
  }
}

/* --- All of it --- */

static inline void settle(void) {
  index_nodes();
  list_garbage();
  mark_from(is_held);
  see_all();
  condemn_unseen();
  bury_uncounted();
  for (int i = 0; i < THINGS_MAX; i++)
    if (here->nodes[i].state == LIVE) check_living(&here->nodes[i]);
  check_census();
  check_frozen();
  check_weak();
}

/* Whether a live node that a full collection does not spare has a finalizer to run, or must be
 * kept. Counts those nodes that will be found. */
static inline bool unspared_are_simple(uint64_t *count) {
  bool simple = true;
  *count = 0;
  mark_from(is_spared);
  for (int i = 0; i < THINGS_MAX; i++) {
    const node *n = &here->nodes[i];
    if (n->state != LIVE || n->reached) continue;
    *count += is_listed_kind(n);
    simple &= (!n->kind->ends || n->finalized) && !n->kind->kept;
  }
  return simple;
}

#endif
