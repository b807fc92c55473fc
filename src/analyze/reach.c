/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "array.h"
#include "dominators.h"
#include "progress.h"
#include "reach.h"

/* --- What counts explain ---------------------------------------------------------------------- */

static bool root_counts(snapshot_root_kind kind) {
  return kind == SNAPSHOT_ROOT_THREAD || kind == SNAPSHOT_ROOT_INTERPRETER ||
         kind == SNAPSHOT_ROOT_NATIVE;
}

uint64_t reach_root_references(const graph *g, graph_node node) {
  uint64_t count = 0;
  for (size_t i = graph_first_root(g, node); i < g->root_count && g->roots[i].node == node; i++)
    count += root_counts(snapshot_nth_root(g->from, g->roots[i].root).kind);
  return count;
}

static bool count_is_exact(const graph *g, graph_node node) {
  return graph_counted(g, node) && g->count[node] != UINT32_MAX;
}

uint32_t reach_unexplained(const graph *g, graph_node node) {
  uint32_t found = graph_in_degree(g, node);
  if (!graph_counted(g, node) || g->count[node] <= found) return 0;
  uint64_t rest = g->count[node] - found, roots = reach_root_references(g, node);
  return rest > roots ? (uint32_t)(rest - roots) : 0;
}

uint32_t reach_overexplained(const graph *g, graph_node node) {
  if (!count_is_exact(g, node)) return 0;
  uint64_t found = graph_in_degree(g, node) + reach_root_references(g, node),
           count = g->count[node];
  return found > count ? (uint32_t)(found - count) : 0;
}

/* --- Classes ---------------------------------------------------------------------------------- */

/* Alive whatever refers to it. */
static bool lives_on(const graph *g, graph_node node) {
  return (g->flags[node] & (SNAPSHOT_IMMORTAL | SNAPSHOT_STATIC)) != 0;
}

static void sum_classes(reach *r) {
  for (graph_node n = 0; n < r->of->nodes; n++) {
    r->objects[r->class[n]]++;
    r->bytes[r->class[n]] += graph_size(r->of, n);
  }
}

typedef struct wave {
  reach *r;
  graph_node *queue;
  graph_node head, tail;
} wave;

static inline void wave_add(wave *w, graph_node node, reach_class class) {
  if (w->r->class[node] != REACH_GARBAGE) return;
  w->r->class[node] = (uint8_t) class;
  w->queue[w->tail++] = node;
}

static void wave_run(wave *w, reach_class class) {
  const graph *g = w->r->of;
  while (w->head < w->tail) {
    graph_node node = w->queue[w->head++];
    for (uint32_t e = g->first_out[node]; e < g->first_out[node + 1]; e++)
      wave_add(w, g->out[e], class);
  }
}

bool reach_classify(reach *r, const graph *g) {
  *r = (reach){.of = g};
  wave w = {.r = r, .queue = array_make(g->nodes, sizeof *w.queue)};
  r->class = w.queue ? array_make(g->nodes, sizeof *r->class) : NULL;
  if (r->class) {
    for (size_t i = 0; i < g->root_count; i++) wave_add(&w, g->roots[i].node, REACH_ROOT);
    wave_run(&w, REACH_ROOT);
    for (graph_node n = 0; n < g->nodes; n++)
      if (lives_on(g, n) || reach_unexplained(g, n) > 0) wave_add(&w, n, REACH_UNSEEN);
    wave_run(&w, REACH_UNSEEN);
    sum_classes(r);
  }
  array_free(w.queue, g->nodes, sizeof *w.queue);
  return r->class != NULL;
}

/* --- Dominators ------------------------------------------------------------------------------- */

/* While there are no sizes yet, their memory is the search's. */
static bool reach_make(reach *r, dominators *d) {
  size_t nodes = r->of->nodes;
  r->class = array_make(nodes, sizeof *r->class);
  r->idom = array_make(nodes, sizeof *r->idom);
  r->order = array_make(nodes, sizeof *r->order);
  r->retained = array_make(nodes + 1, sizeof *r->retained);
  bool room = dominators_begin(d);
  if (!r->class || !r->idom || !r->order || !r->retained || !room) return false;
  d->number = r->idom;
  d->order = r->order;
  d->link = (dominators_link *)r->retained;
  return true;
}

static void set_classes(reach *r, uint32_t from, uint32_t to, reach_class class) {
  for (uint32_t i = from; i < to; i++) r->class[r->order[i]] = (uint8_t) class;
}

/* All roots before all else, so that what they do not reach is known. */
static void search_all(reach *r, dominators *d) {
  const graph *g = r->of;
  for (size_t i = 0; i < g->root_count; i++) dominators_search(d, g->roots[i].node);
  uint32_t rooted = d->count;
  for (graph_node n = 0; n < g->nodes; n++) {
    bool held = d->number[n] != 0 && d->number[n] <= rooted;
    if (lives_on(g, n) || (!held && reach_unexplained(g, n) > 0)) dominators_search(d, n);
  }
  set_classes(r, 0, rooted, REACH_ROOT);
  set_classes(r, rooted, d->count, REACH_UNSEEN);
  r->ordered = d->count;
}

/* Numbers become nodes. */
static void set_dominators(reach *r, const dominators *d) {
  memset(r->idom, 0xff, r->of->nodes * sizeof *r->idom);
  for (uint32_t i = 0; i < d->count; i++) {
    uint32_t above = d->semi[i + 1];
    if (above != 0) r->idom[r->order[i]] = r->order[above - 1];
  }
}

static void sum_retained(reach *r) {
  for (graph_node n = 0; n < r->of->nodes; n++) r->retained[n] = graph_size(r->of, n);
  for (graph_node i = r->ordered; i-- > 0;) {
    graph_node node = r->order[i], above = r->idom[node];
    if (above != GRAPH_NONE) r->retained[above] += r->retained[node];
  }
}

bool reach_build(reach *r, const graph *g, const graph_progress *show) {
  *r = (reach){.of = g};
  dominators d = {.g = g};
  progress told;
  progress_begin(&told, show, "who keeps what");
  bool room = reach_make(r, &d);
  if (room) {
    search_all(r, &d);
    dominators_find(&d, &told);
    set_dominators(r, &d);
  }
  dominators_finish(&d);
  if (room) sum_retained(r), sum_classes(r);
  else reach_finish(r);
  return room;
}

void reach_finish(reach *r) {
  if (!r->of) return;
  size_t nodes = r->of->nodes;
  array_free(r->class, nodes, sizeof *r->class);
  array_free(r->idom, nodes, sizeof *r->idom);
  array_free(r->order, nodes, sizeof *r->order);
  array_free(r->retained, nodes + 1, sizeof *r->retained);
  *r = (reach){0};
}

/* --- The largest ------------------------------------------------------------------------------ */

/* Into its place of a list that is sorted and keeps its length. */
static void largest_insert(const reach *r, graph_node *nodes, size_t last, graph_node node) {
  size_t at = last;
  for (; at > 0 && r->retained[nodes[at - 1]] < r->retained[node]; at--) nodes[at] = nodes[at - 1];
  nodes[at] = node;
}

size_t reach_largest(const reach *r, graph_node below, graph_node *nodes, size_t room) {
  size_t count = 0;
  for (graph_node n = 0; n < r->of->nodes && room > 0; n++) {
    if (r->idom[n] != below || r->class[n] == REACH_GARBAGE) continue;
    if (count < room) largest_insert(r, nodes, count++, n);
    else if (r->retained[n] > r->retained[nodes[room - 1]]) largest_insert(r, nodes, room - 1, n);
  }
  return count;
}
