/* SPDX-License-Identifier: MIT */
/*
 * Part of template.h: UNION and ASSIGN, which split what is not held into components.
 *
 * Union by size with path halving (Tarjan and van Leeuwen, 1984). The residual's counters are no
 * longer needed and serve as links between ranks:
 *
 *     0            a root, alone
 *     ROOT | n     a root of n members; in ASSIGN, once `reached`: n is where in the order its next
 *                  member goes, so at the end where the component ends
 *     otherwise    the rank of a member nearer to the root
 */
#ifndef OURO_SRC_CYCLE_COMPONENTS_H
#define OURO_SRC_CYCLE_COMPONENTS_H

#include "scan.h"

#define CYCLE_ROOT ((uint32_t)1 << 31)

static inline bool cycle_is_root(uint32_t link) { return !link || link & CYCLE_ROOT; }
static inline uint32_t cycle_size(uint32_t link) { return link ? link & ~CYCLE_ROOT : 1; }

static inline uint32_t cycle_find(const cycle_set *s, uint32_t rank) {
  for (;;) {
    uint32_t *link = cycle_counter_of(s, rank);
    if (cycle_is_root(*link)) return rank;
    uint32_t next = *cycle_counter_of(s, *link);
    if (cycle_is_root(next)) return *link;
    rank = *link = next;
  }
}

static inline void cycle_unite(const cycle_set *s, uint32_t a, uint32_t b) {
  a = cycle_find(s, a), b = cycle_find(s, b);
  if (a == b) return;
  uint32_t *to = cycle_counter_of(s, a), *from = cycle_counter_of(s, b), size;
  size = cycle_size(*to) + cycle_size(*from);
  if (cycle_size(*to) < cycle_size(*from)) *to = b, *from = CYCLE_ROOT | size;
  else *from = a, *to = CYCLE_ROOT | size;
}

typedef struct cycle_uniter {
  CYCLE_EMBEDDER *e;
  const cycle_set *residual;
  const uint64_t *marked;
  uint32_t rank; /* of the referring member */
} cycle_uniter;

static inline CYCLE_VISITED cycle_visit_unite(CYCLE_OBJECT other, void *arg) {
  const cycle_uniter *v = arg;
  uint64_t slot;
  if (!embed_slot(v->e, other, &slot)) return CYCLE_GO_ON;
  const cycle_chunk *chunk = cycle_chunk_of(v->residual, slot);
  if (!cycle_has(chunk, slot) || v->marked[slot / 64] >> slot % 64 & 1) return CYCLE_GO_ON;
  cycle_unite(v->residual, v->rank, cycle_rank(v->residual, chunk, slot));
  return CYCLE_GO_ON;
}

/* Not inlined: an embedder's embed_weak need not be. */
static CYCLE_VISITED cycle_visit_weak(CYCLE_OBJECT weak, void *arg) {
  cycle_visit_unite(weak, arg);
  return CYCLE_GO_ON;
}

/* A member that has died may be part of a component already, so it remains a candidate; whether it
 * lives is asked when its batch is made. */
static bool cycle_union(cycle *c, CYCLE_EMBEDDER *e) {
  cycle_uniter v = {e, &c->residual, c->marks.marked, 0};
  cycle_members m = {.live = 0};
  if (c->rest) cycle_open(c, e, &m);
  for (uint64_t spent = 0; !c->over && cycle_next_open(c, e, &m, true); cycle_go_on(c, e, &spent)) {
    if (cycle_lives_here(c, &m)) {
      CYCLE_OBJECT o = cycle_object_here(c, e, &m);
      v.rank = cycle_here(c);
      if (!c->position) embed_weak(e, o, cycle_visit_weak, &v);
      if (!cycle_scan(c, e, &m.group, o, &spent, cycle_visit_unite, &v)) return false;
    }
    c->candidates++;
    c->report.candidates++;
  }
  return !cycle_next(c, true);
}

/* Where in the order a member goes. */
static uint32_t cycle_place(cycle *c, uint32_t rank) {
  const cycle_set *s = &c->residual;
  uint32_t root = cycle_find(s, rank), *link = cycle_counter_of(s, root);
  uint64_t *placed = &s->chunks[root / 64].reached, bit = (uint64_t)1 << root % 64;
  if (!(*placed & bit)) {
    *placed |= bit;
    uint32_t start = (uint32_t)c->end;
    c->end += cycle_size(*link);
    *link = CYCLE_ROOT | start;
  }
  return (*link)++ & ~CYCLE_ROOT;
}

static bool cycle_assign(cycle *c, CYCLE_EMBEDDER *e) {
  if (!c->order.at && !cycle_table_make(&c->order, c->candidates * sizeof(uint32_t)))
    return cycle_fail(c);
  uint32_t *order = c->order.at;
  for (uint64_t spent = 0; !c->over && cycle_next(c, true); cycle_go_on(c, e, &spent)) {
    uint32_t rank = cycle_here(c);
    order[cycle_place(c, rank)] = rank;
  }
  return !cycle_next(c, true);
}

/* Where in the order the component ends that begins at `at`. */
static inline size_t cycle_component_end(const cycle *c, size_t at) {
  const uint32_t *order = c->order.at;
  uint32_t root = cycle_find(&c->residual, order[at]);
  return *cycle_counter_of(&c->residual, root) & ~CYCLE_ROOT;
}

#endif
