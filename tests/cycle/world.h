/* SPDX-License-Identifier: MIT */
/* Random graphs, and a program that changes them: it touches only what it can reach. */
#ifndef OURO_TESTS_CYCLE_WORLD_H
#define OURO_TESTS_CYCLE_WORLD_H

#include "cycle/finalizers.h"

static inline uint32_t world_below(uint32_t n) { return (uint32_t)(test_random() % n); }

/* A live node that can be reached: a few references from one that is held. NOBODY: none found. */
static inline uint32_t world_reachable(const graph *g) {
  for (int tries = 0; tries < 20 && g->used; tries++) {
    uint32_t o = world_below(g->used);
    if (g->nodes[o].state != LIVE || !g->nodes[o].external) continue;
    for (uint32_t hops = world_below(8); hops && g->nodes[o].length; hops--)
      o = g->nodes[o].edges[world_below(g->nodes[o].length)];
    return o;
  }
  return NOBODY;
}

/* A new node, now and then with a finalizer. */
static inline uint32_t world_new(graph *g, bool old) {
  uint32_t o = graph_new(g, old);
  uint8_t does = world_below(20) ? NO_FINALIZER : (uint8_t)world_below(FINALIZERS);
  g->nodes[o].finalizer = does == WEAK_TO_SELF ? PLAIN : does; /* its referent would wait */
  return o;
}

/* Some nodes refer to each other in a ring, with a tail. */
static inline void world_make_ring(graph *g, uint32_t n) {
  bool mixed = world_below(2), old = world_below(2);
  uint32_t first = world_new(g, old), last = first;
  for (uint32_t i = 1; i < n; i++) {
    uint32_t o = world_new(g, mixed ? world_below(2) : old);
    graph_link(g, last, o);
    graph_drop(g, o);
    last = o;
  }
  graph_link(g, last, first);
  uint32_t holder = world_reachable(g);
  if (holder != NOBODY && world_below(2)) graph_link(g, holder, first);
  graph_drop(g, first);
}

static inline void world_age(graph *g, uint32_t o, uint32_t n) {
  for (; n && o < g->used; n--, o++)
    if (g->nodes[o].state == LIVE) g->nodes[o].old = true;
}

static inline void world_weak(graph *g, uint32_t o) {
  uint32_t to = world_reachable(g), w = graph_weak(g, o, world_below(2));
  if (to != NOBODY) graph_link(g, to, w), graph_drop(g, w);
}

/* The program reads a weak reference: the referent, garbage perhaps, is held again. */
static inline void world_read_weak(graph *g, uint32_t w) {
  uint32_t o = g->nodes[w].referent;
  if (o == NOBODY || g->nodes[o].state != LIVE) return;
  graph_hold(g, o);
  graph_pardon(g, o);
}

/* One random change. */
static inline void world_change(graph *g, uint32_t most) {
  uint32_t a = world_reachable(g), b = world_reachable(g), what = world_below(16);
  if (a == NOBODY || b == NOBODY) what = 0;
  if (what && what < 6 && g->live > most) what = 8;
  switch (what) {
  case 0:
  case 1: graph_new(g, world_below(2)); break;
  case 2: world_make_ring(g, 1 + world_below(10)); break;
  case 3:
  case 4:
  case 5: graph_link(g, a, b); break;
  case 6:
  case 7:
  case 8:
  case 9:
    if (g->nodes[a].length) graph_unlink(g, a, world_below(g->nodes[a].length));
    break;
  case 10: graph_hold(g, b); break;
  case 11:
  case 12:
    if (g->nodes[a].external) graph_drop(g, a);
    break;
  case 13: world_age(g, world_below(g->used), 50); break;
  case 14:
    if (world_below(4) == 0) world_weak(g, a);
    break;
  case 15: world_read_weak(g, a); break;
  }
}

static inline void world_grow(graph *g, uint32_t nodes) {
  while (g->live < nodes) world_change(g, UINT32_MAX);
}

/* A collection of all young nodes: exactly those die that only young garbage refers to. */
static inline void world_collect_young(cycle *c, graph *g) {
  uint32_t young = 0, garbage = 0;
  graph_reach(g, YOUNG);
  for (uint32_t o = 0; o < g->used; o++) young += g->nodes[o].state == LIVE && !g->nodes[o].old;
  CHECK(collector_batch_begin(c, g, young));
  for (uint32_t o = 0; o < g->used; o++) {
    const node *n = &g->nodes[o];
    uint64_t slot = (uint64_t)o * g->stride;
    if (n->state != LIVE || n->old || n->untracked || n->frozen) continue;
    CHECK(collector_batch_add(c, slot / 64, (uint64_t)1 << slot % 64));
    garbage += !n->reached;
  }
  size_t destroyed;
  CHECK_EQ(collector_batch_run(c, g, &destroyed), garbage);
  CHECK_LE(destroyed, garbage);
}

/* Survivors of young collections are old. */
static inline void world_promote(graph *g) { world_age(g, 0, g->used); }

#endif
