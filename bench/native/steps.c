/* SPDX-License-Identifier: MIT */
/*
 * steps OBJECTS PERCENT BUDGET_MS: a heap of which PERCENT are garbage, in rings of ten that lie
 *     between the living ones, collected in slices of the budget. Between two slices the program
 *     gives some living objects other references.
 * steps component OBJECTS allocation|random BUDGET_MS: all garbage hangs together.
 *
 * Prints the slices' CPU times in ms (p50, p99, max), the longest part that could not be divided as
 * the collector reports it, how many slices there were, and ns of all per object.
 */
#define NODE_EXTRA
#include "graph.h"

enum { RING = 10, RELINKED = 100, MOST_SLICES = 1 << 20 };

typedef struct slices {
  double *ms; /* room for MOST_SLICES */
  size_t count;
  double longest_ms;
  uint64_t found;
} slices;

/* Some leaves refer to others from now on; nothing becomes garbage, as the tree is left alone. */
static void relink(graph *live, uint64_t *seed) {
  size_t inner = live->count / 2;
  for (int i = 0; i < RELINKED && live->count > 2; i++) {
    node *leaf = live->node[inner + random_next(seed) % (live->count - inner)];
    ouro_assign(&leaf->right, live->node[random_next(seed) % live->count]);
  }
}

static bool slice(world *w, slices *s, uint64_t budget_ns) {
  double start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  ouro_step_report report = ouro_step(w->heap, budget_ns);
  if (s->count == MOST_SLICES) fail("the cycle does not end");
  s->ms[s->count++] = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / 1e6;
  if ((double)report.longest_ns / 1e6 > s->longest_ms)
    s->longest_ms = (double)report.longest_ns / 1e6;
  s->found += report.found;
  if (report.out_of_memory) fail("out of memory");
  return !report.finished;
}

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static void print(slices *s, size_t objects) {
  double all = 0;
  for (size_t i = 0; i < s->count; i++) all += s->ms[i];
  qsort(s->ms, s->count, sizeof *s->ms, ascending);
  printf("p50 %.4f\np99 %.4f\nmax %.4f\n", s->ms[s->count / 2], s->ms[s->count * 99 / 100],
         s->ms[s->count - 1]);
  printf("longest %.4f\nslices %zu\nns %.4f\n", s->longest_ms, s->count,
         all * 1e6 / (double)objects);
}

/* The table holds the first node of each ring. */
static graph rings_new(size_t rings) {
  return (graph){table_new((rings + 1) * sizeof(node *)), rings};
}

static void ring_close(world *w, graph *rings, size_t i) {
  node *first = node_new(w, NULL, NULL), *last = first;
  for (int k = 1; k < RING; k++) last = last->left = node_new(w, NULL, NULL);
  last->left = node_ref(first);
  rings->node[i] = first;
}

/* Lays rings between the living nodes: as often as their share says. */
static void heap_fill(world *w, graph *live, graph *rings) {
  size_t made = 0;
  for (size_t i = 0; i < live->count; i++) {
    live->node[i] = node_new(w, NULL, NULL);
    for (; made < rings->count && made * live->count <= rings->count * i; made++)
      ring_close(w, rings, made);
  }
  for (; made < rings->count; made++) ring_close(w, rings, made);
}

static slices collect(world *w, graph *live, uint64_t budget_ns) {
  slices s = {.ms = table_new(MOST_SLICES * sizeof(double))};
  uint64_t seed = 9;
  while (slice(w, &s, budget_ns)) relink(live, &seed);
  return s;
}

static void share(world *w, size_t objects, size_t percent, uint64_t budget_ns) {
  graph rings = rings_new(objects / 100 * percent / RING);
  graph live = {table_new(objects * sizeof(node *)), objects - rings.count * RING};
  heap_fill(w, &live, &rings);
  graph_link(&live, true);
  ouro_collect(w->heap, 1); /* old is what slices collect */
  for (size_t i = 0; i < rings.count; i++) node_drop(w, rings.node[i]);
  node *root = node_ref(live.node[0]);
  for (size_t i = 0; i < live.count; i++) node_drop(w, live.node[i]);
  world_root(w, root);
  slices s = collect(w, &live, budget_ns);
  if (s.found != rings.count * RING) fail("a wrong number of objects was found");
  print(&s, objects);
}

static void component(world *w, size_t objects, bool at_random, uint64_t budget_ns) {
  graph nothing = {0};
  node *root = graph_build(w, objects, at_random);
  ouro_collect(w->heap, 1);
  node_drop(w, root);
  slices s = collect(w, &nothing, budget_ns);
  if (s.found != objects) fail("a wrong number of objects was found");
  print(&s, objects);
}

int main(int argc, char **argv) {
  if (argc < 4) fail("usage: steps [component] OBJECTS PERCENT|allocation|random BUDGET_MS");
  world w = world_open();
  world_enable(&w, false);
  bool one = strcmp(argv[1], "component") == 0;
  uint64_t budget_ns = (uint64_t)(atof(argv[argc - 1]) * 1e6);
  if (one) component(&w, strtoul(argv[2], NULL, 10), is_random(argv[3]), budget_ns);
  else share(&w, strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10), budget_ns);
  end();
}
