/* SPDX-License-Identifier: MIT */
/*
 * Shortest paths from roots to an object: breadth first over the in edges. Weak references are no
 * edges, so a path keeps alive.
 */
#ifndef OURO_SRC_ANALYZE_PATH_H
#define OURO_SRC_ANALYZE_PATH_H

#include "graph.h"

#define PATH_LENGTH_MAX 4096

typedef enum path_end {
  PATH_ROOT,   /* nodes[0] is a root */
  PATH_UNSEEN, /* nodes[0] has references that nothing shows */
  PATH_NONE    /* nothing leads there: garbage */
} path_end;

typedef struct path {
  path_end end;
  uint32_t root; /* of PATH_ROOT: its number in the snapshot */
  size_t length;
  graph_node *nodes; /* from the root to the object */
} path;

/* For several questions about one graph; holds 4 bytes and 1 bit per node. False: out of memory. */
typedef struct path_finder path_finder;
path_finder *path_finder_make(const graph *g);
void path_finder_free(path_finder *f);

/* Up to `room` shortest paths, each to another root or through another first step from the target
 * where there are that many; a path to a root comes before one that ends unseen. Returns how many,
 * at least 1 (PATH_NONE). Free each with path_free. 0: out of memory. */
size_t path_find(path_finder *f, graph_node target, path *paths, size_t room);
void path_free(path *p);

/* Equal for paths whose steps have the same types and labels, indexes and keys left out: many
 * objects held the same way are one finding. */
uint64_t path_signature(const graph *g, const path *p);

#endif
