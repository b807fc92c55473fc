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

#include "scan.h"

typedef struct cycle_test {
  CYCLE_EMBEDDER *e;
  cycle_batch *b;
  CYCLE_OBJECT *objects; /* b->garbage: a stack of reached members while there are any */
  size_t n;              /* on the stack; each member is pushed once at most */
  bool special;          /* some garbage needs embed_prepare */
  cycle_found references;
  uint64_t near;     /* a slot of the page that is looked at */
  bool keep_special; /* what needs it again is taken as reached: its time comes later */
} cycle_test;

static inline CYCLE_VISITED cycle_visit_count(CYCLE_OBJECT referent, void *arg) {
  cycle_test *t = arg;
  uint64_t slot;
  if (embed_slot(t->e, referent, &slot))
    cycle_count_soon(&t->references, &t->b->set, slot, t->near);
  return CYCLE_GO_ON;
}

CYCLE_INLINE void cycle_reach(cycle_test *t, cycle_chunk *chunk, CYCLE_OBJECT o, unsigned bit) {
  chunk->reached |= (uint64_t)1 << bit;
  t->objects[t->n++] = o;
}

/* The same for several members of a word, those reached already left out. */
static void cycle_reach_bits(cycle_test *t, const CYCLE_GROUP *g, cycle_chunk *chunk,
                             uint64_t bits) {
  for (bits &= ~chunk->reached; bits; bits &= bits - 1) {
    unsigned bit = ouro_lowest_bit(bits);
    cycle_reach(t, chunk, embed_object(t->e, g, chunk->word * 64 + bit), bit);
  }
}

static inline CYCLE_VISITED cycle_visit_reach(CYCLE_OBJECT referent, void *arg) {
  cycle_test *t = arg;
  uint64_t slot;
  if (!embed_slot(t->e, referent, &slot)) return CYCLE_GO_ON;
  cycle_chunk *chunk = cycle_chunk_of(&t->b->set, slot);
  if ((chunk->members & ~chunk->reached) >> slot % 64 & 1)
    cycle_reach(t, chunk, referent, slot % 64);
  return CYCLE_GO_ON;
}

CYCLE_INLINE uint32_t cycle_count_member(cycle_test *t, const CYCLE_GROUP *g, CYCLE_OBJECT o) {
  embed_traverse(t->e, g, o, 0, embed_length(t->e, g, o), cycle_visit_count, t);
  return embed_count(t->e, o);
}

/* Counts for one chunk. Immortal members are reached whatever refers to them. */
CYCLE_FLAT void cycle_count_chunk(cycle_test *t, cycle_chunk *chunk) {
  CYCLE_GROUP group = embed_group(t->e, chunk->word);
  uint64_t first = t->near = chunk->word * 64;
  if (OURO_UNLIKELY(t->keep_special))
    cycle_reach_bits(t, &group, chunk, embed_special(t->e, &group, chunk->word, chunk->members));
  for (uint64_t rest = chunk->members, others; rest; rest = others) {
    unsigned bit = ouro_lowest_bit(rest);
    others = rest & (rest - 1);
    if (others) CYCLE_PREFETCH(embed_object(t->e, &group, first + ouro_lowest_bit(others)));
    CYCLE_OBJECT o = embed_object(t->e, &group, first + bit);
    uint32_t count = cycle_count_member(t, &group, o);
    if (OURO_LIKELY(count != UINT32_MAX)) chunk->counter[bit] += count;
    else cycle_reach_bits(t, &group, chunk, rest ^ others);
  }
}

/* Members held from outside are reached. A counter below 0 is a lie of a count or a traverse. */
static void cycle_weigh_member(cycle_test *t, const CYCLE_GROUP *g, cycle_chunk *chunk,
                               unsigned bit) {
  uint32_t counter = chunk->counter[bit];
  if ((int32_t)counter >= 0) return;
  CYCLE_OBJECT o = embed_object(t->e, g, chunk->word * 64 + bit);
  embed_broken(t->e, o, embed_count(t->e, o), embed_count(t->e, o) - counter);
}

CYCLE_FLAT void cycle_reach_from_stack(cycle_test *t) {
  static const CYCLE_GROUP unknown;
  while (t->n) {
    CYCLE_OBJECT o = t->objects[--t->n];
    embed_traverse(t->e, &unknown, o, 0, embed_length(t->e, &unknown, o), cycle_visit_reach, t);
  }
}

