/* SPDX-License-Identifier: MIT */
/*
 * Why each object is alive, the audit of counts, and who alone keeps what.
 *
 *     unexplained(n) = count(n) - in edges of n - roots at n that count, if positive
 *
 * An object is held by a root (REACH_ROOT), else by something that counts a reference nobody shows
 * (REACH_UNSEEN: C code, mostly), else by nothing but garbage (REACH_GARBAGE: dead, not collected
 * yet). Dominators are those of the graph with one more node above all roots; those of objects that
 * only unseen references hold lie below that node too.
 */
#ifndef OURO_SRC_ANALYZE_REACH_H
#define OURO_SRC_ANALYZE_REACH_H

#include "graph.h"

typedef enum reach_class { REACH_GARBAGE, REACH_UNSEEN, REACH_ROOT, REACH_CLASSES } reach_class;

typedef struct reach {
  const graph *of;
  uint8_t *class; /* of each node */
  uint64_t objects[REACH_CLASSES], bytes[REACH_CLASSES];
  graph_node *idom; /* GRAPH_NONE: directly below the root of all, or garbage */
  uint64_t
      *retained; /* bytes that would be freed if the node's references went, own ones included */
  graph_node *order; /* nodes that are not garbage, each after its dominator */
  graph_node ordered;
} reach;

/* References of an object that nothing in the snapshot explains; 0 where it is not counted. */
uint32_t reach_unexplained(const graph *g, graph_node node);

/* More references were found than are counted: how many. A truthful snapshot has none. */
uint32_t reach_overexplained(const graph *g, graph_node node);

/* Classes only (reach_classify) or all. False: out of memory. `of` must live on. */
bool reach_classify(reach *r, const graph *g);
bool reach_build(reach *r, const graph *g, const graph_progress *progress);
void reach_finish(reach *r);

/* Direct children in the dominator tree with the largest retained sizes, largest first; GRAPH_NONE
 * for those below the root of all. Returns how many were written. */
size_t reach_largest(const reach *r, graph_node below, graph_node *nodes, size_t room);

/* --- The audit, by type ------------------------------------------------------------------------ */

typedef struct audit_row {
  uint32_t type;
  uint64_t objects;       /* of this type that have unexplained references */
  uint64_t references;    /* how many in all */
  uint64_t bytes;         /* of these objects */
  uint64_t overexplained; /* found beyond the count */
  graph_node example;
} audit_row;

/* Rows with anything to say, most references first. The caller frees `*rows`. False: out of memory. */
bool audit_types(const graph *g, audit_row **rows, size_t *count);

#endif
