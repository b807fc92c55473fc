/* SPDX-License-Identifier: MIT */
/* What the kernel says about this process: the measure that a heap's own numbers are held against.
 */
#ifndef OURO_TESTS_RSS_H
#define OURO_TESTS_RSS_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One mapping's line in smaps starts with its range; every other line with a name. */
static inline bool rss_range_line(const char *line, uintptr_t *low, uintptr_t *high) {
  uintptr_t from, to; /* "Anonymous:" begins with a hexadecimal digit too */
  if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) != 2) return false;
  *low = from, *high = to;
  return true;
}

/* The sum of one field over the mappings that lie within [from, to). */
static inline size_t smaps_between(uintptr_t from, uintptr_t to, const char *format) {
  FILE *file = fopen("/proc/self/smaps", "r");
  char line[512];
  uintptr_t low = 0, high = 0;
  size_t sum = 0, kib = 0;
  while (file && fgets(line, sizeof line, file)) {
    if (rss_range_line(line, &low, &high)) continue;
    if (low >= from && high <= to && sscanf(line, format, &kib) == 1) sum += kib * 1024;
  }
  if (file) fclose(file);
  return sum;
}

static inline size_t rss_between(uintptr_t from, uintptr_t to) {
  return smaps_between(from, to, "Rss: %zu kB");
}

/* Pages this process has to itself and has written. */
static inline size_t dirty_between(uintptr_t from, uintptr_t to) {
  return smaps_between(from, to, "Private_Dirty: %zu kB");
}

/* Address space mapped within [from, to). */
static inline size_t mapped_between(uintptr_t from, uintptr_t to) {
  FILE *file = fopen("/proc/self/maps", "r");
  char line[512];
  uintptr_t low = 0, high = 0;
  size_t sum = 0;
  while (file && fgets(line, sizeof line, file))
    if (rss_range_line(line, &low, &high) && low >= from && high <= to) sum += high - low;
  if (file) fclose(file);
  return sum;
}

/* Whether none of 100 calls leaves anything mapped. */
static inline bool nothing_stays_mapped(void (*live)(void)) {
  for (int i = 0; i < 20; i++) live();
  size_t before = mapped_between(0, UINTPTR_MAX);
  for (int i = 0; i < 100; i++) live();
  size_t after = mapped_between(0, UINTPTR_MAX);
  if (after <= before + 100 * 1024) return true;
  fprintf(stderr, "%zu bytes stay mapped\n", after - before);
  return false;
}

/* Resident bytes of the whole process. */
static inline size_t rss_process(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  size_t total = 0, resident = 0;
  int got = file ? fscanf(file, "%zu %zu", &total, &resident) : 0;
  if (file) fclose(file);
  return got == 2 ? resident * 4096 : 0;
}

#endif
