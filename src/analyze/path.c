/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "path.h"
#include "reach.h"

#define LOOK_FURTHER (1u << 16) /* edges followed for a better root of the same distance */
#define CHOOSE_LENGTH 64        /* longer paths are taken as they were found */
#define CHOOSE_DEGREE 1024      /* so are steps from objects with more references */
#define CHOOSE_LOOKS 8          /* steps of a path whose labels are read to choose */
#define SIGNED_STEPS 16         /* at each end of a path, whose labels are in its signature */

typedef struct path_visit {
  graph_node node;
  uint32_t from; /* the visit that found it, one step nearer to the target */
} path_visit;

typedef struct path_top {
  graph_node node;
  uint32_t root;
  int rank;       /* the less, the more it says */
  uint32_t calls; /* of a frame: calls of its thread that began before it */
} path_top;

struct path_finder {
  const graph *g;
  uint32_t *place;   /* of a node in the queue, from 1; 0: not visited */
  uint64_t *is_root; /* bits */
  path_top *tops;    /* one per root node, ascending; of several the one that says most */
  size_t top_count;
  path_visit *queue; /* of the current search */
  size_t visited, queue_room;
  uint32_t *levels; /* where in the queue each distance from the target begins */
  size_t level_count, level_room;
  bool failed; /* out of memory */
};

/* One search: what may not be taken again, and where it ends. */
typedef struct path_search {
  graph_node target;
  const graph_node *ends;  /* of paths found so far */
  const graph_node *steps; /* their first steps from the target */
  size_t count;
  bool other_ends, other_steps; /* which of them are barred */
  bool unseen;                  /* ends are objects with unexplained references, not roots */
  size_t most;                  /* visits; 0: all */
  size_t best;                  /* visit of the end, SIZE_MAX: none so far */
  const path_top *top;          /* its root, unless it is unseen */
  bool done;                    /* there is no better one */
  size_t further;               /* edges that may still be looked at for a better one */
} path_search;

/* --- Roots ------------------------------------------------------------------------------------ */

static int root_rank(snapshot_root_kind kind) {
  switch (kind) {
  case SNAPSHOT_ROOT_MODULE: return 0;
  case SNAPSHOT_ROOT_FRAME: return 1;
  case SNAPSHOT_ROOT_UNCOLLECTABLE: return 2;
  case SNAPSHOT_ROOT_THREAD: return 3;
  case SNAPSHOT_ROOT_NATIVE: return 4;
  case SNAPSHOT_ROOT_INTERPRETER: return 5;
  default: return 6;
  }
}

static bool is_call(const path_top *top) { return top->rank == root_rank(SNAPSHOT_ROOT_FRAME); }

static int compare_tops(const void *a, const void *b) {
  const path_top *x = a, *y = b;
  if (x->node != y->node) return x->node < y->node ? -1 : 1;
  if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
  return x->root < y->root ? -1 : x->root > y->root;
}

/* The calls of a thread are written one after another, the newest first. */
static bool same_thread(snapshot_root a, snapshot_root b) {
  return a.kind == SNAPSHOT_ROOT_FRAME && b.kind == SNAPSHOT_ROOT_FRAME &&
         a.text.length == b.text.length && memcmp(a.text.text, b.text.text, a.text.length) == 0;
}

/* `calls` of each root, by its number; NULL: out of memory. */
static uint32_t *count_calls(const snapshot *s) {
  size_t count = (size_t)snapshot_count(s).roots;
  uint32_t *calls = calloc(count + 1, sizeof *calls), before = 0;
  snapshot_root last = {.kind = SNAPSHOT_ROOT_KINDS};
  for (size_t i = count; calls && i-- > 0;) {
    snapshot_root root = snapshot_nth_root(s, i);
    if (root.kind != SNAPSHOT_ROOT_FRAME) continue;
    before = same_thread(root, last) ? before + 1 : 0;
    calls[i] = before;
    last = root;
  }
  return calls;
}

