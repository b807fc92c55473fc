/* SPDX-License-Identifier: MIT */
/* The program acts between two slices: at every boundary of a cycle's smallest steps, every single
 * change of every small graph; pairs of changes at random. What can be reached lives on, what was
 * garbage when the cycle began is dead when it ends. */
#include "cycle/recycled.h"
#include "cycle/small.h"

/* The changes, numbered; a program can only touch what it can reach. False: not possible here. */
static bool change_edge(graph *g, uint32_t a, uint32_t b, unsigned kind) {
  const node *n = &g->nodes[a];
  if (!n->reached || n->state != LIVE) return false;
  if (kind == 0) return g->nodes[b].reached && (graph_link(g, a, b), true);
  for (uint32_t i = 0; i < n->length; i++) {
    if (n->edges[i] != b) continue;
    if (kind == 1) return graph_unlink(g, a, i), true;
    /* a's reference is moved, no count changes: a list that is sorted, a stack that is popped */
    uint32_t to = (a + kind - 1) % 4;
    if (to >= g->used || !g->nodes[to].reached || to == a) return false;
    g->nodes[a].edges[i] = g->nodes[a].edges[--g->nodes[a].length];
    graph_link(g, to, b);
    g->nodes[b].count--;
    return true;
  }
  return false;
}

static bool change_node(graph *g, uint32_t o, unsigned kind) {
  node *n = &g->nodes[o];
  if (!n->reached || n->state != LIVE) return false;
  switch (kind) {
  case 0: return n->external && (graph_drop(g, o), true);
  case 1: return graph_hold(g, o), true;
  case 2: return n->frozen = true;
  case 3: return n->untracked = true;
  case 4: return n->length && (graph_unlink(g, o, 0), graph_new(g, true), true);
  default: { /* a new object that refers to it takes its place in whoever holds it */
    uint32_t fresh = graph_new(g, kind == 5);
    graph_link(g, fresh, o);
    if (g->nodes[o].external) graph_drop(g, o);
    return true;
  }
  }
}

enum { EDGE_KINDS = 5, NODE_KINDS = 7 };

static unsigned changes(unsigned n) { return n * n * EDGE_KINDS + n * NODE_KINDS; }

static bool change(graph *g, unsigned n, unsigned which) {
  graph_reach(g, PROGRAM);
  if (which >= n * n * EDGE_KINDS)
    return change_node(g, which % n, (which - n * n * EDGE_KINDS) / n % NODE_KINDS);
  return change_edge(g, which % n, which / n % n, which / (n * n));
}

typedef struct run {
  graph g;
  cycle c;
  unsigned steps;
  bool finished, checking;
} run;

static void run_begin(run *r, small s, uint32_t stride, bool checking) {
  *r = (run){.checking = checking};
  collector_tiny(&r->c);
  graph_init(&r->g, stride);
  r->g.rootless = s.edges % 2;
  small_let_go(&r->g, s, small_add(&r->g, s));
  graph_doom(&r->g);
  CHECK(collector_start(&r->c, &r->g));
}

static void run_steps(run *r, unsigned steps) {
  for (; steps && !r->finished; steps--, r->steps++) {
    r->finished = collector_step(&r->c, &r->g, 1).finished;
    if (r->checking) graph_check(&r->g);
  }
}

static void run_finish(run *r) {
  collector_finish(&r->c);
  graph_finish(&r->g);
}

/* To the end of the cycle, and another cycle that has to leave only what can be reached, from
 * objects that no cycle collects as well; these may die with what held them. */
static void run_end(run *r) {
  run_steps(r, UINT32_MAX);
  graph_check(&r->g);
  CHECK_EQ(graph_survivors(&r->g), 0);
  uint32_t rest = r->g.live - graph_doom(&r->g);
  collect(&r->c, &r->g);
  graph_check(&r->g);
  CHECK_EQ(graph_survivors(&r->g), 0);
  CHECK_LE(r->g.live, rest);
  run_finish(r);
}

static unsigned steps_of(small s, uint32_t stride) {
  run r;
  run_begin(&r, s, stride, false);
  run_steps(&r, UINT32_MAX);
  unsigned steps = r.steps;
  run_end(&r);
  return steps;
}

/* Returns whether the change was possible. */
static bool change_at(small s, uint32_t stride, unsigned boundary, unsigned which, bool checking) {
  run r;
  run_begin(&r, s, stride, checking);
  run_steps(&r, boundary);
  bool possible = change(&r.g, s.n, which);
  if (possible) run_end(&r);
  else collector_abort(&r.c, &r.g), run_finish(&r);
  return possible;
}

static uint64_t every_change(small s, uint32_t stride, bool checking) {
  uint64_t made = 0;
  unsigned steps = steps_of(s, stride);
  for (unsigned boundary = 0; boundary < steps; boundary++)
    for (unsigned which = 0; which < changes(s.n); which++)
      made += change_at(s, stride, boundary, which, checking);
  return made;
}

static void every_graph(unsigned n, uint32_t stride, bool checking) {
  uint64_t made = 0;
  small s = {.n = n};
  do made += every_change(s, stride, checking);
  while (small_next(&s));
  CHECK(made > 40);
}

TEST(one_node_every_change_at_every_boundary) { every_graph(1, 1, true); }
TEST(two_nodes_every_change_at_every_boundary) { every_graph(2, 1, true); }
TEST(two_nodes_in_two_pages) { every_graph(2, 4096, true); }
TEST(three_nodes_every_change_at_every_boundary) { every_graph(3, 40, false); }

static small any_small(unsigned n) {
  return (small){.n = n,
                 .edges = (uint32_t)test_random() & ((1u << n * n) - 1),
                 .external = (uint32_t)test_random() & ((1u << n) - 1)};
}

/* Up to six changes, with some steps between. */
static void some_changes(unsigned n) {
  static const uint32_t strides[] = {1, 40, 64, 4096, 3000};
  run r;
  run_begin(&r, any_small(n), strides[test_random() % 5], false);
  r.c.limits = (cycle_limits){1, 1, 1 + test_random() % 3, 1};
  for (unsigned i = test_random() % 6; i > 0; i--) {
    run_steps(&r, test_random() % 20);
    for (unsigned tries = 0; tries < 5 && !change(&r.g, n, test_random() % changes(n)); tries++) {}
  }
  run_end(&r);
}

TEST(four_nodes_some_changes) {
  for (int i = 0; i < 100000; i++) some_changes(4);
}