static void cycle_reach_chunk(cycle_test *t, cycle_chunk *chunk) {
  uint64_t held = cycle_nonzero(chunk) & chunk->members & ~chunk->reached;
  if (!held) {
    if (t->n) cycle_reach_from_stack(t);
    return;
  }
  CYCLE_GROUP group = embed_group(t->e, chunk->word);
  for (uint64_t rest = held; rest; rest &= rest - 1)
    cycle_weigh_member(t, &group, chunk, ouro_lowest_bit(rest));
  cycle_reach_bits(t, &group, chunk, held);
  cycle_reach_from_stack(t);
}

/* What is not reached is the chunk's garbage, and only that stays a member. */
static void cycle_keep_garbage(cycle_test *t, cycle_chunk *chunk) {
  chunk->members &= ~chunk->reached;
  chunk->reached = 0;
  if (!chunk->members) return;
  t->b->found += bits_count(chunk->members);
  CYCLE_GROUP group = embed_group(t->e, chunk->word);
  if (embed_special(t->e, &group, chunk->word, chunk->members)) t->special = true;
}

/* Leaves the garbage among the members as the batch's members. Returns whether some is special. */
static bool cycle_test_exactly(CYCLE_EMBEDDER *e, cycle_batch *b, bool keep_special) {
  cycle_test t = {.e = e, .b = b, .objects = b->garbage.at, .keep_special = keep_special};
  cycle_chunk *chunks = b->set.chunks;
  b->found = 0;
  for (uint32_t k = 1; k <= b->set.used; k++) cycle_count_chunk(&t, &chunks[k]);
  cycle_count_waiting(&t.references);
  for (uint32_t k = 1; k <= b->set.used; k++) cycle_reach_chunk(&t, &chunks[k]);
  for (uint32_t k = 1; k <= b->set.used; k++) cycle_keep_garbage(&t, &chunks[k]);
  return t.special;
}

/* Which members still live, after the program's code has run. */
static void cycle_drop_dead(CYCLE_EMBEDDER *e, cycle_chunk *chunk) {
  if (chunk->members) chunk->members = embed_live(e, chunk->word, chunk->members, false);
  memset(chunk->counter, 0, sizeof chunk->counter);
}

static void cycle_list_chunk(CYCLE_EMBEDDER *e, const cycle_chunk *chunk, CYCLE_OBJECT **end) {
  CYCLE_GROUP group = embed_group(e, chunk->word);
  for (uint64_t rest = chunk->members; rest; rest &= rest - 1)
    *(*end)++ = embed_object(e, &group, chunk->word * 64 + ouro_lowest_bit(rest));
}

/* One stage of what comes before the end. True: it may have changed something. */
static bool cycle_prepare(CYCLE_EMBEDDER *e, cycle_batch *b, int stage) {
  CYCLE_OBJECT *end = b->garbage.at;
  for (uint32_t k = 1; k <= b->set.used; k++) cycle_list_chunk(e, &b->set.chunks[k], &end);
  if (!embed_prepare(e, b->garbage.at, b->found, stage)) return false;
  for (uint32_t k = 1; k <= b->set.used; k++) cycle_drop_dead(e, &b->set.chunks[k]);
  return true;
}

/* Keeps what must be kept, has weak references cleared and finalizers called, and tests again each
 * time. What is special after the last round waits: a finalizer made a weak reference to it, or it
 * is a new object in a dead member's slot. */
static void cycle_prepare_all(CYCLE_EMBEDDER *e, cycle_batch *b) {
  bool special = true;
  if (cycle_prepare(e, b, 0)) special = cycle_test_exactly(e, b, false);
  for (int round = 1; special && b->found; round++) {
    if (!cycle_prepare(e, b, 1)) return;
    special = cycle_test_exactly(e, b, round == TUNE_CYCLE_ROUNDS);
  }
}

static void cycle_destroy_part(CYCLE_EMBEDDER *e, cycle_chunk *chunk, cycle_part part) {
  if (!chunk->members) return;
  CYCLE_GROUP group = embed_group(e, chunk->word);
  uint64_t left = embed_destroy(e, &group, chunk->word, chunk->members, part);
  if (part == CYCLE_CONDEMN) chunk->members = left;
}

static void cycle_destroy_all(CYCLE_EMBEDDER *e, cycle_set *s, cycle_part part) {
  for (uint32_t k = 1; k <= s->used; k++) cycle_destroy_part(e, &s->chunks[k], part);
}

/* Finds the garbage among the members and lets the program do what must come before its end. From
 * then on nobody can see it. Returns how many members were unreachable at first. */
static size_t cycle_condemn(CYCLE_EMBEDDER *e, cycle_batch *b) {
  bool special = cycle_test_exactly(e, b, false);
  size_t found = b->found;
  if (special) cycle_prepare_all(e, b);
  cycle_destroy_all(e, &b->set, CYCLE_CONDEMN);
  return found;
}

#endif
