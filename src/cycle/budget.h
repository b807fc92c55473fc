/* SPDX-License-Identifier: MIT */
/* Part of template.h: when a slice is over. Work is counted in references visited; the clock is
 * looked at every so many. The longest time between two looks is what cannot be divided. */
#ifndef OURO_SRC_CYCLE_BUDGET_H
#define OURO_SRC_CYCLE_BUDGET_H

#include "cycle.h"

/* The slot at the phase's cursor. */
static uint64_t cycle_where(const cycle *c) {
  if (c->phase == CYCLE_MARK || c->phase == CYCLE_HELD) return c->at;
  if ((c->phase != CYCLE_SUBTRACT && c->phase != CYCLE_UNION) || !c->rest) return UINT64_MAX;
  return c->residual.chunks[c->at].word * 64 + ouro_lowest_bit(c->rest);
}

static void cycle_look(cycle *c, CYCLE_EMBEDDER *e) {
  uint64_t now = CYCLE_CLOCK(e), took = now - c->looked;
  if (took > c->report.longest_ns) {
    c->report.longest_ns = took;
    c->report.longest = c->phase;
    c->report.longest_at = cycle_where(c);
  }
  c->looked = now;
  c->units = 0;
  c->over = now - c->began >= c->budget;
}

CYCLE_INLINE void cycle_spend(cycle *c, CYCLE_EMBEDDER *e, uint64_t units) {
  c->units += units;
  if (OURO_UNLIKELY(c->units >= c->limits.units)) cycle_look(c, e);
}

/* The same in hot loops, which count in a variable of their own. True: the slice is over. */
CYCLE_INLINE bool cycle_spent(cycle *c, CYCLE_EMBEDDER *e, uint64_t *spent, uint64_t units) {
  if (OURO_LIKELY((*spent += units) < c->limits.units)) return false;
  cycle_look(c, e);
  *spent = 0;
  return c->over;
}

static void cycle_slice(cycle *c, CYCLE_EMBEDDER *e, uint64_t budget) {
  c->report = (cycle_report){.longest = c->phase, .longest_at = UINT64_MAX};
  c->began = c->looked = CYCLE_CLOCK(e);
  c->budget = budget;
  c->units = 0;
  c->over = false;
}

/* Out of memory: the cycle ends here. */
static bool cycle_fail(cycle *c) {
  c->failed = true;
  return false;
}

#endif
