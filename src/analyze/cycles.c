/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "cycles.h"
#include "scc.h"

#define SAMPLES 64                /* objects of a large component whose cycles are looked at */
#define FEW_SAMPLES 4             /* the same after much work */
#define SAMPLE_LOOKS (1u << 14)   /* edges followed from each of them, at first */
#define ENOUGH_LOOKS (1u << 22)   /* in one large component, once it has a cycle */
#define MUCH_LOOKS (1u << 26)     /* in all components together */
#define WEAK_LOOKS (1u << 16)     /* to judge one edge */
#define RING_MIN 8                /* objects of components that are tried as simple rings */
#define WAYS_MAX (UINT32_MAX / 2) /* of counted shortest cycles */

typedef struct ring_visit {
  graph_node node;
  uint32_t from, depth; /* the visit that found it; steps from the start */
  uint32_t ways;        /* shortest paths that lead to it */
} ring_visit;

/* A breadth-first search in one component; one edge can be left out. */
typedef struct ring_walk {
  const graph *g;
  const uint32_t *numbers; /* the component of each node */
  uint32_t number;
  uint32_t *place; /* of a node in the queue, from 1; 0: not visited */
  ring_visit *queue;
  size_t visited, room;
  uint64_t looks, most_looks; /* edges followed */
  graph_node out_of, into;    /* of the edge left out, once; GRAPH_NONE: none */
  bool failed;
} ring_walk;

typedef struct ring_draft {
  uint64_t signature;
  uint32_t number; /* the example's component */
  size_t members;  /* of it */
  cycle_group group;
} ring_draft;

typedef struct ring_finder {
  const reach *r;
  const graph *g;
  ring_walk walk;
  uint64_t looks; /* in all components */
  ring_draft *drafts;
  size_t count, room;
  uint32_t *table; /* drafts by signature, from 1; 0: empty */
  size_t table_room;
} ring_finder;

/* --- Walks ------------------------------------------------------------------------------------ */

static bool walk_visit(ring_walk *w, graph_node node, uint32_t from, uint32_t depth,
                       uint32_t ways) {
  ring_visit *queue = array_widen(w->queue, &w->room, w->visited, sizeof *queue);
  if (!queue) return !(w->failed = true);
  w->queue = queue;
  w->queue[w->visited++] = (ring_visit){node, from, depth, ways};
  w->place[node] = (uint32_t)w->visited;
  return true;
}

static void walk_forget(ring_walk *w) {
  for (size_t i = 0; i < w->visited; i++) w->place[w->queue[i].node] = 0;
  w->visited = 0;
}

static bool walk_begin(ring_walk *w, graph_node start, uint64_t most_looks) {
  walk_forget(w);
  w->looks = 0;
  w->most_looks = most_looks;
  return walk_visit(w, start, 0, 0, 1);
}

/* The edge is the component's and was not left out. `*skip`: one is to be. */
static bool walk_follows(const ring_walk *w, graph_node to, bool *skip) {
  if (w->numbers[to] != w->number) return false;
  if (!*skip || to != w->into) return true;
  return *skip = false;
}

/* Visits what the i-th visit refers to. True: one of them is the start again. */
static bool walk_from(ring_walk *w, uint32_t i) {
  const graph *g = w->g;
  ring_visit v = w->queue[i];
  bool skip = v.node == w->out_of;
  graph_node start = w->queue[0].node;
  for (uint32_t e = g->first_out[v.node]; e < g->first_out[v.node + 1]; e++) {
    graph_node to = g->out[e];
    if (++w->looks > w->most_looks) return false;
    if (!walk_follows(w, to, &skip)) continue;
    if (to == start) return true;
    uint32_t place = w->place[to];
    if (!place && !walk_visit(w, to, i, v.depth + 1, v.ways)) return false;
    if (!place) continue;
    ring_visit *met = &w->queue[place - 1];
    if (met->depth == v.depth + 1 && met->ways < WAYS_MAX && v.ways < WAYS_MAX) met->ways += v.ways;
  }
  return false;
}

