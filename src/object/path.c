/* SPDX-License-Identifier: MIT */
/*
 * A shortest path to an object from one that something outside holds (rule C7): breadth first, from
 * all objects whose count is higher than the references found in the heap.
 *
 * Objects are numbered in the order in which they are walked; a map of addresses says which number
 * is whose.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/addrmap.h"
#include "inspect.h"
#include "native.h"

typedef struct path_graph {
  runtime *rt;
  addrmap numbers;
  ouro_object **objects;
  uint32_t *found;  /* references to it */
  uint32_t *parent; /* on the way from a root; NO_PARENT: not reached; itself: a root */
  uint32_t *queue;
  uint32_t count, room, head, tail;
  uint32_t from; /* whose references are being visited */
  bool failed;
} path_graph;

#define NO_PARENT UINT32_MAX

static bool count_one(void *ctx, ouro_object *o) {
  (void)o;
  return ++((path_graph *)ctx)->room < ADDRMAP_NONE - 1;
}

static bool number_one(void *ctx, ouro_object *o) {
  path_graph *g = ctx;
  if (g->count == g->room || !addrmap_reserve(&g->numbers)) return !(g->failed = true);
  addrmap_put(&g->numbers, o, g->count);
  g->objects[g->count++] = o;
  return true;
}

static bool make_room(path_graph *g) {
  inspect_each(g->rt, KIND_TRACKED, count_one, g);
  inspect_each(g->rt, KIND_LEAF, count_one, g);
  g->objects = malloc(g->room * sizeof *g->objects);
  g->found = calloc(g->room, sizeof *g->found);
  g->parent = malloc(g->room * sizeof *g->parent);
  g->queue = malloc(g->room * sizeof *g->queue);
  return g->objects && g->found && g->parent && g->queue;
}

static bool number_all(path_graph *g) {
  if (!make_room(g)) return false;
  memset(g->parent, 0xff, g->room * sizeof *g->parent);
  inspect_each(g->rt, KIND_TRACKED, number_one, g);
  if (!g->failed) inspect_each(g->rt, KIND_LEAF, number_one, g);
  return !g->failed;
}

static void count_reference(ouro_object *referent, void *arg) {
  path_graph *g = arg;
  uint32_t i = addrmap_get(&g->numbers, referent);
  if (i != ADDRMAP_NONE) g->found[i]++;
}

static void reach_place(path_graph *g, uint32_t i, uint32_t parent) {
  if (i == ADDRMAP_NONE || g->parent[i] != NO_PARENT) return;
  g->parent[i] = parent;
  g->queue[g->tail++] = i;
}

static void reach_reference(ouro_object *referent, void *arg) {
  path_graph *g = arg;
  reach_place(g, addrmap_get(&g->numbers, referent), g->from);
}

static void traverse(path_graph *g, uint32_t i, ouro_visit_fn visit) {
  ouro_object *o = g->objects[i];
  native_traverse(g->rt, o, visit, g);
}

static void search(path_graph *g, uint32_t wanted) {
  for (uint32_t i = 0; i < g->count; i++) traverse(g, i, count_reference);
  for (uint32_t i = 0; i < g->count; i++)
    if (embed_count(g->rt, g->objects[i]) > g->found[i]) reach_place(g, i, i);
  while (g->head < g->tail && g->parent[wanted] == NO_PARENT) {
    g->from = g->queue[g->head++];
    traverse(g, g->from, reach_reference);
  }
}

typedef struct edge_name {
  const ouro_object *wanted;
  char *out;
  size_t room;
} edge_name;

static bool copy_edge_name(void *ctx, ouro_object *referent, const char *name) {
  edge_name *e = ctx;
  if (referent != e->wanted) return true;
  strncpy(e->out, name, e->room - 1);
  e->out[e->room - 1] = 0;
  return false;
}

static void name_edge(const ouro_object *from, ouro_path_step *step, const ouro_object *to) {
  edge_name e = {to, step->name, sizeof step->name};
  ouro_each_referent(from, copy_edge_name, &e);
}

static int64_t write_path(const path_graph *g, uint32_t wanted, ouro_path_step *out, size_t room) {
  if (g->parent[wanted] == NO_PARENT) return 0;
  size_t length = 1;
  for (uint32_t i = wanted; g->parent[i] != i; i = g->parent[i]) length++;
  uint32_t i = wanted;
  const ouro_object *next = NULL;
  for (size_t k = length; k-- > 0; next = g->objects[i], i = g->parent[i]) {
    if (k >= room) continue;
    out[k] = (ouro_path_step){.object = g->objects[i]};
    if (next) name_edge(g->objects[i], &out[k], next);
  }
  return (int64_t)length;
}

int64_t ouro_path_to_root(const void *object, ouro_path_step *out, size_t room) {
  path_graph g = {.rt = runtime_of(object)};
  int64_t length = -1;
  if (number_all(&g)) {
    uint32_t wanted = addrmap_get(&g.numbers, object);
    if (wanted != ADDRMAP_NONE) search(&g, wanted);
    length = wanted == ADDRMAP_NONE ? 0 : write_path(&g, wanted, out, room);
  }
  addrmap_finish(&g.numbers);
  free(g.objects), free(g.found), free(g.parent), free(g.queue);
  return length;
}
