/* SPDX-License-Identifier: MIT */
/* Part of template.h: ROOTS, MARK and HELD: marks, and what can be reached from them. */
#ifndef OURO_SRC_CYCLE_MARK_H
#define OURO_SRC_CYCLE_MARK_H

#include "cycle/scan.h"

static inline void cycle_visit_mark(CYCLE_OBJECT referent, void *arg) {
  cycle_view *v = arg;
  uint64_t slot;
  if (embed_slot(v->e, referent, &slot)) cycle_mark(&v->c->marks, slot);
}

/* The same within the residual: what lies outside has been looked at. */
static inline void cycle_visit_held(CYCLE_OBJECT referent, void *arg) {
  cycle_view *v = arg;
  uint64_t slot;
  if (embed_slot(v->e, referent, &slot) && cycle_has(cycle_chunk_of(&v->c->residual, slot), slot))
    cycle_mark(&v->c->marks, slot);
}

static void cycle_roots(cycle *c, CYCLE_EMBEDDER *e) {
  cycle_view view = {c, e, 0};
  embed_roots(e, cycle_visit_mark, &view);
}

/* Scans the word's slots that are marked and not scanned, an object begun in the last slice first.
 * False: the slice is over. */
CYCLE_INLINE bool cycle_mark_in_word(cycle *c, CYCLE_EMBEDDER *e, uint64_t word,
                                     void (*visit)(CYCLE_OBJECT, void *)) {
  cycle_view view = {c, e, 0};
  uint64_t rest = cycle_unscanned(&c->marks, word);
  if (c->position) rest &= ~bits_below(c->at % 64);
  for (; rest; rest &= rest - 1) {
    if (c->over) return false;
    uint64_t bit = rest & -rest, others = rest ^ bit;
    if (others) embed_prefetch(e, word * 64 + ouro_lowest_bit(others));
    CYCLE_OBJECT o = embed_at(e, word * 64 + ouro_lowest_bit(bit));
    if (o == CYCLE_NONE) c->position = 0;
    else if (!cycle_scan(c, e, o, visit, &view))
      return c->at = word * 64 + ouro_lowest_bit(bit), false;
    c->marks.scanned[word] |= bit;
    c->report.examined++;
  }
  return true;
}

/* Scans one page until it has nothing more to scan, what it marks in itself included. */
CYCLE_INLINE bool cycle_mark_in_page(cycle *c, CYCLE_EMBEDDER *e, uint32_t page,
                                     void (*visit)(CYCLE_OBJECT, void *)) {
  uint64_t *grey = &c->marks.grey[page];
  while (*grey) {
    unsigned in_page =
        c->position ? (unsigned)(c->at / 64 % CYCLE_PAGE_WORDS) : ouro_lowest_bit(*grey);
    uint64_t word = (uint64_t)page * CYCLE_PAGE_WORDS + in_page;
    if (!cycle_mark_in_word(c, e, word, visit)) return false;
    /* The bit goes last: until then the page counts as queued. */
    if (!cycle_unscanned(&c->marks, word)) *grey &= ~((uint64_t)1 << in_page);
  }
  return true;
}

CYCLE_INLINE bool cycle_mark_all(cycle *c, CYCLE_EMBEDDER *e, void (*visit)(CYCLE_OBJECT, void *)) {
  cycle_marks *m = &c->marks;
  while (m->queued && !c->over) {
    if (!cycle_mark_in_page(c, e, m->queue[m->first], visit)) return false;
    cycle_dequeue(m);
  }
  return !m->queued;
}

static bool cycle_mark_reachable(cycle *c, CYCLE_EMBEDDER *e) {
  return cycle_mark_all(c, e, cycle_visit_mark);
}

static bool cycle_mark_held(cycle *c, CYCLE_EMBEDDER *e) {
  return cycle_mark_all(c, e, cycle_visit_held);
}

#endif
