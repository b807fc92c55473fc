/* SPDX-License-Identifier: MIT */
/*
 * What a program may do with objects, chosen by a stream of numbers: random ones in the model test,
 * a fuzzer's bytes in tests/fuzz. After each step the world is settled.
 */
#ifndef OURO_TESTS_OBJECT_OPS_H
#define OURO_TESTS_OBJECT_OPS_H

#include "settle.h"

static inline size_t pick(size_t bound) { return choose(here->from, bound); }

/* --- Choosing nodes. All candidates are reached: nobody else may be touched. --- */

static const node *calling; /* whose finalizer runs: it and what it refers to is alive */

static inline bool is_at_hand(const node *n) { return is_held(n) || n == calling; }

static inline bool is_any(const node *n) { return n->reached; }
static inline bool is_held_now(const node *n) { return n->held && !n->pooled; }
static inline bool has_slots(const node *n) { return n->reached && n->slots && !n->pooled; }
static inline bool can_grow(const node *n) {
  shape s = n->kind->shape;
  return n->reached && (s == POINTED || s == STRIDED || s == HIDDEN) && !n->cleared;
}

/* NULL: there is none. */
static inline node *pick_node(bool (*wanted)(const node *)) {
  mark_from(is_at_hand);
  int count = 0, candidates[THINGS_MAX];
  for (int i = 0; i < THINGS_MAX; i++)
    if (here->nodes[i].state == LIVE && wanted(&here->nodes[i])) candidates[count++] = i;
  return count ? &here->nodes[candidates[pick((size_t)count)]] : NULL;
}

static inline int index_of(const node *n) { return n ? (int)(n - here->nodes) : NOBODY; }

/* --- Births --- */

static inline thing *make_thing(int k, size_t items) {
  ouro_type *type = here->types[k];
  if (kinds[k].shape == INLINE) return ouro_new_items(type, items);
  if (kinds[k].pooled) return ouro_reuse_take(here->pool);
  return ouro_new(type);
}

static inline size_t pick_items(const kind *k) {
  if (k->shape != INLINE) return 0;
  switch (pick(20)) {
  case 0: return 40 + pick(60); /* some of them too big for a pool */
  case 1: return pick(SLOTS_MAX);
  default: return pick(8);
  }
}

/* The pool handed out one that it had kept. */
static inline node *taken_again(const thing *t) {
  node *n = &here->nodes[t->id % THINGS_MAX];
  if (!t->id || n->state != LIVE || n->id != t->id || n->at != t) return NULL;
  must(n->pooled && n->held == 1, "the pool hands out what it keeps");
  n->pooled = false;
  return n;
}

static inline node *step_new(void) {
  int k = (int)pick(KINDS);
  size_t items = pick_items(&kinds[k]);
  if (!free_node()) return NULL;
  thing *t = make_thing(k, items);
  if (!t) {
    must(here->may_fail, "an allocation fails only where it may");
    return NULL;
  }
  node *again = kinds[k].pooled ? taken_again(t) : NULL;
  if (again) return again;
  if (!free_node()) { /* finalizers made things meanwhile */
    ouro_unref(t);
    return NULL;
  }
  must(ouro_count(t) == 1, "a new object is held once");
  must(t->object.flags == 0 || kinds[k].pooled || object_is_big(&t->object), "a new object is new");
  uint32_t slots = kinds[k].fields + (kinds[k].shape == INLINE ? (uint32_t)items : 0);
  node *n = note_birth(t, &kinds[k], slots);
  if (kinds[k].shape == INLINE) t->length = items;
  return n;
}

static inline void step_birth(void) { step_new(); }

static inline bool can_be_linked(const node *n) {
  return n && n->slots && !n->kind->acyclic && !n->pooled;
}