/* The last visit of a shortest cycle through `start` that has less than `below` steps (0: any), or
 * SIZE_MAX. */
static size_t walk_cycle(ring_walk *w, graph_node start, size_t below, uint64_t most_looks) {
  if (!walk_begin(w, start, most_looks)) return SIZE_MAX;
  for (uint32_t i = 0; i < w->visited; i++) {
    if (below && w->queue[i].depth + 1 >= below) return SIZE_MAX;
    if (walk_from(w, i)) return i;
    if (w->failed || w->looks > w->most_looks) return SIZE_MAX;
  }
  return SIZE_MAX;
}

/* --- A component's shortest cycle ------------------------------------------------------------- */

static uint64_t ring_mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

static snapshot_type ring_type(const graph *g, graph_node node) {
  return snapshot_type_of(g->from, g->type[node]);
}

/* Where the example begins: an instance, of several the one of the lowest type, then address. */
static uint32_t best_begin(const ring_walk *w, size_t last) {
  uint32_t best = 0;
  uint64_t best_key = UINT64_MAX;
  for (size_t i = last;; i = w->queue[i].from) {
    graph_node node = w->queue[i].node;
    uint64_t plain = ring_type(w->g, node).kind != SNAPSHOT_INSTANCE;
    uint64_t key = plain << 63 | (uint64_t)(w->g->type[node] & INT32_MAX) << 32 | node;
    if (key < best_key) best = w->queue[i].depth, best_key = key;
    if (i == 0) return best;
  }
}

/* Takes the cycle that ends at the visit `last` into the draft. The signature is the same wherever
 * the cycle begins. */
static void take_cycle(const ring_walk *w, size_t last, ring_draft *d) {
  const graph *g = w->g;
  cycle_group *group = &d->group;
  group->length = (size_t)w->queue[last].depth + 1;
  group->steps = group->length < CYCLES_STEPS ? group->length : CYCLES_STEPS;
  d->signature = group->length;
  size_t begin = best_begin(w, last);
  graph_node next = w->queue[0].node;
  for (size_t i = last;; i = w->queue[i].from) {
    graph_node node = w->queue[i].node;
    size_t step = (w->queue[i].depth + group->length - begin) % group->length;
    if (step < CYCLES_STEPS) group->nodes[step] = node;
    d->signature += ring_mix((uint64_t)g->type[node] << 32 | g->type[next]);
    next = node;
    if (i == 0) return;
  }
}

static void try_start(ring_walk *w, graph_node start, uint64_t most_looks, ring_draft *d) {
  size_t last = walk_cycle(w, start, d->group.length, most_looks);
  if (last != SIZE_MAX) take_cycle(w, last, d);
}

/* As many edges as objects: then the component is one cycle. */
static bool is_ring(const ring_walk *w, const graph_node *members, size_t count) {
  const graph *g = w->g;
  size_t edges = 0;
  for (size_t i = 0; i < count && edges <= count; i++)
    for (uint32_t e = g->first_out[members[i]]; e < g->first_out[members[i] + 1]; e++)
      edges += w->numbers[g->out[e]] == w->number;
  return edges == count;
}

static void exact_cycle(ring_finder *f, const graph_node *members, size_t count, ring_draft *d) {
  ring_walk *w = &f->walk;
  size_t starts = count > RING_MIN && is_ring(w, members, count) ? 1 : count;
  for (size_t i = 0; i < starts && d->group.length != 1 && !w->failed; i++) {
    try_start(w, members[i], UINT64_MAX, d);
    f->looks += w->looks;
    if (d->group.length && f->looks > MUCH_LOOKS) return;
  }
}

static void sampled_cycle(ring_finder *f, const graph_node *members, size_t count, ring_draft *d) {
  ring_walk *w = &f->walk;
  size_t most = f->looks < MUCH_LOOKS ? SAMPLES : FEW_SAMPLES, starts = count < most ? count : most;
  uint64_t looks = 0;
  for (uint64_t limit = SAMPLE_LOOKS; !d->group.length && !w->failed; limit *= 16) {
    for (size_t i = 0; i < starts && d->group.length != 1 && !w->failed; i++) {
      try_start(w, members[i * count / starts], limit, d);
      looks += w->looks;
      if (d->group.length && looks > ENOUGH_LOOKS) break;
    }
  }
  f->looks += looks;
}

