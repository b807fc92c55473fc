/* SPDX-License-Identifier: MIT */
/* Objects that nothing holds but themselves, and those that the collector gave up. */
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "verdict_parts.h"

#define GARBAGE_PART                                                                               \
  10 /* of all objects' bytes: garbage is then worth a word though it is stable */
#define GARBAGE_TYPES 3

/* --- What it is made of ---------------------------------------------------------------------- */

typedef struct garbage_type {
  uint64_t objects, bytes;
} garbage_type;

static size_t garbage_largest(const garbage_type *types, size_t count) {
  size_t best = 0;
  for (size_t i = 1; i < count; i++)
    if (types[i].bytes > types[best].bytes) best = i;
  return best;
}

static bool garbage_is_of(const verdict_case *c, graph_node n, verdict_class class) {
  if (class == VERDICT_UNCOLLECTABLE) return (c->g->flags[n] & SNAPSHOT_UNCOLLECTABLE) != 0;
  return c->last->class[n] == REACH_GARBAGE;
}

static void garbage_say_types(verdict_case *c, finding *f) {
  const graph *g = c->g;
  size_t count = (size_t)snapshot_count(g->from).types + 1;
  garbage_type *types = array_make(count, sizeof *types);
  if (!types) {
    c->failed = true;
    return;
  }
  for (graph_node n = 0; n < g->nodes; n++)
    if (garbage_is_of(c, n, f->class)) {
      types[g->type[n]].objects++;
      types[g->type[n]].bytes += graph_size(g, n);
    }
  for (size_t i = 0; i < GARBAGE_TYPES; i++) {
    size_t at = garbage_largest(types, count);
    if (types[at].objects == 0) break;
    verdict_say(verdict_line(f), "%s × %s  %s",
                verdict_clean(snapshot_type_of(g->from, (uint32_t)at).name).text,
                verdict_number(types[at].objects).text, verdict_bytes(types[at].bytes).text);
    types[at] = (garbage_type){0};
  }
  array_free(types, count, sizeof *types);
}

static void garbage_say_edge(const graph *g, const snapshot_edge *edge, char line[VERDICT_LINE]) {
  if (snapshot_label_named(edge->kind))
    verdict_say(line, ".%s", verdict_clean(snapshot_name(g->from, edge->label)).text);
  else if (edge->kind == SNAPSHOT_VALUE || edge->kind == SNAPSHOT_INDEX) verdict_say(line, "[…]");
}

static void garbage_say_cycle(const graph *g, const cycle_group *group, finding *f) {
  char *line = verdict_line(f);
  verdict_say(line, "cycle: ");
  for (size_t i = 0; i < group->steps && i < CYCLES_STEPS; i++) {
    verdict_say(line, "%s%s", i ? " → " : "", verdict_type(g, group->nodes[i]).text);
    garbage_say_edge(g, &group->edges[i], line);
  }
  verdict_say(line, " → …  × %s", verdict_number(group->components).text);
}

/* A cycle of the kind that most bytes are in, and where to cut it. */
static void garbage_say_cycles(verdict_case *c, finding *f) {
  cycle_group *groups;
  size_t count;
  if (!cycles_find(c->last, 1u << REACH_GARBAGE, &groups, &count)) {
    c->failed = true;
    return;
  }
  if (count > 0 && groups[0].steps > 0) {
    const cycle_group *group = &groups[0];
    garbage_say_cycle(c->g, group, f);
    if (group->weak < group->steps) {
      verdict_say(f->advice, "%smake a reference weak: %s", f->advice[0] ? "; " : "",
                  verdict_type(c->g, group->nodes[group->weak]).text);
      garbage_say_edge(c->g, &group->edges[group->weak], f->advice);
    }
  }
  free(groups);
}

static void garbage_say_collector(const verdict_case *c, finding *f) {
  const snapshot *s = c->g->from;
  char *line = verdict_line(f);
  snapshot_text collector = snapshot_fact(s, "gc.collector");
  verdict_say(line, "collector: %s, %s", collector.length ? verdict_clean(collector).text : "?",
              verdict_last(c)->collector_off ? "off" : "on");
  if (snapshot_fact(s, "gc.threshold0").length)
    verdict_say(line, ", thresholds %s, %s, %s",
                verdict_number(snapshot_number(s, "gc.threshold0", 0)).text,
                verdict_number(snapshot_number(s, "gc.threshold1", 0)).text,
                verdict_number(snapshot_number(s, "gc.threshold2", 0)).text);
  if (snapshot_fact(s, "gc.count0").length)
    verdict_say(line, "; counts %s, %s, %s",
                verdict_number(snapshot_number(s, "gc.count0", 0)).text,
                verdict_number(snapshot_number(s, "gc.count1", 0)).text,
                verdict_number(snapshot_number(s, "gc.count2", 0)).text);
  if (snapshot_number(s, "gc.pending", 0))
    verdict_say(line, "; %s not examined yet",
                verdict_number(snapshot_number(s, "gc.pending", 0)).text);
}

