/* SPDX-License-Identifier: MIT */
/* Every constant of the pools that is a choice, with its reason. Derived ones are computed below.
 * Stress builds choose the smallest that can work, so that borders are met all the time. */
#ifndef OURO_SRC_POOL_TUNE_H
#define OURO_SRC_POOL_TUNE_H

#include "../base/assert.h"
#include <ouro/pool.h>

#define TUNE_STRESS (OURO_CHECK_LEVEL >= 3)

/* Blocks of the same index in all pools would share a few cache sets if every pool started alike:
 * filling several classes in step was 8 % slower than CPython's allocator, with colours it was
 * faster. 16 colours of one cache line cover a quarter of the L1 sets and cost 480 bytes of 64 KiB
 * on average. */
#define TUNE_COLOURS 16u
#define TUNE_COLOUR_BYTES 64u

/* How much of a bitmap word a bin claims at once: whole words up to 128-byte blocks, so that what
 * is made in a row lies in a row; less of larger blocks, whose neighbours share no page anyway. A
 * quarter of this cost large Python heaps 3-5 % of user time. */
#define TUNE_CLAIM_BYTES (TUNE_STRESS ? 32u : 2048u)
#define TUNE_CLAIM_LEAST (TUNE_STRESS ? 1u : 8u)

/* How many bytes of just freed blocks a bin keeps at hand, at most: enough that a program which
 * replaces objects at random rarely meets a bitmap (half of this: 9.2 instead of 7.8 ns), little
 * enough to stay in the first-level cache. */
#define TUNE_RECENT_BYTES (TUNE_STRESS ? 64u : 8192u)
#define TUNE_RECENT_LEAST (TUNE_STRESS ? 2u : 8u)

/* Heaps from here on ask for huge pages. Below, an arena that is not full yet would cost small
 * programs more than 3 % of their memory. */
#define TUNE_HUGE_HEAP ((size_t)(TUNE_STRESS ? 4 : 64) << 20)

/* Breaking a huge page is worth it when at least 1/8 of the arena goes back. */
#define TUNE_HUGE_BREAK (OURO_ARENA_BYTES / 8)

/* Defaults of the options; see ouro_heap_options. */
#define TUNE_KEEP ((size_t)2 << 20)
#define TUNE_DECAY_MS 250u
#define TUNE_QUARANTINE ((size_t)256 << 10)

/* Entries of a table that grows by doubling, at first: of large blocks, of the quarantine. */
#define TUNE_TABLE_FIRST (TUNE_STRESS ? 2u : 64u)

/* A tick that the heap starts by itself, from a slow path, stops after this long. */
#define TUNE_TICK_BUDGET_NS (TUNE_STRESS ? 1u : 500000u)

/* Rounds of the purger are at least this many times their own length apart: at most 0.5 % of the
 * CPU. */
#define TUNE_TICK_SHARE (TUNE_STRESS ? 1u : 200u)

/* Slow paths between two looks at the clock. */
#define TUNE_TICK_EVENTS (TUNE_STRESS ? 1u : 256u)

/* Descriptors are committed for this many arenas at a time: 16 * 32 of them are 72 pages exactly.
 */
#define TUNE_TABLE_ARENAS 16u

/* Where 16 GiB of address space are refused (ulimit -v), windows grow in pieces down to this size.
 */
#define TUNE_LEAST_RESERVE ((size_t)32 << 20)

/* --- derived --- */
#define OURO_WINDOW_BYTES ((size_t)1 << OURO_WINDOW_SHIFT)
#define OURO_ARENA_SHIFT 21
#define OURO_ARENA_BYTES ((size_t)1 << OURO_ARENA_SHIFT)
#define OURO_ARENA_POOLS (OURO_ARENA_BYTES / OURO_POOL_BYTES)
#define OURO_WINDOW_ARENAS (OURO_WINDOW_BYTES / OURO_ARENA_BYTES)
#define OURO_WINDOW_POOLS (OURO_WINDOW_BYTES / OURO_POOL_BYTES)
#define OURO_TABLE_BYTES (OURO_WINDOW_POOLS * sizeof(ouro_pool))
#define OURO_FIRST_ARENA (2 * OURO_TABLE_BYTES / OURO_ARENA_BYTES)

_Static_assert(OURO_ARENA_POOLS == 32, "an arena's pools fit a 32-bit set");
_Static_assert(OURO_TABLE_BYTES % OURO_ARENA_BYTES == 0, "tables end where an arena may begin");
_Static_assert(TUNE_COLOURS *TUNE_COLOUR_BYTES / OURO_CLASS_BYTES <= UINT8_MAX,
               "a colour fits its field");
_Static_assert(TUNE_TABLE_ARENAS *OURO_ARENA_POOLS * sizeof(ouro_pool) % 4096 == 0,
               "table pieces are pages");
_Static_assert(OURO_FIRST_ARENA % TUNE_TABLE_ARENAS == 0,
               "table pieces do not straddle the first arena");

#endif
