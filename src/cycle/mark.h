/* SPDX-License-Identifier: MIT */
/* Part of template.h: ROOTS, MARK and HELD: marks, and what can be reached from them. */
#ifndef OURO_SRC_CYCLE_MARK_H
#define OURO_SRC_CYCLE_MARK_H

#include "scan.h"

/* What the visitors get: copies, which stay in registers. */
typedef struct cycle_marker {
  CYCLE_EMBEDDER *e;
  cycle_marks *marks;
  const cycle_set *residual;
  uint64_t near; /* a slot of the page being scanned */
  bool found;    /* the object being scanned refers to a slot */
} cycle_marker;

static inline cycle_marker cycle_marker_of(cycle *c, CYCLE_EMBEDDER *e, uint64_t near) {
  return (cycle_marker){e, &c->marks, &c->residual, near, false};
}

static inline CYCLE_VISITED cycle_visit_mark(CYCLE_OBJECT referent, void *arg) {
  cycle_marker *v = arg;
  uint64_t slot;
  if (!embed_slot(v->e, referent, &slot)) return CYCLE_GO_ON;
  v->found = true;
  cycle_mark_soon(v->marks, slot, v->near);
  return CYCLE_GO_ON;
}

/* The same within the residual: what lies outside has been looked at. */
static inline CYCLE_VISITED cycle_visit_held(CYCLE_OBJECT referent, void *arg) {
  cycle_marker *v = arg;
  uint64_t slot;
  if (!embed_slot(v->e, referent, &slot)) return CYCLE_GO_ON;
  v->found = true;
  if (cycle_has(cycle_chunk_of(v->residual, slot), slot)) cycle_mark(v->marks, slot);
  return CYCLE_GO_ON;
}

/* Not inlined: an embedder's embed_roots need not be. */
static CYCLE_VISITED cycle_visit_root(CYCLE_OBJECT root, void *arg) {
  cycle_visit_mark(root, arg);
  return CYCLE_GO_ON;
}

static void cycle_roots(cycle *c, CYCLE_EMBEDDER *e) {
  cycle_marker marker = cycle_marker_of(c, e, 0);
  embed_roots(e, cycle_visit_root, &marker);
}

static inline void cycle_scanned(cycle *c, uint64_t word, uint64_t bits) {
  c->marks.scanned[word] |= bits;
  c->report.examined += bits_count(bits);
}

/* Fetches the first of the objects into the cache, whose bits are taken away from the result. */
CYCLE_INLINE uint64_t cycle_prefetch_next(CYCLE_EMBEDDER *e, const CYCLE_GROUP *g, uint64_t word,
                                          uint64_t ahead) {
  if (ahead) CYCLE_PREFETCH(embed_object(e, g, word * 64 + ouro_lowest_bit(ahead)));
  return ahead & (ahead - 1);
}

CYCLE_INLINE uint64_t cycle_prefetch_some(CYCLE_EMBEDDER *e, const CYCLE_GROUP *g, uint64_t word,
                                          uint64_t ahead) {
  for (unsigned i = 0; i < TUNE_CYCLE_AHEAD; i++) ahead = cycle_prefetch_next(e, g, word, ahead);
  return ahead;
}

/* Scans the word's slots that are marked and not scanned, an object begun in the last slice first.
 * False: the slice is over. */
CYCLE_INLINE bool cycle_mark_in_word(cycle *c, CYCLE_EMBEDDER *e, uint64_t word,
                                     cycle_visit visit) {
  cycle_marker marker = cycle_marker_of(c, e, word * 64);
  uint64_t all = cycle_unscanned(&c->marks, word), rest, others, spent = 0;
  if (c->position) all &= ~bits_below(c->at % 64);
  uint64_t live = embed_live(e, word, all, true);
  if (!(live & all & -all)) c->position = 0;
  CYCLE_GROUP group = embed_group(e, word);
  uint64_t ahead = cycle_prefetch_some(e, &group, word, live);
  for (rest = live; rest; rest = others) {
    others = rest & (rest - 1);
    ahead = cycle_prefetch_next(e, &group, word, ahead);
    c->at = word * 64 + ouro_lowest_bit(rest);
    CYCLE_OBJECT o = embed_object(e, &group, c->at);
    if (!cycle_scan(c, e, &group, o, &spent, visit, &marker)) break;
    if (!marker.found) CYCLE_SCANNED(e, o);
    marker.found = false;
    if (!cycle_spent(c, e, &spent, 1)) continue;
    rest = others;
    break;
  }
  cycle_scanned(c, word, all & ~rest);
  cycle_spend(c, e, spent);
  return !rest;
}

/* Scans one page until it has nothing more to scan, what it marks in itself included. */
CYCLE_INLINE bool cycle_mark_in_page(cycle *c, CYCLE_EMBEDDER *e, uint32_t page,
                                     cycle_visit visit) {
  uint64_t *grey = &c->marks.grey[page];
  while (*grey && !c->over) {
    uint64_t begun = c->at / 64 % CYCLE_PAGE_WORDS;
    unsigned in_page = c->position ? (unsigned)begun : ouro_lowest_bit(*grey);
    uint64_t word = (uint64_t)page * CYCLE_PAGE_WORDS + in_page;
    if (!cycle_mark_in_word(c, e, word, visit)) return false;
    /* The bit goes last: until then the page counts as queued. */
    if (!cycle_unscanned(&c->marks, word)) *grey &= ~((uint64_t)1 << in_page);
  }
  return !*grey;
}

/* False: the slice is over. */
CYCLE_INLINE bool cycle_mark_queued(cycle *c, CYCLE_EMBEDDER *e, cycle_visit visit) {
  cycle_marks *m = &c->marks;
  while (m->queued && !c->over) {
    if (!cycle_mark_in_page(c, e, m->queue[m->first], visit)) return false;
    cycle_dequeue(m);
  }
  return !m->queued;
}

CYCLE_INLINE bool cycle_mark_all(cycle *c, CYCLE_EMBEDDER *e, cycle_visit visit) {
  do {
    if (!cycle_mark_queued(c, e, visit)) return false;
    cycle_mark_waiting(&c->marks);
  } while (c->marks.queued);
  return true;
}

CYCLE_FLAT bool cycle_mark_reachable(cycle *c, CYCLE_EMBEDDER *e) {
  return cycle_mark_all(c, e, cycle_visit_mark);
}

CYCLE_FLAT bool cycle_mark_held(cycle *c, CYCLE_EMBEDDER *e) {
  return cycle_mark_all(c, e, cycle_visit_held);
}

#endif
