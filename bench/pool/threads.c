/* SPDX-License-Identifier: MIT */
/*
 * threads BATCHES: one thread allocates 64-byte blocks, another frees them, in batches through a
 * ring. Prints nanoseconds of CPU time per block on each side. Only the allocating and freeing of
 * a batch is timed, so that waiting for the other side costs nothing.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include ALLOCATOR_H

#include "common.h"

enum { SIZE = 64, BATCH = 256, RING = 64, CLOCK_READS = 20000 };

typedef struct ring {
  allocator *heap;
  size_t batches;
  double ns_taking, ns_giving;
  _Alignas(64) _Atomic size_t filled;
  _Alignas(64) _Atomic size_t emptied;
  void *block[RING][BATCH];
} ring;

/* The other end's core, where there is one; elsewhere the threads share theirs. */
static void run_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static double take_batch(allocator *a, void **block) {
  double start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  for (size_t i = 0; i < BATCH; i++) {
    block[i] = take(a, SIZE);
    if (block[i] == NULL) fail("out of memory");
    *(volatile char *)block[i] = 1;
  }
  return clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
}

static double give_batch(allocator *a, void **block) {
  double start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  for (size_t i = 0; i < BATCH; i++) give_remote(a, block[i]);
  return clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
}

static void *producer(void *argument) {
  ring *r = argument;
  run_on(1);
  r->heap = allocator_open();
  for (size_t i = 0; i < r->batches; i++) {
    while (i - atomic_load_explicit(&r->emptied, memory_order_acquire) >= RING) sched_yield();
    r->ns_taking += take_batch(r->heap, r->block[i % RING]);
    atomic_store_explicit(&r->filled, i + 1, memory_order_release);
  }
  return NULL;
}

static void *consumer(void *argument) {
  ring *r = argument;
  run_on(0);
  for (size_t i = 0; i < r->batches; i++) {
    while (atomic_load_explicit(&r->filled, memory_order_acquire) <= i) sched_yield();
    r->ns_giving += give_batch(r->heap, r->block[i % RING]);
    atomic_store_explicit(&r->emptied, i + 1, memory_order_release);
  }
  return NULL;
}

/* What two clock readings add to each batch. */
static double clock_cost(void) {
  double start = clock_ns(CLOCK_THREAD_CPUTIME_ID), last = start;
  for (int i = 0; i < CLOCK_READS; i++) last = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  return (last - start) / CLOCK_READS;
}

int main(int argc, char **argv) {
  if (argc != 2) fail("usage: threads BATCHES");
  ring *r = table_new(sizeof *r);
  pthread_t takes, gives;
  r->batches = strtoul(argv[1], NULL, 10);
  if (pthread_create(&takes, NULL, producer, r) || pthread_create(&gives, NULL, consumer, r))
    fail("cannot start threads");
  pthread_join(takes, NULL);
  pthread_join(gives, NULL);
  double blocks = (double)r->batches * BATCH, clock = clock_cost() / BATCH;
  printf("take %.4f\ngive %.4f\n", r->ns_taking / blocks - clock, r->ns_giving / blocks - clock);
  return 0;
}
