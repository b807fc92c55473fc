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
 * CURRENT: the bin of its class claims from it; never returned while it is. PARTIAL: on the
 * class's list.
 */
#ifndef OURO_SRC_POOL_POOL_H
#define OURO_SRC_POOL_POOL_H

#include "../base/bits.h"
#include "heap.h"
#include "sizeclass.h"

enum pool_state { POOL_UNUSED, POOL_CURRENT, POOL_PARTIAL, POOL_FULL };

#define POOL_SLOW_WORD 32u /* where the bitmap starts in pools whose frees must be slow */

static inline uint64_t *pool_words(const ouro_pool *pool) {
  return (uint64_t *)(uintptr_t)pool->free + (pool->reciprocal ? 0 : POOL_SLOW_WORD);
}

static inline unsigned pool_word_count(const ouro_pool *pool) { return (pool->end + 63u) / 64; }

/* The size class under which its bytes are counted. */
static inline unsigned pool_class(const ouro_pool *pool) { return class_of(pool->size); }

/* Bits of a word that stand for a block: neither colour nor behind the end. */
static inline uint64_t pool_usable_word(const ouro_pool *pool, unsigned word) {
  if (word * 64u >= pool->end) return 0;
  unsigned left = pool->end - word * 64u;
  return bits_below(left < 64 ? left : 64) & ~(word == 0 ? bits_below(pool->first) : 0);
}

static inline unsigned pool_index_of(const ouro_pool *pool, const void *p) {
  uintptr_t offset = (uintptr_t)p & (OURO_POOL_BYTES - 1);
  if (pool->reciprocal) return (unsigned)(offset * pool->reciprocal >> 32);
  return (unsigned)(offset / pool->size);
}

static inline char *pool_block(const ouro_pool *pool, unsigned index) {
  return pool_start(pool) + (size_t)index * pool->size;
}

static inline bool pool_is_free(const ouro_pool *pool, unsigned index) {
  return pool_words(pool)[index / 64] >> (index % 64) & 1;
}

/* Gives an unused pool to a bin; every block is free. */
void pool_init(heap *h, ouro_pool *pool, ouro_bin *bin);

/* Takes free blocks from the lowest word that has some: all of them if they are at most `width`,
 * else those among `width` neighbours. Returns the bits; *base is where block 0 of that word lies.
 * The pool must have free blocks. */
static inline uint64_t pool_claim(heap *h, ouro_pool *pool, unsigned width, char **base);

/* Marks a held block free and moves the pool to its new state. Freeing a free block has no effect.
 */
void pool_free_block(heap *h, ouro_pool *pool, unsigned index);

/* The same for held blocks of one word at once. */
static inline void pool_free_bits(heap *h, ouro_pool *pool, unsigned word, uint64_t bits);

/* Moves a pool to the state its counts say, after blocks were freed. */
void pool_settle(heap *h, ouro_pool *pool);

/* A pool of the bin's with free blocks becomes CURRENT: from the list, or new. NULL: out of
 * memory. */
ouro_pool *pool_next(heap *h, ouro_bin *bin);

/* The blocks that the bin keeps at hand go back to their pools. */
void pool_flush(heap *h, ouro_bin *bin);

/* The same for all bins. */
void pool_flush_all(heap *h);

/* The bin gives back what it has claimed and forgets its pool. */
void pool_unclaim(heap *h, ouro_bin *bin);

/* Flushes and unclaims all bins. */
void pool_unclaim_all(heap *h);

/* The pages (bit k: page k) on which no block is held. */
uint32_t pool_free_pages(const heap *h, const ouro_pool *pool);

static inline uint64_t pool_claim(heap *h, ouro_pool *pool, unsigned width, char **base) {
  OURO_CHECK(pool->summary != 0);
  unsigned w = ouro_lowest_bit(pool->summary);
  uint64_t *word = &pool_words(pool)[w], taken = *word;
  unsigned lowest = ouro_lowest_bit(taken);
  if (bits_count(taken) > width) taken &= bits_below(width) << lowest;
  *word &= ~taken;
  if (*word == 0) pool->summary &= ~((uint64_t)1 << w);
  pool->used += bits_count(taken);
  size_t at = (size_t)w * 64 * pool->size,
         end = at + (bits_highest(taken) + (size_t)1) * pool->size;
  uint32_t first_page = (uint32_t)((at + lowest * (size_t)pool->size) >> h->page_shift);
  uint16_t pages = (uint16_t)bits_range(first_page, (unsigned)((end - 1) >> h->page_shift));
  pool->touched |= pages;
  pool->idle &= (uint16_t)~pages;
  *base = pool_start(pool) + at;
  return taken;
}

static inline void pool_free_bits(heap *h, ouro_pool *pool, unsigned word, uint64_t bits) {
  OURO_CHECK((pool_words(pool)[word] & bits) == 0 && pool->used >= bits_count(bits));
  pool_words(pool)[word] |= bits;
  pool->summary |= (uint64_t)1 << word;
  pool->used -= bits_count(bits);
  h->events++;
  if (pool->used == 0 || pool->state == POOL_FULL) pool_settle(h, pool);
}

#endif
