/* SPDX-License-Identifier: MIT */
/* Part of template.h: ROOTS, MARK and HELD: marks, and what can be reached from them. */
#ifndef OURO_SRC_CYCLE_MARK_H
#define OURO_SRC_CYCLE_MARK_H

#include "scan.h"

/* References of which it is asked whether they lead to a slot when the answer has come into the
 * cache. They do not outlive the slice. */
typedef struct cycle_asked {
  CYCLE_OBJECT waiting[CYCLE_RING];
  uint64_t count; /* that were put in, each in the place of the one CYCLE_RING before */
} cycle_asked;

/* What the visitors get: copies, which stay in registers. */
typedef struct cycle_marker {
  CYCLE_EMBEDDER *e;
  cycle_marks *marks;
  const cycle_set *residual;
  cycle_asked *asked;
  uint64_t near; /* a slot of the page being scanned */
  bool found;    /* the object being scanned refers to a slot, or it does not matter */
} cycle_marker;

static inline cycle_marker cycle_marker_of(cycle *c, CYCLE_EMBEDDER *e, cycle_asked *asked,
                                           uint64_t near) {
  return (cycle_marker){e, &c->marks, &c->residual, asked, near, false};
}

CYCLE_INLINE void cycle_mark_asked(CYCLE_EMBEDDER *e, cycle_marks *m, CYCLE_OBJECT o) {
  uint64_t slot;
  if (embed_slot(e, o, &slot)) cycle_mark(m, slot);
}

CYCLE_INLINE void cycle_ask_later(cycle_marker *v, CYCLE_OBJECT o, uint64_t place) {
  cycle_asked *a = v->asked;
  CYCLE_OBJECT *waits = &a->waiting[a->count % CYCLE_RING];
  __builtin_prefetch(&v->marks->marked[place / 64], 1);
  if (OURO_LIKELY(a->count++ >= CYCLE_RING)) cycle_mark_asked(v->e, v->marks, *waits);
  *waits = o;
}

/* In the order of their coming. */
static inline void cycle_ask_waiting(cycle *c, CYCLE_EMBEDDER *e, cycle_asked *a) {
  uint64_t first = a->count > CYCLE_RING ? a->count - CYCLE_RING : 0;
  for (; first < a->count; first++) cycle_mark_asked(e, &c->marks, a->waiting[first % CYCLE_RING]);
  a->count = 0;
}

/* Whether an object that may leave (CYCLE_LEAVES) refers to any slot must be known when it has been
 * scanned: only what it refers to behind the first slot may wait. */
static inline CYCLE_VISITED cycle_visit_mark(CYCLE_OBJECT referent, void *arg) {
  cycle_marker *v = arg;
  uint64_t slot;
  if (v->found && CYCLE_PLACE(v->e, referent, &slot) && (slot ^ v->near) >= CYCLE_PAGE_SLOTS) {
    cycle_ask_later(v, referent, slot);
    return CYCLE_GO_ON;
  }
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
  cycle_asked asked = {.count = 0};
  cycle_marker marker = cycle_marker_of(c, e, &asked, 0);
  embed_roots(e, cycle_visit_root, &marker);
  cycle_ask_waiting(c, e, &asked);
}

static inline void cycle_scanned(cycle *c, uint64_t word, uint64_t bits) {
  c->marks.scanned[word] |= bits;
  c->report.examined += bits_count(bits);
}

/* Fetches the first of the objects into the cache, whose bit is taken away from the result. */
CYCLE_INLINE uint64_t cycle_prefetch_next(CYCLE_EMBEDDER *e, const CYCLE_GROUP *g, uint64_t word,
                                          uint64_t ahead) {
  if (ahead) CYCLE_PREFETCH(embed_object(e, g, word * 64 + ouro_lowest_bit(ahead)));
  return ahead & (ahead - 1);
}

/* The same for one that is known to live: what it keeps elsewhere. */
CYCLE_INLINE uint64_t cycle_expect_next(CYCLE_EMBEDDER *e, const CYCLE_GROUP *g, uint64_t word,
                                        uint64_t ahead) {
  if (ahead) CYCLE_EXPECT(embed_object(e, g, word * 64 + ouro_lowest_bit(ahead)));
  return ahead & (ahead - 1);
}

/* Scans the word's slots that are marked and not scanned, an object begun in the last slice first.
 * False: the slice is over. */
