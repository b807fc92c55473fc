/* SPDX-License-Identifier: MIT */
/*
 * collect garbage LIVE RINGS: ns of CPU time of a full collection per object found, beside LIVE
 *     objects; the rings are of two nodes
 * collect live OBJECTS allocation|random [roots]: ns per object where there is nothing to find;
 *     the median of some, and the first one's, which also makes old what is young
 */
#define NODE_EXTRA
#include "graph.h"

enum { REPEATS = 5 };

static double collect_ns(world *w, int64_t expected) {
  double start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  int64_t found = world_collect(w);
  double time = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
  if (found != expected) fail("the collection found a wrong number of objects");
  return time;
}

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static void live(world *w, size_t count, bool at_random, bool roots) {
  node *root = graph_build(w, count, at_random);
  if (roots) world_root(w, root);
  double first = collect_ns(w, 0), time[REPEATS];
  for (int i = 0; i < REPEATS; i++) time[i] = collect_ns(w, 0);
  qsort(time, REPEATS, sizeof *time, ascending);
  graph_check(root, count);
  printf("ns %.4f\nfirst %.4f\n", time[REPEATS / 2] / (double)count, first / (double)count);
}

static void garbage(world *w, size_t count, long rings) {
  node *root = graph_build(w, count, false);
  world_root(w, root);
  collect_ns(w, 0);
  for (long i = 0; i < rings; i++) {
    node *a = node_new(w, NULL, NULL);
    a->left = node_new(w, node_ref(a), NULL);
    node_drop(w, a);
  }
  double time = collect_ns(w, 2 * rings);
  graph_check(root, count);
  printf("ns %.4f\n", time / (double)(2 * rings));
}

int main(int argc, char **argv) {
  if (argc < 4) fail("usage: collect garbage LIVE RINGS | live OBJECTS allocation|random [roots]");
  world w = world_open();
  world_enable(&w, false);
  size_t count = strtoul(argv[2], NULL, 10);
  if (strcmp(argv[1], "garbage") == 0) garbage(&w, count, atol(argv[3]));
  else live(&w, count, is_random(argv[3]), argc > 4);
  end();
}
