/* SPDX-License-Identifier: MIT */
/* Every constant of the collector that is a choice, with its reason. Stress builds choose the
 * smallest that can work, so that borders are met all the time; tests choose for one collector
 * (cycle_limits). */
#ifndef OURO_SRC_CYCLE_TUNE_H
#define OURO_SRC_CYCLE_TUNE_H

#include <ouro/base.h>

#define TUNE_CYCLE_STRESS (OURO_CHECK_LEVEL >= 3)

/* References visited between two looks at the clock: about 5 us, so that a look (25 ns) costs less
 * than 1 % and a slice ends on time. */
#define TUNE_CYCLE_UNITS (TUNE_CYCLE_STRESS ? 3u : 512u)

/* Objects with more references than this are visited in pieces of this many. */
#define TUNE_CYCLE_PIECE (TUNE_CYCLE_STRESS ? 2u : 512u)

/* Objects of a word whose parts are fetched ahead of the one that is scanned: a miss takes as long
 * as several. */
#define TUNE_CYCLE_AHEAD 2u

/* Words of a page of which the first objects are fetched ahead, and how many of each. Where objects
 * are scattered among leaves (a Sphinx build: 3 to be scanned in a word) each is a miss, and the
 * processor does not come to the next word by itself: a quarter to a third of the time. */
#define TUNE_CYCLE_AHEAD_WORDS 5u
#define TUNE_CYCLE_AHEAD_IN_WORD 4u

/* Most members of a batch of whole components. 4,000 objects of 64 bytes and their counters stay in
 * a second-level cache; CPython destroys garbage twice as fast in such batches as at once.
 * A component with more members is a giant. */
#define TUNE_CYCLE_BATCH (TUNE_CYCLE_STRESS ? 7u : 4000u)

/* In a collection in one go this many times as many members are one batch whether they belong
 * together or not: to find their components takes longer than is gained by small batches, which is
 * nothing below 32,000 members and little up to a million. */
#define TUNE_CYCLE_TOGETHER 8u

/* A batch takes at most this part of the budget; where members take long to destroy (finalizers),
 * batches get smaller, down to the least. */
#define TUNE_CYCLE_BATCH_SHARE 3u
#define TUNE_CYCLE_BATCH_LEAST (TUNE_CYCLE_STRESS ? 1u : 32u)

/* Words of a giant batch destroyed between two looks at the clock: up to 512 objects. */
#define TUNE_CYCLE_CLEAR (TUNE_CYCLE_STRESS ? 1u : 8u)

/* What a member is taken to cost before the first batch has been measured. */
#define TUNE_CYCLE_MEMBER_NS 50u

/* How often finalizers may make more work of their kind before it waits for the next collection. */
#define TUNE_CYCLE_ROUNDS 4

/* Tables that fill from the start are committed, and all are returned, in pieces of this size:
 * returning 1 MiB of touched memory takes about 50 us. */
#define TUNE_CYCLE_TABLE_PIECE ((size_t)1 << (TUNE_CYCLE_STRESS ? 16 : 20))

/* Tables up to this size are kept from one collection in one go to the next: to map and to touch
 * them anew takes a tenth of what a small collection takes, to clear as much 10 us. */
#define TUNE_CYCLE_KEPT ((size_t)256 << 10)

/* The tables for young batches are made this many times as large as needed, so that a growing heap
 * changes them rarely. Address space only. */
#define TUNE_CYCLE_HEADROOM 2u

/* Most chunks of a set: the number of a member fits 31 bits. Objects beyond wait for the next
 * cycle; of the smallest size that is 32 GiB of garbage. */
#define TUNE_CYCLE_CHUNKS (1u << 25)

#endif
