/* SPDX-License-Identifier: MIT */
/*
 * Strongly connected components (Tarjan 1972, with a stack of its own), a shortest cycle in each,
 * and the edge best made weak: the one whose loss leaves no cycle through its ends, or else the one
 * on most shortest cycles; references back to an owner (attribute names like parent, owner, self in
 * a closure) win a tie.
 */
#ifndef OURO_SRC_ANALYZE_CYCLES_H
#define OURO_SRC_ANALYZE_CYCLES_H

#include "reach.h"

#define CYCLES_STEPS 12

typedef struct cycle_group { /* components alike: same types and labels along their cycle */
  reach_class class;
  uint64_t components, objects, bytes;
  uint64_t finalizers; /* objects of types with one */
  size_t steps;        /* of the example's cycle; step i leads from node i to node i + 1 */
  graph_node nodes[CYCLES_STEPS];
  snapshot_edge edges[CYCLES_STEPS];
  size_t weak; /* the step to make weak */
} cycle_group;

/* Groups, most bytes first; a cycle longer than CYCLES_STEPS shows its first ones. `wanted`: bit
 * 1 << class. The caller frees `*groups`. False: out of memory. */
bool cycles_find(const reach *r, unsigned wanted, cycle_group **groups, size_t *count);

#endif
