/* SPDX-License-Identifier: MIT */
/* The collector of a toy world, as its program sees it. */
#ifndef TOY_COLLECT_H
#define TOY_COLLECT_H

#include "cycle/cycle.h"
#include "toy.h"

typedef struct toy_collector {
  toy_world *world;
  cycle cycle;         /* all zero: none in progress */
  uint32_t live_after; /* the last one */
  uint64_t longest_ns; /* slice of toy_tick */
  uint64_t destroyed, broken;
} toy_collector;

/* Destroys all garbage now. Returns how many objects were unreachable; -1: out of memory for the
 * collector's tables, nothing lost. */
int64_t toy_collect(toy_collector *collector);

/* To be called now and then: begins a cycle when the world has doubled since the last one, and
 * works on one in progress for about `budget_ns`. */
void toy_tick(toy_collector *collector, uint64_t budget_ns);

void toy_collector_end(toy_collector *collector);

#endif