static bool collect_tops(path_finder *f) {
  const graph *g = f->g;
  uint32_t *calls = count_calls(g->from);
  f->tops = malloc((g->root_count + 1) * sizeof *f->tops);
  for (size_t i = 0; f->tops && calls && i < g->root_count; i++) {
    graph_root r = g->roots[i];
    int rank = root_rank(snapshot_nth_root(g->from, r.root).kind);
    f->tops[i] = (path_top){r.node, r.root, rank, calls[r.root]};
    f->is_root[r.node / 64] |= (uint64_t)1 << r.node % 64;
  }
  bool good = f->tops && calls;
  free(calls);
  if (!good) return false;
  qsort(f->tops, g->root_count, sizeof *f->tops, compare_tops);
  for (size_t i = 0; i < g->root_count; i++)
    if (!i || f->tops[i].node != f->tops[f->top_count - 1].node)
      f->tops[f->top_count++] = f->tops[i];
  return true;
}

static bool is_root(const path_finder *f, graph_node node) {
  return f->is_root[node / 64] >> node % 64 & 1;
}

static const path_top *top_of(const path_finder *f, graph_node node) {
  size_t low = 0, high = f->top_count;
  while (low + 1 < high) {
    size_t middle = low + (high - low) / 2;
    if (f->tops[middle].node <= node) low = middle;
    else high = middle;
  }
  return &f->tops[low];
}

path_finder *path_finder_make(const graph *g) {
  path_finder *f = calloc(1, sizeof *f);
  if (!f) return NULL;
  f->g = g;
  f->place = array_make(g->nodes, sizeof *f->place);
  f->is_root = calloc((size_t)g->nodes / 64 + 1, sizeof *f->is_root);
  if (f->place && f->is_root && collect_tops(f)) return f;
  path_finder_free(f);
  return NULL;
}

void path_finder_free(path_finder *f) {
  if (!f) return;
  array_free(f->place, f->g->nodes, sizeof *f->place);
  free(f->is_root);
  free(f->tops);
  free(f->queue);
  free(f->levels);
  free(f);
}

/* --- One search ------------------------------------------------------------------------------- */

static bool visit_node(path_finder *f, graph_node node, size_t from) {
  path_visit *queue = array_widen(f->queue, &f->queue_room, f->visited, sizeof *queue);
  if (!queue) return !(f->failed = true);
  f->queue = queue;
  f->queue[f->visited++] = (path_visit){node, (uint32_t)from};
  f->place[node] = (uint32_t)f->visited;
  return true;
}

static bool begin_level(path_finder *f) {
  uint32_t *levels = array_widen(f->levels, &f->level_room, f->level_count, sizeof *levels);
  if (!levels) return !(f->failed = true);
  f->levels = levels;
  f->levels[f->level_count++] = (uint32_t)f->visited;
  return true;
}

static void forget_search(path_finder *f) {
  for (size_t i = 0; i < f->visited; i++) f->place[f->queue[i].node] = 0;
  f->visited = f->level_count = 0;
}

static bool is_among(graph_node node, const graph_node *nodes, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (nodes[i] == node) return true;
  return false;
}

/* Something that no object of the snapshot is keeps the node. */
static bool is_kept_unseen(const graph *g, graph_node node) {
  return g->flags[node] & (SNAPSHOT_IMMORTAL | SNAPSHOT_STATIC) || reach_unexplained(g, node) > 0;
}

/* Whether paths of this search end at the node, wanted there or not. */
static bool is_end(const path_finder *f, const path_search *s, graph_node node) {
  return is_root(f, node) || (s->unseen && is_kept_unseen(f->g, node));
}

/* A call ends soon: what else holds the object is its holder, or else the oldest call. */
static bool is_better_top(const path_top *top, const path_top *than) {
  if (is_call(top) && is_call(than)) return top->calls < than->calls;
  if (is_call(top) || is_call(than)) return is_call(than);
  return top->rank < than->rank;
}

static void consider_end(path_finder *f, path_search *s, size_t visit) {
  graph_node node = f->queue[visit].node;
  bool barred = s->other_ends || node == s->target;
  if (barred && is_among(node, s->ends, s->count)) return;
  if (s->unseen && !is_kept_unseen(f->g, node)) return;
  const path_top *top = s->unseen ? NULL : top_of(f, node);
  if (s->best != SIZE_MAX && !is_better_top(top, s->top)) return;
  s->best = visit;
  s->top = top;
  s->done = !top || top->rank == 0 || visit == 0;
}

