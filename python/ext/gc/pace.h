/* SPDX-License-Identifier: MIT */
/*
 * When a cycle begins and how much of it is done when, so that two promises hold together: a pause
 * is no longer than the budget, and what may be garbage and not yet found is no more than a share
 * of what lives.
 *
 * Garbage in the oldest generation comes from promoted objects. A cycle finds all that was garbage
 * when it began, so what may float is what was promoted since the last cycle began and has not died
 * by its count. Who died may have been older, so a quarter of the promoted is counted at least:
 *
 *     net      = max(promoted - died, promoted / 4), since the last cycle began
 *     floating = before + net <= limit * live
 *     before   = what `net` was when the cycle in progress began; 0: none is
 *
 * A cycle begins when that has used up TUNE_PACE_BEFORE of the limit, and must end before
 * the rest is. So a part of the work is due before each further promotion, which slices
 * after the collections of generation 0 do.
 *
 * No interpreter, no clock: numbers in, numbers out.
 */
#ifndef OURO_EXT_GC_PACE_H
#define OURO_EXT_GC_PACE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pace {
  uint64_t budget_ns;
  uint32_t limit; /* permille of `live` */
  bool in_cycle;
  uint64_t live;           /* old objects after the last cycle */
  uint64_t promoted, died; /* since the last cycle began */
  uint64_t before;         /* above */
  uint64_t usual;          /* promoted the last time */
  uint64_t expected_ns;    /* of work for the whole cycle, going by the last one */
  uint64_t spent_ns;       /* on this one */
  uint64_t began_with;     /* old objects */
  uint64_t examined;       /* of them */
  bool fruitless;          /* the last one found next to nothing */
  uint64_t object_ns16;    /* what an object took in the last cycle, in 1/16 ns */
  uint64_t debt_ns;        /* work to be done before the next are promoted */
  uint64_t most_ns;        /* of it in one slice: the budget, or what the bound on garbage takes */
  bool cut;                /* the last slice was shorter for the collection before it */
} pace;

/* So many may float in the smallest program, some 6 MB: CPython's own thresholds let more gather,
 * and one collection of generation 1 promotes up to 20,000 at once. */
#define TUNE_PACE_LEAST 60000u

/* Shares of the limit, in permille: when a cycle begins, and when it is to have ended. Each cycle
 * looks at everything, so early is dear; late, garbage waits in memory where CPython would have
 * freed it by now. So early where the last cycle was fruitful. Where the heap just grows each cycle
 * looks at what the one before has looked at: late, and what is left above is for what comes
 * meanwhile. 4 million objects built take 20 cycles from 800 on, 18 from 900 on. */
#define TUNE_PACE_BEFORE 450u
#define TUNE_PACE_AFTER 800u
#define TUNE_PACE_BEFORE_LATE 900u
#define TUNE_PACE_AFTER_LATE 1000u

/* A cycle is fruitful if it finds at least this part of what was promoted before it. */
#define TUNE_PACE_FRUIT 16u

/* What an object is taken to cost before the first cycle: more than most. A first cycle that begins
 * too early costs a little; one that cannot end in time is ended at once. */
#define TUNE_PACE_OBJECT_NS 150u

/* A cycle that needs more slices than there will be begins earlier. So many are sure to come
 * between two collections of generation 1: CPython's thresholds allow ten, and that after the
 * collection itself is short. */
#define TUNE_PACE_SLICES 8u

/* This part of the objects has to be examined before a cycle tells how slow it is: it begins with
 * work that examines none. */
#define TUNE_PACE_SAMPLE 8u

/* Debt below this part of the budget waits, and so does what would be a shorter slice: each has
 * costs of its own (about 5 us). */
#define TUNE_PACE_PART 4u

/* Where more than this share of the limit, in permille, is promoted while a cycle is in progress,
 * it is ended at once: memory wins. From half of that on slices are as long as it takes not to get
 * there: several of some milliseconds rather than one of a hundred. What came before the cycle
 * began is no reason: many objects may come at once, and have been there for long. */
#define TUNE_PACE_DURING 650u

void pace_init(pace *p, uint64_t budget_ns, uint32_t limit_permille, uint64_t live);

/* So many objects have come to the oldest generation, and so many of it have died by their counts,
 * since the last call. */
void pace_promoted(pace *p, uint64_t objects, uint64_t died);

/* Whether a cycle should begin. */
bool pace_wants_cycle(const pace *p);

void pace_begin(pace *p, uint64_t old);

/* How long the slice should be that is possible now; 0: none. More than the budget: the bound on
 * garbage is near, so it must be that long; UINT64_MAX: to the cycle's end. */
uint64_t pace_slice(const pace *p);

/* What of a slice of `ns` fits into the pause that began with a collection of `took` ns. Where that
 * leaves less than half of the budget, as those of generation 1 do, the slice gets no more than is
 * left, but not twice in a row: where all collections take long, work goes on all the same. What is
 * more than the budget has to be, and stays. */
uint64_t pace_rest(pace *p, uint64_t ns, uint64_t took);

/* So long was worked on the cycle, and so many objects examined in that time. */
void pace_worked(pace *p, uint64_t ns, uint64_t examined);

/* What was found is being destroyed: memory comes back, so the next slice need not wait. */
void pace_hurry(pace *p);

/* The cycle is over, so many old objects are left, and so many were unreachable. */
void pace_end(pace *p, uint64_t old, uint64_t found);

/* A full collection in one go has found all garbage. */
void pace_clean(pace *p, uint64_t old);

/* A cycle could not begin: the next promoted objects ask again. */
void pace_wait(pace *p);

/* Objects that may be garbage and not yet found, and how many are allowed. */
uint64_t pace_floating(const pace *p);
uint64_t pace_allowed(const pace *p);

#endif
