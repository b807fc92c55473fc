/* SPDX-License-Identifier: MIT */
/* GLib's reference counted boxes: counts without types or cycles; each release names the function
 * that drops the references within. */
#ifndef BENCH_SYSTEM_H
#define BENCH_SYSTEM_H

#include <glib.h>

#define SYSTEM_HEAD
#include "node.h"

typedef struct world {
  char nothing;
} world;

static inline world world_open(void) { return (world){0}; }

static inline node *node_new(world *w, node *left, node *right) {
  (void)w;
  return node_made(g_rc_box_new(node), left, right);
}

static inline node *node_ref(node *n) { return g_rc_box_acquire(n); }

static inline void node_clear(void *box) {
  node *n = box;
  if (n->left != NULL) g_rc_box_release_full(n->left, node_clear);
  if (n->right != NULL) g_rc_box_release_full(n->right, node_clear);
}

static inline void node_drop(world *w, node *n) {
  (void)w;
  if (n != NULL) g_rc_box_release_full(n, node_clear);
}

/* Boxes know no cycles: the program cuts its own. */
static inline void node_cut(world *w, node *n) {
  if (n == NULL) return;
  node *other = n->left;
  n->left = NULL;
  node_drop(w, other);
  node_drop(w, n);
}

static inline void chain_drop(world *w, node *n) {
  while (n != NULL) {
    node *next = n->left;
    n->left = NULL;
    node_drop(w, n);
    n = next;
  }
}

static inline void *array_new(world *w, size_t bytes) {
  (void)w;
  return g_rc_box_alloc0(bytes);
}

static inline void array_drop(world *w, void *array) {
  (void)w;
  g_rc_box_release(array);
}

static inline int64_t world_collect(world *w) {
  (void)w;
  return 0;
}

#endif
