/* SPDX-License-Identifier: MIT */
/* Finalizers, weak references and what is to be kept, on all graphs of two nodes and many of three
 * and four, in one go and in the smallest steps. */
#include "cycle/finalizers.h"
#include "cycle/recycled.h"
#include "cycle/small.h"

enum { KEEP = FINALIZERS, TRAITS };

/* What the nodes are beside their references. */
typedef struct traits {
  uint8_t of[MOST];
  uint8_t referent[MOST]; /* whom it refers to weakly; n: nobody */
} traits;

typedef struct expected {
  uint32_t found, finalizers, called, kept, rest;
} expected;

static void set_traits(graph *g, unsigned n, const traits *t) {
  for (unsigned o = 0; o < n; o++) {
    g->nodes[o].keep = t->of[o] == KEEP;
    g->nodes[o].finalizer = t->of[o] == KEEP ? 0 : t->of[o];
    if (t->referent[o] == n) continue;
    g->nodes[o].referent = t->referent[o];
    g->nodes[o].weak_next = g->nodes[t->referent[o]].weak_first;
    g->nodes[t->referent[o]].weak_first = o;
  }
}

/* A weak reference is called if its referent is garbage and it is not itself, unless what is kept
 * reaches the referent. */
static expected expect(graph *g) {
  expected x = {.found = graph_doom(g)};
  for (uint32_t o = 0; o < g->used; o++) x.kept += g->nodes[o].doomed && g->nodes[o].keep;
  for (uint32_t o = 0; o < g->used; o++) g->nodes[o].external += g->nodes[o].keep;
  graph_reach(g, CYCLE);
  for (uint32_t o = 0; o < g->used; o++) {
    node *n = &g->nodes[o];
    n->external -= n->keep;
    bool garbage = n->state == LIVE && !n->reached;
    x.finalizers += garbage && n->finalizer && !n->finalized;
    x.rest += n->state != FREE && !garbage;
    if (n->state == LIVE && n->referent != NOBODY)
      x.called += !garbage && !g->nodes[n->referent].reached;
  }
  return x;
}

static uint64_t run_cycle(cycle *c, graph *g, uint64_t budget) {
  uint64_t found = 0;
  cycle_report r;
  CHECK(collector_start(c, g));
  do {
    r = collector_step(c, g, budget);
    found += r.found;
    graph_check(g);
  } while (!r.finished);
  return found;
}

/* What finalizers and callbacks left over dies in the next cycles: finalizers run once. */
static void until_all_is_gone(cycle *c, graph *g) {
  for (int i = 0; i < 4; i++) {
    ((finalizing *)g->user)->rescued.n = 0;
    for (uint32_t o = 0; o < g->used; o++) {
      g->nodes[o].old = true;
      while (g->nodes[o].state == LIVE && g->nodes[o].external) graph_drop(g, o);
    }
    run_cycle(c, g, UINT64_MAX);
  }
  CHECK_EQ(g->live, 0);
}

static void one_case(small s, const traits *t, uint32_t stride, bool tiny) {
  graph g;
  cycle c = {0};
  finalizing f;
  if (tiny) collector_tiny(&c);
  graph_init(&g, stride);
  finalizing_begin(&g, &f, &c);
  uint32_t first = small_add(&g, s);
  set_traits(&g, s.n, t);
  small_let_go(&g, s, first);
  finalizing_let_go(&g);
  f.first = f.called = 0;
  f.serial = g.serial;
  expected x = expect(&g);
  CHECK_EQ(run_cycle(&c, &g, tiny ? 1 : UINT64_MAX), x.found);
  CHECK_EQ(f.first, x.finalizers);
  CHECK_EQ(f.called, x.called);
  CHECK_EQ(g.kept, x.kept);
  CHECK_LE(x.rest, g.live);
  until_all_is_gone(&c, &g);
  finalizing_end(&g);
  graph_finish(&g);
  collector_finish(&c);
}

static void every_trait(small s) {
  traits t = {{0}, {0}};
  for (unsigned i = 0; i < TRAITS * TRAITS * 9; i++) {
    t.of[0] = i % TRAITS, t.of[1] = i / TRAITS % TRAITS;
    t.referent[0] = i / TRAITS / TRAITS % 3, t.referent[1] = i / TRAITS / TRAITS / 3;
    one_case(s, &t, 64, false);
    one_case(s, &t, 9, true);
  }
}

TEST(two_nodes_every_trait) {
  for (small s = {.n = 2}; s.edges < 16; s.edges++)
    for (s.external = 0; s.external < 4; s.external++) every_trait(s);
}

static void any_case(unsigned n) {
  small s = {.n = n,
             .edges = (uint32_t)test_random() & ((1u << n * n) - 1),
             .external = (uint32_t)(test_random() & test_random()) & ((1u << n) - 1)};
  traits t;
  for (unsigned o = 0; o < n; o++) {
    t.of[o] = test_random() % 3 ? NO_FINALIZER : test_random() % TRAITS;
    t.referent[o] = test_random() % 3 ? n : test_random() % n;
  }
  one_case(s, &t, 1 + test_random() % 70, test_random() % 2);
}

TEST(three_and_four_nodes_any_trait) {
  for (int i = 0; i < 200000; i++) any_case(3 + i % 2);
}
