/* SPDX-License-Identifier: MIT */
/* What finalizers in these tests do. Those that make something reachable remember it in the graph's
 * list of rescued nodes, for the test to let go of again. */
#ifndef OURO_TESTS_CYCLE_FINALIZERS_H
#define OURO_TESTS_CYCLE_FINALIZERS_H

#include "cycle/collector.h"

typedef enum finalizer {
  NO_FINALIZER,
  PLAIN,
  RESCUE_SELF,
  RESCUE_REFERENT,
  DROP_REFERENCE,
  LINK_SELF,    /* a cycle that was not there */
  ALLOCATE,     /* a ring of two new nodes, garbage at once, one with a finalizer */
  ATTACH,       /* a new node and this one refer to each other */
  WEAK_TO_SELF, /* a weak reference that lives on */
  RECURSE,      /* calls the collector */
  FINALIZERS
} finalizer;

typedef struct finalizing {
  cycle *c;
  stack rescued;
  uint64_t refused;       /* calls of the collector from within */
  uint64_t first, called; /* finalizers and callbacks of nodes that were there at first, */
  uint32_t serial;        /* up to this one */
} finalizing;

static inline void rescue(graph *g, uint32_t o) {
  graph_hold(g, o);
  graph_pardon(g, o);
  stack_push(&((finalizing *)g->user)->rescued, o);
}

/* Drops the test's own reference to a new node, or keeps it for later. */
static inline void finalize_ring(graph *g, bool old) {
  uint32_t a = graph_new(g, old), b = graph_new(g, old);
  graph_link(g, a, b);
  graph_link(g, b, a);
  g->nodes[a].finalizer = PLAIN;
  graph_drop(g, a);
  graph_drop(g, b);
}

static inline void finalize_attach(graph *g, uint32_t o) {
  uint32_t fresh = graph_new(g, false);
  graph_pardon(g, o);
  graph_link(g, fresh, o);
  graph_link(g, o, fresh);
  graph_drop(g, fresh);
}

/* The collector lets nobody in while it runs: nothing of this may have an effect. */
static inline void finalize_recurse(graph *g) {
  finalizing *f = g->user;
  bool inside = f->c->running;
  cycle_phase phase = f->c->phase;
  if (!inside) return;
  CHECK(!collector_start(f->c, g));
  CHECK(!collector_batch_begin(f->c, g, 10));
  CHECK_EQ(collector_step(f->c, g, UINT64_MAX).examined, 0);
  collector_abort(f->c, g);
  CHECK_EQ(f->c->phase, phase);
  f->refused++;
}

static inline void finalize(graph *g, uint32_t o) {
  finalizing *f = g->user;
  f->first += g->nodes[o].serial <= f->serial;
  uint32_t first = g->nodes[o].length ? g->nodes[o].edges[0] : o;
  switch ((finalizer)g->nodes[o].finalizer) {
  case RESCUE_SELF: rescue(g, o); break;
  case RESCUE_REFERENT: rescue(g, first); break;
  case DROP_REFERENCE:
    if (g->nodes[o].length) graph_unlink(g, o, 0);
    break;
  case LINK_SELF: graph_link(g, o, o); break;
  case ALLOCATE: finalize_ring(g, true), finalize_ring(g, false); break;
  case ATTACH: finalize_attach(g, o); break;
  case WEAK_TO_SELF: stack_push(&f->rescued, graph_weak(g, o, true)); break;
  case RECURSE: finalize_recurse(g); break;
  default: break;
  }
}

static inline void finalizing_callback(graph *g, uint32_t w) {
  finalizing *f = g->user;
  f->called += g->nodes[w].serial <= f->serial;
}

static inline void finalizing_begin(graph *g, finalizing *f, cycle *c) {
  *f = (finalizing){.c = c};
  g->user = f;
  g->finalize = finalize;
  g->callback = finalizing_callback;
}

/* Lets go of all that was rescued. */
static inline void finalizing_let_go(graph *g) {
  finalizing *f = g->user;
  while (f->rescued.n) graph_drop(g, f->rescued.at[--f->rescued.n]);
}

static inline void finalizing_end(graph *g) { free(((finalizing *)g->user)->rescued.at); }

#endif
