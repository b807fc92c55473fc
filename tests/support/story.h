/* SPDX-License-Identifier: MIT */
/*
 * Scenarios whose events are compared with a text: nodes that say when they are finalized, weak
 * references that say when they are told. tests/conformance/weak_order.py plays the same ones on
 * CPython and compares with the same texts.
 *
 *     TEST(W1_...) { STORY(youngest_first, "del x, w2, w1"); }
 */
#ifndef OURO_TESTS_STORY_H
#define OURO_TESTS_STORY_H

#include <stdarg.h>

#include <ouro/gc.h>
#include <ouro/weak.h>

#include "heaps.h"
#include "object/weak.h"
#include "object/weakmap.h"

typedef struct node {
  ouro_object object;
  struct node *left, *right;
  ouro_object *other;
  char name[8];
  void (*at_end)(struct node *self);
} node;

/* The closure of a callback that says its name and then does something. */
typedef struct teller {
  ouro_object object;
  char name[24];
  void (*then)(void);
} teller;

static ouro_heap *world;
static ouro_type *node_type, *teller_type;
static char events[1024];

__attribute__((format(printf, 1, 2))) static inline void say(const char *format, ...) {
  size_t length = strlen(events);
  if (length > sizeof events - 64) return; /* more than any story tells */
  va_list args;
  va_start(args, format);
  if (length) length += (size_t)sprintf(events + length, ", ");
  vsnprintf(events + length, sizeof events - length, format, args);
  va_end(args);
}

static inline void node_ends(void *self) {
  node *n = self;
  say("del %s", n->name);
  if (n->at_end) n->at_end(n);
}

static inline void open_world(void) {
  static const uint16_t refs[] = {offsetof(node, left), offsetof(node, right),
                                  offsetof(node, other), 0};
  const ouro_type_spec node_spec = {
      .name = "node", .size = sizeof(node), .refs = refs, .finalize = node_ends};
  const ouro_type_spec teller_spec = {.name = "teller", .size = sizeof(teller)};
  world = quiet_heap("world");
  ouro_gc_enable(world, false);
  node_type = ouro_type_new(world, &node_spec);
  teller_type = ouro_type_new(world, &teller_spec);
  CHECK(node_type && teller_type);
  events[0] = 0;
}

/* What must hold at any time; the test ends where it does not. */
static inline void check_world(void) {
  const char *broken = weak_check(world);
  if (!broken) broken = ouro_objects_check(world);
  if (broken) TEST_FAIL("%s", broken);
  CHECK(heap_ok(world));
}

static inline void close_world(void) {
  check_world();
  ouro_heap_destroy(world);
}

/* Referents that have weak references. */
static inline size_t map_count(void) {
  weakmap *map = *runtime_slot(world, PART_WEAK);
  return map ? map->count : 0;
}

/* A new node that takes `left` over. */
static inline node *make_node(const char *name, OURO_STOLEN node *left) {
  node *n = ouro_new(node_type);
  CHECK(n);
  strcpy(n->name, name);
  n->left = left;
  return n;
}

/* Nodes 0 to n - 1 named a, b, ..., each referring to the next by `left`, the last to the first. */
static inline void make_ring(node **out, const char *names) {
  size_t n = strlen(names);
  for (size_t i = 0; i < n; i++) out[i] = make_node((char[]){names[i], 0}, NULL);
  for (size_t i = 0; i < n; i++) out[i]->left = ouro_ref(out[(i + 1) % n]);
}

static inline void drop_nodes(node **nodes, size_t n) {
  for (size_t i = 0; i < n; i++) ouro_unref(nodes[i]);
}

/* *place = NULL, and what it held is dropped. */
static inline void forget(void *place) { ouro_assign_new(place, NULL); }

static inline void tell(ouro_weak *weak, ouro_object *closure) {
  teller *t = (teller *)(void *)closure;
  if (t->name[0]) say(ouro_weak_is_gone(weak) ? "%s" : "%s alive", t->name);
  if (t->then) t->then();
}

/* A weak reference that says `name` (if not empty) and then calls `then` (if not NULL). */
static inline ouro_weak *watch(void *referent, const char *name, void (*then)(void)) {
  teller *t = ouro_new(teller_type);
  CHECK(t);
  strcpy(t->name, name);
  t->then = then;
  ouro_weak *weak = ouro_weak_new(referent, tell, t);
  CHECK(weak);
  ouro_unref(t);
  return weak;
}

static inline const char *state_of(const ouro_weak *weak) {
  return ouro_weak_is_gone(weak) ? "gone" : "alive";
}

static inline void collect(void) {
  ouro_collect(world, 2);
  say("collected");
}

static inline bool count_object(void *ctx, ouro_object *o) {
  *(size_t *)ctx += ouro_type_of(o) == node_type;
  return true;
}

static inline size_t live_nodes(void) {
  size_t n = 0;
  ouro_each_object(world, -1, count_object, &n);
  return n;
}

static inline void play(void (*scenario)(void), const char *expected) {
  open_world();
  scenario();
  CHECK_STR(events, expected);
  close_world();
}

#define STORY(scenario, expected) play(scenario, expected)
#define DIFFERS(scenario, in_cpython, here) play(scenario, here)

#endif
