/* SPDX-License-Identifier: MIT */
/*
 * What grew between snapshots of one process: by type, and by type and holder.
 *
 * No object is ever taken for another by where it lies. The dominator trees of the heaps are laid
 * over each other instead: objects are one *group* where the same types, and the same names as far
 * as names are cheap to have (modules, classes, functions, attributes, globals, locals), lead down
 * to them; keys and indexes are left out. A group that only got more members is *held* by the group
 * above it; one that has as many as before, and larger ones, is looked into.
 */
#ifndef OURO_SRC_ANALYZE_DIFF_H
#define OURO_SRC_ANALYZE_DIFF_H

#include "reach.h"

typedef struct diff_row {
  snapshot_text type; /* of one of the snapshots, which must stay open */
  uint64_t holder;    /* signature; 0 in rows by type, and where no single object holds them */
  graph_node before,
      after; /* a holder in each graph, GRAPH_NONE: none; in rows by type an example */
  uint64_t objects[2], bytes[2]; /* with a holder: bytes with all that only these objects keep */
} diff_row;

/* Rows by growth in bytes, largest first; those without a change are left out. The caller frees
 * `*rows`. False: out of memory. Rows by holder have each byte once. */
bool diff_types(const graph *before, const graph *after, diff_row **rows, size_t *count);
bool diff_holders(const reach *before, const reach *after, diff_row **rows, size_t *count);

#define DIFF_HEAPS 8
#define DIFF_EXAMPLES 8

/* A group of several heaps, oldest first. */
typedef struct diff_growth {
  snapshot_text type;
  snapshot_type_kind kind;
  reach_class class;        /* REACH_UNSEEN: only unseen references lead there */
  uint64_t holder, place;   /* signatures of the holder (0: none) and of the group */
  graph_node before, after; /* the holder in the first and the last heap, GRAPH_NONE: none */
  bool own;                 /* bytes are the group's own ones: other rows have what it keeps */
  graph_node examples[DIFF_EXAMPLES]; /* in the last heap, taken evenly */
  size_t example_count;
  uint64_t objects[DIFF_HEAPS], bytes[DIFF_HEAPS];
} diff_growth;

/* As diff_holders, between the first and the last of up to DIFF_HEAPS heaps. */
bool diff_groups(const reach *const *heaps, size_t heap_count, diff_growth **rows, size_t *count);

#endif