/* --- Groups ----------------------------------------------------------------------------------- */

static bool same_group(const ring_draft *a, const ring_draft *b) {
  return a->signature == b->signature && a->group.class == b->group.class;
}

static uint32_t *table_slot(const ring_finder *f, const ring_draft *d) {
  size_t i = (size_t)ring_mix(d->signature) & (f->table_room - 1);
  while (f->table[i] && !same_group(&f->drafts[f->table[i] - 1], d))
    i = (i + 1) & (f->table_room - 1);
  return &f->table[i];
}

/* Room for one more draft; the table is at most half full. */
static bool more_groups(ring_finder *f) {
  if (f->count < f->room) return true;
  size_t room = f->room ? f->room * 2 : 64;
  ring_draft *drafts = realloc(f->drafts, room * sizeof *drafts);
  if (!drafts) return false;
  f->drafts = drafts;
  uint32_t *table = calloc(room * 2, sizeof *table);
  if (!table) return false;
  free(f->table);
  f->table = table;
  f->table_room = room * 2;
  f->room = room;
  for (size_t i = 0; i < f->count; i++) *table_slot(f, &f->drafts[i]) = (uint32_t)i + 1;
  return true;
}

static bool add_to_group(ring_finder *f, const ring_draft *d) {
  if (!more_groups(f)) return false;
  uint32_t *slot = table_slot(f, d);
  if (!*slot) {
    f->drafts[f->count++] = *d;
    *slot = (uint32_t)f->count;
    return true;
  }
  ring_draft *known = &f->drafts[*slot - 1];
  cycle_group sum = known->group;
  if (d->members < known->members) *known = *d;
  known->group.components = sum.components + d->group.components;
  known->group.objects = sum.objects + d->group.objects;
  known->group.bytes = sum.bytes + d->group.bytes;
  known->group.finalizers = sum.finalizers + d->group.finalizers;
  return true;
}

static bool add_component(void *to, const graph_node *members, size_t count, uint32_t number) {
  ring_finder *f = to;
  ring_draft d = {.number = number, .members = count};
  d.group.class = f->r->class[members[0]];
  d.group.components = 1;
  d.group.objects = count;
  for (size_t i = 0; i < count; i++) {
    d.group.bytes += graph_size(f->g, members[i]);
    d.group.finalizers += (ring_type(f->g, members[i]).flags & SNAPSHOT_TYPE_FINALIZER) != 0;
  }
  f->walk.number = number;
  bool exact = count <= CYCLES_EXACT && f->looks < MUCH_LOOKS;
  if (exact) exact_cycle(f, members, count, &d);
  else sampled_cycle(f, members, count, &d);
  return !f->walk.failed && add_to_group(f, &d);
}

/* --- The edge to make weak -------------------------------------------------------------------- */

static bool can_be_weak_target(snapshot_type_kind kind) {
  switch (kind) {
  case SNAPSHOT_DICT:
  case SNAPSHOT_LIST:
  case SNAPSHOT_TUPLE:
  case SNAPSHOT_STR:
  case SNAPSHOT_BYTES:
  case SNAPSHOT_NUMBER:
  case SNAPSHOT_CELL:
  case SNAPSHOT_FRAME:
  case SNAPSHOT_TRACEBACK:
  case SNAPSHOT_EXCEPTION:
  case SNAPSHOT_CAPSULE:
  case SNAPSHOT_CONTEXT: return false;
  default: return true;
  }
}

/* What code calls the reference; empty: nothing. */
static snapshot_text edge_word(const graph *g, const snapshot_edge *edge) {
  snapshot_text text = {NULL, 0};
  snapshot_text_kind kind;
  if (snapshot_label_named(edge->kind)) return snapshot_name(g->from, edge->label);
  if (edge->kind != SNAPSHOT_VALUE || !snapshot_text_of(g->from, edge->label, &kind, &text))
    text.length = 0;
  return text;
}

