/* SPDX-License-Identifier: MIT */
/*
 * From records in the order of the file to nodes in the order of addresses. Each step gives back
 * what the next one does not need, so that the highest point is the end of reading: 25 bytes per
 * record and 8 per edge.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "graph.h"
#include "load.h"
#include "progress.h"

#define GRAPH_MOST (UINT32_MAX - 1ull) /* nodes; edges */

/* Ahead of use, so that several misses of the cache are under way at once. */
enum { GRAPH_AHEAD = 16 };

struct graph_big {
  graph_node node;
  uint64_t record, size;
};

typedef struct builder {
  graph *g;
  load l;
  uint32_t *node; /* of each record, GRAPH_NONE: it continues what is not there */
  const char *why;
} builder;

static bool builder_fail(builder *b, const char *why) {
  b->why = why;
  return false;
}

static bool builder_short(builder *b) { return builder_fail(b, "not enough memory to read it"); }

/* --- Nodes ------------------------------------------------------------------------------------- */

static bool build_places(builder *b) {
  graph_places *places = b->g->places;
  const uint64_t *address = b->l.address.at;
  if (!places_lay(places)) return builder_short(b);
  for (size_t i = 0; i < b->l.records; i++)
    if (!(address[i] & LOAD_MORE)) places_set(places, address[i]);
  uint64_t nodes = places_rank(places);
  if (nodes > GRAPH_MOST) return builder_fail(b, "more objects than 4294967294");
  b->g->nodes = (graph_node)nodes;
  if (nodes == 0 && b->g->damaged > 0) return builder_fail(b, "damaged: no object can be read");
  return true;
}

/* Nodes take the place of addresses, which are twice as long: what is overwritten was read before. */
static void build_numbers(builder *b) {
  const char *address = b->l.address.at;
  char *node = b->l.address.at;
  for (size_t i = 0; i < b->l.records; i++) {
    uint64_t at;
    memcpy(&at, address + i * sizeof at, sizeof at);
    uint32_t found = places_find(b->g->places, at & ~(uint64_t)LOAD_MORE);
    memcpy(node + i * sizeof found, &found, sizeof found);
  }
  load_shrink(&b->l.address, b->l.records, sizeof *b->node);
  b->node = b->l.address.at;
}

/* The facts of records in the order of nodes. The first record of a node is the last one here. */
static uint32_t *build_column(builder *b, load_column *column) {
  const uint32_t *from = column->at, *type = b->l.type.at;
  uint32_t *to = array_make(b->g->nodes, sizeof *to);
  for (size_t i = to ? b->l.records : 0; i-- > 0;)
    if (type[i] != LOAD_NO_FACTS) to[b->node[i]] = from[i];
  if (column != &b->l.type) load_drop(column);
  return to;
}

static uint8_t *build_flags(builder *b) {
  const uint8_t *from = b->l.flags.at;
  const uint32_t *type = b->l.type.at;
  uint8_t *to = array_make(b->g->nodes, sizeof *to);
  for (size_t i = to ? b->l.records : 0; i-- > 0;)
    if (type[i] != LOAD_NO_FACTS) to[b->node[i]] = from[i];
  load_drop(&b->l.flags);
  return to;
}

static uint32_t *build_blocks(builder *b) {
  const uint64_t *first = b->l.first.at;
  const uint32_t *type = b->l.type.at;
  uint32_t *to = array_make(b->g->nodes, sizeof *to);
  for (size_t block = to ? b->l.blocks : 0; block-- > 0;)
    for (size_t i = first[block + 1]; i-- > first[block];)
      if (type[i] != LOAD_NO_FACTS) to[b->node[i]] = (uint32_t)block;
  load_drop(&b->l.first);
  return to;
}

static int order_bigs(const void *a, const void *b) {
  const struct graph_big *x = a, *y = b;
  if (x->node != y->node) return x->node < y->node ? -1 : 1;
  return x->record < y->record ? -1 : x->record > y->record;
}

static bool build_bigs(builder *b) {
  const load_big *from = b->l.big.at;
  struct graph_big *to = array_make(b->l.bigs, sizeof *to);
  if (!to) return builder_short(b);
  for (size_t i = 0; i < b->l.bigs; i++)
    to[i] = (struct graph_big){b->node[from[i].record], from[i].record, from[i].size};
  qsort(to, b->l.bigs, sizeof *to, order_bigs);
  b->g->big = to;
  b->g->big_count = b->l.bigs;
  load_drop(&b->l.big);
  return true;
}

