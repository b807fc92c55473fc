/* SPDX-License-Identifier: MIT */
/* The collector over graphs of numbers: an embedder in 150 lines. */
#ifndef OURO_TESTS_CYCLE_COLLECTOR_H
#define OURO_TESTS_CYCLE_COLLECTOR_H

#include "cycle/graph.h"
#include "cycle/embedder.h"

#define CYCLE_PREFIX collector
#define CYCLE_EMBEDDER graph
#define CYCLE_OBJECT uint32_t
#define CYCLE_NONE NOBODY

typedef void (*graph_visit)(uint32_t referent, void *arg);

static inline size_t embed_pages(const graph *g) {
  return (uint64_t)g->used * g->stride / CYCLE_PAGE_SLOTS + 1;
}

static inline bool embed_slot(const graph *g, uint32_t o, uint64_t *slot) {
  *slot = (uint64_t)o * g->stride;
  return !g->nodes[o].untracked;
}

static inline uint32_t embed_object(const graph *g, uint64_t slot) {
  return (uint32_t)(slot / g->stride);
}

static inline bool embed_alive(const graph *g, uint64_t slot) {
  const node *n = &g->nodes[embed_object(g, slot)];
  return n->state == LIVE && !n->untracked && !n->frozen;
}

static inline uint32_t embed_at(const graph *g, uint64_t slot) {
  uint32_t o = embed_object(g, slot);
  bool there = slot % g->stride == 0 && o < g->used && embed_alive(g, slot);
  return there && g->nodes[o].old ? o : NOBODY;
}

static inline void embed_prefetch(const graph *g, uint64_t slot) { (void)g, (void)slot; }

/* Slots that may have a node, whatever its state. */
static inline uint64_t embed_live(const graph *g, uint64_t word) {
  uint64_t bits = 0, end = (uint64_t)g->used * g->stride;
  uint64_t first = (word * 64 + g->stride - 1) / g->stride * g->stride;
  for (uint64_t slot = first; slot < word * 64 + 64 && slot < end; slot += g->stride)
    bits |= (uint64_t)1 << slot % 64;
  return bits;
}

static inline uint32_t embed_count(const graph *g, uint32_t o) {
  return g->nodes[o].immortal ? UINT32_MAX : g->nodes[o].count;
}

static inline size_t embed_length(const graph *g, uint32_t o) { return g->nodes[o].length; }

static inline __attribute__((always_inline)) void
embed_traverse(graph *g, uint32_t o, size_t from, size_t to, graph_visit visit, void *arg) {
  const node *n = &g->nodes[o];
  if (g->lie && from == 0 && to) visit(n->edges[0], arg);
  for (size_t i = from; i < to && i < n->length; i++) visit(n->edges[i], arg);
}

/* Some of those held from outside: any of them may be missing. */
static inline void embed_roots(graph *g, graph_visit visit, void *arg) {
  for (uint32_t o = 0; o < g->used && !g->rootless; o += 1 + o % 3)
    if (g->nodes[o].state == LIVE && g->nodes[o].external) visit(o, arg);
}

static inline void embed_weak(graph *g, uint32_t o, graph_visit visit, void *arg) {
  for (uint32_t w = g->nodes[o].weak_first; w != NOBODY; w = g->nodes[w].weak_next) visit(w, arg);
}

static inline bool embed_special(const graph *g, uint32_t o) {
  const node *n = &g->nodes[o];
  return n->weak_first != NOBODY || n->keep || (n->finalizer && !n->finalized);
}

static inline bool graph_keep(graph *g, uint32_t *garbage, size_t n) {
  uint64_t kept = g->kept;
  for (size_t i = 0; i < n; i++)
    if (g->nodes[garbage[i]].keep) {
      g->nodes[garbage[i]].keep = false;
      graph_hold(g, garbage[i]);
      g->kept++;
    }
  return g->kept > kept;
}

/* Clears the weak references to a member; those of them that are no members are to be called. */
static inline void graph_clear_weak(graph *g, uint32_t o, stack *to_call) {
  for (uint32_t w; (w = graph_weak_pop(g, o)) != NOBODY;)
    if (!g->nodes[w].in_batch && g->nodes[w].state == LIVE)
      stack_push(to_call, w), g->nodes[w].count++;
}

static inline bool embed_prepare(graph *g, uint32_t *garbage, size_t n, int stage) {
  if (stage == 0) return graph_keep(g, garbage, n);
  stack weak = {0};
  for (size_t i = 0; i < n; i++) g->nodes[garbage[i]].in_batch = true, g->nodes[garbage[i]].count++;
  for (size_t i = 0; i < n; i++) graph_clear_weak(g, garbage[i], &weak);
  for (uint32_t i = 0; i < weak.n; i++) graph_call(g, weak.at[i]), graph_unref(g, weak.at[i]);
  for (size_t i = 0; i < n; i++) graph_finalize(g, garbage[i]);
  for (size_t i = 0; i < n; i++) g->nodes[garbage[i]].in_batch = false;
  for (size_t i = 0; i < n; i++) graph_unref(g, garbage[i]);
  free(weak.at);
  return true;
}

static inline void embed_condemn(graph *g, uint32_t *garbage, size_t n) {
  for (size_t i = 0; i < n; i++) {
    node *o = &g->nodes[garbage[i]];
    CHECK_EQ(o->state, LIVE);
    CHECK_EQ(o->external, 0);
    CHECK_EQ(o->weak_first, NOBODY);
    CHECK(!o->finalizer || o->finalized);
    o->state = CONDEMNED;
  }
  g->condemned += n;
}

static inline void embed_clear(graph *g, uint32_t *garbage, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t o = garbage[i];
    CHECK_EQ(g->nodes[o].state, CONDEMNED);
    graph_weak_end(g, o);
    while (g->nodes[o].length) graph_unref(g, g->nodes[o].edges[--g->nodes[o].length]);
  }
}

static inline void embed_release(graph *g, uint32_t *garbage, size_t n) {
  for (size_t i = 0; i < n; i++) {
    CHECK_EQ(g->nodes[garbage[i]].state, CONDEMNED);
    CHECK_EQ(g->nodes[garbage[i]].length, 0);
    graph_free(g, garbage[i]);
  }
}

/* Each look is a nanosecond later: a budget of n is n looks, the same in every run. */
static inline uint64_t embed_clock(graph *g) { return g->clock++; }

static inline void embed_broken(graph *g, uint32_t o, uint32_t count, uint32_t found) {
  (void)o;
  CHECK(found > count);
  g->broken++;
}

#include "cycle/template.h"

/* As small as can be: a step does one unit of work, batches have two members, objects are visited
 * reference by reference. */
static inline void collector_tiny(cycle *c) { c->limits = (cycle_limits){1, 1, 2, 1}; }

/* A whole cycle in one go. */
static inline cycle_report collect(cycle *c, graph *g) {
  CHECK(collector_start(c, g));
  cycle_report r = collector_step(c, g, UINT64_MAX);
  CHECK(r.finished && !r.out_of_memory);
  return r;
}

#endif