/* A reference that belongs to the language, like __self__ of a method: programs do not set it. */
static bool is_fixed_edge(const graph *g, const snapshot_edge *edge) {
  if (edge->kind == SNAPSHOT_UNNAMED || edge->kind == SNAPSHOT_INTERNAL) return true;
  snapshot_text word = edge_word(g, edge);
  return word.length > 4 && memcmp(word.text, "__", 2) == 0 &&
         memcmp(word.text + word.length - 2, "__", 2) == 0;
}

static bool is_word(snapshot_text text, const char *word) {
  return text.length == strlen(word) && memcmp(text.text, word, text.length) == 0;
}

/* What holds the step's object in the cycle; NULL: that is not shown. */
static const snapshot_edge *edge_before(const cycle_group *group, size_t step) {
  if (step) return &group->edges[step - 1];
  return group->steps == group->length ? &group->edges[group->steps - 1] : NULL;
}

/* Whether the object is a part of another one whose items programs do not choose: a class's bases
 * and methods, a module's functions. The dictionary of an instance is none. */
static bool is_fixed_part(const graph *g, const cycle_group *group, size_t step) {
  const snapshot_edge *before = edge_before(group, step);
  if (!before || !is_fixed_edge(g, before)) return false;
  snapshot_type_kind owner = ring_type(g, group->nodes[step ? step - 1 : group->steps - 1]).kind;
  bool names = snapshot_label_named(before->kind) && is_word(edge_word(g, before), "__dict__");
  return !names || owner == SNAPSHOT_TYPE || owner == SNAPSHOT_MODULE;
}

static bool can_be_weak(const graph *g, const cycle_group *group, size_t step, graph_node to) {
  if (!can_be_weak_target(ring_type(g, to).kind)) return false;
  switch (ring_type(g, group->nodes[step]).kind) {
  case SNAPSHOT_CELL: return !is_fixed_part(g, group, step);
  case SNAPSHOT_DICT:
  case SNAPSHOT_LIST:
  case SNAPSHOT_TUPLE:
  case SNAPSHOT_SET:
    if (is_fixed_part(g, group, step)) return false;
    return group->edges[step].kind != SNAPSHOT_INTERNAL;
  default: return !is_fixed_edge(g, &group->edges[step]);
  }
}

static bool leads_back(const graph *g, const snapshot_edge *edge) {
  static const char *const words[] = {"parent", "owner",     "self",    "back", "prev", "previous",
                                      "root",   "container", "manager", "up",   "outer"};
  snapshot_text word = edge_word(g, edge);
  while (word.length && *word.text == '_') word.text++, word.length--;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (is_word(word, words[i])) return true;
  return false;
}

/* Whether no cycle goes through either end once the edge is gone; false where that takes too long
 * to find out. */
static bool ends_all(ring_walk *w, graph_node from, graph_node to) {
  w->out_of = from;
  w->into = to;
  bool none = walk_cycle(w, from, 0, WEAK_LOOKS) == SIZE_MAX && w->looks <= w->most_looks;
  none = none && walk_cycle(w, to, 0, WEAK_LOOKS) == SIZE_MAX && w->looks <= w->most_looks;
  w->out_of = w->into = GRAPH_NONE;
  return none && !w->failed;
}

/* How many cycles of this length go through the edge. */
static uint32_t cycles_through(ring_walk *w, graph_node from, graph_node to, size_t length) {
  if (from == to) return 1;
  if (!walk_begin(w, to, WEAK_LOOKS)) return 0;
  for (uint32_t i = 0; i < w->visited && w->queue[i].depth + 1 < length; i++)
    if (!walk_from(w, i) && (w->failed || w->looks > w->most_looks)) return 0;
  uint32_t place = w->place[from];
  return place ? w->queue[place - 1].ways : 0;
}

