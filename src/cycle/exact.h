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

#include "mark.h"

typedef struct cycle_test {
  CYCLE_EMBEDDER *e;
  cycle_batch *b;
  CYCLE_OBJECT *objects; /* b->garbage: a stack of reached members while there are any */
  size_t n;              /* on the stack; each member is pushed once at most */
  bool special;          /* some garbage needs embed_prepare */
  cycle_found references;
  uint64_t near;     /* a slot of the page that is looked at */
  bool keep_special; /* what needs it again is taken as reached: its time comes later */
  bool giant;        /* who lives, and whether the embedder leaves it to us, is asked on the way */
} cycle_test;

static cycle_test cycle_test_of(CYCLE_EMBEDDER *e, cycle_batch *b) {
  return (cycle_test){.e = e, .b = b, .objects = b->garbage.at};
}

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

/* Counts for one chunk, and fetches the members of the next one meanwhile, of the group `ahead`.
 * Immortal members are reached whatever refers to them. False: the embedder is to judge. */
CYCLE_INLINE bool cycle_count_chunk(cycle_test *t, cycle_chunk *chunk, const CYCLE_GROUP *group,
                                    const cycle_chunk *next, const CYCLE_GROUP *ahead) {
  uint64_t fetch = next->members;
  t->near = chunk->word * 64;
  bool first = chunk == &t->b->set.chunks[1];
  if (t->giant && !CYCLE_DECIDES(t->e, group, chunk->word, &chunk->members, first)) return false;
  if (OURO_UNLIKELY(t->keep_special))
    cycle_reach_bits(t, group, chunk, embed_special(t->e, group, chunk->word, chunk->members));
  for (uint64_t rest = chunk->members, others; rest; rest = others) {
    unsigned bit = ouro_lowest_bit(rest);
    others = rest & (rest - 1);
    fetch = cycle_prefetch_next(t->e, ahead, next->word, fetch);
    CYCLE_OBJECT o = embed_object(t->e, group, chunk->word * 64 + bit);
    uint32_t count = cycle_count_member(t, group, o);
    if (OURO_LIKELY(count != UINT32_MAX)) chunk->counter[bit] += count;
    else cycle_reach_bits(t, group, chunk, rest ^ others);
  }
  return true;
}

/* Counts for all members. False: the embedder is to judge. */
CYCLE_FLAT bool cycle_count_all(cycle_test *t) {
  const cycle_set *s = &t->b->set;
  CYCLE_GROUP group, ahead = {0};
  if (s->used) ahead = embed_group(t->e, s->chunks[1].word);
  for (uint32_t k = 1; k <= s->used; k++) {
    const cycle_chunk *next = &s->chunks[k < s->used ? k + 1 : 0];
    group = ahead;
    if (next->members) ahead = embed_group(t->e, next->word);
    if (!cycle_count_chunk(t, &s->chunks[k], &group, next, &ahead)) return false;
  }
  cycle_count_waiting(&t->references);
  return true;
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

/* Of a giant mostly no member is held: then each chunk is looked at once. False: some are. */
static bool cycle_all_is_garbage(cycle_test *t) {
  cycle_set *s = &t->b->set;
  bool all = t->giant && !t->n;
  for (uint32_t k = 1; all && k <= s->used; k++) {
    all = !(cycle_nonzero(&s->chunks[k]) & s->chunks[k].members);
    if (all) cycle_keep_garbage(t, &s->chunks[k]);
  }
  return all;
}

static void cycle_reach_all(cycle_test *t) {
  cycle_set *s = &t->b->set;
  t->b->found = 0;
  t->special = false;
  for (uint32_t k = 1; k <= s->used; k++) cycle_reach_chunk(t, &s->chunks[k]);
  for (uint32_t k = 1; k <= s->used; k++) cycle_keep_garbage(t, &s->chunks[k]);
}

/* Leaves the garbage among the members as the batch's members. False: the embedder is to judge. */
static bool cycle_test_all(cycle_test *t) {
  t->b->found = 0;
  if (!cycle_count_all(t)) return false;
  if (!cycle_all_is_garbage(t)) cycle_reach_all(t);
  return true;
}

/* Once more. Returns whether some garbage is special. */
static bool cycle_test_again(CYCLE_EMBEDDER *e, cycle_batch *b, bool keep_special) {
  cycle_test t = cycle_test_of(e, b);
  t.keep_special = keep_special;
  cycle_test_all(&t);
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
  if (cycle_prepare(e, b, 0)) special = cycle_test_again(e, b, false);
  for (int round = 1; special && b->found; round++) {
    if (!cycle_prepare(e, b, 1)) return;
    special = cycle_test_again(e, b, round == TUNE_CYCLE_ROUNDS);
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

/* Lets the program do what must come before the end of the garbage that was found. From then on
 * nobody can see it. Returns how many members were unreachable at first. */
static size_t cycle_condemn(const cycle_test *t) {
  cycle_batch *b = t->b;
  size_t found = b->found;
  if (t->special) cycle_prepare_all(t->e, b);
  if (t->giant && !t->special && CYCLE_HIDE(t->e, found)) return found;
  cycle_destroy_all(t->e, &b->set, CYCLE_CONDEMN);
  return found;
}

static size_t cycle_test_and_condemn(CYCLE_EMBEDDER *e, cycle_batch *b) {
  cycle_test t = cycle_test_of(e, b);
  cycle_test_all(&t);
  return cycle_condemn(&t);
}

#endif
