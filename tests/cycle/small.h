/* SPDX-License-Identifier: MIT */
/* All graphs of a few nodes, each once up to renaming. */
#ifndef OURO_TESTS_CYCLE_SMALL_H
#define OURO_TESTS_CYCLE_SMALL_H

#include "cycle/collector.h"

enum { MOST = 4 };

/* Bit from * n + to of `edges`: a reference. Bit o of `external`: one from outside. */
typedef struct small {
  unsigned n;
  uint32_t edges, external;
} small;

static inline small small_renamed(small s, const uint8_t name[MOST]) {
  small to = {.n = s.n};
  for (unsigned a = 0; a < s.n; a++) {
    to.external |= (s.external >> a & 1) << name[a];
    for (unsigned b = 0; b < s.n; b++)
      to.edges |= (s.edges >> (a * s.n + b) & 1) << (name[a] * s.n + name[b]);
  }
  return to;
}

static inline bool small_less(small a, small b) {
  return a.edges != b.edges ? a.edges < b.edges : a.external < b.external;
}

/* Calls `f` for each order of the first n names. False: f returned false. */
static inline bool small_orders(uint8_t *name, unsigned done, unsigned n,
                                bool (*f)(const uint8_t *name, void *arg), void *arg) {
  if (done == n) return f(name, arg);
  for (unsigned i = done; i < n; i++) {
    uint8_t t = name[done];
    name[done] = name[i], name[i] = t;
    bool go_on = small_orders(name, done + 1, n, f, arg);
    name[i] = name[done], name[done] = t;
    if (!go_on) return false;
  }
  return true;
}

static inline bool small_not_less(const uint8_t *name, void *arg) {
  return !small_less(small_renamed(*(small *)arg, name), *(small *)arg);
}

/* Whether no renaming of the graph comes before it. */
static inline bool small_is_first(small s) {
  uint8_t name[MOST] = {0, 1, 2, 3};
  return small_orders(name, 0, s.n, small_not_less, &s);
}

/* The next graph of n nodes that no renaming of comes before. False: that was the last. */
static inline bool small_next(small *s) {
  do {
    if (++s->external >> s->n == 0) continue;
    s->external = 0;
    if (++s->edges >> (s->n * s->n)) return false;
  } while (!small_is_first(*s));
  return true;
}

/* Makes the graph; nodes that nothing holds die on the way. The first node is returned; the others
 * follow it. */
static inline uint32_t small_add(graph *g, small s) {
  uint32_t first = graph_new(g, true);
  for (unsigned o = 1; o < s.n; o++) CHECK_EQ(graph_new(g, true), first + o);
  for (unsigned a = 0; a < s.n; a++)
    for (unsigned b = 0; b < s.n; b++)
      if (s.edges >> (a * s.n + b) & 1) graph_link(g, first + a, first + b);
  return first;
}

static inline void small_let_go(graph *g, small s, uint32_t first) {
  for (unsigned o = 0; o < s.n; o++)
    if (!(s.external >> o & 1)) graph_drop(g, first + o);
}

/* The graph as numbers, for a failure's message. */
static inline const char *small_text(small s) {
  static char text[64];
  snprintf(text, sizeof text, "n=%u edges=%#x external=%#x", s.n, s.edges, s.external);
  return text;
}

#endif
