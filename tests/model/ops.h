/* SPDX-License-Identifier: MIT */
/*
 * A heap driven by a stream of choices, next to a naive model of it. After every step the two must
 * agree; the first contradiction is kept in `broken`. The stream is random numbers in the model
 * test and the fuzzer's bytes in tests/fuzz, so both speak the same language and can replay each
 * other's findings.
 */
#ifndef OURO_TESTS_OPS_H
#define OURO_TESTS_OPS_H

#include "../support/chooser.h"
#include "../support/heaps.h"
#include "../support/shadow.h"

typedef struct model {
  ouro_heap *heap;
  ouro_heap_options options;
  chooser *from;
  shadow live;
  size_t most_blocks; /* above this many the stream's allocations turn into frees */
  bool may_fail;      /* a limit or injected faults are on: NULL is an allowed answer */
  bool exact;         /* hardened: the requested bytes are exact */
  size_t late;        /* large blocks freed from afar that the owner may not have taken back yet */
  const char *broken;
} model;

static inline void model_must(model *m, bool holds, const char *what) {
  if (!holds && !m->broken) m->broken = what;
}

static inline void model_start(model *m, const ouro_heap_options *options, chooser *from) {
  *m = (model){.options = *options, .from = from, .most_blocks = 6000};
  m->heap = ouro_heap_new(options);
  m->may_fail = options->limit != 0;
  m->exact = options->hardened;
  model_must(m, m->heap != NULL, "a heap can be made");
}

static inline void model_stop(model *m) {
  if (m->heap) ouro_heap_destroy(m->heap);
  shadow_drop(&m->live);
}

/* --- Choices --- */

static inline size_t choose_size(chooser *from) {
  switch (choose(from, 16)) {
  case 0: return choose(from, 3);
  case 1: return 16 * (1 + choose(from, 32));
  case 2: return 16 * (1 + choose(from, 32)) + 1;
  case 3: return 508 + choose(from, 8);
  case 4: return 513 + choose(from, 20000);
  default: return 1 + choose(from, OURO_SMALL_MAX);
  }
}

static inline shadow_block *choose_block(model *m) {
  return m->live.count ? &m->live.blocks[choose(m->from, m->live.count)] : NULL;
}

/* --- Steps --- */

/* Takes note of what an allocation returned. */
static inline void model_got(model *m, void *p, size_t size, size_t alignment) {
  if (!p) {
    model_must(m, m->may_fail, "an allocation fails only where it may");
    return;
  }
  model_must(m, (uintptr_t)p % 16 == 0 && (uintptr_t)p % alignment == 0, "blocks are aligned");
  model_must(m, ouro_usable_size(m->heap, p) >= size, "a block has room for what was asked for");
  model_must(m, ouro_owns(m->heap, p), "a heap owns its blocks");
  shadow_add(&m->live, p, size, alignment);
}

static inline void step_alloc(model *m) {
  size_t size = choose_size(m->from);
  model_got(m, ouro_alloc(m->heap, size), size, 16);
}

static inline void step_alloc_run(model *m) {
  size_t size = 1 + choose(m->from, OURO_SMALL_MAX);
  for (size_t n = choose(m->from, 400); n > 0 && !m->broken; n--)
    model_got(m, ouro_alloc(m->heap, size), size, 16);
}

static inline void step_calloc(model *m) {
  size_t count = choose(m->from, 40), size = choose(m->from, 80);
  unsigned char *p = ouro_calloc(m->heap, count, size);
  for (size_t i = 0; p && i < count * size; i++) model_must(m, p[i] == 0, "calloc gives zeros");
  model_got(m, p, count * size, 16);
}

static inline void step_aligned(model *m) {
  size_t alignment = (size_t)1 << choose(m->from, 15), size = choose_size(m->from);
  model_got(m, ouro_alloc_aligned(m->heap, alignment, size), size, alignment);
}

/* Requests that no heap can serve leave it as it was. */
static inline void step_impossible(model *m) {
  model_must(m, !ouro_calloc(m->heap, SIZE_MAX / 2, 3), "a product that overflows is refused");
  model_must(m, !ouro_alloc(m->heap, SIZE_MAX - choose(m->from, 64)),
             "no address space has that much");
  model_must(m, !ouro_alloc_aligned(m->heap, 48, 16), "an alignment is a power of two");
  shadow_block *b = choose_block(m);
  if (!b) return;
  model_must(m, !ouro_realloc(m->heap, b->address, SIZE_MAX - 100), "nor can a block grow to it");
  model_must(m, shadow_intact(b, b->size), "a refused realloc leaves the block alone");
}