CYCLE_INLINE bool cycle_mark_in_word(cycle *c, CYCLE_EMBEDDER *e, uint64_t word, cycle_visit visit,
                                     cycle_asked *asked) {
  cycle_marker marker = cycle_marker_of(c, e, asked, word * 64);
  uint64_t all = cycle_unscanned(&c->marks, word), rest, others, spent = 0;
  if (c->position) all &= ~bits_below(c->at % 64);
  uint64_t live = embed_live(e, word, all, true);
  if (!(live & all & -all)) c->position = 0;
  CYCLE_GROUP group = embed_group(e, word);
  uint64_t ahead = live;
  for (unsigned i = 0; i < TUNE_CYCLE_AHEAD; i++) ahead = cycle_expect_next(e, &group, word, ahead);
  for (rest = live; rest; rest = others) {
    others = rest & (rest - 1);
    ahead = cycle_expect_next(e, &group, word, ahead);
    c->at = word * 64 + ouro_lowest_bit(rest);
    CYCLE_OBJECT o = embed_object(e, &group, c->at);
    marker.found = !CYCLE_LEAVES(o);
    if (!cycle_scan(c, e, &group, o, &spent, visit, &marker)) break;
    if (!marker.found) CYCLE_SCANNED(e, o);
    if (!cycle_spent(c, e, &spent, 1)) continue;
    rest = others;
    break;
  }
  cycle_scanned(c, word, all & ~rest);
  cycle_spend(c, e, spent);
  return !rest;
}

/* Fetches the first objects that are to be scanned of the first of these words of a page, whose bit
 * is taken away from the result. */
CYCLE_INLINE uint64_t cycle_prefetch_word(cycle *c, CYCLE_EMBEDDER *e, uint32_t page,
                                          uint64_t words) {
  if (!words) return 0;
  uint64_t word = (uint64_t)page * CYCLE_PAGE_WORDS + ouro_lowest_bit(words);
  uint64_t ahead = cycle_unscanned(&c->marks, word);
  CYCLE_GROUP group = embed_group(e, word);
  for (unsigned i = 0; ahead && i < TUNE_CYCLE_AHEAD_IN_WORD; i++)
    ahead = cycle_prefetch_next(e, &group, word, ahead);
  return words & (words - 1);
}

/* Scans one page until it has nothing more to scan, what it marks in itself included. */
CYCLE_INLINE bool cycle_mark_in_page(cycle *c, CYCLE_EMBEDDER *e, uint32_t page, cycle_visit visit,
                                     cycle_asked *asked) {
  uint64_t *grey = &c->marks.grey[page], ahead = *grey;
  for (unsigned i = 0; i < TUNE_CYCLE_AHEAD_WORDS; i++)
    ahead = cycle_prefetch_word(c, e, page, ahead);
  while (*grey && !c->over) {
    ahead = cycle_prefetch_word(c, e, page, ahead);
    uint64_t begun = c->at / 64 % CYCLE_PAGE_WORDS;
    unsigned in_page = c->position ? (unsigned)begun : ouro_lowest_bit(*grey);
    uint64_t word = (uint64_t)page * CYCLE_PAGE_WORDS + in_page;
    if (!cycle_mark_in_word(c, e, word, visit, asked)) return false;
    /* The bit goes last: until then the page counts as queued. */
    if (!cycle_unscanned(&c->marks, word)) *grey &= ~((uint64_t)1 << in_page);
  }
  return !*grey;
}

/* False: the slice is over. */
CYCLE_INLINE bool cycle_mark_queued(cycle *c, CYCLE_EMBEDDER *e, cycle_visit visit,
                                    cycle_asked *asked) {
  cycle_marks *m = &c->marks;
  while (m->queued && !c->over) {
    if (!cycle_mark_in_page(c, e, m->queue[m->first], visit, asked)) return false;
    cycle_dequeue(m);
  }
  return !m->queued;
}

CYCLE_INLINE bool cycle_mark_all(cycle *c, CYCLE_EMBEDDER *e, cycle_visit visit) {
  cycle_asked asked = {.count = 0};
  bool done;
  do {
    done = cycle_mark_queued(c, e, visit, &asked);
    cycle_ask_waiting(c, e, &asked);
    if (done) cycle_mark_waiting(&c->marks);
  } while (done && c->marks.queued);
  return done;
}

CYCLE_FLAT bool cycle_mark_reachable(cycle *c, CYCLE_EMBEDDER *e) {
  return cycle_mark_all(c, e, cycle_visit_mark);
}

CYCLE_FLAT bool cycle_mark_held(cycle *c, CYCLE_EMBEDDER *e) {
  return cycle_mark_all(c, e, cycle_visit_held);
}

#endif
