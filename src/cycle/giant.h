/* SPDX-License-Identifier: MIT */
/*
 * Part of template.h: GATHER, TEST, CLEAR and RELEASE: a component too large for one go.
 *
 * Only its exact test cannot be divided, and it ends with embed_condemn: from then on nobody can
 * find or reach a member, so what is on the list stays valid while the program runs.
 */
#ifndef OURO_SRC_CYCLE_GIANT_H
#define OURO_SRC_CYCLE_GIANT_H

#include "batch.h"

static bool cycle_giant_gather(cycle *c, CYCLE_EMBEDDER *e) {
  const uint32_t *order = c->order.at;
  for (; c->at < c->end && !c->over; c->at++) {
    uint64_t slot = cycle_slot_of(&c->residual, order[c->at]);
    cycle_add(&c->batch.set, slot / 64, (uint64_t)1 << slot % 64);
    cycle_spend(c, e, 1);
  }
  return c->at == c->end;
}

static void cycle_giant_test(cycle *c, CYCLE_EMBEDDER *e) {
  cycle_keep_live(e, &c->batch.set);
  c->report.found += cycle_judge(e, &c->batch);
  c->report.destroyed += c->batch.found;
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
