/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "array.h"
#include "reach.h"

static void audit_add(audit_row *row, const graph *g, graph_node node, uint64_t rest) {
  row->objects++;
  row->references += rest;
  row->bytes += graph_size(g, node);
  if (rest <= row->most) return;
  row->most = rest;
  row->example = node;
}

/* All of a snapshot in one run: roots come in the order of nodes too. */
static void audit_nodes(const graph *g, audit_row *by_type) {
  size_t root = 0;
  for (graph_node n = 0; n < g->nodes; n++) {
    uint64_t found = graph_in_degree(g, n), count = g->count[n];
    if (root < g->root_count && g->roots[root].node == n) {
      found += reach_root_references(g, n);
      while (root < g->root_count && g->roots[root].node == n) root++;
    }
    if (OURO_LIKELY(count == found) || !graph_counted(g, n)) continue;
    audit_row *row = &by_type[g->type[n]];
    if (count > found) audit_add(row, g, n, count - found);
    else if (row->overexplained += found - count, row->objects == 0) row->example = n;
  }
}

static bool audit_speaks(const audit_row *row) { return row->references + row->overexplained > 0; }

static int audit_order(const void *a, const void *b) {
  const audit_row *x = a, *y = b;
  if (x->references != y->references) return x->references < y->references ? 1 : -1;
  if (x->overexplained != y->overexplained) return x->overexplained < y->overexplained ? 1 : -1;
  return x->type < y->type ? -1 : x->type > y->type;
}

static bool audit_take(const audit_row *by_type, size_t types, audit_row **rows, size_t *count) {
  size_t n = 0;
  for (size_t t = 0; t < types; t++) n += audit_speaks(&by_type[t]);
  *rows = malloc((n ? n : 1) * sizeof **rows);
  *count = 0;
  for (size_t t = 0; *rows && t < types; t++)
    if (audit_speaks(&by_type[t])) (*rows)[(*count)++] = by_type[t];
  if (*rows) qsort(*rows, *count, sizeof **rows, audit_order);
  return *rows != NULL;
}

bool audit_types(const graph *g, audit_row **rows, size_t *count) {
  size_t types = (size_t)g->types + 1;
  audit_row *by_type = array_make(types, sizeof *by_type);
  if (!by_type) return false;
  for (size_t t = 0; t < types; t++) by_type[t].type = (uint32_t)t;
  audit_nodes(g, by_type);
  bool good = audit_take(by_type, types, rows, count);
  array_free(by_type, types, sizeof *by_type);
  return good;
}