static uint64_t weak_score(ring_walk *w, const cycle_group *group, size_t step) {
  const graph *g = w->g;
  size_t next = step + 1 < group->length ? step + 1 : 0;
  graph_node from = group->nodes[step], to = group->nodes[next];
  if (!can_be_weak(g, group, step, to)) return 0;
  const snapshot_edge *before = edge_before(group, step);
  bool in_cell = before && ring_type(g, from).kind == SNAPSHOT_CELL;
  uint64_t back = leads_back(g, &group->edges[step]) || (in_cell && leads_back(g, before));
  uint64_t last = ends_all(w, from, to);
  uint64_t through = last ? 0 : cycles_through(w, from, to, group->length);
  return 1 + 2 * (back + 2 * (through + (last << 32)));
}

static void advise(ring_walk *w, ring_draft *d) {
  cycle_group *group = &d->group;
  bool whole = group->steps == group->length;
  size_t known = whole ? group->steps : group->steps - 1; /* steps between nodes that are known */
  for (size_t i = 0; i < known; i++) {
    size_t next = i + 1 < group->length ? i + 1 : 0;
    graph_label(w->g, group->nodes[i], group->nodes[next], &group->edges[i]);
  }
  w->number = d->number;
  uint64_t best = 0;
  for (size_t i = 0; i < known; i++) {
    uint64_t score = weak_score(w, group, i);
    if (score > best) group->weak = i, best = score;
  }
}

/* --- All of it -------------------------------------------------------------------------------- */

/* The nodes of the wanted classes that have references both ways. */
static uint64_t *wanted_nodes(const reach *r, unsigned wanted) {
  const graph *g = r->of;
  uint64_t *bits = calloc((size_t)g->nodes / 64 + 1, sizeof *bits);
  for (graph_node n = 0; bits && n < g->nodes; n++) {
    bool may = wanted >> r->class[n] & 1 && graph_out_degree(g, n) && graph_in_degree(g, n);
    bits[n / 64] |= (uint64_t)may << n % 64;
  }
  return bits;
}

static int compare_groups(const void *a, const void *b) {
  const ring_draft *x = a, *y = b;
  if (x->group.bytes != y->group.bytes) return x->group.bytes > y->group.bytes ? -1 : 1;
  return x->group.nodes[0] < y->group.nodes[0] ? -1 : x->group.nodes[0] > y->group.nodes[0];
}

static bool finish_groups(ring_finder *f, cycle_group **groups) {
  if (f->count) qsort(f->drafts, f->count, sizeof *f->drafts, compare_groups);
  *groups = malloc((f->count + 1) * sizeof **groups);
  for (size_t i = 0; *groups && i < f->count; i++) {
    ring_draft *d = &f->drafts[i];
    d->group.weak = SIZE_MAX;
    if (i < CYCLES_LABELLED) advise(&f->walk, d);
    (*groups)[i] = d->group;
  }
  return *groups && !f->walk.failed;
}

static bool find_groups(ring_finder *f, unsigned wanted, cycle_group **groups) {
  const graph *g = f->g;
  uint64_t *bits = wanted_nodes(f->r, wanted);
  uint32_t *numbers = array_make(g->nodes, sizeof *numbers);
  f->walk = (ring_walk){.g = g, .numbers = numbers, .out_of = GRAPH_NONE, .into = GRAPH_NONE};
  f->walk.place = array_make(g->nodes, sizeof *f->walk.place);
  bool good = bits && numbers && f->walk.place;
  good = good && scc_find(g, bits, numbers, add_component, f);
  free(bits);
  good = good && finish_groups(f, groups);
  array_free(numbers, g->nodes, sizeof *numbers);
  return good;
}

bool cycles_find(const reach *r, unsigned wanted, cycle_group **groups, size_t *count) {
  ring_finder f = {.r = r, .g = r->of};
  *groups = NULL;
  bool good = find_groups(&f, wanted, groups);
  *count = good ? f.count : 0;
  if (!good) free(*groups), *groups = NULL;
  array_free(f.walk.place, r->of->nodes, sizeof *f.walk.place);
  free(f.walk.queue);
  free(f.drafts);
  free(f.table);
  return good;
}
