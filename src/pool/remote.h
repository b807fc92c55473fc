/* SPDX-License-Identifier: MIT */
/*
 * Frees from threads that do not own the heap. Each pool has a second descriptor in a table of its
 * own, touched only when such frees happen. A freeing thread
 *
 *   1. sets the block's bit in `freed[word]`; if the word was not zero before, it is done;
 *   2. else sets the word's bit in `summary`; if that was not zero before, it is done;
 *   3. else puts the pool on the heap's chain.
 *
 * The owner takes the chain, then each summary, then each word, by exchange: whoever found a zero
 * has signalled after setting its bit, so nothing is lost, and no block is touched on the way.
 */
#ifndef OURO_SRC_POOL_REMOTE_H
#define OURO_SRC_POOL_REMOTE_H

#include "pool.h"

typedef struct remote_pool {
  _Atomic uint64_t summary;
  _Atomic(uintptr_t) next; /* descriptor of the next pool on the chain */
  uint64_t unused[6];
  _Atomic uint64_t freed[OURO_POOL_WORDS];
} remote_pool;

_Static_assert(sizeof(remote_pool) == sizeof(ouro_pool), "both tables have the same shape");

static inline remote_pool *remote_of(const ouro_pool *pool) {
  return (remote_pool *)((uintptr_t)pool + OURO_TABLE_BYTES);
}

static inline bool remote_pending(const heap *h) {
  return atomic_load_explicit(&h->remote_pools, memory_order_relaxed) != 0 ||
         atomic_load_explicit(&h->remote_large, memory_order_relaxed) != 0;
}

/* Blocks of one word that other threads freed and the owner has not taken back yet. */
static inline uint64_t remote_word(const ouro_pool *pool, unsigned word) {
  return atomic_load_explicit(&remote_of(pool)->freed[word], memory_order_relaxed);
}

/* How many there are in the pool. */
unsigned remote_count(const ouro_pool *pool);

/* Owner: takes back what the chains hold. */
void remote_drain(heap *h);

/* Owner, in the child after fork: takes back everything, also what a thread that the fork cut off
 * had not signalled yet. While other threads run it would break their chain: a pool could be on it
 * twice. */
void remote_drain_all(heap *h);

#endif
