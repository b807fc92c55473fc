/* SPDX-License-Identifier: MIT */
/*
 * Part of template.h: GATHER, TEST, HOLD, CLEAR and RELEASE: a component too large for one go.
 *
 * Only its exact test cannot be divided, and it ends with the members condemned: from then on
 * nobody can find or reach one, so all of them stay what they are while the program runs.
 */
#ifndef OURO_SRC_CYCLE_GIANT_H
#define OURO_SRC_CYCLE_GIANT_H

#include "batch.h"

/* Adds the members of the order's next word: side by side, as ranks rise within a component.
 * Returns how many. */
static size_t cycle_gather_word(cycle *c) {
  const uint32_t *order = c->order.at;
  uint32_t chunk = order[c->at] / 64;
  uint64_t bits = 0;
  for (; c->at < c->end && order[c->at] / 64 == chunk; c->at++)
    bits |= (uint64_t)1 << order[c->at] % 64;
  cycle_add(&c->batch.set, c->residual.chunks[chunk].word, bits);
  return bits_count(bits);
}

static bool cycle_giant_gather(cycle *c, CYCLE_EMBEDDER *e) {
  while (c->at < c->end && !c->over) {
    size_t members = cycle_gather_word(c);
    CYCLE_GATHERED(e, &c->batch.set);
    cycle_spend(c, e, 2 * members);
  }
  return c->at == c->end;
}

/* What was counted before the embedder refused is forgotten. */
static void cycle_start_over(CYCLE_EMBEDDER *e, cycle_set *s) {
  cycle_keep_live(e, s);
  for (uint32_t k = 1; k <= s->used; k++) {
    s->chunks[k].reached = 0;
    memset(s->chunks[k].counter, 0, sizeof s->chunks[k].counter);
  }
}

/* As cycle_judge. Whether the collector itself may decide is found out on the way: a look at all
 * members before the test would take half as long as the test. */
static size_t cycle_judge_giant(CYCLE_EMBEDDER *e, cycle_batch *b) {
  cycle_test t = cycle_test_of(e, b);
  t.giant = true;
  if (cycle_test_all(&t)) return cycle_condemn(&t);
  cycle_start_over(e, &b->set);
  return cycle_judge(e, b);
}

static void cycle_giant_test(cycle *c, CYCLE_EMBEDDER *e) {
  c->report.found += cycle_judge_giant(e, &c->batch);
  c->report.destroyed += c->batch.found;
}

static bool cycle_giant_hold(cycle *c, CYCLE_EMBEDDER *e) {
  const cycle_set *s = &c->batch.set;
  for (; c->position < s->used && !c->over; c->position++) {
    cycle_chunk *chunk = &s->chunks[c->position + 1];
    cycle_destroy_part(e, chunk, CYCLE_KEEP);
    cycle_spend(c, e, bits_count(chunk->members) + 1);
  }
  return c->position == s->used;
}

/* What dropping a word's references takes, in references. */
static size_t cycle_word_length(CYCLE_EMBEDDER *e, const cycle_chunk *chunk) {
  CYCLE_GROUP group = embed_group(e, chunk->word);
  size_t length = 1;
  for (uint64_t rest = chunk->members; rest; rest &= rest - 1)
    length += 1 + embed_length(e, &group,
                               embed_object(e, &group, chunk->word * 64 + ouro_lowest_bit(rest)));
  return length;
}

/* c->position words are done. */
static bool cycle_giant_clear(cycle *c, CYCLE_EMBEDDER *e) {
  const cycle_set *s = &c->batch.set;
  for (; c->position < s->used && !c->over; c->position++) {
    cycle_chunk *chunk = &s->chunks[c->position + 1];
    size_t length = cycle_word_length(e, chunk);
    cycle_destroy_part(e, chunk, CYCLE_DROP);
    cycle_spend(c, e, c->position % c->limits.clear ? length : c->limits.units);
  }
  return c->position == s->used;
}

static bool cycle_giant_release(cycle *c, CYCLE_EMBEDDER *e) {
  cycle_set *s = &c->batch.set;
  for (; s->used && !c->over; cycle_drop_chunk(s)) {
    cycle_destroy_part(e, &s->chunks[s->used], CYCLE_FREE);
    cycle_spend(c, e, bits_count(s->chunks[s->used].members) + 1);
  }
  return !s->used;
}

#endif
