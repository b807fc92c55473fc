/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include "../os/annotate.h"

/* At the end: a pool that was full has one free block now and gathers more until its turn comes. */
static void list_append(ouro_pool *pool) {
  ouro_bin *bin = heap_bin_of(pool);
  pool->state = POOL_PARTIAL;
  pool->previous = bin->last;
  pool->next = NULL;
  if (bin->last) bin->last->next = pool;
  else bin->first = pool;
  bin->last = pool;
}

static void list_remove(ouro_pool *pool) {
  ouro_bin *bin = heap_bin_of(pool);
  if (pool->previous) pool->previous->next = pool->next;
  else bin->first = pool->next;
  if (pool->next) pool->next->previous = pool->previous;
  else bin->last = pool->previous;
  pool->next = pool->previous = NULL;
}

static void fill_words(ouro_pool *pool) {
  uint64_t *words = pool_words(pool);
  pool->summary = 0;
  for (unsigned w = 0; w < pool_word_count(pool); w++) {
    words[w] = pool_usable_word(pool, w);
    if (words[w]) pool->summary |= (uint64_t)1 << w;
  }
}

void pool_init(heap *h, ouro_pool *pool, ouro_bin *bin) {
  OURO_CHECK(pool->state == POOL_UNUSED);
  size_t size = bin->size, colour = h->colour++ % TUNE_COLOURS * TUNE_COLOUR_BYTES;
  pool->kind = (uint8_t)bin->kind;
  pool->typed = (uint8_t)bin->typed;
  pool->size = (uint16_t)size;
  pool->first = (uint8_t)((colour + size - 1) / size);
  pool->end = (uint16_t)(OURO_POOL_BYTES / size);
  pool->used = 0;
  pool->requested = 0;
  pool->bin = (intptr_t)((uintptr_t)bin - (uintptr_t)window_base(window_of(pool)));
  pool->reciprocal = h->slow_frees ? 0 : class_reciprocal(size);
  pool->next = pool->previous = NULL;
  fill_words(pool);
  if (h->annotated) annotate_no_access(pool_start(pool), OURO_POOL_BYTES);
}

/* A CURRENT pool stays with its bin, even with no block left in use. */
void pool_settle(heap *h, ouro_pool *pool) {
  if (pool->state == POOL_CURRENT) return;
  if (pool->used > 0) {
    if (pool->state == POOL_FULL) list_append(pool);
    return;
  }
  if (pool->state == POOL_PARTIAL) list_remove(pool);
  heap_return_pool(h, pool);
}

void pool_free_block(heap *h, ouro_pool *pool, unsigned index) {
  if (index < pool->first || index >= pool->end || pool_is_free(pool, index)) return;
  pool_free_bits(h, pool, index / 64, (uint64_t)1 << (index % 64));
}

void ouro_pool_emptied(ouro_heap *h, ouro_pool *pool) {
  heap_in(h)->events++;
  pool_settle(heap_in(h), pool);
}

ouro_pool *pool_next(heap *h, ouro_bin *bin) {
  ouro_pool *pool = bin->first;
  if (pool) {
    list_remove(pool);
  } else {
    pool = heap_take_pool(h);
    if (!pool) return NULL;
    pool_init(h, pool, bin);
  }
  pool->state = POOL_CURRENT;
  return pool;
}

void pool_flush(heap *h, ouro_bin *bin) {
  bin->taken -= bin->count; /* nobody gets them */
  while (bin->top) {
    void *block = ouro_bin_take(bin);
    ouro_pool *pool = heap_slot_of(block);
    pool_free_block(h, pool, pool_index_of(pool, block));
  }
}

void pool_flush_all(heap *h) {
  for (ouro_bin *bin = heap_bins(h); bin; bin = heap_next_bin(h, bin)) pool_flush(h, bin);
}

void pool_unclaim_all(heap *h) {
  for (ouro_bin *bin = heap_bins(h); bin; bin = heap_next_bin(h, bin)) {
    pool_flush(h, bin);
    pool_unclaim(h, bin);
  }
}

void pool_unclaim(heap *h, ouro_bin *bin) {
  ouro_pool *pool = bin->pool;
  if (!pool) return;
  bin->pool = NULL;
  pool->state = POOL_FULL;
  if (bin->bits) {
    unsigned word = pool_index_of(pool, bin->base) / 64;
    uint64_t bits = bin->bits;
    bin->bits = 0;
    pool_free_bits(h, pool, word, bits);
  } else if (pool->used == 0 || pool->summary) {
    pool_settle(h, pool);
  }
}

/* Whether all of the blocks [from, to] are free. */
static bool all_free(const ouro_pool *pool, unsigned from, unsigned to) {
  const uint64_t *words = pool_words(pool);
  for (unsigned w = from / 64; w <= to / 64; w++) {
    uint64_t wanted = bits_range(w == from / 64 ? from % 64 : 0, w == to / 64 ? to % 64 : 63);
    if ((words[w] & wanted) != wanted) return false;
  }
  return true;
}

uint32_t pool_free_pages(const heap *h, const ouro_pool *pool) {
  if (pool->summary == 0) return 0;
  uint32_t pages = 0;
  for (unsigned k = 0; k < h->pool_pages; k++) {
    unsigned from = (unsigned)(((size_t)k << h->page_shift) / pool->size);
    unsigned to = (unsigned)((((size_t)(k + 1) << h->page_shift) - 1) / pool->size);
    if (from < pool->first) from = pool->first;
    if (to >= pool->end) to = pool->end - 1u;
    if (all_free(pool, from, to)) pages |= 1u << k;
  }
  return pages;
}
