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
  graph_node *parent;    /* dominators, but for what diff_view_settle says */
  uint64_t *weight;      /* bytes that are kept below a node in that tree, its own included */
  uint32_t *first_child; /* nodes + 2; the last node's number is that of the root of all */
  graph_node *child;
  diff_names spaces; /* dictionaries of modules and classes, after their owner's title */
} diff_view;

/* False: out of memory; diff_view_finish in any case. `first_child` and `child` come with
 * diff_view_settle. */
bool diff_view_make(diff_view *v, const reach *r);

/* Takes back what differs between moments of one program though it has not changed: calls in
 * progress that are not in all of the heaps hold nothing that something else holds too, and a
 * module's dictionary is below the root of all whether or not somebody has a function of it. False:
 * out of memory. */
bool diff_view_settle(diff_view *views, size_t count);
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
