/* SPDX-License-Identifier: MIT */
/* What the benchmark programs share: clocks, random numbers, resident size. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static inline double clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline uint64_t random_next(uint64_t *state) { /* xorshift64* */
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * 0x2545F4914F6CDD1Du;
}

/* Numbers 0..count-1 in random order. */
static inline void random_order(uint32_t *order, uint32_t count, uint64_t seed) {
  for (uint32_t i = 0; i < count; i++) order[i] = i;
  for (uint32_t i = count; i > 1; i--) {
    uint32_t j = (uint32_t)(random_next(&seed) % i);
    uint32_t swap = order[i - 1];
    order[i - 1] = order[j];
    order[j] = swap;
  }
}

static inline void fail(const char *what) {
  fprintf(stderr, "bench: %s\n", what);
  exit(1);
}

/* Tables of the benchmark itself come from the system, not from the allocator that is measured. */
static inline void *table_new(size_t bytes) {
  void *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (table == MAP_FAILED) fail("no memory for a table");
  return table;
}

/* Resident bytes by walking the page tables: exact, where /proc/self/statm is off by batches per
 * CPU. */
static inline double resident_bytes(void) {
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  char line[256];
  unsigned long kib = 0;
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "Rss: %lu kB", &kib) == 1) break;
  if (file == NULL || kib == 0) fail("cannot read /proc/self/smaps_rollup");
  fclose(file);
  return (double)kib * 1024;
}

#endif
