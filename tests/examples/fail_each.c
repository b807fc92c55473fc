/* SPDX-License-Identifier: MIT */
/*
 * Runs an example, whose `main` the build has named example_main, again and again, each time in a
 * process of its own: each heap it makes is refused; the n-th allocation of each heap fails, for
 * every n up to a hundred and some beyond; all objects are collected at every allocation.
 *
 * Where something fails the example ends with status 0 or 1 and a heap without a broken invariant.
 * Where nothing does it ends with 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ouro/ouro.h>

#include "pool/heap.h"

int example_main(void);

enum { HEAPS = 8, BROKEN = 99 };

/* What a run is to do, and what it tells: shared with the child. */
typedef struct plan {
  unsigned heap;   /* whose allocations fail: the number of the heap, from 1 in order of creation */
  uint64_t n;      /* which one; 0: the heap itself is refused */
  uint32_t stress; /* collect at every so manieth allocation; 0: not */
  unsigned heaps;  /* made so far */
  uint64_t allocations[HEAPS + 1]; /* that the heap would have needed, as far as was counted */
  bool failed;                     /* the failure has come to pass */
} plan;

static plan *run;
static struct {
  ouro_heap *heap;
  uint64_t in; /* the failure was to come in so many allocations */
} armed[HEAPS + 1];

#define NEVER ((uint64_t)1 << 40)

ouro_heap *__real_ouro_heap_new(const ouro_heap_options *options);
void __real_ouro_heap_destroy(ouro_heap *heap);
void __real_ouro_heap_fail(ouro_heap *heap, uint64_t n, uint64_t every);

ouro_heap *__wrap_ouro_heap_new(const ouro_heap_options *options) {
  unsigned number = __atomic_add_fetch(&run->heaps, 1, __ATOMIC_SEQ_CST);
  if (number > HEAPS) return __real_ouro_heap_new(options);
  if (number == run->heap && run->n == 0) return run->failed = true, NULL;
  ouro_heap *heap = __real_ouro_heap_new(options);
  armed[number].heap = heap;
  armed[number].in = number == run->heap ? run->n : NEVER;
  if (heap) __real_ouro_heap_fail(heap, armed[number].in, 0);
  if (heap && run->stress) ouro_gc_set_stress(heap, run->stress);
  return heap;
}

/* How the heap's injection went, asked for once: when it ends. */
static void note_injection(const ouro_heap *heap) {
  for (unsigned i = 1; heap && i <= HEAPS; i++) {
    if (armed[i].heap != heap) continue;
    uint64_t left = heap_in(heap)->fail_in;
    if (i == run->heap) run->failed |= left == 0;
    else run->allocations[i] = armed[i].in - left;
    armed[i].heap = NULL;
  }
}

/* An example may inject failures of its own. */
void __wrap_ouro_heap_fail(ouro_heap *heap, uint64_t n, uint64_t every) {
  note_injection(heap);
  __real_ouro_heap_fail(heap, n, every);
}

void __wrap_ouro_heap_destroy(ouro_heap *heap) {
  note_injection(heap);
  const char *broken = heap ? ouro_objects_check(heap) : NULL;
  if (broken) {
    fprintf(stderr, "%s\n", broken);
    _exit(BROKEN);
  }
  __real_ouro_heap_destroy(heap);
}

/* Some end without an end of their heaps, when memory fails them. */
static int ended(int status) {
  for (unsigned i = 1; i <= HEAPS; i++) note_injection(armed[i].heap);
  return status;
}

/* What the example ends with: its status, or above 255 a signal. */
static int run_example(unsigned heap, uint64_t n, uint32_t stress) {
  *run = (plan){.heap = heap, .n = n, .stress = stress};
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stdout)) _exit(BROKEN);
    exit(ended(example_main()));
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* Every failure of the first hundred; where there are more, fewer and fewer of these. */
static uint64_t next_failure(uint64_t n) { return n < 100 ? n + 1 : n + n / 5; }

static bool fail_all(unsigned heap, unsigned *runs) {
  for (uint64_t n = 0;; n = next_failure(n), ++*runs) {
    int status = run_example(heap, n, 0);
    if (status == 0 && !run->failed) return true;
    if (status <= 1 && run->failed) continue;
    fprintf(stderr, "heap %u, failure of allocation %llu: status %d\n", heap, (unsigned long long)n,
            status);
    return false;
  }
}

/* Collections take time that grows with the heap: large examples see about a hundred. */
static bool stress_it(uint64_t allocations) {
  uint32_t every = allocations > 2000 ? (uint32_t)(allocations / 100) : 1;
  int status = run_example(0, 0, every);
  if (status != 0)
    fprintf(stderr, "collecting at every %uth allocation: status %d\n", every, status);
  return status == 0;
}

int main(void) {
  run = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (run == MAP_FAILED || run_example(0, 0, 0) != 0) return 1;
  unsigned heaps = run->heaps < HEAPS ? run->heaps : HEAPS, runs = 0;
  uint64_t allocations = 0;
  for (unsigned heap = 1; heap <= heaps; heap++) allocations += run->allocations[heap];
  bool right = heaps > 0 && allocations > 0 && stress_it(allocations);
  for (unsigned heap = 1; right && heap <= heaps; heap++) right = fail_all(heap, &runs);
  printf("%u heaps, %llu allocations, %u runs with a failure\n", heaps,
         (unsigned long long)allocations, runs);
  return !right;
}