/* False: no need to look any further. */
static bool visit_holder(path_finder *f, path_search *s, graph_node holder, size_t from) {
  if (s->best != SIZE_MAX && !s->further--) return false;
  if (f->place[holder]) return true;
  if (from == 0 && s->other_steps && is_among(holder, s->steps, s->count)) return true;
  if (s->most && f->visited >= s->most) return false;
  if (!visit_node(f, holder, from)) return false;
  if (is_end(f, s, holder)) consider_end(f, s, f->visited - 1);
  return !s->done;
}

static bool visit_holders(path_finder *f, path_search *s, size_t from) {
  const graph *g = f->g;
  graph_node node = f->queue[from].node;
  if (from != 0 && is_end(f, s, node)) return true;
  for (uint32_t e = g->first_in[node]; e < g->first_in[node + 1]; e++)
    if (!visit_holder(f, s, g->in[e], from)) return false;
  return true;
}

/* Whether to look at one more distance, `levels` after the first end was found. */
static bool goes_on(const path_search *s, size_t levels) {
  if (s->best == SIZE_MAX) return true;
  return !s->done && is_call(s->top) && levels < PATH_DETOUR;
}

/* Leaves the visits in the queue. True: s->best is the end that was looked for. */
static bool search_up(path_finder *f, path_search *s) {
  forget_search(f);
  s->best = SIZE_MAX;
  s->done = false;
  s->further = LOOK_FURTHER;
  if (!begin_level(f) || !visit_node(f, s->target, 0)) return false;
  if (is_end(f, s, s->target)) consider_end(f, s, 0);
  size_t done = 0, since = 0;
  bool on = !s->done;
  while (on && done < f->visited && goes_on(s, since)) {
    size_t end = f->visited;
    if (s->best != SIZE_MAX) since++;
    if (!begin_level(f)) return false;
    while (on && done < end) on = visit_holders(f, s, done++);
  }
  return s->best != SIZE_MAX && !f->failed;
}

/* --- The path back down ----------------------------------------------------------------------- */

static snapshot_type_kind kind_of_node(const graph *g, graph_node node) {
  return snapshot_type_of(g->from, g->type[node]).kind;
}

static bool is_named_space(snapshot_type_kind kind) {
  return kind == SNAPSHOT_MODULE || kind == SNAPSHOT_TYPE;
}

static int label_score(snapshot_label_kind kind) {
  switch (kind) {
  case SNAPSHOT_ATTRIBUTE:
  case SNAPSHOT_LOCAL:
  case SNAPSHOT_CELLVAR: return 5;
  case SNAPSHOT_VALUE: return 4;
  case SNAPSHOT_INDEX: return 3;
  case SNAPSHOT_KEY: return 2;
  case SNAPSHOT_INTERNAL: return 1;
  default: return 0;
  }
}

typedef struct path_choice {
  const path_finder *f;
  const path_search *s;
  graph_node from;
  uint32_t low, high; /* visits one step nearer to the target */
  size_t best;
  int score;
} path_choice;

/* The visit of a node that the path can go on to, or SIZE_MAX. */
static size_t next_visit(const path_choice *c, graph_node to) {
  size_t visit = (size_t)c->f->place[to] - 1;
  if (!c->f->place[to] || visit < c->low || visit >= c->high) return SIZE_MAX;
  return visit && is_end(c->f, c->s, to) ? SIZE_MAX : visit;
}

static bool judge_step(void *to, const snapshot_edge *edge) {
  path_choice *c = to;
  const graph *g = c->f->g;
  graph_node node = graph_find(g, edge->target);
  size_t visit = node == GRAPH_NONE ? SIZE_MAX : next_visit(c, node);
  if (visit == SIZE_MAX) return true;
  int score = label_score(edge->kind);
  snapshot_type_kind kind = kind_of_node(g, node);
  if (is_named_space(kind)) score = 7;
  if (kind == SNAPSHOT_DICT && is_named_space(kind_of_node(g, c->from))) score = 8;
  if (score > c->score) c->best = visit, c->score = score;
  return true;
}