/* A ring that nobody holds from outside: work for the collector. */
static inline void step_ring(void) {
  node *ring[12];
  int n = 0;
  for (size_t i = 1 + pick(12); i > 0; i--) {
    node *next = step_new();
    if (!next) continue;
    next->held--; /* as if it had been pinned all the time */
    next->pinned++;
    if (can_be_linked(next)) ring[n++] = next;
    else unpin(next);
  }
  for (int i = 0; i < n; i++)
    if (ring[i]->slots)
      set_edge(ring[i], (uint32_t)pick(ring[i]->slots), index_of(ring[(i + 1) % n]));
  for (int i = 0; i < n; i++) unpin(ring[i]);
}

/* --- References --- */

static inline void step_assign(void) {
  node *from = pick_node(has_slots), *to = pick_node(is_any);
  if (!from || !to || !may_refer(from, to) || to->pooled) return;
  set_edge(from, (uint32_t)pick(from->slots), index_of(to));
}

static inline void step_unassign(void) {
  node *from = pick_node(has_slots);
  if (from) set_edge(from, (uint32_t)pick(from->slots), NOBODY);
}

static inline void step_hold(void) {
  node *n = pick_node(is_any);
  if (!n || n->pooled) return;
  n->held++;
  ouro_ref(n->at);
}

static inline void step_drop(void) {
  node *n = pick_node(is_held_now);
  if (!n) return;
  n->held--;
  ouro_unref(n->at);
}

static inline void step_drop_some(void) {
  for (size_t n = pick(40); n > 0; n--) step_drop();
}

/* --- Arrays that grow and shrink --- */

static inline size_t bytes_of(const node *n, size_t length) {
  return length * (n->kind->shape == STRIDED ? 3 : 1) * sizeof(ouro_object *);
}

static inline void grow(node *n, size_t by) {
  size_t old = n->at->length, length = old + by, bytes = bytes_of(n, length);
  ouro_object **items = ouro_realloc(here->heap, n->at->items, bytes ? bytes : 1);
  if (!items) {
    must(here->may_fail, "a realloc fails only where it may");
    return;
  }
  memset((char *)items + bytes_of(n, old), 0, bytes - bytes_of(n, old));
  n->at->items = items;
  n->at->length = length;
  resize_edges(n, n->slots + (uint32_t)by * (n->kind->shape == STRIDED ? 2 : 1));
}

/* The last items go: out of the structure first, then unreferenced. */
static inline void shrink(node *n) {
  uint32_t per_item = n->kind->shape == STRIDED ? 2 : 1;
  pin(n);
  for (size_t left = pick(n->at->length + 1); left > 0 && n->at->length; left--) {
    ouro_object *out[2] = {NULL, NULL};
    for (uint32_t i = 0; i < per_item; i++) out[i] = *place_of(n, n->slots - 1 - i);
    n->at->length--;
    resize_edges(n, n->slots - per_item);
    for (uint32_t i = 0; i < per_item; i++) ouro_unref(out[i]);
  }
  unpin(n);
}

static inline void step_grow(void) {
  node *n = pick_node(can_grow);
  if (n && n->slots < SLOTS_MAX) grow(n, pick(50) == 0 ? pick(SLOTS_MAX / 4) : pick(6));
}

static inline void step_shrink(void) {
  node *n = pick_node(can_grow);
  if (n && n->at->length) shrink(n);
}

/* --- Weak references --- */

static inline void note_call(ouro_weak *weak, ouro_object *closure) {
  (void)closure;
  here->callbacks++;
  must(ouro_weak_is_gone(weak) && !ouro_weak_get(weak), "gone when its callback is called");
}

static inline void step_weak(void) {
  size_t i = pick(WEAK_MAX);
  ouro_weak *old = here->weak[i].weak;
  here->weak[i].weak = NULL;
  ouro_unref(old);
  node *n = pick_node(is_any);
  if (!n || n->pooled || here->weak[i].weak || pick(3) == 0) return;
  uint64_t id = n->id;
  pin(n); /* making one may collect */
  ouro_weak *weak = ouro_weak_new(n->at, pick(2) ? note_call : NULL, NULL);
  must(weak || here->may_fail, "a weak reference can be made");
  if (here->weak[i].weak) {
    ouro_unref(weak);
  } else {
    here->weak[i].weak = weak;
    here->weak[i].id = id;
    here->weak[i].rescues = here->rescues;
  }
  unpin(n);
}

