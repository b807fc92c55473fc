/* SPDX-License-Identifier: MIT */
/*
 * What the collector says of itself: written by whoever holds the GIL, read by anyone at any time
 * (the channel's thread never takes the GIL). Each number is whole; together they may be a slice
 * apart.
 */
#ifndef OURO_EXT_GC_NUMBERS_H
#define OURO_EXT_GC_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pauses by length: bucket i counts those of at most gcnumbers_bucket_ns(i), four to each doubling. */
#define GCNUMBERS_BUCKETS 112

/* Why a slice was longer than the budget, or why a full collection ran at once. */
typedef enum gcreason {
  GCREASON_BOUND,    /* floating garbage would have exceeded its bound */
  GCREASON_GIANT,    /* one component of garbage that only stock may judge, too large for a slice */
  GCREASON_OBJECT,   /* one object whose tp_traverse cannot be divided */
  GCREASON_BATCH,    /* finalizers, or the destruction of what garbage alone held, took long */
  GCREASON_EXPLICIT, /* the program called gc.collect() */
  GCREASON_STOCK,    /* debug flags, foreign allocators: CPython's own full collection */
  GCREASON_MEMORY,   /* no memory for the tables: the cycle was given up */
  GCREASON_COUNT
} gcreason;

typedef struct gcnumbers {
  uint64_t on;             /* 1: the collector is Ouro's */
  uint64_t budget_ns;      /* of a slice */
  uint64_t limit_permille; /* floating garbage, of live objects */
  uint64_t cycles;         /* finished */
  uint64_t in_cycle;       /* 1: one is in progress */
  uint64_t phase;          /* of it: an index into gcnumbers_phases */
  uint64_t slices, slices_ns;
  uint64_t pauses; /* slices, young and explicit collections together */
  uint64_t pauses_ns, longest_ns;
  uint64_t bucket[GCNUMBERS_BUCKETS]; /* of pauses */
  uint64_t young, young_ns, explicits, explicits_ns;
  uint64_t examined;     /* objects, by all cycles */
  uint64_t found, freed; /* unreachable objects */
  uint64_t uncollectable;
  uint64_t old;      /* objects in the oldest generation */
  uint64_t pending;  /* promoted since the last cycle began: with `floating` the bound on garbage */
  uint64_t floating; /* most objects that may be garbage and not yet found, at this moment */
  uint64_t
      floating_worst; /* largest share of live objects that a cycle found to be garbage, permille */
  uint64_t table_bytes;    /* memory for what the collector remembers */
  uint64_t atomic_ns;      /* longest part of a slice that could not be divided */
  uint64_t atomic_phase;   /* in which phase */
  uint64_t atomic_members; /* of a component; 0: an object */
  char atomic_type[64];    /* the object's, or of most of the component's members; "" : unknown */
  uint64_t escalations[GCREASON_COUNT];
  uint64_t started_ns; /* os_clock_ns() when the collector was installed: for shares of time */
  uint64_t quiet;      /* 1: inside ouro.gc.quiet() */
} gcnumbers;

/* One word for each reason, and a phrase that tells a user what it means. */
extern const char *const gcreason_names[GCREASON_COUNT];
extern const char *const gcreason_texts[GCREASON_COUNT];

uint64_t gcnumbers_bucket_ns(unsigned bucket);
unsigned gcnumbers_bucket_of(uint64_t ns);

/* The upper border of the bucket below which a share (0..1000 permille) of the pauses lies; 0: none. */
uint64_t gcnumbers_quantile(const gcnumbers *n, unsigned permille);

/* A copy of the process's numbers. Any thread, no GIL. */
void gcnumbers_read(gcnumbers *out);

/* --- For the collector, with the GIL --- */

extern gcnumbers gcnumbers_now; /* all zero until the collector is on */
void gcnumbers_pause(uint64_t ns);
void gcnumbers_atomic(uint64_t ns, uint64_t phase, uint64_t members, const char *type);
void gcnumbers_forget(void); /* in a forked child */

#endif
