/* SPDX-License-Identifier: MIT */
/*
 * The graph of a snapshot, as numbers: nodes are counted in the order of their addresses, edges lie
 * in one array per direction. Names of edges stay in the file; edge_label finds them again.
 *
 *     out edges of n = out[first_out[n]] to out[first_out[n + 1] - 1], as in the file
 *     in edges of n  = in[first_in[n]] to in[first_in[n + 1] - 1]
 *     targets that are no object of the snapshot are not edges; `lost` counts them
 *     of records of one address that do not say that they continue it, the first one's facts count
 *
 * Memory: at most 48 bytes per node and 8 per edge, whatever the analysis (a part that needs more
 * for itself frees it before it returns).
 */
#ifndef OURO_SRC_ANALYZE_GRAPH_H
#define OURO_SRC_ANALYZE_GRAPH_H

#include "../snapshot/reader.h"

#define GRAPH_NONE UINT32_MAX
typedef uint32_t graph_node;

typedef struct graph_root {
  graph_node node;
  uint32_t root; /* its number in the snapshot */
} graph_root;

typedef struct graph {
  const snapshot *from;
  graph_node nodes;
  uint64_t edges, lost;
  uint64_t damaged; /* blocks of objects that could not be read to their end */
  uint32_t types;   /* in the snapshot */
  uint32_t *type;   /* at most `types`, which stands for one that is not there */
  uint32_t *size;   /* in bytes; from UINT32_MAX on see graph_size */
  uint32_t *count;  /* references as counted, at most UINT32_MAX */
  uint8_t *flags;
  uint32_t *block;                /* of objects in the file where its (first) record is */
  uint32_t *first_out, *first_in; /* nodes + 1 each */
  graph_node *out, *in;           /* in edges: by source */
  graph_root *roots;              /* by node; those whose target is no node are left out */
  size_t root_count, root_room;
  size_t node_room, edge_room; /* first_in and first_out share one array, and so do in and out */
  struct graph_places *places; /* addresses to nodes and back */
  struct graph_big *big;       /* sizes of 4 GiB and more */
  size_t big_count;
} graph;

/* Called about every 50 ms with what is done and how much of it, 0 to 1. NULL is allowed. */
typedef struct graph_progress {
  void (*show)(void *to, const char *what, double done);
  void *to;
} graph_progress;

/* Reads the snapshot, which must stay open. What damage leaves readable is read. False, with the
 * reason: nothing is, out of memory, more than 2^32 - 2 objects or edges. graph_finish frees what
 * there is, also after a failure. */
bool graph_build(graph *g, const snapshot *s, const graph_progress *progress,
                 char why[SNAPSHOT_WHY]);
void graph_finish(graph *g);

/* The object at an address, or GRAPH_NONE; and back. */
graph_node graph_find(const graph *g, uint64_t address);
uint64_t graph_address(const graph *g, graph_node node);

/* The number among g->roots of the first one at a node or behind it; root_count: there is none. */
size_t graph_first_root(const graph *g, graph_node node);

uint64_t graph_size(const graph *g, graph_node node);

static inline uint32_t graph_out_degree(const graph *g, graph_node n) {
  return g->first_out[n + 1] - g->first_out[n];
}

static inline uint32_t graph_in_degree(const graph *g, graph_node n) {
  return g->first_in[n + 1] - g->first_in[n];
}

/* The label of the first edge from `from` to `to`, from the file (about 1 ms). False: no such edge,
 * or out of memory. */
bool graph_label(const graph *g, graph_node from, graph_node to, snapshot_edge *edge);

/* All edges of a node with their labels, in the file's order, lost ones too; `show` returns false
 * to end early. None where memory is short. */
void graph_edges(const graph *g, graph_node node, bool (*show)(void *to, const snapshot_edge *edge),
                 void *to);

/* Whether its count is one that references can be compared with. */
static inline bool graph_counted(const graph *g, graph_node n) {
  return (g->flags[n] & (SNAPSHOT_IMMORTAL | SNAPSHOT_PSEUDO)) == 0;
}

#endif
