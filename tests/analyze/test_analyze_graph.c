/* SPDX-License-Identifier: MIT */
/* The graph is what was drawn: nodes, facts, edges both ways, names of edges. */
#include "test.h"

#include "analyze/small.h"

TEST(two_nodes_and_an_attribute) {
  small h = {0};
  uint32_t node = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
  int a = small_node(&h, node, 48), b = small_node(&h, node, 56);
  small_attribute(&h, a, b, "next");
  small_root(&h, a, SNAPSHOT_ROOT_MODULE, "app");
  small_open(&h);
  CHECK_EQ(h.g.nodes, 2);
  CHECK_EQ(h.g.edges, 1);
  CHECK_EQ(h.g.out[0], small_at(&h, b));
  CHECK_EQ(h.g.in[0], small_at(&h, a));
  CHECK_EQ(graph_size(&h.g, small_at(&h, b)), 56);
  CHECK_EQ(h.g.root_count, 1);
  CHECK_EQ(h.g.roots[0].node, small_at(&h, a));
  snapshot_edge edge;
  CHECK(graph_label(&h.g, small_at(&h, a), small_at(&h, b), &edge));
  CHECK_EQ(edge.kind, SNAPSHOT_ATTRIBUTE);
  CHECK(!memcmp(snapshot_name(h.s, edge.label).text, "next", 4));
  CHECK(!graph_label(&h.g, small_at(&h, b), small_at(&h, a), &edge));
  small_close(&h);
}
