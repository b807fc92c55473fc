/* SPDX-License-Identifier: MIT */
/* One heap per request: a limit that a greedy request runs into, and an end that needs no walk over
 * what was allocated. */
#include <ouro/pool.h>
#include <stdio.h>

typedef struct node {
  struct node *left, *right;
  int depth;
} node;

/* A full binary tree, or NULL where memory ran out. Nothing is freed then: the heap goes as a
 * whole. */
static node *grow(ouro_heap *heap, int depth) {
  node *n = ouro_alloc(heap, sizeof *n);
  if (!n) return NULL;
  *n = (node){.depth = depth};
  if (depth == 0) return n;
  n->left = grow(heap, depth - 1);
  n->right = n->left ? grow(heap, depth - 1) : NULL;
  return n->right ? n : NULL;
}

/* Handles one request in at most `limit` bytes. Returns the bytes it used, 0 if they did not do. */
static unsigned long long request(int depth, size_t limit) {
  ouro_heap_options options;
  ouro_heap_options_init(&options);
  options.name = "request";
  options.limit = limit;
  ouro_heap *heap = ouro_heap_new(&options);
  if (!heap) return 0;

  node *tree = grow(heap, depth);
  ouro_heap_stats stats;
  ouro_heap_stats_read(heap, &stats);
  const char *broken = ouro_heap_check(heap);
  if (broken) printf("the heap is broken: %s\n", broken);
  ouro_heap_destroy(heap); /* the tree, whole or half grown, goes back to the system at once */
  return tree ? stats.live : 0;
}

int main(void) {
  const size_t limit = (size_t)4 << 20;
  for (int depth = 10; depth <= 20; depth += 5) {
    unsigned long long used = request(depth, limit);
    if (used) printf("depth %d: %llu KiB\n", depth, used >> 10);
    else printf("depth %d: more than the limit of %zu KiB\n", depth, limit >> 10);
  }
  return request(10, limit) == 0 || request(20, limit) != 0;
}