static inline void step_realloc(model *m) {
  shadow_block *b = choose_block(m);
  if (!b) return;
  size_t size = choose_size(m->from), kept = size < b->size ? size : b->size;
  void *p = ouro_realloc(m->heap, b->address, size);
  if (!p) {
    model_must(m, m->may_fail, "a realloc fails only where it may");
    model_must(m, shadow_intact(b, b->size), "a failed realloc leaves the block alone");
    return;
  }
  b->address = p;
  model_must(m, shadow_intact(b, kept), "realloc keeps the contents");
  model_must(m, ouro_usable_size(m->heap, p) >= size, "realloc gives room for what was asked for");
  b->size = size;
  shadow_fill(b);
}

static inline void model_end(model *m, shadow_block *b, void (*end)(ouro_heap *, void *)) {
  model_must(m, shadow_intact(b, b->size), "nobody writes into a live block");
  end(m->heap, b->address);
  shadow_remove(&m->live, (size_t)(b - m->live.blocks));
}

static inline void model_end_remote(model *m, shadow_block *b) {
  m->late++;
  model_end(m, b, ouro_free_remote);
}

static inline void step_free(model *m) {
  shadow_block *b = choose_block(m);
  if (b) model_end(m, b, ouro_free);
  ouro_free(m->heap, NULL);
}

static inline void step_free_remote(model *m) {
  shadow_block *b = choose_block(m);
  if (b) model_end_remote(m, b);
}

static inline void step_free_run(model *m) {
  size_t part = choose(m->from, 4); /* 0: all of them */
  size_t n = part ? m->live.count / (2 * part) : m->live.count;
  bool remote = choose(m->from, 4) == 0;
  for (; n > 0; n--) {
    if (remote) model_end_remote(m, choose_block(m));
    else model_end(m, choose_block(m), ouro_free);
  }
}

/* Frees neighbours, so that whole pages and pools fall empty while others stay. */
static inline void step_free_range(model *m) {
  if (!m->live.count) return;
  shadow_sort(&m->live);
  size_t from = choose(m->from, m->live.count), n = (m->live.count - from) / 2;
  for (size_t i = from + n; i > from; i--) {
    model_must(m, shadow_intact(&m->live.blocks[i - 1], m->live.blocks[i - 1].size),
               "nobody writes into a live block");
    ouro_free(m->heap, m->live.blocks[i - 1].address);
  }
  memmove(&m->live.blocks[from], &m->live.blocks[from + n],
          (m->live.count - from - n) * sizeof *m->live.blocks);
  m->live.count -= n;
}

static inline void step_give_back(model *m) {
  uint64_t before = stats_of(m->heap).returned;
  size_t bytes = ouro_heap_give_back(m->heap);
  ouro_heap_stats s = stats_of(m->heap);
  model_must(m, s.returned - before == bytes, "what give_back says it returned is counted");
  model_must(m, s.purgeable == 0, "after give_back nothing purgeable is left");
}

static inline void step_tick(model *m) { ouro_heap_tick(m->heap, 1 + choose(m->from, 100000)); }

static inline void step_settings(model *m) {
  ouro_heap_set_keep(m->heap, choose(m->from, 2) ? 0 : choose(m->from, 4) * MIB);
  ouro_heap_set_decay(m->heap, (uint32_t)choose(m->from, 3));
}

static inline int compare_walked(const void *a, const void *b) {
  const ouro_block *x = a, *y = b;
  return ((char *)x->address > (char *)y->address) - ((char *)x->address < (char *)y->address);
}

/* Has the owner take back what was freed from afar. */
static inline void step_adopt(model *m) {
  ouro_heap_adopt(m->heap);
  m->late = 0;
}

