/* SPDX-License-Identifier: MIT */
/*
 * A set of slots with a counter for each member. Only words that have members take memory, a
 * *chunk* each, in the order in which they came:
 *
 *     chunk_of[word] = k, 0 < k <= used  <=>  chunks[k].word = word
 *     chunk_of[word] = 0: the word has no members; chunks[0] has none, ever
 *     the number of a member ("rank") is 64 k + its bit, so never below 64
 *
 * A set is cleared by undoing the words it used. Where the tables fall short an object is left out:
 * any subset of the garbage may be tested and destroyed alone.
 */
#ifndef OURO_SRC_CYCLE_SET_H
#define OURO_SRC_CYCLE_SET_H

#include <stdalign.h>
#include <string.h>

#include "marks.h"
#include "tables.h"
#include "tune.h"

/* What `counter` and `reached` mean is said by the phase that uses them. */
typedef struct cycle_chunk {
  alignas(64) uint64_t members;
  uint64_t reached; /* <= members */
  uint64_t word;
  uint32_t counter[64];
} cycle_chunk;

typedef struct cycle_set {
  uint32_t *chunk_of; /* by word */
  cycle_chunk *chunks;
  uint64_t words;      /* chunk_of has so many */
  uint32_t used, room; /* chunks [1, used] are taken, [0, room) may be */
  cycle_table table;   /* of the chunks */
} cycle_set;

/* The chunk of a slot that may lie anywhere; chunk 0 for one that has none. */
CYCLE_INLINE cycle_chunk *cycle_chunk_of(const cycle_set *s, uint64_t slot) {
  uint64_t word = slot / 64;
  return &s->chunks[OURO_LIKELY(word < s->words) ? s->chunk_of[word] : 0];
}

CYCLE_INLINE bool cycle_has(const cycle_chunk *chunk, uint64_t slot) {
  return chunk->members >> slot % 64 & 1;
}

CYCLE_INLINE uint64_t cycle_slot_of(const cycle_set *s, uint32_t rank) {
  return s->chunks[rank / 64].word * 64 + rank % 64;
}

CYCLE_INLINE uint32_t cycle_rank(const cycle_set *s, const cycle_chunk *chunk, uint64_t slot) {
  return (uint32_t)(chunk - s->chunks) * 64 + slot % 64;
}

CYCLE_INLINE uint32_t *cycle_counter_of(const cycle_set *s, uint32_t rank) {
  return &s->chunks[rank / 64].counter[rank % 64];
}

/* One reference to a slot was found. */
CYCLE_INLINE void cycle_count_down(cycle_chunk *chunk, uint64_t slot) {
  if (cycle_has(chunk, slot)) chunk->counter[slot % 64]--;
}

/* References that were found, whose counters are on their way into the cache. */
typedef struct cycle_found {
  struct {
    cycle_chunk *chunk; /* NULL: none */
    uint64_t slot;
  } waiting[CYCLE_RING];
  uint32_t at;
  uint64_t last; /* slot that was counted */
} cycle_found;

/* Counts the reference down when its counter has come into the cache. */
CYCLE_INLINE void cycle_count_later(cycle_found *f, cycle_chunk *chunk, uint64_t slot) {
  __builtin_prefetch(chunk);
  __builtin_prefetch(&chunk->counter[slot % 64], 1);
  unsigned i = f->at++ % CYCLE_RING;
  uint64_t slot_before = f->waiting[i].slot;
  cycle_chunk *before = f->waiting[i].chunk;
  f->waiting[i].chunk = chunk;
  f->waiting[i].slot = slot;
  if (before) cycle_count_down(before, slot_before);
}

/* Counts the reference down, later if it leads to another page than `near` lies in and the last one
 * led to: those of one object are often to neighbours. */
CYCLE_INLINE void cycle_count_soon(cycle_found *f, const cycle_set *s, uint64_t slot,
                                   uint64_t near) {
  cycle_chunk *chunk = cycle_chunk_of(s, slot);
  bool soon = (slot ^ near) < CYCLE_PAGE_SLOTS || (slot ^ f->last) < CYCLE_PAGE_SLOTS;
  if (chunk == s->chunks) return; /* its word has no members */
  f->last = slot;
  if (OURO_LIKELY(soon)) cycle_count_down(chunk, slot);
  else cycle_count_later(f, chunk, slot);
}

static inline void cycle_count_waiting(cycle_found *f) {
  for (unsigned i = 0; i < CYCLE_RING; i++)
    if (f->waiting[i].chunk) cycle_count_down(f->waiting[i].chunk, f->waiting[i].slot);
  *f = (cycle_found){.at = 0};
}

/* A chunk for a word that has none. NULL: no room. */
static inline cycle_chunk *cycle_new_chunk(cycle_set *s, uint64_t word) {
  if (s->used + 1 >= s->room) return NULL;
  cycle_chunk *chunk = &s->chunks[++s->used];
  memset(chunk, 0, sizeof *chunk);
  chunk->word = word;
  s->chunk_of[word] = s->used;
  return chunk;
}

/* Adds members of one word. False: no room, they are left out. */
static inline bool cycle_add(cycle_set *s, uint64_t word, uint64_t bits) {
  if (OURO_UNLIKELY(word >= s->words)) return false;
  uint32_t k = s->chunk_of[word];
  cycle_chunk *chunk = k ? &s->chunks[k] : cycle_new_chunk(s, word);
  if (chunk) chunk->members |= bits;
  return chunk != NULL;
}

/* Takes the newest chunk away. */
static inline void cycle_drop_chunk(cycle_set *s) { s->chunk_of[s->chunks[s->used--].word] = 0; }

static inline void cycle_clear_set(cycle_set *s) {
  while (s->used) cycle_drop_chunk(s);
}

/* Which counters are not zero, as bits: mostly none, as most objects are held by others only. */
static inline uint64_t cycle_nonzero(const cycle_chunk *chunk) {
  uint32_t any = 0;
  uint64_t bits = 0;
  for (unsigned i = 0; i < 64; i++) any |= chunk->counter[i];
  for (unsigned i = 0; any && i < 64; i++) bits |= (uint64_t)(chunk->counter[i] != 0) << i;
  return bits;
}

#endif