/* --- The collector --- */

static inline void step_collect_young(void) { ouro_collect(here->heap, (int)pick(2)); }

static inline void step_slice(void) {
  ouro_step_report r = ouro_step(here->heap, pick(6) ? pick(2) : UINT64_MAX);
  must(!r.out_of_memory || here->may_fail, "a cycle is given up only where memory is refused");
  must(r.longest_ns <= r.elapsed_ns, "no part is longer than the whole");
}

/* Whatever nothing outside holds is destroyed when it returns; where no finalizers run, at once and
 * counted. */
static inline void step_collect(void) {
  uint64_t expected;
  if (here->nesting) {
    ouro_collect(here->heap, 2);
    return;
  }
  settle();
  bool simple = unspared_are_simple(&expected) && !giant_dies();
  uint64_t callbacks = here->callbacks;
  int64_t found = ouro_collect(here->heap, 2);
  must(found >= 0 || here->may_fail, "a collection fails only where memory is refused");
  if (found < 0 || !simple || here->broken) return;
  if (here->callbacks == callbacks)
    must((uint64_t)found >= expected && (uint64_t)found <= expected + WEAK_MAX,
         "all that is found is counted");
  settle();
  unspared_are_simple(&expected);
  must(expected == 0, "a full collection is complete");
}

static inline void step_freeze(void) { ouro_gc_freeze(here->heap); }
static inline void step_unfreeze(void) { ouro_gc_unfreeze(here->heap); }

static inline void step_untrack(void) {
  node *n = pick_node(is_any);
  if (!n || !is_tracked_kind(n->kind) || n->pooled) return;
  n->untracked = !n->untracked;
  if (n->untracked) ouro_untrack(n->at);
  else ouro_track(n->at);
}

static inline void step_settings(void) {
  static const uint32_t stresses[] = {0, 0, 0, 1, 3, 10};
  uint32_t threshold[] = {(uint32_t)pick(40), (uint32_t)pick(4), (uint32_t)pick(4)}, read[3];
  ouro_gc_set_stress(here->heap, stresses[pick(6)]);
  ouro_gc_enable(here->heap, pick(4) != 0);
  ouro_gc_set_thresholds(here->heap, threshold);
  ouro_gc_thresholds(here->heap, read);
  must(!memcmp(read, threshold, sizeof read), "thresholds can be read");
  ouro_gc_set_pause(here->heap, pick(2)); /* more would make what happens depend on the clock */
  ouro_gc_set_garbage_limit(here->heap, (double)(1 + pick(100)) / 100);
  ouro_gc_set_debug(here->heap, pick(6) ? 0 : OURO_DEBUG_SAVEALL);
}

static inline void step_external(void) {
  ouro_gc_external(here->heap, (int64_t)pick(1 << 20) - (1 << 19));
}

static inline void step_give_back(void) { ouro_heap_give_back(here->heap); }

static inline void step_clear_garbage(void) {
  for (int i = 0; i < THINGS_MAX; i++) here->nodes[i].listed = 0;
  ouro_garbage_clear(here->heap);
}

static inline void step_fail(void) {
  here->may_fail = true;
  ouro_heap_fail(here->heap, 1 + pick(30), pick(3));
}

static inline void step_end_fail(void) {
  ouro_heap_fail(here->heap, 0, 0);
  here->may_fail = here->limited;
}

static inline void step_immortalize(void) {
  node *n = pick_node(is_any);
  if (!n || n->pooled || pick(8)) return;
  n->immortal = true;
  ouro_immortalize(n->at);
}

/* --- Looking --- */

typedef struct look {
  const node *of;
  size_t count;
} look;

