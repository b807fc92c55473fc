/* SPDX-License-Identifier: MIT */
/*
 * giveback survivors|order|tenth COUNT: how much of its peak a process keeps after freeing.
 *
 *   survivors  a random 0.05 % of the blocks stay, the rest is freed in the order of allocation
 *   order      the first 90 % are freed in the order of allocation, then allocated again
 *   tenth      a random tenth stays, the rest is freed in random order
 *
 * Blocks are of 24 to 88 bytes. Prints resident bytes at the peak, after the frees and one second
 * later, and the CPU time of allocating what was freed once more.
 */
#include <string.h>
#include <sys/resource.h>

#include ALLOCATOR_H

#include "common.h"

enum { IDLE_STEPS = 20, STEP_NS = 50 * 1000 * 1000 };

typedef struct field {
  allocator *heap;
  size_t count;
  void **block;
  uint32_t *order;
} field;

static double user_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
}

static size_t size_of(size_t i) { return 24 + i % 5 * 16; }

static void fill(field *f) {
  for (size_t i = 0; i < f->count; i++) {
    if (f->block[i] != NULL) continue;
    f->block[i] = take(f->heap, size_of(i));
    if (f->block[i] == NULL) fail("out of memory");
    memset(f->block[i], 1, size_of(i));
  }
}

static int ascending(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

/* The first count - keep entries of `order` are freed, one after the other. */
static void plan(field *f, const char *what, size_t keep) {
  random_order(f->order, (uint32_t)f->count, 11);
  if (strcmp(what, "order") == 0) qsort(f->order, f->count, sizeof *f->order, ascending);
  if (strcmp(what, "survivors") == 0) qsort(f->order, f->count - keep, sizeof *f->order, ascending);
}

static void release(field *f, size_t keep) {
  for (size_t i = 0; i < f->count - keep; i++) {
    give(f->heap, f->block[f->order[i]]);
    f->block[f->order[i]] = NULL;
  }
}

static void wait_a_second(allocator *a) {
  for (int i = 0; i < IDLE_STEPS; i++) {
    nanosleep(&(struct timespec){.tv_nsec = STEP_NS}, NULL);
    idle(a);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage: giveback survivors|order|tenth COUNT");
  field f = {.heap = allocator_open(), .count = strtoul(argv[2], NULL, 10)};
  size_t keep = strcmp(argv[1], "survivors") == 0 ? f.count / 2000 : f.count / 10;
  f.block = table_new(f.count * sizeof *f.block);
  f.order = table_new(f.count * sizeof *f.order);
  plan(&f, argv[1], keep);
  memset(f.block, 0, f.count * sizeof *f.block);
  double tables = resident_bytes();
  fill(&f);
  double peak = resident_bytes() - tables;
  release(&f, keep);
  double after = resident_bytes() - tables;
  wait_a_second(f.heap);
  double later = resident_bytes() - tables;
  double start = user_seconds();
  fill(&f);
  printf("peak %.0f\nafter %.0f\nlater %.0f\nrefill %.4f\n", peak, after, later,
         user_seconds() - start);
  return 0;
}
