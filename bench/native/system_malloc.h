/* SPDX-License-Identifier: MIT */
/* Memory managed by hand. */
#ifndef BENCH_SYSTEM_H
#define BENCH_SYSTEM_H

#define SYSTEM_HEAD
#include "node.h"

typedef struct world {
  char nothing;
} world;

static inline world world_open(void) { return (world){0}; }

static inline node *node_new(world *w, node *left, node *right) {
  (void)w;
  return node_made(malloc(sizeof(node)), left, right);
}

static inline node *node_ref(node *n) { return n; }

static inline void node_drop(world *w, node *n) {
  if (n == NULL) return;
  node_drop(w, n->left);
  node_drop(w, n->right);
  free(n);
}

static inline void node_cut(world *w, node *n) {
  (void)w;
  if (n == NULL) return;
  free(n->left);
  free(n);
}

/* A chain is dropped by a loop: nobody recurses ten million deep. */
static inline void chain_drop(world *w, node *n) {
  (void)w;
  while (n != NULL) {
    node *next = n->left;
    free(n);
    n = next;
  }
}

static inline void *array_new(world *w, size_t bytes) {
  (void)w;
  return calloc(1, bytes);
}

static inline void array_drop(world *w, void *array) {
  (void)w;
  free(array);
}

static inline int64_t world_collect(world *w) {
  (void)w;
  return 0;
}

#endif
