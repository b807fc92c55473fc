/* SPDX-License-Identifier: MIT */
/*
 * The collector's body, included once by a file that has defined what embedder.h asks for. One
 * header for each part; here are the order of the phases and the interface of the instance, P being
 * its prefix:
 *
 *   bool P_start(cycle *c, E *e)
 *     begins a cycle. False: out of memory, or one is in progress.
 *   cycle_report P_step(cycle *c, E *e, uint64_t budget_ns)
 *     works on it for about that long; UINT64_MAX: to its end. In one go, right after P_start, it
 *     destroys everything old that nothing held at the call. Called by the program's code from
 *     within itself it does nothing.
 *   void P_abort(cycle *c, E *e)
 *     forgets the cycle in progress; garbage that is condemned already is destroyed.
 *   bool P_idle(const cycle *c)
 *     whether no cycle is in progress.
 *   bool P_batch_begin(cycle *c, E *e, size_t members)
 *   bool P_batch_add(cycle *c, uint64_t word, uint64_t bits)
 *   size_t P_batch_run(cycle *c, E *e, size_t *destroyed)
 *     a collection of some objects, by their slots, in one go: at most `members` live tracked ones.
 *     begin: false if there is no memory, or the call comes from within the collector. add: false
 *     if there is no room left, the objects are left out. run: returns how many are unreachable, as
 *     nobody but members refers to them, and how many were destroyed; the rest is as it was.
 *   void P_finish(cycle *c)
 *     gives back all memory. No cycle may be in progress.
 */
#ifndef OURO_SRC_CYCLE_TEMPLATE_H
#define OURO_SRC_CYCLE_TEMPLATE_H

#include "cycle.h"
#include "budget.h"
#include "scan.h"
#include "mark.h"
#include "walk.h"
#include "subtract.h"
#include "components.h"
#include "exact.h"
#include "batch.h"
#include "giant.h"
#include "sweep.h"
#include "clean.h"
#include "validate.h"

#define CYCLE_JOIN_(prefix, name) prefix##_##name
#define CYCLE_JOIN(prefix, name) CYCLE_JOIN_(prefix, name)
#define CYCLE_NAME(name) CYCLE_JOIN(CYCLE_PREFIX, name)

/* From BATCHES on c->at is the place in the order, which giants move on as well. */
static void cycle_enter(cycle *c, CYCLE_EMBEDDER *e, cycle_phase phase) {
  cycle_validate(c, e);
  cycle_look(c, e);
  c->position = 0;
  if (c->phase <= CYCLE_ASSIGN) c->at = c->rest = c->end = 0;
  c->phase = phase;
}

/* Works until the phase ends or the slice does. */
static void cycle_advance(cycle *c, CYCLE_EMBEDDER *e) {
  switch (c->phase) {
  case CYCLE_ROOTS:
    cycle_roots(c, e);
    cycle_enter(c, e, CYCLE_MARK);
    return;
  case CYCLE_MARK:
    if (cycle_mark_reachable(c, e)) cycle_enter(c, e, CYCLE_WALK);
    return;
  case CYCLE_WALK:
    if (cycle_walk(c, e)) cycle_enter(c, e, CYCLE_SUBTRACT);
    return;
  case CYCLE_SUBTRACT:
    if (cycle_subtract(c, e)) cycle_enter(c, e, CYCLE_WEIGH);
    return;
  case CYCLE_WEIGH:
    if (cycle_weigh(c, e)) cycle_enter(c, e, CYCLE_HELD);
    return;
  case CYCLE_HELD:
    if (cycle_mark_held(c, e)) cycle_enter(c, e, cycle_may_sweep(c) ? CYCLE_SWEEP : CYCLE_UNION);
    return;
  case CYCLE_SWEEP: cycle_enter(c, e, cycle_sweep(c, e) ? CYCLE_CLEAN : CYCLE_UNION); return;
  case CYCLE_UNION:
    if (cycle_union(c, e)) cycle_enter(c, e, CYCLE_ASSIGN);
    return;
  case CYCLE_ASSIGN:
    if (cycle_assign(c, e)) cycle_enter(c, e, CYCLE_BATCHES);
    return;
  case CYCLE_BATCHES:
    if (cycle_batches(c, e)) cycle_enter(c, e, c->end ? CYCLE_GATHER : CYCLE_CLEAN);
    return;
  case CYCLE_GATHER:
    if (cycle_giant_gather(c, e)) cycle_enter(c, e, CYCLE_TEST);
    return;
  case CYCLE_TEST:
    cycle_giant_test(c, e);
    cycle_enter(c, e, CYCLE_HOLD);
    return;
  case CYCLE_HOLD:
    if (cycle_giant_hold(c, e)) cycle_enter(c, e, CYCLE_CLEAR);
    return;
  case CYCLE_CLEAR:
    if (cycle_giant_clear(c, e)) cycle_enter(c, e, CYCLE_RELEASE);
    return;
  case CYCLE_RELEASE:
    if (cycle_giant_release(c, e)) cycle_enter(c, e, CYCLE_BATCHES);
    return;
  case CYCLE_CLEAN:
    if (cycle_clean(c, e)) cycle_enter(c, e, CYCLE_IDLE), cycle_forget(c);
    return;
  case CYCLE_IDLE: return;
  }
}

