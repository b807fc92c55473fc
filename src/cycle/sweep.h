/* SPDX-License-Identifier: MIT */
/*
 * Part of template.h: SWEEP, the end of a collection in one go.
 *
 * The program has not run since the cycle began, so what was counted is exact: whoever is not held
 * is garbage, without components and without another test. Where some of it is special the program
 * must run before the end, and the cycle goes on as any other.
 */
#ifndef OURO_SRC_CYCLE_SWEEP_H
#define OURO_SRC_CYCLE_SWEEP_H

#include "batch.h"

static bool cycle_may_sweep(const cycle *c) {
  return !CYCLE_JUDGED && c->undisturbed && c->budget == UINT64_MAX;
}

/* Leaves garbage alone in the residual. False: some of it is special. */
static bool cycle_only_garbage(cycle *c, CYCLE_EMBEDDER *e) {
  for (uint32_t k = 1; k <= c->residual.used; k++) {
    cycle_chunk *chunk = &c->residual.chunks[k];
    chunk->members &= ~c->marks.marked[chunk->word];
    if (!chunk->members) continue;
    CYCLE_GROUP group = embed_group(e, chunk->word);
    if (embed_special(e, &group, chunk->word, chunk->members)) return false;
    c->candidates += bits_count(chunk->members);
  }
  return true;
}

/* False: the garbage has to go the way of batches. */
static bool cycle_sweep(cycle *c, CYCLE_EMBEDDER *e) {
  bool only = cycle_only_garbage(c, e);
  uint32_t garbage = c->candidates;
  c->candidates = 0;
  if (!only) return false;
  c->report.candidates += garbage;
  c->report.found += garbage;
  c->report.destroyed += garbage;
  cycle_destroy_all(e, &c->residual, CYCLE_CONDEMN);
  cycle_destroy_all(e, &c->residual, CYCLE_KEEP);
  cycle_destroy_all(e, &c->residual, CYCLE_DROP);
  cycle_destroy_all(e, &c->residual, CYCLE_FREE);
  return true;
}

#endif