static inline bool look_at_referent(void *ctx, ouro_object *other, const char *name) {
  look *l = ctx;
  int wanted = NOBODY;
  must(name[0] != 0, "a reference has a name");
  for (uint32_t k = 0; k < l->of->slots && wanted == NOBODY; k++)
    if (l->of->edge[k] != NOBODY && (void *)here->nodes[l->of->edge[k]].at == (void *)other)
      wanted = (int)k;
  must(wanted != NOBODY, "a referent is one");
  l->count++;
  return true;
}

static inline bool look_at_referrer(void *ctx, ouro_object *other, const char *name) {
  look *l = ctx;
  (void)other;
  l->count += name[0] != 0;
  return true;
}

/* References to it from all nodes that live. */
static inline void step_look(void) {
  if (here->nesting) return;
  settle();
  node *n = pick_node(is_any);
  if (!n || n->cleared || giant_dies()) return;
  look out = {n, 0}, in = {n, 0};
  size_t wanted = 0;
  for (uint32_t k = 0; k < n->slots; k++) wanted += n->edge[k] != NOBODY;
  ouro_each_referent(n->at, look_at_referent, &out);
  must(out.count == wanted, "all referents are visited");
  ouro_each_referrer(n->at, look_at_referrer, &in);
  must(in.count == n->within - references_outside(n), "all referrers are visited");
  ouro_path_step path[THINGS_MAX];
  int64_t steps = ouro_path_to_root(n->at, path, THINGS_MAX);
  must(steps >= 1 && path[steps - 1].object == &n->at->object, "a path to what is reached");
  index_nodes();
  const node *root = find_node(path[0].object);
  must(!root || is_held(root), "a path begins where something outside holds");
}

/* --- All steps --- */

typedef struct object_step {
  void (*take)(void);
  unsigned weight;
  bool nested, injects; /* nested: a finalizer may do so too */
} object_step;

static const object_step object_steps[] = {
    {step_birth, 30, true, false},        {step_ring, 6, true, false},
    {step_assign, 40, true, false},       {step_unassign, 12, true, false},
    {step_hold, 8, true, false},          {step_drop, 30, true, false},
    {step_drop_some, 3, false, false},    {step_grow, 8, true, false},
    {step_shrink, 3, false, false},       {step_weak, 5, true, false},
    {step_collect_young, 4, true, false}, {step_slice, 16, true, false},
    {step_collect, 3, true, false},       {step_freeze, 1, true, false},
    {step_unfreeze, 1, true, false},      {step_untrack, 2, false, false},
    {step_settings, 3, false, false},     {step_external, 1, true, false},
    {step_give_back, 1, true, false},     {step_clear_garbage, 2, false, false},
    {step_fail, 1, false, true},          {step_end_fail, 2, false, true},
    {step_immortalize, 1, true, false},   {step_look, 2, false, false},
};

static inline const object_step *choose_step(void) {
  size_t count = sizeof object_steps / sizeof *object_steps, sum = 0, at = 0;
  for (size_t i = 0; i < count; i++) sum += object_steps[i].weight;
  size_t chosen = pick(sum);
  while (chosen >= object_steps[at].weight) chosen -= object_steps[at++].weight;
  return &object_steps[at];
}

static inline void world_step(bool injection, bool check) {
  const object_step *step = choose_step();
  if (step->injects && !injection) return;
  step->take();
  here->acted = false;
  if (here->broken) return;
  settle();
  const char *wrong = check ? ouro_objects_check(here->heap) : NULL;
  must(!wrong, wrong);
}

/* --- What the heap calls --- */

static inline void resurrect(node *n) {
  n->held++;
  ouro_ref(n->at);
}

static inline void break_off(node *n) {
  uint32_t slots = n->slots < 4 ? n->slots : 4;
  for (uint32_t k = 0; k < slots && k < n->slots; k++) set_edge(n, k, NOBODY);
}

static inline void act(node *n) {
  switch (pick(6)) {
  case 0: resurrect(n); break;
  case 1: break_off(n); break;
  case 2:
  case 3:
    for (size_t i = pick(4); i > 0; i--) {
      const object_step *step = choose_step();
      if (step->nested) step->take();
    }
    break;
  default: break;
  }
}

