/* SPDX-License-Identifier: MIT */
/*
 * Strongly connected components, a shortest cycle in each, and the edge best made weak.
 *
 * Of up to CYCLES_EXACT objects a component's cycle is a shortest one; of larger ones, and after
 * much work, it is the shortest found from a sample of its objects.
 *
 * The edge is one that a program can replace by a weak reference: an attribute, item or closed-over
 * variable whose object can be referred to weakly (no list or dictionary). Among these: one whose
 * loss leaves no cycle through its ends, or else the one on most shortest cycles; then a reference
 * back to an owner (called parent, owner, self and the like) wins.
 */
#ifndef OURO_SRC_ANALYZE_CYCLES_H
#define OURO_SRC_ANALYZE_CYCLES_H

#include "reach.h"

#define CYCLES_STEPS 12
#define CYCLES_EXACT 4096
#define CYCLES_LABELLED 64

typedef struct cycle_group { /* components of one class whose cycles go through the same types */
  reach_class class;
  uint64_t components, objects, bytes; /* of whole components */
  uint64_t finalizers;                 /* objects of types with one */
  size_t length;                       /* of the cycle */
  size_t steps; /* of it that are shown; step i leads from node i to node i + 1, the last one of a
                   cycle that is shown whole to node 0 */
  graph_node nodes[CYCLES_STEPS];
  snapshot_edge edges[CYCLES_STEPS];
  size_t weak; /* the step to make weak; SIZE_MAX: none of those shown can be */
} cycle_group;

/* Groups, most bytes first; the example is the smallest component's cycle, from an instance on
 * where it has one. Edges are read for the first CYCLES_LABELLED groups, those of others are
 * unnamed, without advice. `wanted`: bit 1 << class. The caller frees `*groups`. False: out of
 * memory. */
bool cycles_find(const reach *r, unsigned wanted, cycle_group **groups, size_t *count);

#endif
