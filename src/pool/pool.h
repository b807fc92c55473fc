/* SPDX-License-Identifier: MIT */
/*
 * One pool: 64 KiB of blocks of one size, and who holds them. States:
 *
 *            take (bin needs blocks)              all handed out
 *   UNUSED ---------------------------> CURRENT -----------------> FULL
 *      ^                                   ^                         |
 *      |  last block freed                 | bin needs blocks        | a block is freed
 *      +-------------------- PARTIAL ------+-------------------------+
 *
 * CURRENT: the bin of its class claims from it; never returned while it is. PARTIAL: on the class's list.
 */
#ifndef OURO_SRC_POOL_POOL_H
#define OURO_SRC_POOL_POOL_H

#include "base/bits.h"
#include "pool/heap.h"
#include "pool/sizeclass.h"

enum pool_state { POOL_UNUSED, POOL_CURRENT, POOL_PARTIAL, POOL_FULL };

#define POOL_SLOW_WORD 32u /* where the bitmap starts in pools whose frees must be slow */

static inline uint64_t *pool_words(const ouro_pool *pool) {
  return (uint64_t *)(uintptr_t)pool->free + pool->first_word;
}

static inline unsigned pool_word_count(const ouro_pool *pool) { return (pool->end + 63u) / 64; }

static inline unsigned pool_class(const ouro_pool *pool) { return pool->size / OURO_CLASS_BYTES; }

static inline unsigned pool_index_of(const ouro_pool *pool, const void *p) {
  return (unsigned)(((uintptr_t)p & (OURO_POOL_BYTES - 1)) / pool->size);
}

static inline char *pool_block(const ouro_pool *pool, unsigned index) {
  return pool_start(pool) + (size_t)index * pool->size;
}

static inline bool pool_is_free(const ouro_pool *pool, unsigned index) {
  return pool_words(pool)[index / 64] >> (index % 64) & 1;
}

/* Gives an unused pool its size class; every block is free. */
void pool_init(heap *h, ouro_pool *pool, unsigned class);

/* Takes up to `width` blocks' worth of neighbouring bits from the lowest word with free blocks. Returns
 * the bits; *base is where block 0 of that word lies. The pool must have free blocks. */
uint64_t pool_claim(heap *h, ouro_pool *pool, unsigned width, char **base);

/* Marks a held block free and moves the pool to its new state. Freeing a free block has no effect. */
void pool_free_block(heap *h, ouro_pool *pool, unsigned index);

/* The same for claimed or freed bits of one word at once. */
void pool_free_bits(heap *h, ouro_pool *pool, unsigned word, uint64_t bits);

/* A pool of the class with free blocks becomes CURRENT: from the list, or new. NULL: out of memory. */
ouro_pool *pool_next(heap *h, unsigned class);

/* The bin gives its claims back and forgets its pool. */
void pool_unclaim(heap *h, ouro_bin *bin);

/* The pages (bit k: page k) on which no block is held. */
uint32_t pool_free_pages(const heap *h, const ouro_pool *pool);

#endif
