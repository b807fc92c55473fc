/* SPDX-License-Identifier: MIT */
/* The collector over graphs of numbers: an embedder in 150 lines. */
#ifndef OURO_TESTS_CYCLE_COLLECTOR_H
#define OURO_TESTS_CYCLE_COLLECTOR_H

#include "cycle/graph.h"
#include "cycle/cycle.h"
#include "cycle/embedder.h"

#define CYCLE_PREFIX collector
#define CYCLE_EMBEDDER graph
#define CYCLE_OBJECT uint32_t
#define CYCLE_GROUP graph_group
#define CYCLE_CLOCK(g) graph_clock(g)
#define CYCLE_PREFETCH(o) (void)(o)
#define CYCLE_EXPECT(o) (void)(o)
#define CYCLE_PLACE(e, o, slot) (*(slot) = (uint64_t)(o) * (e)->stride, true)
#define CYCLE_LEAVES(o) false
#define CYCLE_SCANNED(e, o) (void)(o)
#define CYCLE_VISITED void
#define CYCLE_GO_ON
#define CYCLE_SWEEPS(e, g, word, bits) (!embed_special(e, g, word, bits))
#define CYCLE_JUDGE(e, members, destroyed) CYCLE_NOT_JUDGED
#define CYCLE_GATHERED(e, set) graph_gathered(e, set)
#define CYCLE_DECIDES(e, g, word, bits, first) graph_decides(e, g, word, bits, first)
#define CYCLE_HIDE(e, n) graph_hide(e, n)

typedef struct graph_group {
  bool nothing; /* nodes have nothing in common */
} graph_group;

typedef void (*graph_visit)(uint32_t referent, void *arg);

static inline size_t embed_pages(const graph *g) {
  return (uint64_t)g->used * g->stride / CYCLE_PAGE_SLOTS + 1;
}

static inline bool embed_slot(const graph *g, uint32_t o, uint64_t *slot) {
  *slot = (uint64_t)o * g->stride;
  return !g->nodes[o].untracked;
}

static inline uint32_t graph_at(const graph *g, uint64_t slot) {
  return (uint32_t)(slot / g->stride);
}

static inline graph_group embed_group(const graph *g, uint64_t word) {
  return (void)g, (void)word, (graph_group){false};
}

static inline uint32_t embed_object(const graph *g, const graph_group *group, uint64_t slot) {
  return (void)group, graph_at(g, slot);
}

static inline bool embed_page(const graph *g, uint64_t page) {
  return page * CYCLE_PAGE_SLOTS < (uint64_t)g->used * g->stride;
}

static inline bool graph_live(const graph *g, uint64_t slot, bool old) {
  const node *n = &g->nodes[graph_at(g, slot)];
  bool there = slot % g->stride == 0 && graph_at(g, slot) < g->used && n->state == LIVE;
  return there && !n->untracked && !n->frozen && (n->old || !old);
}

static inline uint64_t embed_live(const graph *g, uint64_t word, uint64_t bits, bool old) {
  uint64_t live = 0, end = (uint64_t)g->used * g->stride;
  uint64_t slot = (word * 64 + g->stride - 1) / g->stride * g->stride;
  for (; slot < word * 64 + 64 && slot < end; slot += g->stride)
    live |= (uint64_t)graph_live(g, slot, old) << slot % 64;
  return live & bits;
}

static inline uint32_t embed_count(const graph *g, uint32_t o) {
  return g->nodes[o].immortal ? UINT32_MAX : g->nodes[o].count;
}

static inline size_t embed_length(const graph *g, const graph_group *group, uint32_t o) {
  return (void)group, g->nodes[o].length;
}

