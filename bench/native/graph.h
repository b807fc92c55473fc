/* SPDX-License-Identifier: MIT */
/*
 * Graphs for the collector: `count` nodes with two references each. Node i refers to 2i + 1 and
 * 2i + 2, a tree; the leaves refer to two others anywhere, so that there are cycles:
 *
 *     every node is referred to by another (node 0 by the last leaf); all are reachable from node 0
 *
 * Numbered as allocated, or at random: then a reference leads anywhere in memory. The table of
 * nodes holds one reference to each until graph_root gives it up.
 */
#ifndef BENCH_GRAPH_H
#define BENCH_GRAPH_H

#include SYSTEM_H

typedef struct graph {
  node **node;
  size_t count;
} graph;

static inline graph graph_new(world *w, size_t count, bool at_random) {
  graph g = {table_new(count * sizeof(node *)), count};
  uint32_t *order = table_new(count * sizeof *order);
  if (at_random) random_order(order, (uint32_t)count, 5);
  for (size_t i = 0; i < count; i++) g.node[at_random ? order[i] : i] = node_new(w, NULL, NULL);
  munmap(order, count * sizeof *order);
  return g;
}

static inline void graph_link(graph *g, bool at_random) {
  uint64_t seed = 3;
  for (size_t i = 0; i < g->count; i++) {
    size_t left = 2 * i + 1, right = 2 * i + 2;
    if (left >= g->count) left = at_random ? random_next(&seed) % g->count : i - 1;
    if (right >= g->count) right = at_random ? random_next(&seed) % g->count : i / 2;
    if (i == g->count - 1) right = 0;
    g->node[i]->left = node_ref(g->node[left]);
    g->node[i]->right = node_ref(g->node[right]);
  }
}

/* Drops the table's references; node 0 is held by the result. */
static inline node *graph_root(world *w, graph *g) {
  node *root = node_ref(g->node[0]);
  for (size_t i = 0; i < g->count; i++) node_drop(w, g->node[i]);
  munmap(g->node, g->count * sizeof(node *));
  return root;
}

static inline node *graph_build(world *w, size_t count, bool at_random) {
  graph g = graph_new(w, count, at_random);
  graph_link(&g, at_random);
  return graph_root(w, &g);
}

/* Follows the tree to its last node: 2i + 2 by `right` where i is even, 2i + 1 by `left`. */
static inline const node *graph_at(const node *root, size_t i) {
  if (i == 0) return root;
  const node *parent = graph_at(root, (i - 1) / 2);
  return i % 2 == 1 ? parent->left : parent->right;
}

static inline void graph_check(const node *root, size_t count) {
  for (size_t i = 0; i < count / 2; i += 1 + count / 1000) {
    const node *n = graph_at(root, i);
    if (n->left != graph_at(root, 2 * i + 1)) fail("the graph has changed");
  }
}

static inline bool is_random(const char *order) {
  if (strcmp(order, "random") == 0) return true;
  if (strcmp(order, "allocation") != 0) fail("order: allocation or random");
  return false;
}

#endif