static uint32_t cycle_limit(uint32_t chosen, uint32_t usual) { return chosen ? chosen : usual; }

static void cycle_set_limits(cycle_limits *l) {
  l->units = cycle_limit(l->units, TUNE_CYCLE_UNITS);
  l->piece = cycle_limit(l->piece, TUNE_CYCLE_PIECE);
  l->batch = cycle_limit(l->batch, TUNE_CYCLE_BATCH);
  l->clear = cycle_limit(l->clear, TUNE_CYCLE_CLEAR);
}

static bool cycle_start(cycle *c, CYCLE_EMBEDDER *e) {
  if (c->running || c->phase != CYCLE_IDLE) return false;
  c->failed = !cycle_make_tables(c, embed_pages(e));
  if (c->failed) return cycle_forget(c), false;
  cycle_set_limits(&c->limits);
  if (!c->batch_ns) c->batch_ns = TUNE_CYCLE_MEMBER_NS * 16;
  c->at = c->rest = c->end = c->position = 0;
  c->undisturbed = true;
  c->phase = CYCLE_ROOTS;
  return true;
}

static cycle_report cycle_step(cycle *c, CYCLE_EMBEDDER *e, uint64_t budget) {
  if (c->running || c->phase == CYCLE_IDLE)
    return (cycle_report){.finished = c->phase == CYCLE_IDLE, .longest = c->phase};
  c->running = true;
  cycle_slice(c, e, budget);
  while (!c->over && !c->failed && c->phase != CYCLE_IDLE) cycle_advance(c, e);
  cycle_look(c, e);
  c->report.out_of_memory = c->failed;
  if (c->failed) cycle_forget(c);
  c->report.finished = c->phase == CYCLE_IDLE;
  c->report.elapsed_ns = c->looked - c->began;
  c->undisturbed = c->running = false;
  return c->report;
}

/* Condemned objects are seen by nobody but this cycle, so it ends them first. */
static void cycle_abort(cycle *c, CYCLE_EMBEDDER *e) {
  if (c->running || c->phase == CYCLE_IDLE) return;
  c->running = true;
  cycle_slice(c, e, UINT64_MAX);
  while (c->phase >= CYCLE_HOLD && c->phase <= CYCLE_RELEASE) cycle_advance(c, e);
  cycle_forget(c);
  c->running = false;
}

static bool cycle_begin_young(cycle *c, CYCLE_EMBEDDER *e, size_t members) {
  uint64_t words = (uint64_t)embed_pages(e) * CYCLE_PAGE_WORDS;
  return !c->running && cycle_batch_fit(&c->young, words, words, members);
}

static size_t cycle_run_young(cycle *c, CYCLE_EMBEDDER *e, size_t *destroyed) {
  c->running = true;
  size_t found = cycle_batch_destroy(e, &c->young);
  c->running = false;
  *destroyed = c->young.found;
  return found;
}

static void cycle_finish(cycle *c) {
  OURO_CHECK(c->phase == CYCLE_IDLE && !c->running);
  cycle_batch_free(&c->young);
  cycle_free_tables(c);
}

/* --- The instance's names --------------------------------------------------------------------- */

#define CYCLE_PUBLIC static __attribute__((unused))

CYCLE_PUBLIC bool CYCLE_NAME(start)(cycle *c, CYCLE_EMBEDDER *e) { return cycle_start(c, e); }
CYCLE_PUBLIC cycle_report CYCLE_NAME(step)(cycle *c, CYCLE_EMBEDDER *e, uint64_t budget_ns) {
  return cycle_step(c, e, budget_ns);
}
CYCLE_PUBLIC void CYCLE_NAME(abort)(cycle *c, CYCLE_EMBEDDER *e) { cycle_abort(c, e); }
CYCLE_PUBLIC bool CYCLE_NAME(idle)(const cycle *c) { return c->phase == CYCLE_IDLE; }
CYCLE_PUBLIC bool CYCLE_NAME(batch_begin)(cycle *c, CYCLE_EMBEDDER *e, size_t members) {
  return cycle_begin_young(c, e, members);
}
CYCLE_PUBLIC bool CYCLE_NAME(batch_add)(cycle *c, uint64_t word, uint64_t bits) {
  return cycle_add(&c->young.set, word, bits);
}
CYCLE_PUBLIC size_t CYCLE_NAME(batch_run)(cycle *c, CYCLE_EMBEDDER *e, size_t *destroyed) {
  return cycle_run_young(c, e, destroyed);
}
CYCLE_PUBLIC void CYCLE_NAME(finish)(cycle *c) { cycle_finish(c); }

#endif
