/* SPDX-License-Identifier: MIT */
/*
 * Walking live blocks. A position is a number:
 *
 *     bits 0-12   block index in the pool      bits 13-30  pool in the window
 *     bits 31-62  window                       bit 63      large blocks: the rest is an index
 */
#include "hard.h"
#include "large.h"
#include "remote.h"
#include "view.h"

#define INDEX_BITS 13u
#define POOL_BITS (OURO_WINDOW_SHIFT - OURO_POOL_SHIFT)
#define AT_LARGE ((uint64_t)1 << 63)

_Static_assert(OURO_POOL_BYTES / OURO_CLASS_BYTES < 1u << INDEX_BITS,
               "a block index fits its bits");

static uint64_t position(uint32_t window, uint32_t pool, unsigned index) {
  return ((uint64_t)window << POOL_BITS | pool) << INDEX_BITS | index;
}

static size_t emit_word(const heap *h, const ouro_pool *pool, unsigned word, uint64_t live,
                        ouro_block *out) {
  size_t n = 0;
  for (; live; live &= live - 1) {
    char *p = pool_block(pool, word * 64 + ouro_lowest_bit(live));
    if (h->hardened && !hard_is_live(h, pool, p)) continue;
    out[n++] = (ouro_block){p, pool->size};
  }
  return n;
}

/* Blocks from *index on, whole words while they fit. *index ends behind the last one looked at. */
static size_t walk_pool(const heap *h, const ouro_pool *pool, unsigned *index, ouro_block *out,
                        size_t room) {
  size_t n = 0;
  while (*index < pool->end && room - n >= 64) {
    n += emit_word(h, pool, *index / 64, view_live_word(pool, *index / 64), out + n);
    *index = (*index | 63) + 1;
  }
  return n;
}

static size_t walk_large(const heap *h, ouro_walk *at, ouro_block *out, size_t room) {
  uint64_t i = at->at & ~AT_LARGE;
  size_t n = 0;
  for (; i < h->large_end && n < room; i++)
    if (h->large[i].live) out[n++] = (ouro_block){h->large[i].address, h->large[i].size};
  at->at = AT_LARGE | i;
  return n;
}

/* The pools of one window from the position on. True: the window is done. */
static bool walk_window(const heap *h, uint32_t number, ouro_walk *at, ouro_block *out, size_t room,
                        size_t *n) {
  const window *w = h->windows[number];
  unsigned index = (unsigned)(at->at & ((1u << INDEX_BITS) - 1));
  uint32_t k = (uint32_t)(at->at >> INDEX_BITS & ((1u << POOL_BITS) - 1));
  if (k < OURO_FIRST_ARENA * OURO_ARENA_POOLS) k = OURO_FIRST_ARENA * OURO_ARENA_POOLS;
  for (; k < w->committed * OURO_ARENA_POOLS; k++, index = 0) {
    const ouro_pool *pool = &window_pools(w)[k];
    if (pool->state == POOL_UNUSED) continue;
    *n += walk_pool(h, pool, &index, out + *n, room - *n);
    if (index >= pool->end) continue;
    at->at = position(number, k, index);
    return false;
  }
  at->at = position(number + 1, 0, 0);
  return true;
}

size_t ouro_walk_next(ouro_heap *heap_, ouro_walk *at, ouro_block *out, size_t room) {
  heap *h = heap_in(heap_);
  size_t n = 0;
  pool_flush_all(h);
  while (!(at->at & AT_LARGE)) {
    uint64_t number = at->at >> (INDEX_BITS + POOL_BITS);
    if (number >= h->window_count) at->at = AT_LARGE;
    else if (!walk_window(h, (uint32_t)number, at, out, room, &n)) return n;
  }
  return n + walk_large(h, at, out + n, room - n);
}
