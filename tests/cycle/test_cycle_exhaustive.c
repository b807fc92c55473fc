/* SPDX-License-Identifier: MIT */
/* All graphs of up to four nodes, collected in one go, against the oracle. */
#include "cycle/recycled.h"
#include "cycle/small.h"

/* Exactly the unreachable dies, and is said to. Nothing else is even suspected. */
static void collect_and_compare(cycle *c, graph *g, bool in_batches) {
  uint32_t doomed = graph_doom(g), before = g->live;
  cycle_report r = in_batches ? collect_in_batches(c, g) : collect(c, g);
  graph_check(g);
  CHECK_EQ(graph_survivors(g), 0);
  CHECK_EQ(g->live, before - doomed);
  CHECK_EQ(r.candidates, doomed);
  CHECK_EQ(r.found, doomed);
  CHECK_EQ(r.destroyed, doomed);
}

static void graph_in_one_way(cycle *c, small s, uint32_t stride, bool rootless, bool in_batches) {
  graph g;
  graph_init(&g, stride);
  g.rootless = rootless;
  small_let_go(&g, s, small_add(&g, s));
  collect_and_compare(c, &g, in_batches);
  graph_finish(&g);
}

static void one_graph(cycle *c, small s, uint32_t stride, bool rootless) {
  graph_in_one_way(c, s, stride, rootless, false);
  graph_in_one_way(c, s, stride, rootless, true);
}

TEST(all_graphs_of_up_to_three_nodes) {
  const uint32_t strides[] = {1, 63, 64, 5000};
  cycle c = {0};
  for (unsigned n = 1; n <= 3; n++)
    for (unsigned i = 0; i < 4; i++)
      for (small s = {.n = n}; s.edges >> n * n == 0; s.edges++)
        for (s.external = 0; s.external >> n == 0; s.external++)
          one_graph(&c, s, strides[i], i % 2);
  collector_finish(&c);
}

TEST(all_graphs_of_four_nodes_one_by_one) {
  cycle c = {0};
  small s = {.n = 4};
  do one_graph(&c, s, 21, true), one_graph(&c, s, 21, false);
  while (small_next(&s));
  collector_finish(&c);
}

/* Side by side in one heap, in every order of their nodes: 262,144 nodes at a time. */
static void all_graphs_at_once(cycle *c, uint32_t external, bool in_batches) {
  graph g;
  graph_init(&g, 1);
  g.rootless = external % 2;
  for (small s = {.n = 4, .external = external}; s.edges >> 16 == 0; s.edges++) small_add(&g, s);
  for (uint32_t edges = 0; edges < 1u << 16; edges++)
    small_let_go(&g, (small){.n = 4, .edges = edges, .external = external}, edges * 4);
  collect_and_compare(c, &g, in_batches);
  graph_finish(&g);
}

TEST(all_graphs_of_four_nodes_in_one_heap) {
  cycle c = {0};
  for (uint32_t external = 0; external < 16; external++)
    for (unsigned way = 0; way < 2; way++) all_graphs_at_once(&c, external, way);
  collector_finish(&c);
}
