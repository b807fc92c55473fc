/* SPDX-License-Identifier: MIT */
/*
 * Memory that does no work: containers far larger than their contents, equal strings and tuples
 * stored many times, instances whose dictionaries could be slots. Estimates, on the careful side:
 * what growth in advance costs ordinary containers is not reported.
 */
#ifndef OURO_SRC_ANALYZE_WASTE_H
#define OURO_SRC_ANALYZE_WASTE_H

#include "graph.h"

#define WASTE_ROOM_TIMES 4    /* a container is reported from so many times its need on */
#define WASTE_ROOM_BYTES 1024 /* and from so many bytes of it on */
#define WASTE_COPIES 4        /* equal values are reported from so many on; */
#define WASTE_LARGE 1024      /* from two on, if they are as large as this */
#define WASTE_INSTANCES 1000  /* instances with the same attributes: from so many on */
#define WASTE_NAMES 16        /* attributes, at most */

typedef enum waste_kind {
  WASTE_EMPTY_ROOM, /* lists, dictionaries and sets; bytes: beyond what a new copy would take */
  WASTE_EQUAL,      /* bytes: of all copies but one of each value */
  WASTE_SLOTS,      /* bytes: of the dictionaries, less 8 for each attribute */
  WASTE_KINDS
} waste_kind;

typedef struct waste_row {
  waste_kind kind;
  uint32_t type;      /* ROOM: of the containers; EQUAL: of the copies; SLOTS: of the instances */
  uint64_t objects;   /* that take part */
  uint64_t bytes;     /* that could be had back */
  graph_node example; /* the largest waste; one of the value that wastes most, where there is one
                         that is no constant of code; an instance */
  uint64_t copies;    /* EQUAL: of the example's value */
} waste_row;

/* A row per kind and type, most bytes first; reads the file once. Values count as equal by type,
 * size and digest: where the writer made none there are no EQUAL rows. Bytearrays are not judged,
 * a snapshot does not say how much they hold. The caller frees `*rows`. False: out of memory. */
bool waste_find(const graph *g, waste_row **rows, size_t *count);

#endif
