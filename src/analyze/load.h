/* SPDX-License-Identifier: MIT */
/*
 * The objects of a snapshot as they lie in the file, before they are a graph: one record each, one
 * more for each continuation, and the targets of all edges, one after another.
 */
#ifndef OURO_SRC_ANALYZE_LOAD_H
#define OURO_SRC_ANALYZE_LOAD_H

#include "graph.h"
#include "places.h"

#define LOAD_MORE 1u               /* in an address: the record continues another one */
#define LOAD_NO_FACTS (UINT32_MAX) /* as the type of such a record */

/* An array that grows, and is given back as soon as the graph has what it needs of it. */
typedef struct load_column {
  void *at;
  size_t each, room;
} load_column;

typedef struct load_big { /* an object of 4 GiB or more */
  uint64_t record, size;
} load_big;

typedef struct load {
  const snapshot *from;
  graph_places *places; /* each first record's address is noted in it */
  size_t records, edges, bigs, blocks;
  load_column address;                   /* uint64_t */
  load_column type, size, count, degree; /* uint32_t; degree: edges of this record */
  load_column flags;                     /* uint8_t */
  load_column target;                    /* uint64_t, of edges */
  load_column big;                       /* load_big, by record */
  load_column first;                     /* uint64_t: the first record of each block, and the end */
  size_t damaged;                        /* blocks that could not be read to their end */
} load;

/* Reads all blocks. `l` need not be set up; ids of types beyond `types` become `types`. False: out
 * of memory. load_finish also then. */
bool load_read(load *l, const snapshot *s, graph_places *places, uint32_t types,
               const graph_progress *show);
void load_finish(load *l);

/* Makes it as long as `room`; what is new reads as zero. False: out of memory, it stays. */
bool load_resize(load_column *column, size_t room);

/* The array is the caller's from now on, as long as `room` said. */
void *load_take(load_column *column);
void load_drop(load_column *column);

#endif
