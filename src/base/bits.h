/* SPDX-License-Identifier: MIT */
/* Words as sets of small numbers. */
#ifndef OURO_SRC_BASE_BITS_H
#define OURO_SRC_BASE_BITS_H

#include <ouro/base.h>

static inline unsigned bits_count(uint64_t word) { return (unsigned)__builtin_popcountll(word); }

static inline unsigned bits_highest(uint64_t word) { return 63u - (unsigned)__builtin_clzll(word); }

/* The numbers [0, n), n <= 64. */
static inline uint64_t bits_below(unsigned n) { return n >= 64 ? ~0ull : ((uint64_t)1 << n) - 1; }

/* The numbers [from, to], both < 64. */
static inline uint64_t bits_range(unsigned from, unsigned to) {
  return bits_below(to + 1) & ~bits_below(from);
}

/* The length of the run of ones that starts at bit `from`. */
static inline unsigned bits_run(uint64_t word, unsigned from) {
  uint64_t rest = ~(word >> from);
  return rest ? (unsigned)__builtin_ctzll(rest) : 64u - from;
}

#endif
