/* SPDX-License-Identifier: MIT */
/* Every constant of the objects that is a choice, with its reason. */
#ifndef OURO_SRC_OBJECT_TUNE_H
#define OURO_SRC_OBJECT_TUNE_H

#include "../pool/tune.h"

/* Destructions within destructions of types with a `clear` of their own, before the next ones wait
 * for these to return: about 200 bytes of stack each. CPython stops at 50. */
#define TUNE_DEPTH (TUNE_STRESS ? 2u : 50u)

/* Trees of a simple type are felled with a stack of this many objects to come back to; deeper ones
 * go the general way, which needs none. 1 KiB. */
#define TUNE_STUMPS (TUNE_STRESS ? 2u : 64u)

/* Trees of simple types below others that are felled on the way, one call within the other. */
#define TUNE_FELL_LEVELS 4u

/* Page records are made for this many pages at first, 64 KiB of heap each; doubled when needed. */
#define TUNE_FIRST_PAGES ((uint32_t)(BIG_PAGES + (TUNE_STRESS ? 32 : 4096)))

/* Defaults that the user can set; see gc.h. CPython's thresholds (2000, 10, 10) cost programs that
 * build trees half as much again, as most objects get old enough to be looked at; with these a
 * young collection takes up to 0.3 ms, one of generation 1 up to 1 ms. */
#define TUNE_THRESHOLD_0 10000u
#define TUNE_THRESHOLD_1 3u
#define TUNE_THRESHOLD_2 10u
#define TUNE_PAUSE_NS 1000000u
#define TUNE_GARBAGE_LIMIT 0.25

/* A cycle begins when half of what may float has been promoted: the other half is for what is
 * promoted while it runs. */
#define TUNE_START_SHARE 0.5

/* At least this part of what was promoted counts as growth, whoever has died meanwhile. */
#define TUNE_GROSS 0.25

/* A cycle that began late, as the program promoted much at once, may go on in slices while this
 * part of what may float is promoted; then it is finished in one go. */
#define TUNE_LATE 0.25

/* New objects between two slices of a cycle that is late: some 10 us of a program that builds. */
#define TUNE_SLICE_OBJECTS 512u

/* What a young object is taken to weigh until it is promoted. */
#define TUNE_YOUNG_BYTES 32.0

/* A cycle is to be done when this part, inverted, of what may be promoted meanwhile was. */
#define TUNE_PACE 2.0

/* A cycle that is on time works for one slice in this many slices' time. */
#define TUNE_REST 4u

/* Objects a cycle examines for each that lives, before one has been measured. */
#define TUNE_PASSES 3.0

/* Heaps whose old generation is smaller than this are not worth a cycle. */
#define TUNE_LEAST_OLD_BYTES ((uint64_t)(TUNE_STRESS ? 1 : 16 * 1024) << 10)

#endif
