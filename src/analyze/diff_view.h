/* SPDX-License-Identifier: MIT */
/*
 * One heap as a diff looks at it: the children in the dominator tree, and a key for each child that
 * is the same in another snapshot of the same process.
 */
#ifndef OURO_SRC_ANALYZE_DIFF_VIEW_H
#define OURO_SRC_ANALYZE_DIFF_VIEW_H

#include "reach.h"

/* What an edge or a title calls a node. */
typedef struct diff_name {
  graph_node node;
  bool space; /* the node is a namespace: its keys are names */
  uint64_t hash;
} diff_name;

typedef struct diff_names {
  diff_name *at; /* by node */
  size_t count, room;
} diff_names;

typedef struct diff_view {
  const reach *r;
  const graph *g;
  size_t types;
  uint64_t *type_hash; /* types + 1, as what g->type says */
  uint8_t *type_kind;
  uint32_t *first_child; /* nodes + 2; the last node's number is that of the root of all */
  graph_node *child;
  diff_names spaces; /* dictionaries of modules and classes, after their owner's title */
} diff_view;

/* False: out of memory; diff_view_finish in any case. */
bool diff_view_make(diff_view *v, const reach *r);
void diff_view_finish(diff_view *v);

/* The number that stands for the root of all in first_child. */
static inline graph_node diff_view_top(const diff_view *v) { return v->g->nodes; }

/* A child of the root of all: type, what it is called, and whether only unseen references hold it.
 * `*space`: whether it is a namespace. */
uint64_t diff_view_top_key(const diff_view *v, graph_node node, bool *space);

/* Adds what the edges of `node` call the nodes they lead to, keys only of namespaces. False: out of
 * memory. diff_names_sort once all are there, then diff_names_find (NULL: without a name). */
bool diff_view_name(const diff_view *v, graph_node node, bool space, diff_names *names);
void diff_names_sort(diff_names *names);
const diff_name *diff_names_find(const diff_names *names, graph_node node);
void diff_names_finish(diff_names *names);

uint64_t diff_hash(const char *text, size_t length);
uint64_t diff_mix(uint64_t a, uint64_t b);

/* Whether the name of an edge is that of an owner's namespace. */
bool diff_is_space_name(snapshot_text name);

#endif
