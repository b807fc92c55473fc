/* SPDX-License-Identifier: MIT */
/* The Boehm-Demers-Weiser collector, as its documentation asks a program to use it: nothing is
 * dropped, memory without references is said to have none. */
#ifndef BENCH_SYSTEM_H
#define BENCH_SYSTEM_H

#include <gc.h>

#define SYSTEM_HEAD
#include "node.h"

typedef struct world {
  char nothing;
} world;

static inline world world_open(void) {
  GC_INIT();
  return (world){0};
}

static inline node *node_new(world *w, node *left, node *right) {
  (void)w;
  return node_made(GC_MALLOC(sizeof(node)), left, right);
}

static inline node *node_ref(node *n) { return n; }

static inline void node_drop(world *w, node *n) {
  (void)w;
  (void)n;
}

static inline void node_cut(world *w, node *n) { node_drop(w, n); }

static inline void *array_new(world *w, size_t bytes) {
  (void)w;
  void *array = GC_MALLOC_ATOMIC(bytes);
  if (array != NULL) memset(array, 0, bytes);
  return array;
}

static inline void array_drop(world *w, void *array) {
  (void)w;
  (void)array;
}

static inline void world_enable(world *w, bool automatic) {
  (void)w;
  if (automatic) GC_enable();
  else GC_disable();
}

/* It does nothing while disabled, and does not say how many it found; what is unreachable is swept
 * later, by who allocates. */
static inline int64_t world_collect(world *w) {
  world_enable(w, true);
  GC_gcollect();
  world_enable(w, false);
  return 0;
}

/* It finds its roots itself. */
static inline void world_root(world *w, node *root) {
  (void)w;
  (void)root;
}

static inline void world_forked(world *w) { (void)w; }

#endif
