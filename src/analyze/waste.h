/* SPDX-License-Identifier: MIT */
/*
 * Memory that does no work: containers far larger than their contents, equal strings and tuples
 * stored many times, instances whose dictionaries could be slots.
 */
#ifndef OURO_SRC_ANALYZE_WASTE_H
#define OURO_SRC_ANALYZE_WASTE_H

#include "graph.h"

typedef enum waste_kind { WASTE_EMPTY_ROOM, WASTE_EQUAL, WASTE_SLOTS, WASTE_KINDS } waste_kind;

typedef struct waste_row {
  waste_kind kind;
  uint32_t type;      /* EQUAL: of the copies; SLOTS: of the instances */
  uint64_t objects;   /* that take part */
  uint64_t bytes;     /* that could be had back */
  graph_node example; /* the largest, or one of the most frequent value */
} waste_row;

/* Most bytes first. The caller frees `*rows`. False: out of memory. */
bool waste_find(const graph *g, waste_row **rows, size_t *count);

#endif
