/* SPDX-License-Identifier: MIT */
/*
 * A world of objects that are numbers: what the collector is tested on. Counted references, weak
 * references with callbacks, finalizers, references from outside, and an oracle that knows what can
 * be reached.
 *
 *     count of a live node = external + its occurrences in edges of nodes that hold references
 */
#ifndef OURO_TESTS_CYCLE_GRAPH_H
#define OURO_TESTS_CYCLE_GRAPH_H

#include "test.h"

#define NOBODY UINT32_MAX

typedef enum node_state { FREE, LIVE, DYING, CONDEMNED } node_state;

typedef struct node {
  uint32_t count, external;
  uint32_t *edges, length, room;
  uint32_t weak_first;          /* weak references to this node: nodes themselves */
  uint32_t referent, weak_next; /* of a weak reference: to whom, and the next one to it */
  uint32_t called;              /* how often its callback was */
  uint32_t serial;              /* another number for each node that has this index */
  node_state state;
  uint8_t finalizer; /* 0: none, else what graph.finalize is to do */
  bool finalized, old, frozen, untracked, keep, in_batch, immortal;
  bool foreign;         /* only the embedder may judge a giant that it is in */
  uint64_t asked;       /* in which test of a giant it was asked about */
  bool doomed, reached; /* the oracle's: garbage when the cycle began; can be reached */
} node;

typedef struct graph graph;
struct graph {
  node *nodes;
  uint32_t used, room; /* nodes [0, used) exist or are free */
  uint32_t free_first; /* free nodes, linked by weak_next */
  uint32_t stride;     /* slot = index * stride */
  uint32_t live;       /* not FREE */
  uint32_t serial;
  uint64_t clock, visited, finalizers, callbacks, broken, condemned, held, kept;
  uint64_t tests, asked, gathered, hidden, refused; /* of giants; asked: in the last test */
  uint32_t *dying, dying_n, dying_room;             /* count is 0, to be destroyed */
  bool draining, rootless, lie; /* lie: traverse reports the first reference twice */
  void (*finalize)(graph *g, uint32_t o);
  void (*callback)(graph *g, uint32_t weak);
  void *user;
};

static inline void graph_init(graph *g, uint32_t stride) {
  *g = (graph){.stride = stride, .free_first = NOBODY};
}

static inline void graph_finish(graph *g) {
  for (uint32_t o = 0; o < g->used; o++) free(g->nodes[o].edges);
  free(g->nodes);
  free(g->dying);
}

static inline uint32_t graph_index(graph *g) {
  uint32_t o = g->free_first;
  if (o != NOBODY) return g->free_first = g->nodes[o].weak_next, o;
  if (g->used == g->room) {
    g->room = g->room ? 2 * g->room : 8;
    g->nodes = realloc(g->nodes, g->room * sizeof(node));
  }
  g->nodes[g->used] = (node){0};
  return g->used++;
}

/* A node with one reference from outside. */
static inline uint32_t graph_new(graph *g, bool old) {
  uint32_t o = graph_index(g), room = g->nodes[o].room, *edges = g->nodes[o].edges;
  g->nodes[o] = (node){.count = 1,
                       .external = 1,
                       .edges = edges,
                       .room = room,
                       .weak_first = NOBODY,
                       .referent = NOBODY,
                       .weak_next = NOBODY,
                       .serial = ++g->serial,
                       .state = LIVE,
                       .old = old};
  g->live++;
  return o;
}

/* What a live node may do to another; the caller knows both to be live. */
static inline void graph_link(graph *g, uint32_t from, uint32_t to) {
  node *n = &g->nodes[from];
  if (n->length == n->room) {
    n->room = n->room ? 2 * n->room : 2;
    n->edges = realloc(n->edges, n->room * sizeof *n->edges);
  }
  n->edges[n->length++] = to;
  g->nodes[to].count++;
}

static inline void graph_hold(graph *g, uint32_t o) {
  g->nodes[o].count++;
  g->nodes[o].external++;
}

