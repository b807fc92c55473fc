/* SPDX-License-Identifier: MIT */
/* Part of template.h: visiting what an object refers to, large objects in pieces. */
#ifndef OURO_SRC_CYCLE_SCAN_H
#define OURO_SRC_CYCLE_SCAN_H

#include "cycle/budget.h"

/* What a visitor gets as `arg`. */
typedef struct cycle_view {
  cycle *c;
  CYCLE_EMBEDDER *e;
  uint32_t rank; /* of the referring member, for UNION */
} cycle_view;

/* Visits what `o` refers to, from reference c->position on. False: the budget ended before the
 * object did, and c->position says where to go on. Another object may be in the slot by then, or
 * its references may have moved: some are then missed or seen twice, which only makes a guess
 * worse. */
CYCLE_INLINE bool cycle_scan(cycle *c, CYCLE_EMBEDDER *e, CYCLE_OBJECT o,
                             void (*visit)(CYCLE_OBJECT, void *), void *arg) {
  size_t length = embed_length(e, o), from = c->position < length ? c->position : length;
  for (;;) {
    size_t to = length - from > c->limits.piece ? from + c->limits.piece : length;
    embed_traverse(e, o, from, to, visit, arg);
    cycle_spend(c, e, to - from + 1);
    if (to == length) break;
    from = to;
    if (!c->over) continue;
    c->position = from;
    return false;
  }
  c->position = 0;
  return true;
}

/* Moves the cursor to the next residual member that is wanted. False: there is none. */
CYCLE_INLINE bool cycle_next(cycle *c, bool unmarked) {
  const cycle_set *s = &c->residual;
  while (!c->rest) {
    if (c->at >= s->used) return false;
    const cycle_chunk *chunk = &s->chunks[++c->at];
    c->rest = unmarked ? chunk->members & ~c->marks.marked[chunk->word] : chunk->members;
  }
  return true;
}

/* The cursor's member: its number in the residual. */
CYCLE_INLINE uint32_t cycle_here(const cycle *c) {
  return (uint32_t)c->at * 64 + ouro_lowest_bit(c->rest);
}

CYCLE_INLINE void cycle_done_here(cycle *c) { c->rest &= c->rest - 1; }

/* The object at the cursor, or CYCLE_NONE. The next one is fetched into the cache meanwhile. */
CYCLE_INLINE CYCLE_OBJECT cycle_object_here(cycle *c, CYCLE_EMBEDDER *e) {
  uint64_t word = c->residual.chunks[c->at].word, others = c->rest & (c->rest - 1);
  if (others) embed_prefetch(e, word * 64 + ouro_lowest_bit(others));
  CYCLE_OBJECT o = embed_at(e, word * 64 + ouro_lowest_bit(c->rest));
  if (o == CYCLE_NONE) c->position = 0;
  return o;
}

#endif
