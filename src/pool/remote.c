/* SPDX-License-Identifier: MIT */
#include "remote.h"

#include "../os/annotate.h"
#include "hard.h"
#include "large.h"

unsigned remote_count(const ouro_pool *pool) {
  uint64_t words = atomic_load_explicit(&remote_of(pool)->summary, memory_order_relaxed);
  unsigned count = 0;
  for (; words; words &= words - 1) count += bits_count(remote_word(pool, ouro_lowest_bit(words)));
  return count;
}

static void push(_Atomic(uintptr_t) *head, _Atomic(uintptr_t) *next, uintptr_t item) {
  uintptr_t first = atomic_load_explicit(head, memory_order_relaxed);
  do atomic_store_explicit(next, first, memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit(head, &first, item, memory_order_release,
                                                memory_order_relaxed));
}

void ouro_free_remote(ouro_heap *heap_, void *block) {
  if (!block) return;
  heap *h = heap_in(heap_);
  if (!heap_has_window(h, block)) { /* large: chained through itself, looked up by the owner */
    push(&h->remote_large, block, (uintptr_t)block);
    return;
  }
  ouro_pool *pool = heap_slot_of(block);
  if (h->hardened && !hard_is_start(pool, block)) { /* the bit would end the block it lies in */
    hard_report(h, OURO_FOREIGN_FREE, block, pool->size ? pool : NULL, 0);
    return;
  }
  remote_pool *r = remote_of(pool);
  unsigned index = pool_index_of(pool, block), w = index / 64;
  uint64_t bit = (uint64_t)1 << (index % 64);
  uint64_t before = atomic_fetch_or_explicit(&r->freed[w], bit, memory_order_acq_rel);
  if (before & bit && h->hardened) hard_report(h, OURO_DOUBLE_FREE, block, pool, 0);
  if (before != 0) return;
  if (atomic_fetch_or_explicit(&r->summary, (uint64_t)1 << w, memory_order_acq_rel) != 0) return;
  push(&h->remote_pools, &r->next, (uintptr_t)pool);
}

static void free_one_by_one(heap *h, ouro_pool *pool, unsigned word, uint64_t bits) {
  for (; bits; bits &= bits - 1)
    hard_free(h, pool, pool_block(pool, word * 64 + ouro_lowest_bit(bits)));
}

static void announce_deaths(ouro_pool *pool, unsigned word, uint64_t bits) {
  for (; bits; bits &= bits - 1)
    annotate_died(pool_block(pool, word * 64 + ouro_lowest_bit(bits)), pool->size);
}

/* Ends blocks of one word. Bits of blocks that are free already (a double free) have no effect. */
static void take_word(heap *h, ouro_pool *pool, unsigned word, uint64_t bits) {
  if (bits == 0) return;
  h->remote_taken += bits_count(bits);
  if (h->hardened) {
    free_one_by_one(h, pool, word, bits);
    return;
  }
  bits &= ~pool_words(pool)[word];
  if (h->annotated) announce_deaths(pool, word, bits);
  if (bits) pool_free_bits(h, pool, word, bits);
}

static void take_words(heap *h, ouro_pool *pool, uint64_t words) {
  remote_pool *r = remote_of(pool);
  for (; words; words &= words - 1) {
    unsigned w = ouro_lowest_bit(words);
    take_word(h, pool, w, atomic_exchange_explicit(&r->freed[w], 0, memory_order_acq_rel));
  }
}

static void drain_large(heap *h) {
  uintptr_t at = atomic_exchange_explicit(&h->remote_large, 0, memory_order_acquire);
  while (at) {
    void *block = (void *)at;
    at = atomic_load_explicit((_Atomic(uintptr_t) *)block, memory_order_relaxed);
    h->remote_taken++;
    if (!large_free(h, block) && h->hardened) hard_report(h, OURO_FOREIGN_FREE, block, NULL, 0);
  }
}

void remote_drain(heap *h) {
  uintptr_t at = atomic_exchange_explicit(&h->remote_pools, 0, memory_order_acquire);
  while (at) {
    ouro_pool *pool = (ouro_pool *)at;
    remote_pool *r = remote_of(pool);
    at = atomic_load_explicit(&r->next, memory_order_relaxed);
    take_words(h, pool, atomic_exchange_explicit(&r->summary, 0, memory_order_acq_rel));
  }
  drain_large(h);
}

static void drain_pool(heap *h, ouro_pool *pool) {
  remote_pool *r = remote_of(pool);
  atomic_store_explicit(&r->summary, 0, memory_order_relaxed);
  take_words(h, pool, bits_below(pool_word_count(pool)));
}

void remote_drain_all(heap *h) {
  remote_drain(h);
  for (uint32_t i = 0; i < h->window_count; i++) {
    window *w = h->windows[i];
    for (uint32_t k = OURO_FIRST_ARENA * OURO_ARENA_POOLS; k < w->committed * OURO_ARENA_POOLS; k++)
      if (window_pools(w)[k].state != POOL_UNUSED) drain_pool(h, &window_pools(w)[k]);
  }
}