/* A walk of a heap at rest sees the model's blocks and nothing else. */
static inline void step_walk(model *m) {
  step_adopt(m);
  size_t count = m->live.count, n = 0, got;
  ouro_block *seen = malloc((count + 256) * sizeof *seen);
  ouro_walk at = {0};
  while (n <= count && (got = ouro_walk_next(m->heap, &at, seen + n, 64)) != 0) n += got;
  model_must(m, n == count, "a walk sees as many blocks as are alive");
  if (n == count) {
    qsort(seen, n, sizeof *seen, compare_walked);
    shadow_sort(&m->live);
    for (size_t i = 0; i < n; i++) {
      model_must(m, seen[i].address == m->live.blocks[i].address, "a walk sees the live blocks");
      model_must(m, seen[i].size >= m->live.blocks[i].size, "a walk tells their usable size");
    }
  }
  free(seen);
}

static inline void step_addresses(model *m) {
  int on_stack = 0;
  model_must(m, !ouro_owns(m->heap, &on_stack), "a heap owns no stack");
  model_must(m, !ouro_owns(m->heap, NULL), "a heap does not own NULL");
  model_must(m, !ouro_owns(m->heap, (void *)(uintptr_t)m->from->next(m->from)) || m->live.count,
             "an empty heap owns no random address");
  model_must(m, ouro_usable_size(m->heap, &on_stack) == 0, "a foreign block has no usable size");
  shadow_block *b = choose_block(m);
  if (b) model_must(m, ouro_owns(m->heap, b->address), "a heap owns its blocks");
}

static inline void step_fail(model *m) {
  ouro_heap_fail(m->heap, choose(m->from, 40), choose(m->from, 3));
  m->may_fail = true;
}

static inline void step_end_fail(model *m) {
  ouro_heap_fail(m->heap, 0, 0);
  m->may_fail = m->options.limit != 0;
}

/* --- The whole --- */

typedef struct model_op {
  void (*step)(model *);
  unsigned weight;
  bool grows, injects;
} model_op;

static const model_op model_ops[] = {
    {step_alloc, 30, true, false},       {step_alloc_run, 2, true, false},
    {step_calloc, 6, true, false},       {step_aligned, 5, true, false},
    {step_realloc, 15, false, false},    {step_free, 30, false, false},
    {step_free_remote, 8, false, false}, {step_free_run, 1, false, false},
    {step_free_range, 1, false, false},  {step_give_back, 1, false, false},
    {step_tick, 2, false, false},        {step_settings, 1, false, false},
    {step_walk, 1, false, false},        {step_adopt, 4, false, false},
    {step_addresses, 1, false, false},   {step_impossible, 1, false, false},
    {step_fail, 1, false, true},         {step_end_fail, 1, false, true},
};

static inline const model_op *choose_op(chooser *from) {
  size_t count = sizeof model_ops / sizeof *model_ops, sum = 0, at = 0;
  for (size_t i = 0; i < count; i++) sum += model_ops[i].weight;
  size_t pick = choose(from, sum);
  while (pick >= model_ops[at].weight) pick -= model_ops[at++].weight;
  return &model_ops[at];
}

/* The heap's numbers against the model's. Large blocks freed from afar count until they are taken
 * back. */
static inline void model_compare_numbers(model *m) {
  ouro_heap_stats s = stats_of(m->heap);
  uint64_t asked = 0, nothing = 0, blocks = s.live_blocks + s.large_blocks, count = m->live.count;
  for (size_t i = 0; i < count; i++) {
    asked += m->live.blocks[i].size;
    nothing += m->live.blocks[i].size == 0; /* 0 bytes may count as 1 */
  }
  model_must(m, sums_hold(&s), "the ledger adds up");
  model_must(m, blocks >= count && blocks <= count + m->late, "blocks are counted");
  model_must(m, s.live + s.large >= asked, "live blocks are at least what was asked for");
  if (m->exact && !m->late)
    model_must(m, s.requested + s.large - asked <= nothing,
               "a hardened heap counts requests exactly");
  if (m->options.limit) model_must(m, s.live + s.large <= m->options.limit, "the limit holds");
}

/* One step; `check` also has the heap check itself and compares the numbers. */
static inline void model_step(model *m, bool injection, bool check) {
  const model_op *op = choose_op(m->from);
  if (op->grows && m->live.count > m->most_blocks) op = &model_ops[5];
  if (op->injects && !injection) return;
  op->step(m);
  if (!check || m->broken) return;
  const char *broken = ouro_heap_check(m->heap);
  model_must(m, broken == NULL, broken);
  model_compare_numbers(m);
}

#endif
