/* SPDX-License-Identifier: MIT */
/*
 * Part of template.h: GATHER, TEST, CLEAR and RELEASE: a component too large for one go.
 *
 * Only its exact test cannot be divided, and it ends with embed_condemn: from then on nobody can
 * find or reach a member, so what is on the list stays valid while the program runs.
 */
#ifndef OURO_SRC_CYCLE_GIANT_H
#define OURO_SRC_CYCLE_GIANT_H

#include "cycle/batch.h"
#include "cycle/walk.h"

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
  cycle_set *s = &c->batch.set;
  for (uint32_t k = 1; k <= s->used; k++)
    s->chunks[k].members = cycle_collectable(e, s->chunks[k].word, s->chunks[k].members);
  c->report.found += cycle_condemn(e, &c->batch);
  c->report.destroyed += c->batch.found;
}

/* The next few of the list, of which c->position are done. 0: the end. */
static size_t cycle_giant_piece(const cycle *c) {
  size_t left = c->batch.found - c->position;
  return left < c->limits.clear ? left : c->limits.clear;
}

static bool cycle_giant_clear(cycle *c, CYCLE_EMBEDDER *e) {
  CYCLE_OBJECT *garbage = c->batch.garbage.at;
  for (size_t n; (n = cycle_giant_piece(c)); c->position += n) {
    if (c->over) return false;
    size_t references = n;
    for (size_t i = 0; i < n; i++) references += embed_length(e, garbage[c->position + i]);
    embed_clear(e, garbage + c->position, n);
    cycle_spend(c, e, references);
  }
  return true;
}

static bool cycle_giant_release(cycle *c, CYCLE_EMBEDDER *e) {
  CYCLE_OBJECT *garbage = c->batch.garbage.at;
  for (size_t n; (n = cycle_giant_piece(c)); c->position += n) {
    if (c->over) return false;
    embed_release(e, garbage + c->position, n);
    cycle_spend(c, e, n);
  }
  while (c->batch.set.used && !c->over) {
    cycle_drop_chunk(&c->batch.set);
    cycle_spend(c, e, 1);
  }
  return !c->batch.set.used;
}

#endif
