/* SPDX-License-Identifier: MIT */
#include "pace.h"

void pace_init(pace *p, uint64_t budget_ns, uint32_t limit_permille, uint64_t live) {
  *p = (pace){.budget_ns = budget_ns,
              .limit = limit_permille,
              .live = live,
              .object_ns16 = TUNE_PACE_OBJECT_NS * 16};
}

uint64_t pace_allowed(const pace *p) {
  uint64_t share = p->live * p->limit / 1000;
  return share > TUNE_PACE_LEAST ? share : TUNE_PACE_LEAST;
}

static uint64_t net(const pace *p) {
  uint64_t least = p->promoted / 4;
  return p->promoted > p->died + least ? p->promoted - p->died : least;
}

/* How much floating garbage a cycle begins at, and is to end at. */
static uint64_t begins_at(const pace *p) {
  uint64_t share = p->fruitless ? TUNE_PACE_BEFORE_LATE : TUNE_PACE_BEFORE;
  return pace_allowed(p) * share / 1000;
}

static uint64_t ends_at(const pace *p) {
  uint64_t share = p->fruitless ? TUNE_PACE_AFTER_LATE : TUNE_PACE_AFTER;
  return pace_allowed(p) * share / 1000;
}

uint64_t pace_floating(const pace *p) { return p->before + net(p); }

/* How long a cycle takes going by how far it came; by the last one, until that can be told. */
static uint64_t projected(const pace *p) {
  if (p->examined < p->began_with / TUNE_PACE_SAMPLE + 1) return p->expected_ns;
  return p->began_with * (p->spent_ns * 16 / p->examined) / 16;
}

/* Of a cycle that takes so long, the work to be done before the next objects come, as many as the
 * last time: the part of what is left that they are of the room between the two. */
static uint64_t work_due(const pace *p, uint64_t takes, uint64_t used, uint64_t allowed) {
  uint64_t room = allowed > used ? allowed - used : 0;
  uint64_t least = takes / 8; /* the last cycle was shorter: there is always some left */
  uint64_t left = takes > p->spent_ns + least ? takes - p->spent_ns : least;
  return p->usual >= room ? left : left * p->usual / room;
}

/* A cycle that is slower than the last one will be so to its end; one that is faster may have
 * more to destroy. */
static uint64_t debt_of(const pace *p) {
  uint64_t takes = projected(p);
  if (takes < p->expected_ns) takes = p->expected_ns;
  return work_due(p, takes, pace_floating(p), ends_at(p));
}

/* How many may be promoted during a cycle. */
static uint64_t during(const pace *p) { return pace_allowed(p) * TUNE_PACE_DURING / 1000; }

/* How long the slices before the next objects come must be for the cycle to end in them. */
static uint64_t most_of(const pace *p) {
  if (net(p) <= during(p) / 2) return p->budget_ns;
  uint64_t due = work_due(p, projected(p), net(p), during(p)) / TUNE_PACE_SLICES;
  return due > p->budget_ns ? due : p->budget_ns;
}

void pace_promoted(pace *p, uint64_t objects, uint64_t died) {
  p->died += died;
  p->promoted += objects;
  if (!objects) return;
  p->usual = objects;
  if (!p->in_cycle) return;
  p->debt_ns = debt_of(p);
  p->most_ns = most_of(p);
}

/* Objects that will be promoted until a cycle has had the slices it needs. */
static uint64_t promoted_meanwhile(const pace *p) {
  uint64_t ns = p->live * p->object_ns16 / 16;
  return ns / (p->budget_ns * TUNE_PACE_SLICES) * p->usual;
}

bool pace_wants_cycle(const pace *p) {
  uint64_t least = pace_allowed(p) / 8, begin = begins_at(p);
  uint64_t end = ends_at(p), meanwhile = promoted_meanwhile(p);
  if (begin + meanwhile > end) begin = end > meanwhile ? end - meanwhile : 0;
  if (begin < least) begin = least;
  return !p->in_cycle && pace_floating(p) >= begin;
}

void pace_begin(pace *p, uint64_t old) {
  p->in_cycle = true;
  p->before = net(p);
  p->began_with = old;
  p->promoted = p->died = p->spent_ns = p->examined = 0;
  p->expected_ns = old * p->object_ns16 / 16;
  p->debt_ns = debt_of(p);
  p->most_ns = p->budget_ns;
}

uint64_t pace_slice(const pace *p) {
  if (!p->in_cycle) return 0;
  if (net(p) > during(p)) return UINT64_MAX;
  if (p->debt_ns < p->budget_ns / TUNE_PACE_PART) return 0;
  return p->debt_ns < p->most_ns ? p->debt_ns : p->most_ns;
}

uint64_t pace_rest(pace *p, uint64_t ns, uint64_t took) {
  if (ns > p->budget_ns) return ns;
  uint64_t left = p->budget_ns > took ? p->budget_ns - took : 0;
  bool was_cut = p->cut;
  p->cut = ns && left < p->budget_ns / 2 && !was_cut;
  if (left < p->budget_ns / 2 && was_cut) return ns;
  if (left < p->budget_ns / TUNE_PACE_PART) return 0;
  return ns < left ? ns : left;
}

void pace_worked(pace *p, uint64_t ns, uint64_t examined) {
  p->spent_ns += ns;
  p->examined += examined;
  p->debt_ns -= ns < p->debt_ns ? ns : p->debt_ns;
}

void pace_hurry(pace *p) {
  if (p->debt_ns < p->budget_ns) p->debt_ns = p->budget_ns;
}

void pace_end(pace *p, uint64_t old, uint64_t found) {
  if (p->in_cycle) p->fruitless = found * TUNE_PACE_FRUIT < p->before;
  if (p->in_cycle && p->began_with) p->object_ns16 = p->spent_ns * 16 / p->began_with + 1;
  p->in_cycle = false;
  p->live = old > net(p) ? old - net(p) : 0;
  p->before = p->spent_ns = p->debt_ns = 0;
}

void pace_clean(pace *p, uint64_t old) {
  p->in_cycle = false;
  p->live = old;
  p->promoted = p->died = p->before = p->spent_ns = p->debt_ns = 0;
}

void pace_wait(pace *p) { p->promoted /= 2; }
