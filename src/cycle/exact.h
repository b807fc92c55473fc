/* SPDX-License-Identifier: MIT */
/*
 * Part of template.h: the exact test of a batch, in one go: which members are referred to by
 * members only, directly and through all who refer to them.
 *
 *     counter = count - references found from members; 0: all of them are
 *     reached = members with another counter, and what can be reached from them within the batch
 *     members & ~reached is garbage: nobody else refers to it, so nobody else can ever
 *
 * It relies on nothing that was believed before; any set of objects may be asked about.
 */
#ifndef OURO_SRC_CYCLE_EXACT_H
#define OURO_SRC_CYCLE_EXACT_H

#include "cycle/scan.h"

typedef struct cycle_test {
  CYCLE_EMBEDDER *e;
  cycle_batch *b;
  CYCLE_OBJECT *objects; /* b->garbage: a stack of reached members while there are any */
  size_t n;              /* on the stack; each member is pushed once at most */
  bool special;          /* some garbage needs embed_prepare */
  bool keep_special;     /* what needs it again is taken as reached: its time comes later */
} cycle_test;

static inline void cycle_visit_count(CYCLE_OBJECT referent, void *arg) {
  cycle_test *t = arg;
  uint64_t slot;
  if (!embed_slot(t->e, referent, &slot)) return;
  cycle_chunk *chunk = cycle_chunk_of(&t->b->set, slot);
  if (cycle_has(chunk, slot)) chunk->counter[slot % 64]--;
}

CYCLE_INLINE void cycle_reach(cycle_test *t, cycle_chunk *chunk, CYCLE_OBJECT o, unsigned bit) {
  chunk->reached |= (uint64_t)1 << bit;
  t->objects[t->n++] = o;
}

static inline void cycle_visit_reach(CYCLE_OBJECT referent, void *arg) {
  cycle_test *t = arg;
  uint64_t slot;
  if (!embed_slot(t->e, referent, &slot)) return;
  cycle_chunk *chunk = cycle_chunk_of(&t->b->set, slot);
  if ((chunk->members & ~chunk->reached) >> slot % 64 & 1)
    cycle_reach(t, chunk, referent, slot % 64);
}

/* Counts for one chunk. Immortal members are reached whatever refers to them. */
static void cycle_count_chunk(cycle_test *t, cycle_chunk *chunk) {
  for (uint64_t rest = chunk->members, others; rest; rest = others) {
    unsigned bit = ouro_lowest_bit(rest);
    others = rest & (rest - 1);
    if (others) embed_prefetch(t->e, chunk->word * 64 + ouro_lowest_bit(others));
    CYCLE_OBJECT o = embed_object(t->e, chunk->word * 64 + bit);
    uint32_t count = embed_count(t->e, o);
    if (OURO_UNLIKELY(count == UINT32_MAX || (t->keep_special && embed_special(t->e, o))))
      cycle_reach(t, chunk, o, bit);
    else chunk->counter[bit] += count;
    embed_traverse(t->e, o, 0, embed_length(t->e, o), cycle_visit_count, t);
  }
}

/* Members held from outside are reached. A counter below 0 is a lie of a count or a traverse. */
static void cycle_weigh_member(cycle_test *t, cycle_chunk *chunk, unsigned bit) {
  CYCLE_OBJECT o = embed_object(t->e, chunk->word * 64 + bit);
  uint32_t count = embed_count(t->e, o), counter = chunk->counter[bit];
  if ((int32_t)counter < 0) embed_broken(t->e, o, count, count - counter);
  cycle_reach(t, chunk, o, bit);
}

static void cycle_reach_from_stack(cycle_test *t) {
  while (t->n) {
    CYCLE_OBJECT o = t->objects[--t->n];
    embed_traverse(t->e, o, 0, embed_length(t->e, o), cycle_visit_reach, t);
  }
}

static void cycle_reach_chunk(cycle_test *t, cycle_chunk *chunk) {
  uint64_t held = cycle_nonzero(chunk) & chunk->members & ~chunk->reached;
  for (; held; held &= held - 1) cycle_weigh_member(t, chunk, ouro_lowest_bit(held));
  if (t->n) cycle_reach_from_stack(t);
}

/* Puts the chunk's garbage into the list. Reached members are none any more. */
static void cycle_list_chunk(cycle_test *t, cycle_chunk *chunk) {
  chunk->members &= ~chunk->reached;
  chunk->reached = 0;
  for (uint64_t rest = chunk->members; rest; rest &= rest - 1) {
    CYCLE_OBJECT o = embed_object(t->e, chunk->word * 64 + ouro_lowest_bit(rest));
    t->special |= embed_special(t->e, o);
    t->objects[t->n++] = o;
  }
}

/* Leaves the garbage among the members in the batch's list. Returns whether some is special. */
static bool cycle_test_exactly(CYCLE_EMBEDDER *e, cycle_batch *b, bool keep_special) {
  cycle_test t = {.e = e, .b = b, .objects = b->garbage.at, .keep_special = keep_special};
  cycle_chunk *chunks = b->set.chunks;
  for (uint32_t k = 1; k <= b->set.used; k++) cycle_count_chunk(&t, &chunks[k]);
  for (uint32_t k = 1; k <= b->set.used; k++) cycle_reach_chunk(&t, &chunks[k]);
  for (uint32_t k = 1; k <= b->set.used; k++) cycle_list_chunk(&t, &chunks[k]);
  b->found = t.n;
  return t.special;
}

/* Which members still live, after the program's code has run. */
static void cycle_drop_dead(CYCLE_EMBEDDER *e, cycle_chunk *chunk) {
  for (uint64_t rest = chunk->members; rest; rest &= rest - 1)
    if (!embed_alive(e, chunk->word * 64 + ouro_lowest_bit(rest))) chunk->members ^= rest & -rest;
  memset(chunk->counter, 0, sizeof chunk->counter);
}

/* Keeps what must be kept, has weak references cleared and finalizers called, and each time tests
 * again whatever may have changed. After finalizers a member that is special again is a new object
 * in a dead member's slot, or one to which a finalizer made a weak reference: both wait. */
static void cycle_prepare(CYCLE_EMBEDDER *e, cycle_batch *b) {
  for (int stage = 0; stage < 2 && b->found; stage++) {
    if (!embed_prepare(e, b->garbage.at, b->found, stage)) continue;
    for (uint32_t k = 1; k <= b->set.used; k++) cycle_drop_dead(e, &b->set.chunks[k]);
    cycle_test_exactly(e, b, stage == 1);
  }
}

/* Finds the garbage among the members and lets the program do what must come before its end. From
 * then on nobody can see it. Returns how many members were unreachable at first. */
static size_t cycle_condemn(CYCLE_EMBEDDER *e, cycle_batch *b) {
  bool special = cycle_test_exactly(e, b, false);
  size_t found = b->found;
  if (special) cycle_prepare(e, b);
  if (b->found) embed_condemn(e, b->garbage.at, b->found);
  return found;
}

#endif
