/* SPDX-License-Identifier: MIT */
/*
 * Who alone keeps what: the dominators of a graph below one node above all its roots.
 *
 * Semi-NCA (Georgiadis, Tarjan and Werneck, 2006): a search in depth numbers the nodes; in falling
 * order, with compressed paths, each gets its semidominator; in rising order, from the dominator of
 * its parent, its dominator. Like Lengauer and Tarjan's, but with less memory, and in practice
 * faster than their almost linear one. Nothing here calls itself: a list may have 100M nodes.
 *
 * Numbers are 1 to `count` in the order of the search, 0 is the node above all.
 */
#ifndef OURO_SRC_ANALYZE_DOMINATORS_H
#define OURO_SRC_ANALYZE_DOMINATORS_H

#include "graph.h"
#include "progress.h"

/* Of a number. While searching: the parent's number, and the next edge to follow. Then: an
 * ancestor, and the least semidominator from the number up to, without, that ancestor. */
typedef struct dominators_link {
  uint32_t up, least;
} dominators_link;

typedef struct dominators {
  const graph *g;
  uint32_t *number;      /* of each node; 0: not reached */
  graph_node *order;     /* node of each number less 1 */
  dominators_link *link; /* of each number; nodes + 1 */
  uint32_t *semi;        /* nodes + 1; of each number, then its dominator's number */
  uint64_t *tree;        /* the search's path: a 1 into each node, a 0 out of it */
  uint64_t *below;       /* a bit per node: directly below the one above all */
  uint64_t bit;          /* of `tree` that comes next */
  uint32_t count;
} dominators;

/* Memory for `semi`, `tree` and `below`; the other arrays are the caller's, `number` zeroed. False:
 * out of memory. dominators_finish also then. */
bool dominators_begin(dominators *d);
void dominators_finish(dominators *d);

/* The node is directly below the one above all. Numbers all that it reaches and that nothing
 * reached before. */
void dominators_search(dominators *d, graph_node node);

/* After all searches. From then on `semi` has the number of each number's dominator, and `number`
 * and `link` are free for other use. */
void dominators_find(dominators *d, progress *told);

#endif