static void garbage_say_snapshots(const verdict_case *c, finding *f) {
  if (c->count < 2) return;
  char *line = verdict_line(f);
  verdict_say(line, "in cycles: ");
  for (size_t h = 0; h < c->count; h++)
    verdict_say(line, "%s%s", h ? " → " : "", verdict_bytes(c->facts[h].garbage).text);
}

/* --- The findings ---------------------------------------------------------------------------- */

/* Garbage that grew, or so much of it that memory is mostly that. */
static bool garbage_matters(const verdict_case *c) {
  const verdict_facts *first = verdict_first(c), *last = verdict_last(c);
  if (verdict_is_noise(last, (int64_t)last->garbage)) return false;
  if (c->count > 1 && !verdict_is_noise(last, (int64_t)(last->garbage - first->garbage)))
    return true;
  return last->garbage >= last->objects / GARBAGE_PART;
}

/* What was added, if it grew. */
static uint64_t garbage_bytes(const verdict_case *c) {
  const verdict_facts *first = verdict_first(c), *last = verdict_last(c);
  int64_t more = (int64_t)(last->garbage - first->garbage);
  return c->count > 1 && !verdict_is_noise(last, more) ? (uint64_t)more : last->garbage;
}

void verdict_find_garbage(verdict_case *c) {
  if (!garbage_matters(c)) return;
  const verdict_facts *last = verdict_last(c);
  finding *f = verdict_add(c, last->collector_off ? VERDICT_COLLECTOR_OFF : VERDICT_LATE);
  if (!f) return;
  f->bytes = garbage_bytes(c);
  f->objects = c->last->objects[REACH_GARBAGE];
  verdict_say_share(c, f, f->bytes != last->garbage || verdict_first(c)->garbage == 0);
  const char *what = f->class == VERDICT_LATE ? "wait for the collector"
                                              : "stay for ever: the cycle collector is off";
  verdict_say(f->title, "%s objects in cycles, %s, %s", verdict_number(f->objects).text,
              verdict_bytes(last->garbage).text, what);
  garbage_say_types(c, f);
  garbage_say_snapshots(c, f);
  garbage_say_collector(c, f);
  verdict_advise(f, SNAPSHOT_OTHER);
  garbage_say_cycles(c, f);
  verdict_say(f->next, "cycles %%s");
}

/* Bytes that those given up keep, each once. */
static uint64_t uncollectable_bytes(const reach *r, uint64_t *objects, graph_node *example) {
  const graph *g = r->of;
  uint64_t bytes = 0;
  for (graph_node n = 0; n < g->nodes; n++) {
    if (!(g->flags[n] & SNAPSHOT_UNCOLLECTABLE)) continue;
    if ((*objects)++ == 0) *example = n;
    graph_node above = r->class[n] == REACH_GARBAGE ? GRAPH_NONE : r->idom[n];
    if (above == GRAPH_NONE || !(g->flags[above] & SNAPSHOT_UNCOLLECTABLE)) bytes += r->retained[n];
  }
  return bytes;
}

void verdict_find_uncollectable(verdict_case *c) {
  uint64_t objects = 0, first_objects = 0;
  graph_node example = GRAPH_NONE, other;
  uint64_t bytes = uncollectable_bytes(c->last, &objects, &example);
  finding *f = objects ? verdict_add(c, VERDICT_UNCOLLECTABLE) : NULL;
  if (!f) return;
  uint64_t first = c->count > 1 ? uncollectable_bytes(c->heaps[0], &first_objects, &other) : 0;
  f->bytes = bytes > first ? bytes - first : bytes;
  f->objects = objects;
  verdict_say_share(c, f, bytes > first);
  verdict_say(f->title, "%s objects in gc.garbage: the collector gave them up",
              verdict_number(objects).text);
  char *line = verdict_line(f);
  verdict_say(line, "gc.garbage: ");
  if (c->count > 1) verdict_say(line, "%s → ", verdict_bytes(first).text);
  verdict_say(line, "%s", verdict_bytes(bytes).text);
  garbage_say_types(c, f);
  garbage_say_collector(c, f);
  verdict_advise(f, SNAPSHOT_OTHER);
  verdict_say(f->next, "path %%s %s", verdict_target(c->g, example).text);
}