static inline void graph_free(graph *g, uint32_t o) {
  node *n = &g->nodes[o];
  n->state = FREE;
  n->length = 0;
  n->weak_next = g->free_first;
  g->free_first = o;
  g->live--;
}

/* --- Weak references ------------------------------------------------------------------------- */

static inline uint32_t graph_weak(graph *g, uint32_t referent, bool old) {
  uint32_t w = graph_new(g, old);
  g->nodes[w].referent = referent;
  g->nodes[w].weak_next = g->nodes[referent].weak_first;
  g->nodes[referent].weak_first = w;
  return w;
}

/* A weak reference ends before its referent. */
static inline void graph_weak_end(graph *g, uint32_t w) {
  if (g->nodes[w].referent == NOBODY) return;
  uint32_t *link = &g->nodes[g->nodes[w].referent].weak_first;
  while (*link != w) link = &g->nodes[*link].weak_next;
  *link = g->nodes[w].weak_next;
  g->nodes[w].referent = NOBODY;
}

/* Takes the first weak reference off its referent. */
static inline uint32_t graph_weak_pop(graph *g, uint32_t referent) {
  uint32_t w = g->nodes[referent].weak_first;
  if (w != NOBODY) graph_weak_end(g, w);
  return w;
}

static inline void graph_unref(graph *g, uint32_t o);

static inline void graph_call(graph *g, uint32_t w) {
  g->callbacks++;
  g->nodes[w].called++;
  if (g->callback) g->callback(g, w);
}

/* --- Destruction by count -------------------------------------------------------------------- */

/* True: it made itself reachable again. */
static inline bool graph_finalize(graph *g, uint32_t o) {
  if (!g->nodes[o].finalizer || g->nodes[o].finalized) return false;
  g->nodes[o].finalized = true;
  g->nodes[o].state = LIVE;
  g->nodes[o].count++;
  g->finalizers++;
  if (g->finalize) g->finalize(g, o);
  if (--g->nodes[o].count) return true;
  g->nodes[o].state = DYING;
  return false;
}

static inline void graph_destroy(graph *g, uint32_t o) {
  if (graph_finalize(g, o)) return;
  for (uint32_t w; (w = graph_weak_pop(g, o)) != NOBODY;) {
    if (g->nodes[w].state != LIVE) continue;
    g->nodes[w].count++;
    graph_call(g, w);
    graph_unref(g, w);
  }
  graph_weak_end(g, o);
  CHECK_EQ(g->nodes[o].external, 0);
  while (g->nodes[o].length) graph_unref(g, g->nodes[o].edges[--g->nodes[o].length]);
  graph_free(g, o);
}

static inline void graph_unref(graph *g, uint32_t o) {
  node *n = &g->nodes[o];
  if (n->state == CONDEMNED || n->immortal) return;
  CHECK_EQ(n->state, LIVE);
  CHECK(n->count > 0);
  if (--n->count) return;
  n->state = DYING;
  if (g->dying_n == g->dying_room) {
    g->dying_room = g->dying_room ? 2 * g->dying_room : 8;
    g->dying = realloc(g->dying, g->dying_room * sizeof *g->dying);
  }
  g->dying[g->dying_n++] = o;
  if (g->draining) return;
  for (g->draining = true; g->dying_n;) graph_destroy(g, g->dying[--g->dying_n]);
  g->draining = false;
}

static inline void graph_drop(graph *g, uint32_t o) {
  g->nodes[o].external--;
  graph_unref(g, o);
}

static inline void graph_unlink(graph *g, uint32_t from, uint32_t index) {
  node *n = &g->nodes[from];
  uint32_t to = n->edges[index];
  n->edges[index] = n->edges[--n->length];
  graph_unref(g, to);
}

/* --- The oracle ------------------------------------------------------------------------------ */

typedef struct stack {
  uint32_t *at, n, room;
} stack;