static bool has_choice(const path_choice *c) {
  const graph *g = c->f->g;
  size_t first = SIZE_MAX;
  for (uint32_t e = g->first_out[c->from]; e < g->first_out[c->from + 1]; e++) {
    size_t visit = next_visit(c, g->out[e]);
    if (visit == SIZE_MAX) continue;
    if (first != SIZE_MAX && visit != first) return true;
    first = visit;
  }
  return false;
}

/* The step down from a visit at distance `level`; `*looks` are left at labels. */
static size_t step_down(const path_finder *f, const path_search *s, size_t visit, size_t level,
                        int *looks) {
  graph_node node = f->queue[visit].node;
  path_choice c = {f, s, node, f->levels[level - 1], f->levels[level], f->queue[visit].from, -1};
  bool may_choose = *looks > 0 && graph_out_degree(f->g, node) <= CHOOSE_DEGREE;
  if (!may_choose || !has_choice(&c)) return c.best;
  --*looks;
  graph_edges(f->g, node, judge_step, &c);
  return c.best;
}

/* Writes the path that begins at the search's end. */
static bool write_nodes(path_finder *f, const path_search *s, path *p) {
  size_t whole = 1, visit = s->best;
  for (size_t i = visit; i; i = f->queue[i].from) whole++;
  p->length = whole < PATH_LENGTH_MAX ? whole : PATH_LENGTH_MAX;
  p->left_out = whole - p->length;
  p->nodes = malloc(p->length * sizeof *p->nodes);
  if (!p->nodes) return !(f->failed = true);
  int looks = whole <= CHOOSE_LENGTH ? CHOOSE_LOOKS : 0;
  size_t half = p->length / 2;
  for (size_t i = 0; i < whole; i++) {
    bool kept = !p->left_out || i < half || i >= half + p->left_out;
    if (kept) p->nodes[i < half ? i : i - p->left_out] = f->queue[visit].node;
    if (i + 1 < whole) visit = step_down(f, s, visit, whole - 1 - i, &looks);
  }
  return true;
}

static bool write_found(path_finder *f, const path_search *s, path *p) {
  p->end = s->unseen ? PATH_UNSEEN : PATH_ROOT;
  p->root = s->unseen ? 0 : s->top->root;
  return write_nodes(f, s, p);
}

/* --- Several paths ---------------------------------------------------------------------------- */

typedef struct path_list {
  path *paths;
  size_t count, room;
  graph_node *ends, *steps; /* of each path; a path of one node has no step: GRAPH_NONE */
} path_list;

/* Adds paths as long as `s` finds more. */
static void add_paths(path_finder *f, path_search *s, path_list *l) {
  while (l->count < l->room && !f->failed) {
    s->count = l->count;
    if (!search_up(f, s) || !write_found(f, s, &l->paths[l->count])) return;
    const path *p = &l->paths[l->count];
    l->ends[l->count] = p->nodes[0];
    l->steps[l->count++] = p->length > 1 ? p->nodes[p->length - 2] : GRAPH_NONE;
    s->most = PATH_NEAR;
  }
}

static void find_all(path_finder *f, graph_node target, path_list *l) {
  path_search s = {.target = target, .ends = l->ends, .steps = l->steps, .other_steps = true};
  add_paths(f, &s, l);
  bool held = l->count > 0;
  s.most = PATH_NEAR;
  s.other_steps = false;
  s.other_ends = true;
  if (held) add_paths(f, &s, l);
  s.unseen = true;
  s.other_steps = true;
  s.other_ends = false;
  s.most = held ? PATH_NEAR : 0;
  add_paths(f, &s, l);
  s.other_steps = false;
  s.other_ends = true;
  if (!held && l->count) add_paths(f, &s, l);
}

static bool add_nothing(path_finder *f, graph_node target, path_list *l) {
  path *p = &l->paths[0];
  *p = (path){.end = PATH_NONE, .length = 1, .nodes = malloc(sizeof *p->nodes)};
  if (!p->nodes) return !(f->failed = true);
  p->nodes[0] = target;
  l->count = 1;
  return true;
}

