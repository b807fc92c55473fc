/* SPDX-License-Identifier: MIT */
/* Ouro's objects. NODE_FLAGS: of the node's type; tracked by the collector without any. */
#ifndef BENCH_SYSTEM_H
#define BENCH_SYSTEM_H

#include <ouro/gc.h>
#include <ouro/object.h>

#define SYSTEM_HEAD ouro_object object;
#include "node.h"

#ifndef NODE_FLAGS
#define NODE_FLAGS 0
#endif

typedef struct world {
  ouro_heap *heap;
  ouro_type *type, *bytes;
} world;

static inline world world_open(void) {
  static const uint16_t refs[] = {offsetof(node, left), offsetof(node, right), 0};
  ouro_type_spec spec = {.name = "node", .size = sizeof(node), .flags = NODE_FLAGS, .refs = refs};
  ouro_type_spec bytes = {.name = "array", .size = 16, .item_size = 1, .flags = OURO_ACYCLIC};
  world w = {.heap = ouro_heap_new(NULL)};
  if (w.heap == NULL) fail("no heap");
  w.type = ouro_type_new(w.heap, &spec);
  w.bytes = ouro_type_new(w.heap, &bytes);
  if (w.type == NULL || w.bytes == NULL) fail("no type");
  return w;
}

static inline node *node_new(world *w, node *left, node *right) {
  return node_made(OURO_MAKE(node, w->type), left, right);
}

static inline node *node_ref(node *n) { return ouro_ref(n); }

static inline void node_drop(world *w, node *n) {
  (void)w;
  ouro_unref(n);
}

static inline void node_cut(world *w, node *n) { node_drop(w, n); }
static inline void chain_drop(world *w, node *n) { node_drop(w, n); }

/* The array itself; its object lies 16 bytes before. */
static inline void *array_new(world *w, size_t bytes) {
  char *object = ouro_new_items(w->bytes, bytes);
  return object == NULL ? NULL : object + 16;
}

static inline void array_drop(world *w, void *array) {
  (void)w;
  ouro_unref((char *)array - 16);
}

static inline void world_enable(world *w, bool automatic) { ouro_gc_enable(w->heap, automatic); }

static inline int64_t world_collect(world *w) { return ouro_collect(w->heap, 2); }

static inline void visit_root(void *root, ouro_visit_fn visit, void *arg) { visit(root, arg); }

static inline void world_root(world *w, node *root) {
  ouro_gc_set_roots(w->heap, root ? visit_root : NULL, root);
}

static inline void world_forked(world *w) { ouro_heap_adopt(w->heap); }

#endif