static inline void stack_push(stack *s, uint32_t o) {
  if (s->n == s->room) {
    s->room = s->room ? 2 * s->room : 64;
    s->at = realloc(s->at, s->room * sizeof *s->at);
  }
  s->at[s->n++] = o;
}

static inline void graph_reach_one(graph *g, stack *s, uint32_t o) {
  if (g->nodes[o].reached) return;
  g->nodes[o].reached = true;
  stack_push(s, o);
}

/* Who asks: those that the collector at hand does not collect hold what they refer to. */
typedef enum viewpoint { PROGRAM, CYCLE, YOUNG } viewpoint;

static inline bool graph_is_outside(const node *n, viewpoint view) {
  return n->external || n->immortal || n->frozen || n->untracked || (view == CYCLE && !n->old) ||
         (view == YOUNG && n->old);
}

/* Finds what nobody may destroy. Condemned nodes hold what they refer to until they are cleared. */
static inline void graph_reach(graph *g, viewpoint view) {
  stack s = {0};
  for (uint32_t o = 0; o < g->used; o++) g->nodes[o].reached = false;
  for (uint32_t o = 0; o < g->used; o++) {
    const node *n = &g->nodes[o];
    bool condemned = view == YOUNG && n->state == CONDEMNED;
    if (condemned || (n->state == LIVE && graph_is_outside(n, view))) graph_reach_one(g, &s, o);
  }
  while (s.n) {
    uint32_t o = s.at[--s.n];
    for (uint32_t i = 0; i < g->nodes[o].length; i++) graph_reach_one(g, &s, g->nodes[o].edges[i]);
  }
  free(s.at);
}

/* Remembers what is garbage now and so has to be dead when the cycle ends. */
static inline uint32_t graph_doom(graph *g) {
  uint32_t doomed = 0;
  graph_reach(g, CYCLE);
  for (uint32_t o = 0; o < g->used; o++) {
    node *n = &g->nodes[o];
    doomed += n->doomed = n->state == LIVE && !n->reached;
  }
  return doomed;
}

/* A node that was garbage has been made reachable: it need not die, nor what it refers to. */
static inline void graph_pardon(graph *g, uint32_t o) {
  stack s = {0};
  for (stack_push(&s, o); s.n;) {
    node *n = &g->nodes[s.at[--s.n]];
    if (!n->doomed) continue;
    n->doomed = false;
    for (uint32_t i = 0; i < n->length; i++) stack_push(&s, n->edges[i]);
  }
  free(s.at);
}

/* Those that live on although they were garbage. */
static inline uint32_t graph_survivors(const graph *g) {
  uint32_t found = 0;
  for (uint32_t o = 0; o < g->used; o++) found += g->nodes[o].state != FREE && g->nodes[o].doomed;
  return found;
}

/* Nothing that holds references holds one to a dead node, and every count is right. So nobody has
 * destroyed what could be reached. */
static inline void graph_check(const graph *g) {
  uint32_t *count = calloc(g->used + 1u, sizeof *count), live = 0;
  for (uint32_t o = 0; o < g->used; o++) {
    const node *n = &g->nodes[o];
    live += n->state != FREE;
    if (n->state == FREE || n->state == CONDEMNED) CHECK_EQ(n->external, 0);
    for (uint32_t i = 0; i < n->length; i++) {
      CHECK(g->nodes[n->edges[i]].state != FREE);
      if (n->state == LIVE) CHECK_EQ(g->nodes[n->edges[i]].state, LIVE);
      count[n->edges[i]]++;
    }
  }
  CHECK_EQ(live, g->live);
  for (uint32_t o = 0; o < g->used; o++) {
    const node *n = &g->nodes[o];
    if (n->state == LIVE && !n->immortal) CHECK_EQ(n->count, count[o] + n->external);
    if (n->state == LIVE && n->referent != NOBODY) CHECK_EQ(g->nodes[n->referent].state, LIVE);
  }
  free(count);
}

#endif