/* By insertion: those of one kind are nearly in order. */
static void sort_paths(path *paths, size_t count) {
  for (size_t i = 1; i < count; i++) {
    path p = paths[i];
    size_t at = i;
    for (; at > 0; at--) {
      const path *before = &paths[at - 1];
      size_t length = before->length + before->left_out;
      if (before->end < p.end || (before->end == p.end && length <= p.length + p.left_out)) break;
      paths[at] = *before;
    }
    paths[at] = p;
  }
}

size_t path_find(path_finder *f, graph_node target, path *paths, size_t room) {
  path_list l = {.paths = paths, .room = room};
  l.ends = malloc(room * sizeof *l.ends);
  l.steps = malloc(room * sizeof *l.steps);
  f->failed = !l.ends || !l.steps;
  if (!f->failed) find_all(f, target, &l);
  if (!f->failed && !l.count) add_nothing(f, target, &l);
  forget_search(f);
  free(l.ends);
  free(l.steps);
  while (f->failed && l.count) path_free(&paths[--l.count]);
  if (l.count) sort_paths(paths + 1, l.count - 1);
  return l.count;
}

void path_free(path *p) {
  free(p->nodes);
  p->nodes = NULL;
}

/* --- Signatures ------------------------------------------------------------------------------- */

static uint64_t sign_bytes(uint64_t h, const void *bytes, size_t length) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < length; i++) h = (h ^ at[i]) * 0x100000001B3u; /* FNV-1a */
  return (h ^ length) * 0x100000001B3u;
}

static uint64_t sign_text(uint64_t h, snapshot_text text) {
  return sign_bytes(h, text.text, text.length);
}

static uint64_t sign_number(uint64_t h, unsigned number) {
  return sign_bytes(h, &number, sizeof number);
}

static bool text_is(snapshot_text text, const char *word) {
  return text.length == strlen(word) && memcmp(text.text, word, text.length) == 0;
}

/* Whether a reference of this name leads to a dictionary whose keys are names. */
static bool leads_to_names(const graph *g, const snapshot_edge *edge) {
  static const char *const words[] = {"__dict__", "tp_dict",   "md_dict",
                                      "f_locals", "f_globals", "__globals__"};
  if (!snapshot_label_named(edge->kind)) return false;
  snapshot_text name = snapshot_name(g->from, edge->label);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (text_is(name, words[i])) return true;
  return false;
}

static uint64_t sign_edge(uint64_t h, const graph *g, const snapshot_edge *edge, bool names) {
  h = sign_number(h, edge->kind);
  snapshot_text_kind kind;
  snapshot_text text;
  if (snapshot_label_named(edge->kind)) return sign_text(h, snapshot_name(g->from, edge->label));
  bool named = names && edge->kind == SNAPSHOT_VALUE;
  if (named && snapshot_text_of(g->from, edge->label, &kind, &text)) return sign_text(h, text);
  return h;
}

static uint64_t sign_end(uint64_t h, const graph *g, const path *p) {
  h = sign_number(h, p->end);
  if (p->end != PATH_ROOT) return h;
  snapshot_root root = snapshot_nth_root(g->from, p->root);
  h = sign_number(h, root.kind);
  return root.kind == SNAPSHOT_ROOT_MODULE ? sign_text(h, root.text) : h;
}

uint64_t path_signature(const graph *g, const path *p) {
  uint64_t h = sign_end(0xCBF29CE484222325u, g, p);
  bool names = false; /* the node is a dictionary whose keys are names */
  for (size_t i = 0; i < p->length; i++) {
    h = sign_text(h, snapshot_type_of(g->from, g->type[p->nodes[i]]).name);
    bool near = i < SIGNED_STEPS || i + 1 + SIGNED_STEPS >= p->length;
    snapshot_edge edge;
    if (i + 1 == p->length || !near) continue;
    if (!graph_label(g, p->nodes[i], p->nodes[i + 1], &edge)) continue;
    h = sign_edge(h, g, &edge, names);
    names = leads_to_names(g, &edge);
  }
  return h;
}
