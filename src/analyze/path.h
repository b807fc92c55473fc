/* SPDX-License-Identifier: MIT */
/*
 * Shortest paths from roots to an object: breadth first over the in edges. Weak references are no
 * edges, so a path keeps alive. No path leads through another root.
 *
 * A call ends soon and is another one in the next snapshot. Where the nearest root is a frame, a
 * path from another kind of root is taken if it is no more than PATH_DETOUR steps longer, else one
 * from the frame of its thread that began first. Of several equally short paths the one whose root
 * says most is taken (modules first, static types last); on the way down a module's or class's
 * namespace first, then references with a name, then values, then items by index.
 */
#ifndef OURO_SRC_ANALYZE_PATH_H
#define OURO_SRC_ANALYZE_PATH_H

#include "graph.h"

#define PATH_LENGTH_MAX 4096

#define PATH_DETOUR 8

/* Paths after the first are looked for among this many objects: the nearest ones. */
#define PATH_NEAR (1u << 16)

typedef enum path_end {
  PATH_ROOT,   /* nodes[0] is a root */
  PATH_UNSEEN, /* nodes[0] has references that nothing shows, or is immortal or static */
  PATH_NONE    /* nothing leads there: garbage; nodes[0] is the object itself */
} path_end;

typedef struct path {
  path_end end;
  uint32_t root; /* of PATH_ROOT: its number in the snapshot */
  size_t length; /* of `nodes`, at most PATH_LENGTH_MAX */
  size_t
      left_out; /* of a longer path: nodes missing between nodes[length / 2 - 1] and the next one */
  graph_node *nodes; /* from the root to the object */
} path;

/* For several questions about one graph; holds 4 bytes and 1 bit per node, and while it answers 8
 * bytes per node that it visits. One thread. NULL: out of memory. */
typedef struct path_finder path_finder;
path_finder *path_finder_make(const graph *g);
void path_finder_free(path_finder *f);

/* Up to `room` (at least 1) paths: the one described above, then ones through another first step
 * from the target or to another root, where there are that many near by; each is chosen in
 * the same way. After the first one paths to roots come before those that end unseen, shorter ones
 * before longer ones. Returns how
 * many, at least 1 (PATH_NONE). Free each with path_free. 0: out of memory. */
size_t path_find(path_finder *f, graph_node target, path *paths, size_t room);
void path_free(path *p);

/* Equal for paths whose steps have the same types and labels, indexes and keys left out but for the
 * names in namespaces: many objects held the same way are one finding, in each snapshot of a
 * program. Of a path longer than 32 the labels of 16 steps at each end count. */
uint64_t path_signature(const graph *g, const path *p);

#endif
