/* SPDX-License-Identifier: MIT */
/*
 * Which slots are marked, which of these have been scanned, and which remain.
 *
 *     scanned <= marked, as sets
 *     ring[i] = UINT64_MAX: nothing waits there
 *     page in the queue, exactly once  <=>  grey[page] != 0
 *     word of a page has marked, unscanned slots  =>  its bit in grey[page] is set
 *
 * The work list is a queue of pages, not of objects: it has room for every page, so marking cannot
 * run out of memory; it holds no pointer, so it may wait while the program runs; and while a page
 * waits its marks accumulate, so that its objects are scanned together, in the order of their
 * addresses (the idea of Go's "Green Tea" collector, golang/go#73581).
 */
#ifndef OURO_SRC_CYCLE_MARKS_H
#define OURO_SRC_CYCLE_MARKS_H

#include "../base/bits.h"
#include "embedder.h"

#define CYCLE_INLINE static inline __attribute__((always_inline))
#define CYCLE_FLAT                                                                                 \
  static __attribute__((flatten)) /* hot loops: all they call is inlined, visitors too */
#define CYCLE_PAGE_WORDS (CYCLE_PAGE_SLOTS / 64)

#define CYCLE_RING 16u /* a power of two */

typedef struct cycle_marks {
  uint64_t *marked, *scanned; /* bit by slot */
  uint64_t *grey;             /* per page a bit by word */
  uint32_t *queue;            /* ring of `pages` page numbers */
  uint64_t slots;             /* pages * CYCLE_PAGE_SLOTS */
  uint32_t pages, first, queued;
  uint32_t ring_at;
  uint64_t ring[CYCLE_RING]; /* slots to be marked when their words have come into the cache */
} cycle_marks;

static inline void cycle_enqueue(cycle_marks *m, uint32_t page) {
  uint64_t at = (uint64_t)m->first + m->queued++;
  m->queue[at < m->pages ? at : at - m->pages] = page;
}

static inline void cycle_dequeue(cycle_marks *m) {
  m->queued--;
  m->first = m->first + 1 < m->pages ? m->first + 1 : 0;
}

/* The word has marks to scan. */
CYCLE_INLINE void cycle_grey(cycle_marks *m, uint64_t word) {
  uint64_t page = word / CYCLE_PAGE_WORDS, was = m->grey[page];
  m->grey[page] = was | (uint64_t)1 << word % CYCLE_PAGE_WORDS;
  if (!was) cycle_enqueue(m, (uint32_t)page);
}

/* Slots of pages that appeared after the start of the cycle have no marks. */
CYCLE_INLINE void cycle_mark(cycle_marks *m, uint64_t slot) {
  if (OURO_UNLIKELY(slot >= m->slots)) return;
  uint64_t *marked = &m->marked[slot / 64], bit = (uint64_t)1 << slot % 64;
  if (*marked & bit) return;
  *marked |= bit;
  cycle_grey(m, slot / 64);
}

/* The same, later, for a slot whose word is not likely to be in the cache: that of another page
 * than the one being scanned. In heaps in the order of allocation few are. */
CYCLE_INLINE void cycle_mark_soon(cycle_marks *m, uint64_t slot, uint64_t near) {
  if (OURO_LIKELY((slot ^ near) < CYCLE_PAGE_SLOTS)) {
    cycle_mark(m, slot);
    return;
  }
  uint64_t *place = &m->ring[m->ring_at++ % CYCLE_RING], before = *place;
  __builtin_prefetch(&m->marked[slot / 64], 1);
  *place = slot;
  cycle_mark(m, before);
}

/* Marks what waits. */
static inline void cycle_mark_waiting(cycle_marks *m) {
  for (unsigned i = 0; i < CYCLE_RING; i++) {
    uint64_t slot = m->ring[i];
    m->ring[i] = UINT64_MAX;
    cycle_mark(m, slot);
  }
}

/* Marks several slots of a word at once. */
static inline void cycle_mark_word(cycle_marks *m, uint64_t word, uint64_t bits) {
  if (!(bits & ~m->marked[word])) return;
  m->marked[word] |= bits;
  cycle_grey(m, word);
}

CYCLE_INLINE uint64_t cycle_unscanned(const cycle_marks *m, uint64_t word) {
  return m->marked[word] & ~m->scanned[word];
}

#endif
