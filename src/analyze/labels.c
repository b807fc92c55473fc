/* SPDX-License-Identifier: MIT */
/* What references are called stands only in the file: the blocks of a node are read again. */
#include "graph.h"

typedef struct label_reader {
  const graph *g;
  uint64_t address;
  uint32_t left; /* edges of the node that were not met yet */
  bool (*show)(void *to, const snapshot_edge *edge);
  void *to;
  bool ended;
} label_reader;

static void label_record(label_reader *r, snapshot_cursor *c) {
  for (snapshot_edge edge; !r->ended && cursor_edge(c, &edge);) {
    r->left -= graph_find(r->g, edge.target) != GRAPH_NONE;
    r->ended = !r->show(r->to, &edge);
  }
}

static void label_block(label_reader *r, snapshot_cursor *c, size_t block) {
  r->ended = !cursor_begin(c, r->g->from, block);
  while (!r->ended && cursor_object(c))
    if (c->object.address == r->address) label_record(r, c);
}

/* Records that continue an object lie in the blocks after its first one's, mostly. */
void graph_edges(const graph *g, graph_node node, bool (*show)(void *to, const snapshot_edge *edge),
                 void *to) {
  size_t blocks = snapshot_object_blocks(g->from), block = g->block[node];
  snapshot_cursor cursor = {0};
  label_reader r = {.g = g,
                    .address = graph_address(g, node),
                    .left = graph_out_degree(g, node),
                    .show = show,
                    .to = to};
  for (size_t read = 0; read < blocks; read++, block = block + 1 < blocks ? block + 1 : 0) {
    label_block(&r, &cursor, block);
    if (r.ended || r.left == 0) break;
  }
  cursor_finish(&cursor);
}

typedef struct label_wanted {
  uint64_t target;
  snapshot_edge *edge;
  bool found;
} label_wanted;

static bool label_take(void *to, const snapshot_edge *edge) {
  label_wanted *wanted = to;
  if (edge->target != wanted->target) return true;
  *wanted->edge = *edge;
  wanted->found = true;
  return false;
}

bool graph_label(const graph *g, graph_node from, graph_node to, snapshot_edge *edge) {
  label_wanted wanted = {.target = graph_address(g, to), .edge = edge};
  graph_edges(g, from, label_take, &wanted);
  return wanted.found;
}