static bool build_facts(builder *b) {
  graph *g = b->g;
  g->size = build_column(b, &b->l.size);
  g->count = build_column(b, &b->l.count);
  g->flags = build_flags(b);
  g->block = build_blocks(b);
  g->type = build_column(b, &b->l.type);
  load_drop(&b->l.type);
  if (!g->size || !g->count || !g->flags || !g->block || !g->type) return builder_short(b);
  return build_bigs(b);
}

/* --- Edges ------------------------------------------------------------------------------------- */

static const places_line *edge_line(const builder *b, size_t edge) {
  uint64_t target;
  if (edge >= b->l.edges) return NULL;
  memcpy(&target, (const char *)b->l.target.at + edge * sizeof target, sizeof target);
  const places_line *line = places_line_of(b->g->places, target);
  __builtin_prefetch(line);
  return line;
}

/* Targets become nodes, in place as addresses did. */
static void build_targets(builder *b) {
  const places_line *lines[GRAPH_AHEAD];
  for (size_t e = 0; e < GRAPH_AHEAD; e++) lines[e] = edge_line(b, e);
  char *target = b->l.target.at;
  for (size_t e = 0; e < b->l.edges; e++) {
    uint64_t address;
    memcpy(&address, target + e * sizeof address, sizeof address);
    const places_line *line = lines[e % GRAPH_AHEAD];
    lines[e % GRAPH_AHEAD] = edge_line(b, e + GRAPH_AHEAD);
    uint32_t node = line ? places_in_line(line, address) : GRAPH_NONE;
    memcpy(target + e * sizeof node, &node, sizeof node);
  }
  load_shrink(&b->l.target, b->l.edges, sizeof(uint32_t));
}

/* Edges that a record brings. */
static uint32_t count_edges(const uint32_t *target, uint32_t degree) {
  uint32_t there = 0;
  for (uint32_t e = 0; e < degree; e++) there += target[e] != GRAPH_NONE;
  return there;
}

static bool build_degrees(builder *b) {
  graph *g = b->g;
  const uint32_t *degree = b->l.degree.at, *target = b->l.target.at;
  for (size_t i = 0; i < b->l.records; target += degree[i], i++) {
    if (b->node[i] == GRAPH_NONE) continue;
    uint32_t there = count_edges(target, degree[i]);
    g->first_out[b->node[i]] += there;
    g->edges += there;
  }
  g->lost = b->l.edges - g->edges;
  return g->edges <= GRAPH_MOST || builder_fail(b, "more references than 4294967294");
}

/* Degrees become the first of each; the end is set too. */
static void sum_degrees(uint32_t *first, graph_node nodes) {
  uint32_t before = 0;
  for (size_t n = 0; n <= nodes; n++) {
    uint32_t here = first[n];
    first[n] = before;
    before += here;
  }
}

/* After each first has gone up to its end, which is the next one's first. */
static void shift_firsts(uint32_t *first, graph_node nodes) {
  memmove(first + 1, first, nodes * sizeof *first);
  first[0] = 0;
}

static void place_out(builder *b) {
  graph *g = b->g;
  const uint32_t *degree = b->l.degree.at, *target = b->l.target.at;
  for (size_t i = 0; i < b->l.records; target += degree[i], i++) {
    if (b->node[i] == GRAPH_NONE) continue;
    uint32_t at = g->first_out[b->node[i]];
    for (uint32_t e = 0; e < degree[i]; e++)
      if (target[e] != GRAPH_NONE) g->out[at++] = target[e];
    g->first_out[b->node[i]] = at;
  }
}

static bool build_out(builder *b) {
  graph *g = b->g;
  g->first_out = array_make((size_t)g->nodes + 1, sizeof *g->first_out);
  if (!g->first_out) return builder_short(b);
  build_targets(b);
  if (!build_degrees(b)) return false;
  g->out = array_make(g->edges, sizeof *g->out);
  if (!g->out) return builder_short(b);
  sum_degrees(g->first_out, g->nodes);
  place_out(b);
  shift_firsts(g->first_out, g->nodes);
  return true;
}

static void place_in(graph *g) {
  for (graph_node n = 0; n < g->nodes; n++)
    for (uint32_t e = g->first_out[n]; e < g->first_out[n + 1]; e++) {
      if (e + GRAPH_AHEAD < g->edges) __builtin_prefetch(&g->first_in[g->out[e + GRAPH_AHEAD]], 1);
      g->in[g->first_in[g->out[e]]++] = n;
    }
}

