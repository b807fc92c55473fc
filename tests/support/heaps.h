/* SPDX-License-Identifier: MIT */
/* Heaps for tests: the usual ways to make one, and what must always hold of it. */
#ifndef OURO_TESTS_HEAPS_H
#define OURO_TESTS_HEAPS_H

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <ouro/pool.h>

#include "rss.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

/* Huge pages off and nothing given back by time, so that numbers depend on the test alone. */
static inline ouro_heap_options quiet_options(const char *name) {
  ouro_heap_options options;
  ouro_heap_options_init(&options);
  options.name = name;
  options.huge = OURO_HUGE_OFF;
  options.decay_ms = 0;
  return options;
}

static inline ouro_heap *quiet_heap(const char *name) {
  ouro_heap_options options = quiet_options(name);
  return ouro_heap_new(&options);
}

static inline ouro_heap_stats stats_of(const ouro_heap *h) {
  ouro_heap_stats s;
  ouro_heap_stats_read(h, &s);
  return s;
}

/* The two sums of pool.h; prints both sides of the one that is off. */
static inline bool sums_hold(const ouro_heap_stats *s) {
  uint64_t parts = s->live + s->held + s->purgeable + s->pinned + s->waste + s->metadata;
  if (s->live == s->requested + s->rounding && s->resident == parts) return true;
  fprintf(stderr,
          "live %" PRIu64 " = requested %" PRIu64 " + rounding %" PRIu64 "\nresident %" PRIu64
          " = live + held %" PRIu64 " + purgeable %" PRIu64 " + pinned %" PRIu64 " + waste %" PRIu64
          " + metadata %" PRIu64 " = %" PRIu64 "\n",
          s->live, s->requested, s->rounding, s->resident, s->held, s->purgeable, s->pinned,
          s->waste, s->metadata, parts);
  return false;
}

/* Every invariant the heap knows of, and the sums of its numbers; prints what does not hold. */
static inline bool heap_ok(ouro_heap *h) {
  const char *broken = ouro_heap_check(h);
  if (broken) {
    fprintf(stderr, "heap check: %s\n", broken);
    return false;
  }
  ouro_heap_stats s = stats_of(h);
  return sums_hold(&s);
}

/* What the kernel counts as resident in the heap's first window: 16 GiB from the heap itself. */
static inline size_t heap_rss(const ouro_heap *h) {
  uintptr_t start = (uintptr_t)h;
  return rss_between(start, start + ((uintptr_t)1 << OURO_WINDOW_SHIFT));
}

static inline bool within(uint64_t value, uint64_t expected, uint64_t tolerance) {
  uint64_t off = value > expected ? value - expected : expected - value;
  if (off <= tolerance) return true;
  fprintf(stderr, "%" PRIu64 " is not within %" PRIu64 " of %" PRIu64 "\n", value, tolerance,
          expected);
  return false;
}

static inline void sleep_ms(long ms) {
  struct timespec t = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&t, &t)) {}
}

/* Ticks as a timer would, until at most `purgeable` bytes wait to go back. Ends after ten seconds:
 * a machine under load may take long. */
static inline void idle_until(ouro_heap *h, uint64_t purgeable) {
  for (int i = 0; i < 2000 && stats_of(h).purgeable > purgeable; i++) {
    sleep_ms(5);
    ouro_heap_tick(h, 10000000);
  }
}

/* All live blocks, one call; `seen` counts them, `bytes` adds up their sizes. */
static inline size_t walk_all(ouro_heap *h, size_t *bytes) {
  ouro_walk at = {0};
  ouro_block out[256];
  size_t seen = 0, n;
  *bytes = 0;
  while ((n = ouro_walk_next(h, &at, out, 256)) != 0) {
    for (size_t i = 0; i < n; i++) *bytes += out[i].size;
    seen += n;
  }
  return seen;
}

#endif
