/* SPDX-License-Identifier: MIT */
#include "diff_view.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"

#define DIFF_VIEWS 8
#define DIFF_FAR 4096      /* steps to the root of all; objects further down stay where they are */
#define DIFF_REFERRERS 256 /* an object with more is left where it is */

uint64_t diff_mix(uint64_t a, uint64_t b) {
  uint64_t z = a * 0x9E3779B97F4A7C15u + b + 0x632BE59BD9B4E019u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

uint64_t diff_hash(const char *text, size_t length) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001B3u;
  return diff_mix(hash, length);
}

static uint64_t diff_hash_text(snapshot_text text) { return diff_hash(text.text, text.length); }

/* --- Names ----------------------------------------------------------------------------------- */

static bool diff_names_add(diff_names *names, diff_name name) {
  if (names->count == names->room) {
    size_t room = names->room ? names->room * 2 : 64;
    diff_name *at = names->at ? array_resize(names->at, names->room, room, sizeof(diff_name))
                              : array_make(room, sizeof(diff_name));
    if (!at) return false;
    names->at = at;
    names->room = room;
  }
  names->at[names->count++] = name;
  return true;
}

/* By node; of several names of one node the smallest hash, so that their order means nothing. */
static int diff_name_order(const void *a, const void *b) {
  const diff_name *x = a, *y = b;
  if (x->node != y->node) return x->node < y->node ? -1 : 1;
  return (x->hash > y->hash) - (x->hash < y->hash);
}

void diff_names_sort(diff_names *names) {
  if (names->count) qsort(names->at, names->count, sizeof(diff_name), diff_name_order);
}

const diff_name *diff_names_find(const diff_names *names, graph_node node) {
  size_t low = 0, high = names->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (names->at[middle].node < node) low = middle + 1;
    else high = middle;
  }
  return low < names->count && names->at[low].node == node ? &names->at[low] : NULL;
}

void diff_names_finish(diff_names *names) {
  array_free(names->at, names->room, sizeof(diff_name));
  *names = (diff_names){0};
}