static inline __attribute__((always_inline)) void embed_traverse(graph *g, const graph_group *group,
                                                                 uint32_t o, size_t from, size_t to,
                                                                 graph_visit visit, void *arg) {
  (void)group;
  const node *n = &g->nodes[o];
  g->visited += to - from;
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

static inline bool graph_special(const node *n) {
  return n->weak_first != NOBODY || n->keep || (n->finalizer && !n->finalized);
}

static inline uint64_t embed_special(const graph *g, const graph_group *group, uint64_t word,
                                     uint64_t bits) {
  uint64_t special = 0;
  for (uint64_t rest = bits; rest; rest &= rest - 1)
    if (graph_special(&g->nodes[embed_object(g, group, word * 64 + ouro_lowest_bit(rest))]))
      special |= rest & -rest;
  return special;
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

static inline void graph_condemn(graph *g, node *n) {
  CHECK_EQ(n->state, LIVE);
  CHECK_EQ(n->external, 0);
  CHECK_EQ(n->weak_first, NOBODY);
  CHECK(!n->finalizer || n->finalized);
  n->state = CONDEMNED;
  g->condemned++;
}

/* --- giants: those without a foreign member are hidden at once, if all of it is garbage --- */

static inline void graph_gathered(graph *g, const cycle_set *s) {
  g->gathered += bits_count(s->chunks[s->used].members);
}

static inline bool graph_decides(graph *g, const graph_group *group, uint64_t word, uint64_t *bits,
                                 bool first) {
  bool decides = true;
  *bits = embed_live(g, word, *bits, true);
  if (first) g->tests++, g->asked = 0;
  for (uint64_t rest = *bits; rest; rest &= rest - 1) {
    node *n = &g->nodes[embed_object(g, group, word * 64 + ouro_lowest_bit(rest))];
    CHECK_EQ(n->state, LIVE);
    n->asked = g->tests;
    decides &= !n->foreign;
    g->asked++;
  }
  g->refused += !decides;
  return decides;
}

static inline bool graph_hide(graph *g, size_t n) {
  if (n != g->asked) return false;
  for (uint32_t o = 0; o < g->used; o++)
    if (g->nodes[o].asked == g->tests) graph_condemn(g, &g->nodes[o]);
  g->hidden += n;
  return true;
}

static inline void graph_drop_edges(graph *g, uint32_t o) {
  graph_weak_end(g, o);
  while (g->nodes[o].length) graph_unref(g, g->nodes[o].edges[--g->nodes[o].length]);
}

static inline uint64_t embed_destroy(graph *g, const graph_group *group, uint64_t word,
                                     uint64_t bits, cycle_part part) {
  for (uint64_t rest = bits; rest; rest &= rest - 1) {
    uint32_t o = embed_object(g, group, word * 64 + ouro_lowest_bit(rest));
    if (part != CYCLE_CONDEMN) CHECK_EQ(g->nodes[o].state, CONDEMNED);
    if (part == CYCLE_DROP) CHECK_EQ(g->held, g->condemned);
    if (part == CYCLE_FREE) CHECK_EQ(g->nodes[o].length, 0);
    if (part == CYCLE_CONDEMN) graph_condemn(g, &g->nodes[o]);
    else if (part == CYCLE_KEEP) g->held++;
    else if (part == CYCLE_DROP) graph_drop_edges(g, o);
    else graph_free(g, o);
  }
  return bits;
}

/* Each look is a nanosecond later: a budget of n is n looks, the same in every run. */
static inline uint64_t graph_clock(graph *g) { return g->clock++; }

static inline void embed_broken(graph *g, uint32_t o, uint32_t count, uint32_t found) {
  (void)o;
  CHECK(found > count);
  g->broken++;
}

#include "cycle/template.h"

/* As small as can be: a step does one unit of work, batches have two members, objects are visited
 * reference by reference. */
static inline void collector_tiny(cycle *c) { c->limits = (cycle_limits){1, 1, 2, 1}; }

static inline cycle_report collect_within(cycle *c, graph *g, uint64_t budget) {
  CHECK(collector_start(c, g));
  cycle_report r = collector_step(c, g, budget);
  CHECK(r.finished && !r.out_of_memory);
  return r;
}

/* A whole cycle in one go; and in one slice that might have ended, so that it ends in batches. */
static inline cycle_report collect(cycle *c, graph *g) { return collect_within(c, g, UINT64_MAX); }
static inline cycle_report collect_in_batches(cycle *c, graph *g) {
  return collect_within(c, g, UINT64_MAX - 1);
}

#endif
