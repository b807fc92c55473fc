/* SPDX-License-Identifier: MIT */
/*
 * What grew between two snapshots of one process: by type, and by type and holder. A holder is the
 * path's signature down to the first node that holds more than one, so reused addresses change
 * nothing: no object is ever taken for another by where it lies.
 */
#ifndef OURO_SRC_ANALYZE_DIFF_H
#define OURO_SRC_ANALYZE_DIFF_H

#include "reach.h"

typedef struct diff_row {
  snapshot_text type; /* of one of the snapshots, which must stay open */
  uint64_t holder;    /* signature; 0 in rows by type */
  graph_node before,
      after; /* a holder in each graph, GRAPH_NONE: none; in rows by type an example */
  uint64_t objects[2], bytes[2];
} diff_row;

/* Rows by growth in bytes, largest first; those without a change are left out. The caller frees
 * `*rows`. False: out of memory. */
bool diff_types(const graph *before, const graph *after, diff_row **rows, size_t *count);
bool diff_holders(const reach *before, const reach *after, diff_row **rows, size_t *count);

#endif