static inline void at_end(void *self) {
  node *n = node_of(self);
  const node *outer = calling;
  here->finalizers++;
  here->rescues++;
  here->callbacks++;
  must(!n->finalized, "a finalizer runs once");
  n->finalized = true;
  mark_from(is_held);
  must(!n->reached || here->ending || here->acted, "what is reached is not finalized");
  check_slots(n);
  if (here->nesting >= 3 || here->ending || here->broken) return;
  here->acted = true; /* may save others whose finalizers follow in any case */
  here->nesting++;
  calling = n;
  act(n);
  calling = outer;
  here->nesting--;
}

/* The structure is empty before anything is dropped. */
static inline void at_clear(void *self) {
  node *n = node_of(self);
  thing *t = self;
  ouro_object **items = t->items;
  size_t length = t->length;
  must(!n->cleared, "clear is called once");
  mark_from(is_held);
  must(!n->reached, "what is reached is not cleared");
  check_slots(n);
  n->cleared = true;
  resize_edges(n, n->kind->fields);
  t->items = NULL;
  t->length = 0;
  for (size_t i = 0; i < length; i++) ouro_unref(items[i]);
  ouro_free(here->heap, items);
}

/* An object pool takes it back. */
static inline void at_reset(void *self) {
  node *n = node_of(self);
  mark_from(is_held);
  must(!n->reached, "what is reached is not reset");
  n->held = 1;
  n->pooled = true;
  for (uint32_t k = 0; k < n->slots; k++) set_edge(n, k, NOBODY);
}

static inline void visit_items_of(const void *self, size_t from, size_t to, ouro_visit_fn visit,
                                  void *arg) {
  const thing *t = self;
  for (size_t i = from; i < to && i < t->length; i++)
    if (t->items[i]) visit(t->items[i], arg);
}

static inline size_t count_items_of(const void *self) { return ((const thing *)self)->length; }

static inline void visit_roots(void *ctx, ouro_visit_fn visit, void *arg) {
  (void)ctx;
  for (int i = 0; i < THINGS_MAX; i += 1 + i % 3)
    if (here->nodes[i].state == LIVE && here->nodes[i].held) visit(&here->nodes[i].at->object, arg);
}

/* --- Beginning and end --- */

static inline ouro_items items_spec(const kind *k) {
  ouro_items items = {.at = offsetof(thing, items), .length = offsetof(thing, length)};
  switch (k->shape) {
  case INLINE: items.kind = OURO_ITEMS_INLINE; return items;
  case POINTED: items.kind = OURO_ITEMS_POINTED; return items;
  case STRIDED:
    items.kind = OURO_ITEMS_POINTED;
    items.stride = 3 * sizeof(ouro_object *);
    items.offset = sizeof(ouro_object *);
    items.per_item = 2;
    return items;
  default: return (ouro_items){0};
  }
}

static inline ouro_type *make_type(const kind *k) {
  static const uint16_t tiny_ref[] = {offsetof(thing, id), 0};
  static const uint16_t refs[] = {offsetof(thing, field), offsetof(thing, field) + 8, 0};
  ouro_type_spec spec = {.name = k->name, .size = sizeof(thing) + k->padding};
  uint16_t one[] = {refs[0], 0};
  if (k->tiny) spec.size = offsetof(thing, field);
  if (k->fields) spec.refs = k->tiny ? tiny_ref : k->fields == 1 ? one : refs;
  if (k->shape == INLINE) spec.size = offsetof(thing, items), spec.item_size = 8;
  if (k->shape == HIDDEN) {
    spec.traverse = visit_items_of;
    spec.length = k->whole ? NULL : count_items_of;
    spec.clear = at_clear;
  }
  spec.items = items_spec(k);
  spec.finalize = k->ends ? at_end : NULL;
  spec.flags = (k->acyclic ? OURO_ACYCLIC : 0) | (k->kept ? OURO_UNCOLLECTABLE : 0);
  spec.free_list = (uint32_t)pick(5);
  return ouro_type_new(here->heap, &spec);
}

