/* SPDX-License-Identifier: MIT */
/* Part of template.h: visiting what an object refers to, large objects in pieces. */
#ifndef OURO_SRC_CYCLE_SCAN_H
#define OURO_SRC_CYCLE_SCAN_H

#include "budget.h"

typedef CYCLE_VISITED (*cycle_visit)(CYCLE_OBJECT referent, void *arg);

/* Visits what a large object refers to, from reference c->position on. False: the slice ended
 * before the object did, and c->position says where to go on. Another object may be in the slot by
 * then, or its references may have moved: some are then missed or seen twice, which only makes a
 * guess worse. */
CYCLE_INLINE bool cycle_scan_pieces(cycle *c, CYCLE_EMBEDDER *e, const CYCLE_GROUP *g,
                                    CYCLE_OBJECT o, cycle_visit visit, void *arg) {
  size_t length = embed_length(e, g, o);
  while (c->position < length && !c->over) {
    size_t left = length - c->position, piece = left < c->limits.piece ? left : c->limits.piece;
    embed_traverse(e, g, o, c->position, c->position + piece, visit, arg);
    c->position += piece;
    cycle_spend(c, e, piece);
  }
  if (c->position < length) return false;
  c->position = 0;
  return true;
}

/* Visits what `o` refers to and counts that as spent. False: the slice ended within it. */
CYCLE_INLINE bool cycle_scan(cycle *c, CYCLE_EMBEDDER *e, const CYCLE_GROUP *g, CYCLE_OBJECT o,
                             uint64_t *spent, cycle_visit visit, void *arg) {
  size_t length = embed_length(e, g, o);
  if (OURO_UNLIKELY(length > c->limits.piece)) return cycle_scan_pieces(c, e, g, o, visit, arg);
  embed_traverse(e, g, o, 0, length, visit, arg);
  c->position = 0;
  *spent += length;
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

/* On to the next member. */
CYCLE_INLINE void cycle_go_on(cycle *c, CYCLE_EMBEDDER *e, uint64_t *spent) {
  c->rest &= c->rest - 1;
  cycle_spent(c, e, spent, 1);
}

/* The word at the cursor, looked up once. */
typedef struct cycle_members {
  cycle_chunk *chunk;
  CYCLE_GROUP group;
  uint64_t live;
} cycle_members;

/* Opens the cursor's word: at first, and when the program has run. */
CYCLE_INLINE void cycle_open(const cycle *c, CYCLE_EMBEDDER *e, cycle_members *m) {
  m->chunk = &c->residual.chunks[c->at];
  m->live = embed_live(e, m->chunk->word, c->rest, true);
  m->group = embed_group(e, m->chunk->word);
}

/* As cycle_next; the cursor's word is open. */
CYCLE_INLINE bool cycle_next_open(cycle *c, CYCLE_EMBEDDER *e, cycle_members *m, bool unmarked) {
  if (c->rest) return true;
  if (!cycle_next(c, unmarked)) return false;
  cycle_open(c, e, m);
  return true;
}

/* Whether the member at the cursor still lives. */
CYCLE_INLINE bool cycle_lives_here(cycle *c, const cycle_members *m) {
  if (OURO_LIKELY(m->live & c->rest & -c->rest)) return true;
  c->position = 0;
  return false;
}

/* The next one is fetched into the cache meanwhile. */
CYCLE_INLINE CYCLE_OBJECT cycle_object_here(const cycle *c, CYCLE_EMBEDDER *e,
                                            const cycle_members *m) {
  uint64_t first = m->chunk->word * 64, others = c->rest & (c->rest - 1);
  if (others) CYCLE_PREFETCH(embed_object(e, &m->group, first + ouro_lowest_bit(others)));
  return embed_object(e, &m->group, first + ouro_lowest_bit(c->rest));
}

#endif
