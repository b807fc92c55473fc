/* SPDX-License-Identifier: MIT */
/*
 * Allocation patterns over the allocator named by the macro ALLOCATOR_H (a header that defines
 * `allocator`, allocator_open, take and give). Each runs about `pairs` allocations, each freed
 * once and written to once.
 */
#ifndef BENCH_KERNELS_H
#define BENCH_KERNELS_H

#include ALLOCATOR_H

#include <string.h>

#include "common.h"

enum { SMALL = 48, BATCH = 1000, MANY = 200000, LIVE = 20000, TAPE = 1 << 16 };

typedef struct tape { /* random choices, drawn before the clock starts */
  uint32_t order[MANY];
  uint16_t slot[TAPE], size[TAPE];
  void *block[MANY];
} tape;

static inline void *touched(void *block) {
  if (block == NULL) fail("out of memory");
  *(volatile char *)block = 1;
  return block;
}

/* Hides a value's origin, so that a size stays a variable. */
static inline size_t opaque(size_t value) {
  __asm__ volatile("" : "+r"(value));
  return value;
}

static inline void lifo(allocator *a, tape *t, size_t pairs) {
  (void)t;
  for (size_t i = 0; i < pairs; i++) give(a, touched(take(a, SMALL)));
}

static inline void lifo_sized(allocator *a, tape *t, size_t pairs) {
  (void)t;
  for (size_t i = 0; i < pairs; i++) give(a, touched(take(a, opaque(SMALL))));
}

static inline void batch(allocator *a, tape *t, size_t pairs) {
  for (size_t done = 0; done < pairs; done += BATCH) {
    for (size_t i = 0; i < BATCH; i++) t->block[i] = touched(take(a, SMALL));
    for (size_t i = 0; i < BATCH; i++) give(a, t->block[i]);
  }
}

static inline void random_frees(allocator *a, tape *t, size_t pairs) {
  for (size_t done = 0; done < pairs; done += MANY) {
    for (size_t i = 0; i < MANY; i++) t->block[i] = touched(take(a, SMALL));
    for (size_t i = 0; i < MANY; i++) give(a, t->block[t->order[i]]);
  }
}

/* 20,000 live blocks of 16 to 512 bytes; each pair replaces a random one. */
static inline void mixed(allocator *a, tape *t, size_t pairs) {
  for (size_t i = 0; i < LIVE; i++) t->block[i] = touched(take(a, t->size[i]));
  for (size_t i = 0; i < pairs; i++) {
    void **victim = &t->block[t->slot[i % TAPE]];
    give(a, *victim);
    *victim = touched(take(a, t->size[(i + 7) % TAPE]));
  }
  for (size_t i = 0; i < LIVE; i++) give(a, t->block[i]);
}

typedef struct kernel {
  const char *name;
  void (*run)(allocator *, tape *, size_t pairs);
} kernel;

static const kernel kernels[] = {
    {"lifo", lifo},           {"lifo_sized", lifo_sized}, {"batch", batch},
    {"random", random_frees}, {"mixed", mixed},
};

static inline const kernel *kernel_named(const char *name) {
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
    if (strcmp(kernels[i].name, name) == 0) return &kernels[i];
  fail("no such kernel");
  return NULL;
}

static inline tape *tape_new(void) {
  tape *t = table_new(sizeof *t);
  uint64_t seed = 20260101;
  random_order(t->order, MANY, seed);
  for (size_t i = 0; i < TAPE; i++) {
    t->slot[i] = (uint16_t)(random_next(&seed) % LIVE);
    t->size[i] = (uint16_t)(16 + random_next(&seed) % (512 - 16 + 1));
  }
  return t;
}

/* Nanoseconds of this thread's CPU time per pair, the best of `repeats` after a warming run. */
static inline double kernel_time(const char *name, size_t pairs, int repeats) {
  const kernel *k = kernel_named(name);
  allocator *a = allocator_open();
  tape *t = tape_new();
  double best = 1e300;
  for (int i = 0; i < repeats; i++) {
    double start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    k->run(a, t, pairs);
    double time = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)pairs;
    if (time < best) best = time;
  }
  return best;
}

#endif
