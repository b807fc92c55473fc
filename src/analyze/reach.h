/* SPDX-License-Identifier: MIT */
/*
 * Why each object is alive, the audit of counts, and who alone keeps what.
 *
 *     unexplained(n) = count(n) - in edges of n - roots at n that hold a reference, if positive
 *
 * Roots of the kinds THREAD, INTERPRETER and NATIVE hold one reference each, which no object of the
 * snapshot does. The others are places where objects of the snapshot hold it, so that its edges
 * count already (a module: the dictionary of modules), or have no count.
 *
 * An object is held by a root (REACH_ROOT), else by something that counts a reference nobody shows
 * (REACH_UNSEEN: C code, mostly) or because it is immortal or static, else by nothing but garbage
 * (REACH_GARBAGE: dead, not collected yet).
 *
 * Dominators are those of the graph with one more node above all: right below it are roots,
 * immortal and static objects, and of what no root holds all that have unexplained references. An
 * unexplained reference to what a root holds too changes nothing: most are C code's that borrows
 * from its holder, and there would be no holder left to name.
 */
#ifndef OURO_SRC_ANALYZE_REACH_H
#define OURO_SRC_ANALYZE_REACH_H

#include "graph.h"

typedef enum reach_class { REACH_GARBAGE, REACH_UNSEEN, REACH_ROOT, REACH_CLASSES } reach_class;

typedef struct reach {
  const graph *of;
  uint8_t *class; /* of each node */
  uint64_t objects[REACH_CLASSES], bytes[REACH_CLASSES];
  graph_node *idom;   /* GRAPH_NONE: directly below the root of all, or garbage */
  uint64_t *retained; /* bytes that would be freed if references to it went, its own included; of
                         garbage its own */
  graph_node *order;  /* nodes that are not garbage, each after its dominator */
  graph_node ordered;
} reach;

/* References that roots at a node hold. */
uint64_t reach_root_references(const graph *g, graph_node node);

/* References of an object that nothing in the snapshot explains; 0 where it is not counted. */
uint32_t reach_unexplained(const graph *g, graph_node node);

/* More references were found than are counted: how many. A truthful snapshot has none. */
uint32_t reach_overexplained(const graph *g, graph_node node);

/* Classes only (reach_classify; the arrays after `bytes` are NULL) or all. False: out of memory,
 * and there is nothing to finish. `of` must live on. */
bool reach_classify(reach *r, const graph *g);
bool reach_build(reach *r, const graph *g, const graph_progress *progress);
void reach_finish(reach *r);

/* Direct children in the dominator tree with the largest retained sizes, largest first; of equal
 * ones the lower node. GRAPH_NONE for those below the root of all. Returns how many were written.
 * Looks at all nodes. */
size_t reach_largest(const reach *r, graph_node below, graph_node *nodes, size_t room);

/* --- The audit, by type ----------------------------------------------------------------------- */

typedef struct audit_row {
  uint32_t type;
  uint64_t objects;       /* of this type that have unexplained references */
  uint64_t references;    /* how many in all */
  uint64_t bytes;         /* of these objects */
  uint64_t overexplained; /* found beyond the count */
  uint64_t most;          /* that one object has; the first such is the example */
  graph_node example;
} audit_row;

/* Rows with anything to say, most references first. The caller frees `*rows`. False: out of
 * memory. */
bool audit_types(const graph *g, audit_row **rows, size_t *count);

#endif
