/* SPDX-License-Identifier: MIT */
/*
 * Strongly connected components with a cycle in them, by Tarjan's algorithm in Pearce's form (one
 * number per node; "A space-efficient algorithm for finding strongly connected components", 2016),
 * with a stack of its own.
 */
#ifndef OURO_SRC_ANALYZE_SCC_H
#define OURO_SRC_ANALYZE_SCC_H

#include "graph.h"

/* Called with each component; numbers[node] == number for exactly its members. False ends it. */
typedef bool scc_fn(void *to, const graph_node *members, size_t count, uint32_t number);

/* Looks at nodes whose bit in `wanted` is set and at edges between them. `numbers` has one zero for
 * each node and belongs to the caller, also afterwards. Takes 4 bytes for each node of the largest
 * depth's components and 12 for each on the way. False: out of memory, or `show` ended it. */
bool scc_find(const graph *g, const uint64_t *wanted, uint32_t *numbers, scc_fn *show, void *to);

#endif
