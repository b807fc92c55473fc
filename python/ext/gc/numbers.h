/* SPDX-License-Identifier: MIT */
/*
 * What the collector says of itself: written by whoever holds the GIL, read by anyone at any time
 * (the channel's thread never takes the GIL). Each number is whole; together they may be a slice
 * apart. The texts come with the numbers beside them.
 */
#ifndef OURO_EXT_GC_NUMBERS_H
#define OURO_EXT_GC_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pauses by length: bucket i counts those of at most gcnumbers_bucket_ns(i), four to each doubling
 * from 1 us to 1048 s, and one for what is beyond. 1, 1.25, 1.5, 1.75 and 2 ms are borders. */
#define GCNUMBERS_BUCKETS 122

#define GCNUMBERS_TYPE 64
#define GCNUMBERS_WHY 200

/* Why a slice was longer than the budget, or why a full collection ran at once. */
typedef enum gcreason {
  GCREASON_BOUND,  /* floating garbage would have exceeded its bound */
  GCREASON_GIANT,  /* one component of garbage that only stock may judge, too large for a slice */
  GCREASON_OBJECT, /* one object whose tp_traverse cannot be divided */
  GCREASON_BATCH,  /* finalizers, or the destruction of what garbage alone held, took long */
  GCREASON_STOCK,  /* debug flags, foreign allocators: CPython's own full collection */
  GCREASON_MEMORY, /* no memory for the tables: the cycle was given up */
  GCREASON_COUNT
} gcreason;

typedef struct gcnumbers {
  uint64_t on;             /* 1: the collector is Ouro's */
  char why[GCNUMBERS_WHY]; /* it was wanted and cannot be: one line; "": not wanted, or on */
  uint64_t budget_ns;      /* of a slice */
  uint64_t limit_permille; /* floating garbage, of live objects */
  uint64_t cycles;         /* finished */
  uint64_t in_cycle;       /* 1: one is in progress */
  uint64_t phase;          /* of it: for gcnumbers_phase */
  uint64_t slices, slices_ns, slice_longest_ns;
  uint64_t pauses; /* slices, young and explicit collections together, but for `untimed` ones */
  uint64_t pauses_ns, longest_ns;
  uint64_t bucket[GCNUMBERS_BUCKETS]; /* of pauses */
  uint64_t young, young_ns, explicits, explicits_ns;
  uint64_t untimed;      /* further young collections, by CPython's count: the collector rested */
  uint64_t examined;     /* objects, by all cycles */
  uint64_t found, freed; /* unreachable objects */
  uint64_t uncollectable;
  uint64_t strangers; /* old objects from allocators of their own: CPython alone collects them */
  uint64_t old;       /* objects in the oldest generation */
  uint64_t pending;  /* promoted since the last cycle began: with `floating` the bound on garbage */
  uint64_t floating; /* most objects that may be garbage and not yet found, at this moment */
  uint64_t floating_worst; /* permille of live objects: most that a cycle found to be garbage */
  uint64_t table_bytes;    /* memory for what the collector remembers */
  uint64_t texts;          /* odd while one of the texts, or what is beside it, is being written */
  uint64_t atomic_ns;      /* longest part of a slice that could not be divided */
  uint64_t atomic_phase;   /* in which phase */
  uint64_t atomic_members; /* of a component; 0: an object */
  /* The object's, or of most of the component's members; "": unknown. */
  char atomic_type[GCNUMBERS_TYPE];
  uint64_t escalations[GCREASON_COUNT];
  uint64_t started_ns; /* os_clock_ns() when the collector was installed: for shares of time */
  uint64_t quiet;      /* 1: inside ouro.gc.quiet() */
} gcnumbers;

/* One word for each reason, and a phrase that tells a user what it means. */
extern const char *const gcreason_names[GCREASON_COUNT];
extern const char *const gcreason_texts[GCREASON_COUNT];

/* What a cycle is doing: one word, static. */
const char *gcnumbers_phase(uint64_t phase);

/* Longest pause that bucket i counts; INT64_MAX for the last. */
uint64_t gcnumbers_bucket_ns(unsigned bucket);
unsigned gcnumbers_bucket_of(uint64_t ns);

/* How long `permille` (0 to 1000) of the pauses were at most: the border of the bucket that the
 * last of them is in, or the longest pause where that is less. 0: there was no pause. */
uint64_t gcnumbers_quantile(const gcnumbers *n, unsigned permille);

/* A copy of the process's numbers. Any thread, no GIL. */
void gcnumbers_read(gcnumbers *out);

/* --- For the collector, with the GIL --- */

/* All zero until the collector is on. Written by the functions below only, read as one likes. */
extern gcnumbers gcnumbers_now;

static inline void gcnumbers_set(uint64_t *number, uint64_t value) {
  __atomic_store_n(number, value, __ATOMIC_RELAXED);
}
static inline void gcnumbers_add(uint64_t *number,
                                 uint64_t more) { /* one writer: the GIL's holder */
  gcnumbers_set(number, *number + more);
}

/* One more pause: for the count, the sum, the longest and its bucket. */
void gcnumbers_pause(uint64_t ns);

/* A part of a slice that could not be divided; kept if it is the longest so far. `type` may be NULL
 * and is cut where it is longer than GCNUMBERS_TYPE - 1 bytes. */
void gcnumbers_atomic(uint64_t ns, uint64_t phase, uint64_t members, const char *type);

/* The collector is on from now on, or cannot be: then with the reason, one line. */
void gcnumbers_begin(uint64_t budget_ns, uint64_t limit_permille);
void gcnumbers_refuse(const char *why);

/* In a forked child: its own pauses and cycles are counted from zero. What is so at this moment
 * stays: on, budget, limit, the cycle in progress, the objects, the tables. */
void gcnumbers_forget(void);

#endif
