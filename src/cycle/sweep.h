/* SPDX-License-Identifier: MIT */
/*
 * Part of template.h: SWEEP, the end of a collection in one go.
 *
 * The program has not run since the cycle began, so what was counted is exact: whoever is not held
 * is garbage, without components and without another test. Where the embedder has a say in the end
 * of some of it, a little garbage is one batch, as its components together are; more goes on as in
 * any other cycle.
 */
#ifndef OURO_SRC_CYCLE_SWEEP_H
#define OURO_SRC_CYCLE_SWEEP_H

#include "batch.h"

static bool cycle_may_sweep(const cycle *c) { return c->undisturbed && c->budget == UINT64_MAX; }

/* Leaves garbage alone in the residual. Returns how much. */
static size_t cycle_keep_unheld(cycle *c) {
  size_t garbage = 0;
  for (uint32_t k = 1; k <= c->residual.used; k++) {
    cycle_chunk *chunk = &c->residual.chunks[k];
    chunk->members &= ~c->marks.marked[chunk->word];
    garbage += bits_count(chunk->members);
  }
  return garbage;
}

/* Whether nothing must happen before the end of any of it. */
static bool cycle_sweeps_all(const cycle *c, CYCLE_EMBEDDER *e) {
  for (uint32_t k = 1; k <= c->residual.used; k++) {
    const cycle_chunk *chunk = &c->residual.chunks[k];
    if (!chunk->members) continue;
    CYCLE_GROUP group = embed_group(e, chunk->word);
    if (!CYCLE_SWEEPS(e, &group, chunk->word, chunk->members)) return false;
  }
  return true;
}

/* All garbage as one batch. False: there is no memory for it. */
static bool cycle_sweep_batch(cycle *c, CYCLE_EMBEDDER *e, size_t garbage) {
  if (!cycle_batch_begin(c, garbage)) return false;
  for (uint32_t k = 1; k <= c->residual.used; k++) {
    const cycle_chunk *chunk = &c->residual.chunks[k];
    if (chunk->members) cycle_add(&c->batch.set, chunk->word, chunk->members);
  }
  c->report.found += cycle_batch_destroy(e, &c->batch);
  c->report.destroyed += c->batch.found;
  return true;
}

/* False: the garbage has to go the way of batches, or there is no memory. */
static bool cycle_sweep(cycle *c, CYCLE_EMBEDDER *e) {
  size_t garbage = cycle_keep_unheld(c);
  bool all = cycle_sweeps_all(c, e);
  if (!all && garbage > (size_t)c->limits.batch * TUNE_CYCLE_TOGETHER) return false;
  c->report.candidates += garbage;
  if (!all) return cycle_sweep_batch(c, e, garbage);
  c->report.found += garbage;
  c->report.destroyed += garbage;
  cycle_destroy_all(e, &c->residual, CYCLE_CONDEMN);
  cycle_destroy_all(e, &c->residual, CYCLE_KEEP);
  cycle_destroy_all(e, &c->residual, CYCLE_DROP);
  cycle_destroy_all(e, &c->residual, CYCLE_FREE);
  return true;
}

#endif