static bool build_in(builder *b) {
  graph *g = b->g;
  g->first_in = array_make((size_t)g->nodes + 1, sizeof *g->first_in);
  g->in = array_make(g->edges, sizeof *g->in);
  if (!g->first_in || !g->in) return builder_short(b);
  for (uint64_t e = 0; e < g->edges; e++) g->first_in[g->out[e]]++;
  sum_degrees(g->first_in, g->nodes);
  place_in(g);
  shift_firsts(g->first_in, g->nodes);
  return true;
}

/* --- Roots ------------------------------------------------------------------------------------- */

static int order_roots(const void *a, const void *b) {
  const graph_root *x = a, *y = b;
  if (x->node != y->node) return x->node < y->node ? -1 : 1;
  return x->root < y->root ? -1 : x->root > y->root;
}

static bool build_roots(builder *b) {
  graph *g = b->g;
  uint64_t count = snapshot_count(g->from).roots;
  g->roots = count < GRAPH_NONE ? array_make(count, sizeof *g->roots) : NULL;
  if (!g->roots) return builder_short(b);
  g->root_room = count;
  for (uint32_t i = 0; i < count; i++) {
    graph_node node = graph_find(g, snapshot_nth_root(g->from, i).target);
    if (node != GRAPH_NONE) g->roots[g->root_count++] = (graph_root){.node = node, .root = i};
  }
  qsort(g->roots, g->root_count, sizeof *g->roots, order_roots);
  return true;
}

/* --- All --------------------------------------------------------------------------------------- */

static bool build_begin(builder *b, const snapshot *s) {
  uint64_t types = snapshot_count(s).types;
  b->g->from = s;
  b->g->types = types < UINT32_MAX ? (uint32_t)types : UINT32_MAX - 1;
  b->g->places = calloc(1, sizeof *b->g->places);
  return b->g->places || builder_short(b);
}

static bool build_load(builder *b, const graph_progress *show) {
  bool good = load_read(&b->l, b->g->from, b->g->places, b->g->types, show);
  b->g->damaged = b->l.damaged;
  return good || builder_short(b);
}

static bool build_nodes(builder *b) {
  if (!build_places(b)) return false;
  build_numbers(b);
  return build_facts(b);
}

static bool build_all(builder *b, const snapshot *s, const graph_progress *show) {
  progress told;
  if (!build_begin(b, s) || !build_load(b, show)) return false;
  progress_begin(&told, show, "building the graph");
  if (!build_nodes(b)) return false;
  progress_tell(&told, 1, 3);
  if (!build_out(b)) return false;
  load_finish(&b->l);
  progress_tell(&told, 2, 3);
  return build_in(b) && build_roots(b);
}

bool graph_build(graph *g, const snapshot *s, const graph_progress *progress,
                 char why[SNAPSHOT_WHY]) {
  *g = (graph){0};
  builder b = {.g = g};
  bool good = build_all(&b, s, progress);
  load_finish(&b.l);
  if (!good) snprintf(why, SNAPSHOT_WHY, "%s", b.why);
  return good;
}

void graph_finish(graph *g) {
  size_t nodes = g->nodes;
  uint32_t *facts[] = {g->type, g->size, g->count, g->block};
  for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
    array_free(facts[i], nodes, sizeof *facts[i]);
  array_free(g->flags, nodes, sizeof *g->flags);
  array_free(g->first_out, nodes + 1, sizeof *g->first_out);
  array_free(g->first_in, nodes + 1, sizeof *g->first_in);
  array_free(g->out, g->edges, sizeof *g->out);
  array_free(g->in, g->edges, sizeof *g->in);
  array_free(g->roots, g->root_room, sizeof *g->roots);
  array_free(g->big, g->big_count, sizeof *g->big);
  if (g->places) places_finish(g->places);
  free(g->places);
  *g = (graph){0};
}

graph_node graph_find(const graph *g, uint64_t address) { return places_find(g->places, address); }

uint64_t graph_address(const graph *g, graph_node node) { return places_address(g->places, node); }

uint64_t graph_size(const graph *g, graph_node node) {
  if (OURO_LIKELY(g->size[node] != UINT32_MAX)) return g->size[node];
  size_t low = 0, high = g->big_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (g->big[middle].node < node) low = middle + 1;
    else high = middle;
  }
  return low < g->big_count && g->big[low].node == node ? g->big[low].size : UINT32_MAX;
}
