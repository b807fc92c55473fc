/* SPDX-License-Identifier: MIT */
/*
 * From records in the order of the file to nodes in the order of addresses. Arrays that were read
 * become arrays of the graph where that can be done: fresh memory costs more than all that is done
 * with it, since the system clears it first.
 *
 *     an address of a record, 8 bytes   becomes   its node, then first_in   and   first_out
 *     the target of an edge, 8 bytes    becomes   its node, then in         and   out
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

/* --- Nodes ------------------------------------------------------------------------------------ */

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

/* Nodes take the place of addresses, which are twice as long: what is overwritten was read before.
 * There is room for the first edges of nodes, in and out. */
static bool build_numbers(builder *b) {
  graph *g = b->g;
  size_t records = b->l.records, room = records > g->nodes ? records : (size_t)g->nodes + 1;
  if (!load_resize(&b->l.address, room)) return builder_short(b);
  char *address = b->l.address.at;
  for (size_t i = 0; i < records; i++) {
    uint64_t at;
    memcpy(&at, address + i * sizeof at, sizeof at);
    uint32_t found = places_find(g->places, at & ~(uint64_t)LOAD_MORE);
    memcpy(address + i * sizeof found, &found, sizeof found);
  }
  g->node_room = room;
  b->node = g->first_in = load_take(&b->l.address);
  g->first_out = g->first_in + room;
  memset(g->first_out, 0, room * sizeof *g->first_out);
  return true;
}

/* An array for a fact of nodes: what was a column, or a new one. All of it will be written. */
static uint32_t *build_array(builder *b, load_column *column) {
  if (!column) return array_make(b->g->nodes, sizeof(uint32_t));
  return load_resize(column, b->g->nodes) ? load_take(column) : NULL;
}

/* The facts of records in the order of nodes. The first record of a node is the last one here. */
static bool build_column(builder *b, const load_column *column, uint32_t *to) {
  const uint32_t *from = column->at, *type = b->l.type.at;
  if (!to) return builder_short(b);
  for (size_t i = b->l.records; i-- > 0;)
    if (type[i] != LOAD_NO_FACTS) to[b->node[i]] = from[i];
  return true;
}

static bool build_flags(builder *b) {
  const uint8_t *from = b->l.flags.at;
  const uint32_t *type = b->l.type.at;
  uint8_t *to = b->g->flags = array_make(b->g->nodes, sizeof *to);
  if (!to) return builder_short(b);
  for (size_t i = b->l.records; i-- > 0;)
    if (type[i] != LOAD_NO_FACTS) to[b->node[i]] = from[i];
  load_drop(&b->l.flags);
  return true;
}

static bool build_blocks(builder *b, uint32_t *to) {
  const uint64_t *first = b->l.first.at;
  const uint32_t *type = b->l.type.at;
  if (!to) return builder_short(b);
  for (size_t block = b->l.blocks; block-- > 0;)
    for (size_t i = first[block + 1]; i-- > first[block];)
      if (type[i] != LOAD_NO_FACTS) to[b->node[i]] = (uint32_t)block;
  return true;
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

/* Each array that was read is written again as the one after it. */
static bool build_facts(builder *b) {
  graph *g = b->g;
  load *l = &b->l;
  if (!build_column(b, &l->size, g->size = build_array(b, NULL))) return false;
  if (!build_column(b, &l->count, g->count = build_array(b, &l->size))) return false;
  if (!build_blocks(b, g->block = build_array(b, &l->count)) || !build_flags(b)) return false;
  if (!build_column(b, &l->type, g->type = build_array(b, NULL))) return false;
  load_drop(&l->type);
  return build_bigs(b);
}

/* --- Edges ------------------------------------------------------------------------------------ */

static const places_line *edge_line(const builder *b, size_t edge) {
  uint64_t target;
  if (edge >= b->l.edges) return NULL;
  memcpy(&target, (const char *)b->l.target.at + edge * sizeof target, sizeof target);
  const places_line *line = places_line_of(b->g->places, target);
  __builtin_prefetch(line);
  return line;
}

/* Targets become nodes, in place as addresses did. There is room for in and out edges. */
static bool build_targets(builder *b) {
  const places_line *lines[GRAPH_AHEAD];
  if (!load_resize(&b->l.target, b->l.edges)) return builder_short(b);
  for (size_t e = 0; e < GRAPH_AHEAD; e++) lines[e] = edge_line(b, e);
  char *target = b->l.target.at;
  for (size_t e = 0; e < b->l.edges; e++) {
    uint64_t address;
    memcpy(&address, target + e * sizeof address, sizeof address);
    const places_line *line = lines[e % GRAPH_AHEAD];
    lines[e % GRAPH_AHEAD] = edge_line(b, e + GRAPH_AHEAD);
    bool there = line && address % SNAPSHOT_GRAIN == 0;
    uint32_t node = there ? places_in_line(line, address) : GRAPH_NONE;
    memcpy(target + e * sizeof node, &node, sizeof node);
  }
  b->g->edge_room = b->l.edges;
  b->g->in = load_take(&b->l.target);
  b->g->out = b->g->in + b->l.edges;
  return true;
}

/* Edges that a record brings. */
static uint32_t count_edges(const uint32_t *target, uint32_t degree) {
  uint32_t there = 0;
  for (uint32_t e = 0; e < degree; e++) there += target[e] != GRAPH_NONE;
  return there;
}

static bool build_degrees(builder *b) {
  graph *g = b->g;
  const uint32_t *degree = b->l.degree.at, *target = g->in;
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
  const uint32_t *degree = b->l.degree.at, *target = g->in;
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
  if (!build_targets(b) || !build_degrees(b)) return false;
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

/* What stood in the arrays has been used. */
static void build_in(graph *g) {
  memset(g->first_in, 0, ((size_t)g->nodes + 1) * sizeof *g->first_in);
  for (uint64_t e = 0; e < g->edges; e++) g->first_in[g->out[e]]++;
  sum_degrees(g->first_in, g->nodes);
  place_in(g);
  shift_firsts(g->first_in, g->nodes);
}

/* --- Roots ------------------------------------------------------------------------------------ */

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

/* --- All -------------------------------------------------------------------------------------- */

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
  snapshot_forget(b->g->from);
  return good || builder_short(b);
}

static bool build_nodes(builder *b) {
  return build_places(b) && build_numbers(b) && build_facts(b);
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
  build_in(b->g);
  return build_roots(b);
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
  array_free(g->first_in, g->node_room, 2 * sizeof *g->first_in); /* and first_out */
  array_free(g->in, g->edge_room, 2 * sizeof *g->in);             /* and out */
  array_free(g->roots, g->root_room, sizeof *g->roots);
  array_free(g->big, g->big_count, sizeof *g->big);
  if (g->places) places_finish(g->places);
  free(g->places);
  *g = (graph){0};
}

graph_node graph_find(const graph *g, uint64_t address) { return places_find(g->places, address); }

uint64_t graph_address(const graph *g, graph_node node) { return places_address(g->places, node); }

size_t graph_first_root(const graph *g, graph_node node) {
  size_t low = 0, high = g->root_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (g->roots[middle].node < node) low = middle + 1;
    else high = middle;
  }
  return low;
}

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