static inline void world_start(world *w, const ouro_heap_options *options, chooser *from) {
  *w = (world){.from = from, .heap = ouro_heap_new(options)};
  here = w;
  calling = NULL;
  for (int k = 0; k < KINDS; k++) {
    w->types[k] = make_type(&kinds[k]);
    must(w->types[k] != NULL, "a type can be made");
    if (kinds[k].pooled) w->pool = ouro_reuse_new(w->types[k], THINGS_MAX, NULL, at_reset);
  }
  w->limited = w->may_fail = options->limit != 0;
  runtime_in(w->heap)->gc->cycle.limits = (cycle_limits){.units = (uint32_t)pick(20),
                                                         .piece = (uint32_t)pick(20),
                                                         .batch = (uint32_t)pick(20),
                                                         .clear = (uint32_t)pick(4)};
  if (pick(2)) ouro_gc_set_roots(w->heap, visit_roots, NULL);
}

/* Lets go of everything: in the end only what is immortal lives, with what it refers to. */
static inline void let_go_of_all(void) {
  for (int i = 0; i < WEAK_MAX; i++) ouro_assign_new(&here->weak[i].weak, NULL);
  for (int i = 0; i < THINGS_MAX; i++)
    while (here->nodes[i].state == LIVE && is_held_now(&here->nodes[i])) {
      here->nodes[i].held--;
      ouro_unref(here->nodes[i].at);
    }
  settle();
  for (int i = 0; i < THINGS_MAX && !here->broken; i++) {
    node *n = &here->nodes[i];
    if (n->state == LIVE && n->untracked && (n->within || n->immortal)) {
      n->untracked = false;
      ouro_track(n->at);
    }
  }
}

/* What is on the garbage list is cut off from its cycles, as the program would. */
static inline void cut_garbage(void) {
  for (int i = 0; i < THINGS_MAX; i++)
    while (here->nodes[i].state == LIVE && here->nodes[i].listed) {
      resurrect(&here->nodes[i]);
      break_off(&here->nodes[i]);
      break;
    }
  step_clear_garbage();
}

static inline void world_end(void) {
  ouro_heap_fail(here->heap, 0, 0);
  here->may_fail = here->limited;
  ouro_gc_set_debug(here->heap, 0);
  ouro_gc_set_stress(here->heap, 0);
  for (int round = 0; round < 200 && !here->broken; round++) {
    uint64_t calls = here->callbacks;
    let_go_of_all();
    if (here->broken) return;
    ouro_gc_unfreeze(here->heap); /* finalizers may freeze */
    int64_t found = ouro_collect(here->heap, 2);
    settle();
    if (found == 0 && here->callbacks == calls && ouro_garbage_length(here->heap) == 0) break;
    cut_garbage();
  }
}

static inline void world_check_end(void) {
  uint64_t left;
  unspared_are_simple(&left);
  must(left == 0, "in the end no garbage is left");
  ouro_reuse_free(here->pool);
  for (int i = 0; i < THINGS_MAX; i++)
    if (here->nodes[i].pooled) here->nodes[i].held = 0;
  settle();
  mark_from(is_held);
  uint64_t due = 0, ran = here->finalizers;
  for (int i = 0; i < THINGS_MAX; i++) {
    const node *n = &here->nodes[i];
    if (n->state != LIVE) continue;
    must(n->reached, "in the end what is not immortal is dead");
    due += n->kind->ends && !n->finalized;
  }
  here->ending = true;
  must(ouro_finalize_all(here->heap) == due, "all finalizers run in the end");
  must(here->finalizers - ran == due, "each of them once");
  if (!here->broken) settle();
}

static inline void world_stop(void) {
  ouro_heap_destroy(here->heap);
  for (int i = 0; i < THINGS_MAX; i++) free(here->nodes[i].edge);
}

#endif
