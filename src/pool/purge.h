/* SPDX-License-Identifier: MIT */
/*
 * Giving memory back. Time is divided into rounds, one per decay time, each a pass over all
 * arenas. A pool, or a page of a pool, that a round finds free is marked idle; any use takes the
 * mark off; a round that finds the mark still there returns the memory. So it goes back after one
 * to two decay times.
 *
 * `keep`: a round may return what the round before left idle, less `keep` bytes.
 */
#ifndef OURO_SRC_POOL_PURGE_H
#define OURO_SRC_POOL_PURGE_H

#include "heap.h"

/* Looks at the clock, and ticks when a round is due. */
OURO_COLD void purge_look(heap *h);

/* Called from slow paths: looks now and then. */
static inline void purge_now_and_then(heap *h) {
  if (OURO_UNLIKELY(h->events >= h->next_clock)) purge_look(h);
}

#endif