bool diff_is_space_name(snapshot_text name) {
  static const char *const words[] = {"__dict__", "md_dict", "tp_dict"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (name.length == strlen(words[i]) && memcmp(name.text, words[i], name.length) == 0)
      return true;
  return false;
}

/* --- The view -------------------------------------------------------------------------------- */

static bool diff_view_types(diff_view *v) {
  const snapshot *s = v->g->from;
  v->types = (size_t)snapshot_count(s).types;
  v->type_hash = array_make(v->types + 1, sizeof *v->type_hash);
  v->type_kind = array_make(v->types + 1, sizeof *v->type_kind);
  if (!v->type_hash || !v->type_kind) return false;
  for (size_t i = 0; i < v->types; i++) {
    snapshot_type type = snapshot_type_of(s, (uint32_t)i);
    v->type_hash[i] = diff_hash_text(type.name);
    v->type_kind[i] = (uint8_t)type.kind;
  }
  return true;
}

/* Nodes by dominator: counted, then put where their dominator's begin. */
static bool diff_view_children(diff_view *v) {
  const reach *r = v->r;
  const graph_node *parent = v->parent;
  graph_node nodes = v->g->nodes;
  v->first_child = array_make((size_t)nodes + 2, sizeof *v->first_child);
  v->child = array_make(nodes, sizeof *v->child);
  if (!v->first_child || !v->child) return false;
  uint32_t *end = v->first_child + 1; /* of i: where the next child of i goes, in the end i + 1's */
  for (graph_node n = 0; n < nodes; n++)
    if (r->class[n] != REACH_GARBAGE) end[parent[n] == GRAPH_NONE ? nodes : parent[n]]++;
  uint32_t sum = 0;
  for (size_t i = 0; i <= nodes; i++) {
    uint32_t count = end[i];
    end[i] = sum;
    sum += count;
  }
  for (graph_node n = 0; n < nodes; n++)
    if (r->class[n] != REACH_GARBAGE)
      v->child[end[parent[n] == GRAPH_NONE ? nodes : parent[n]]++] = n;
  return true;
}

static snapshot_text diff_title(const graph *g, graph_node node) {
  snapshot_text_kind kind;
  snapshot_text text;
  bool found = snapshot_text_of(g->from, graph_address(g, node), &kind, &text);
  return found && kind == SNAPSHOT_TITLE ? text : (snapshot_text){NULL, 0};
}

static snapshot_type_kind diff_kind(const diff_view *v, graph_node node) {
  return (snapshot_type_kind)v->type_kind[v->g->type[node]];
}

/* A module's dictionary is below the root of all as soon as somebody imports a function of it. */
static bool diff_view_spaces(diff_view *v) {
  const graph *g = v->g;
  for (graph_node n = 0; n < g->nodes; n++) {
    snapshot_type_kind kind = diff_kind(v, n);
    if (kind != SNAPSHOT_MODULE && kind != SNAPSHOT_TYPE) continue;
    uint64_t hash = diff_mix(diff_hash_text(diff_title(g, n)), (uint64_t)kind);
    for (uint32_t e = g->first_out[n]; e < g->first_out[n + 1]; e++)
      if (diff_kind(v, g->out[e]) == SNAPSHOT_DICT)
        if (!diff_names_add(&v->spaces, (diff_name){g->out[e], true, hash})) return false;
  }
  diff_names_sort(&v->spaces);
  return true;
}

/* Garbage has no dominator and no place. */
static bool diff_view_tree(diff_view *v) {
  graph_node nodes = v->g->nodes;
  v->parent = array_make(nodes, sizeof *v->parent);
  v->weight = array_make(nodes, sizeof *v->weight);
  if (!v->parent || !v->weight) return false;
  if (nodes) memcpy(v->parent, v->r->idom, nodes * sizeof *v->parent);
  if (nodes) memcpy(v->weight, v->r->retained, nodes * sizeof *v->weight);
  return true;
}

bool diff_view_make(diff_view *v, const reach *r) {
  *v = (diff_view){.r = r, .g = r->of};
  return diff_view_types(v) && diff_view_tree(v) && diff_view_spaces(v);
}

void diff_view_finish(diff_view *v) {
  array_free(v->type_hash, v->types + 1, sizeof *v->type_hash);
  array_free(v->type_kind, v->types + 1, sizeof *v->type_kind);
  if (v->g) {
    array_free(v->parent, v->g->nodes, sizeof *v->parent);
    array_free(v->weight, v->g->nodes, sizeof *v->weight);
    array_free(v->first_child, (size_t)v->g->nodes + 2, sizeof *v->first_child);
    array_free(v->child, v->g->nodes, sizeof *v->child);
  }
  diff_names_finish(&v->spaces);
  *v = (diff_view){0};
}

/* --- What comes and goes --------------------------------------------------------------------- */

/* Steps up to the root of all; DIFF_FAR or more are too many to go again and again. */
static size_t diff_height(const diff_view *v, graph_node node) {
  size_t height = 0;
  for (; node != GRAPH_NONE && height < DIFF_FAR; node = v->parent[node]) height++;
  return height;
}

static void diff_move(diff_view *v, graph_node node, graph_node to) {
  for (graph_node up = v->parent[node]; up != GRAPH_NONE; up = v->parent[up])
    v->weight[up] -= v->weight[node];
  v->parent[node] = to;
  for (graph_node up = to; up != GRAPH_NONE; up = v->parent[up]) v->weight[up] += v->weight[node];
}

static void diff_settle_spaces(diff_view *v) {
  for (size_t i = 0; i < v->spaces.count; i++) {
    graph_node node = v->spaces.at[i].node;
    graph_node up = v->r->class[node] == REACH_ROOT ? v->parent[node] : GRAPH_NONE;
    if (up == GRAPH_NONE || diff_kind(v, up) != SNAPSHOT_MODULE) continue;
    if (diff_height(v, up) < DIFF_FAR) diff_move(v, node, GRAPH_NONE);
  }
}

static bool diff_is_root(const graph *g, graph_node node) {
  size_t first = graph_first_root(g, node);
  return first < g->root_count && g->roots[first].node == node;
}

/* Whether `node` is below `above`; `*top`: the highest object above it. */
static bool diff_is_below(const diff_view *v, graph_node node, graph_node above, graph_node *top) {
  for (size_t steps = 0; node != GRAPH_NONE && steps < DIFF_FAR; steps++) {
    if (node == above) return true;
    *top = node;
    node = v->parent[node];
  }
  return node != GRAPH_NONE; /* too far to know */
}

static graph_node diff_meet(const diff_view *v, graph_node a, graph_node b) {
  size_t high = diff_height(v, a), low = diff_height(v, b);
  for (; high > low; high--) a = v->parent[a];
  for (; low > high; low--) b = v->parent[b];
  while (a != b) a = v->parent[a], b = v->parent[b];
  return a;
}

static bool diff_is_passing(const diff_names *passing, graph_node node) {
  return diff_names_find(passing, node) != NULL;
}

/* Where an object would be without the calls that pass: below what all others that refer to it have
 * in common. */
static void diff_settle_object(diff_view *v, const diff_names *passing, graph_node node) {
  const graph *g = v->g;
  graph_node place = GRAPH_NONE, top = GRAPH_NONE;
  bool first = true;
  if (v->parent[node] != GRAPH_NONE || v->r->class[node] != REACH_ROOT) return;
  if (graph_in_degree(g, node) > DIFF_REFERRERS || diff_is_root(g, node)) return;
  if (!graph_counted(g, node) || g->flags[node] & SNAPSHOT_STATIC) return;
  for (uint32_t e = g->first_in[node]; e < g->first_in[node + 1]; e++) {
    graph_node from = g->in[e];
    if (v->r->class[from] != REACH_ROOT || diff_is_passing(passing, from)) continue;
    if (diff_height(v, from) >= DIFF_FAR) return;
    if (diff_is_below(v, from, node, &top) || diff_is_passing(passing, top)) continue;
    place = first ? from : place == GRAPH_NONE ? GRAPH_NONE : diff_meet(v, place, from);
    first = false;
  }
  if (place != GRAPH_NONE) diff_move(v, node, place);
}

static void diff_settle_calls(diff_view *v, const diff_names *passing) {
  const graph *g = v->g;
  for (size_t i = 0; i < passing->count; i++) {
    graph_node frame = passing->at[i].node;
    for (uint32_t e = g->first_out[frame]; e < g->first_out[frame + 1]; e++)
      if (!diff_names_find(&v->spaces, g->out[e])) diff_settle_object(v, passing, g->out[e]);
  }
}

static snapshot_text diff_without_line(snapshot_text text);

static bool diff_calls(const diff_view *v, diff_names *calls) {
  const graph *g = v->g;
  for (size_t i = 0; i < g->root_count; i++) {
    graph_node node = g->roots[i].node;
    if (diff_kind(v, node) != SNAPSHOT_FRAME) continue;
    uint64_t hash = diff_hash_text(diff_without_line(diff_title(g, node)));
    if (!diff_names_add(calls, (diff_name){node, false, hash})) return false;
  }
  return true;
}

static bool diff_has_call(const diff_names *calls, uint64_t hash) {
  for (size_t i = 0; i < calls->count; i++)
    if (calls->at[i].hash == hash) return true;
  return false;
}

/* Leaves those of `calls[at]` that another heap has not. */
static bool diff_passing(const diff_names *calls, size_t count, size_t at, diff_names *passing) {
  for (size_t i = 0; i < calls[at].count; i++) {
    bool lasts = true;
    for (size_t h = 0; h < count && lasts; h++)
      lasts = diff_has_call(&calls[h], calls[at].at[i].hash);
    if (!lasts && !diff_names_add(passing, calls[at].at[i])) return false;
  }
  diff_names_sort(passing);
  return true;
}

static bool diff_settle_one(diff_view *v, const diff_names *calls, size_t count, size_t at) {
  diff_names passing = {0};
  bool good = diff_passing(calls, count, at, &passing);
  diff_settle_spaces(v);
  if (good) diff_settle_calls(v, &passing);
  diff_names_finish(&passing);
  return good && diff_view_children(v);
}

bool diff_view_settle(diff_view *views, size_t count) {
  diff_names calls[DIFF_VIEWS] = {{0}};
  bool good = true;
  for (size_t h = 0; h < count && good; h++) good = diff_calls(&views[h], &calls[h]);
  for (size_t h = 0; h < count && good; h++) good = diff_settle_one(&views[h], calls, count, h);
  for (size_t h = 0; h < count; h++) diff_names_finish(&calls[h]);
  return good;
}

/* --- Keys ------------------------------------------------------------------------------------ */

/* Where a frame is without the line, which moves on. */
static snapshot_text diff_without_line(snapshot_text text) {
  uint32_t length = text.length;
  while (length > 0 && text.text[length - 1] >= '0' && text.text[length - 1] <= '9') length--;
  if (length > 0 && text.text[length - 1] == ':') text.length = length - 1;
  return text;
}

static bool diff_is_titled(snapshot_type_kind kind) {
  return kind == SNAPSHOT_MODULE || kind == SNAPSHOT_TYPE || kind == SNAPSHOT_FUNCTION ||
         kind == SNAPSHOT_FRAME;
}

uint64_t diff_view_top_key(const diff_view *v, graph_node node, bool *space) {
  snapshot_type_kind kind = diff_kind(v, node);
  uint64_t key = v->type_hash[v->g->type[node]];
  key = diff_mix(key, v->r->class[node]);
  const diff_name *owner = kind == SNAPSHOT_DICT ? diff_names_find(&v->spaces, node) : NULL;
  *space = owner != NULL;
  if (owner) return diff_mix(key, owner->hash);
  if (!diff_is_titled(kind)) return key;
  return diff_mix(key, diff_hash_text(diff_without_line(diff_title(v->g, node))));
}

typedef struct diff_naming {
  const diff_view *v;
  snapshot_type_kind owner;
  bool space, failed;
  diff_names *names;
} diff_naming;

static snapshot_text diff_label_text(const diff_naming *naming, const snapshot_edge *edge) {
  const snapshot *s = naming->v->g->from;
  snapshot_text text = {NULL, 0};
  snapshot_text_kind kind;
  if (snapshot_label_named(edge->kind)) return snapshot_name(s, edge->label);
  if (edge->kind == SNAPSHOT_VALUE && naming->space)
    if (!snapshot_text_of(s, edge->label, &kind, &text)) text.length = 0;
  return text;
}

static bool diff_name_edge(void *to, const snapshot_edge *edge) {
  diff_naming *naming = to;
  snapshot_text text = diff_label_text(naming, edge);
  graph_node target = graph_find(naming->v->g, edge->target);
  if (text.length == 0 || target == GRAPH_NONE) return true;
  bool owns = naming->owner == SNAPSHOT_MODULE || naming->owner == SNAPSHOT_TYPE ||
              naming->owner == SNAPSHOT_INSTANCE;
  bool space = owns && diff_kind(naming->v, target) == SNAPSHOT_DICT &&
               (snapshot_label_named(edge->kind) && diff_is_space_name(text));
  naming->failed = !diff_names_add(naming->names, (diff_name){target, space, diff_hash_text(text)});
  return !naming->failed;
}

bool diff_view_name(const diff_view *v, graph_node node, bool space, diff_names *names) {
  diff_naming naming = {v, diff_kind(v, node), space, false, names};
  graph_edges(v->g, node, diff_name_edge, &naming);
  return !naming.failed;
}
