/* SPDX-License-Identifier: MIT */
#include "numbers.h"

#include <string.h>

#include "cycle/cycle.h"
#include "os/os.h"

/* Four borders to each doubling: 4, 5, 6 and 7 quarters of 1 ms times a power of two. */
#define QUARTER_NS UINT64_C(250000)
#define DOUBLINGS_BELOW 10 /* from the first border to 1 ms */

/* A reader that meets a writer looks again; one that was interrupted while it wrote, by a signal or
 * by the end of its time slice, is not waited for. */
#define READ_ATTEMPTS 1000

typedef uint64_t __attribute__((may_alias)) word;

_Static_assert(sizeof(gcnumbers) % sizeof(word) == 0, "the numbers are copied word by word");

gcnumbers gcnumbers_now;

const char *const gcreason_names[GCREASON_COUNT] = {
    [GCREASON_BOUND] = "bound", [GCREASON_GIANT] = "giant", [GCREASON_OBJECT] = "object",
    [GCREASON_BATCH] = "batch", [GCREASON_STOCK] = "stock", [GCREASON_MEMORY] = "memory",
};

const char *const gcreason_texts[GCREASON_COUNT] = {
    [GCREASON_BOUND] = "garbage came faster than slices find it",
    [GCREASON_GIANT] = "a large tangle of garbage, in one piece",
    [GCREASON_OBJECT] = "a large object, in one piece",
    [GCREASON_BATCH] = "finalizers or freeing garbage took long",
    [GCREASON_STOCK] = "CPython's own full collection had to run",
    [GCREASON_MEMORY] = "no memory for tables, cycle given up",
};

const char *gcnumbers_phase(uint64_t phase) {
  return phase <= CYCLE_CLEAN ? cycle_phase_name((cycle_phase)phase) : "other";
}

/* --- Buckets --- */

uint64_t gcnumbers_bucket_ns(unsigned bucket) {
  if (bucket >= GCNUMBERS_BUCKETS - 1) return INT64_MAX;
  return (((4 + bucket % 4) * QUARTER_NS) << (bucket / 4)) >> DOUBLINGS_BELOW;
}

unsigned gcnumbers_bucket_of(uint64_t ns) {
  unsigned least = 0, most = GCNUMBERS_BUCKETS - 1;
  while (least < most) {
    unsigned middle = (least + most) / 2;
    if (ns <= gcnumbers_bucket_ns(middle)) most = middle;
    else least = middle + 1;
  }
  return least;
}

uint64_t gcnumbers_quantile(const gcnumbers *n, unsigned permille) {
  uint64_t all = 0, passed;
  for (unsigned i = 0; i < GCNUMBERS_BUCKETS; i++) all += n->bucket[i];
  if (all == 0) return 0;
  uint64_t rank =
      all / 1000 * permille + (all % 1000 * permille + 999) / 1000; /* of the last one */
  unsigned i = 0;
  for (passed = n->bucket[0]; passed < rank || passed == 0;) passed += n->bucket[++i];
  uint64_t border = gcnumbers_bucket_ns(i);
  return border < n->longest_ns ? border : n->longest_ns;
}

/* --- Reading --- */

static void copy(gcnumbers *out) {
  const word *from = (const word *)&gcnumbers_now;
  word *to = (word *)out;
  for (size_t i = 0; i < sizeof *out / sizeof *to; i++)
    to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

static bool copied_whole(gcnumbers *out) {
  uint64_t before = __atomic_load_n(&gcnumbers_now.texts, __ATOMIC_ACQUIRE);
  copy(out);
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  return before % 2 == 0 && before == __atomic_load_n(&gcnumbers_now.texts, __ATOMIC_RELAXED);
}

void gcnumbers_read(gcnumbers *out) {
  bool whole = false;
  for (int i = 0; i < READ_ATTEMPTS && !whole; i++) whole = copied_whole(out);
  if (!whole) out->why[0] = out->atomic_type[0] = '\0';
}

/* --- Writing --- */

static void begin_texts(void) {
  gcnumbers_set(&gcnumbers_now.texts, gcnumbers_now.texts + 1);
  __atomic_thread_fence(__ATOMIC_RELEASE);
}

static void end_texts(void) {
  __atomic_store_n(&gcnumbers_now.texts, gcnumbers_now.texts + 1, __ATOMIC_RELEASE);
}

/* How much of a text fits, cut between two characters of UTF-8. */
static size_t fitting(const char *text, size_t most) {
  size_t length = strnlen(text, most + 1);
  if (length <= most) return length;
  for (length = most; length > 0 && (text[length] & 0xC0) == 0x80;) length--;
  return length;
}

/* `room` bytes, of which the last is 0. */
static void write_text(char *to, size_t room, const char *text) {
  word padded[GCNUMBERS_WHY / sizeof(word)] = {0};
  memcpy(padded, text, fitting(text, room - 1));
  for (size_t i = 0; i < room / sizeof(word); i++)
    __atomic_store_n((word *)to + i, padded[i], __ATOMIC_RELAXED);
}

void gcnumbers_pause(uint64_t ns) {
  gcnumbers *n = &gcnumbers_now;
  gcnumbers_add(&n->pauses, 1);
  gcnumbers_add(&n->pauses_ns, ns);
  gcnumbers_add(&n->bucket[gcnumbers_bucket_of(ns)], 1);
  if (ns > n->longest_ns) gcnumbers_set(&n->longest_ns, ns);
}

void gcnumbers_atomic(uint64_t ns, uint64_t phase, uint64_t members, const char *type) {
  gcnumbers *n = &gcnumbers_now;
  if (ns <= n->atomic_ns) return;
  begin_texts();
  gcnumbers_set(&n->atomic_ns, ns);
  gcnumbers_set(&n->atomic_phase, phase);
  gcnumbers_set(&n->atomic_members, members);
  write_text(n->atomic_type, sizeof n->atomic_type, type != NULL ? type : "");
  end_texts();
}

void gcnumbers_begin(uint64_t budget_ns, uint64_t limit_permille) {
  gcnumbers *n = &gcnumbers_now;
  begin_texts();
  gcnumbers_set(&n->budget_ns, budget_ns);
  gcnumbers_set(&n->limit_permille, limit_permille);
  gcnumbers_set(&n->started_ns, os_clock_ns());
  gcnumbers_set(&n->on, 1);
  write_text(n->why, sizeof n->why, "");
  end_texts();
}

void gcnumbers_refuse(const char *why) {
  begin_texts();
  gcnumbers_set(&gcnumbers_now.on, 0);
  write_text(gcnumbers_now.why, sizeof gcnumbers_now.why, why);
  end_texts();
}

void gcnumbers_forget(void) {
  gcnumbers *n = &gcnumbers_now;
  gcnumbers kept = *n;
  memset(n, 0, sizeof *n);
  n->on = kept.on;
  memcpy(n->why, kept.why, sizeof n->why);
  n->budget_ns = kept.budget_ns;
  n->limit_permille = kept.limit_permille;
  n->in_cycle = kept.in_cycle;
  n->phase = kept.phase;
  n->old = kept.old;
  n->pending = kept.pending;
  n->floating = kept.floating;
  n->table_bytes = kept.table_bytes;
  n->quiet = kept.quiet;
  if (n->on) n->started_ns = os_clock_ns();
}
