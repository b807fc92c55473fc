/* SPDX-License-Identifier: MIT */
#include "pool/pool.h"

#include "os/annotate.h"

static void list_push(heap *h, ouro_pool *pool) {
  ouro_pool **head = &h->partial[pool_class(pool)];
  pool->state = POOL_PARTIAL;
  pool->previous = NULL;
  pool->next = *head;
  if (*head) (*head)->previous = pool;
  *head = pool;
}

static void list_remove(heap *h, ouro_pool *pool) {
  if (pool->previous) pool->previous->next = pool->next;
  else h->partial[pool_class(pool)] = pool->next;
  if (pool->next) pool->next->previous = pool->previous;
  pool->next = pool->previous = NULL;
}

static void fill_words(ouro_pool *pool) {
  uint64_t *words = pool_words(pool);
  pool->summary = 0;
  for (unsigned w = 0; w < pool_word_count(pool); w++) {
    unsigned left = pool->end - w * 64u;
    words[w] = bits_below(left < 64 ? left : 64);
    if (w == 0) words[0] &= ~bits_below(pool->first);
    if (words[w]) pool->summary |= (uint64_t)1 << w;
  }
}

void pool_init(heap *h, ouro_pool *pool, unsigned class) {
  OURO_CHECK(pool->state == POOL_UNUSED);
  size_t size = class_size(class), colour = h->colour++ % TUNE_COLOURS * TUNE_COLOUR_BYTES;
  pool->heap = &h->open;
  pool->size = (uint16_t)size;
  pool->first = (uint16_t)((colour + size - 1) / size);
  pool->end = (uint16_t)(OURO_POOL_BYTES / size);
  pool->used = 0;
  pool->requested = 0;
  pool->first_word = h->slow_frees ? POOL_SLOW_WORD : 0;
  pool->reciprocal = h->slow_frees ? 0 : class_reciprocal(size);
  pool->next = pool->previous = NULL;
  fill_words(pool);
  if (h->annotated) annotate_no_access(pool_start(pool), OURO_POOL_BYTES);
}

/* The pages that [from, to) of a pool lies on. */
static uint32_t pages_between(const heap *h, size_t from, size_t to) {
  return (uint32_t)bits_range((unsigned)(from / h->page), (unsigned)((to - 1) / h->page));
}

uint64_t pool_claim(heap *h, ouro_pool *pool, unsigned width, char **base) {
  OURO_CHECK(pool->summary != 0);
  unsigned w = ouro_lowest_bit(pool->summary);
  uint64_t *word = &pool_words(pool)[w];
  unsigned lowest = ouro_lowest_bit(*word);
  uint64_t taken = *word & bits_below(width) << lowest;
  *word &= ~taken;
  if (*word == 0) pool->summary &= ~((uint64_t)1 << w);
  pool->used += bits_count(taken);
  size_t at = (size_t)w * 64 * pool->size;
  uint32_t pages = pages_between(h, at + lowest * (size_t)pool->size,
                                 at + (bits_highest(taken) + (size_t)1) * pool->size);
  pool->touched |= (uint16_t)pages;
  pool->idle &= (uint16_t)~pages;
  *base = pool_start(pool) + at;
  return taken;
}

/* After blocks were freed. A CURRENT pool stays with its bin, even with no block left in use. */
static void settle(heap *h, ouro_pool *pool) {
  if (pool->state == POOL_CURRENT) return;
  if (pool->used > 0) {
    if (pool->state == POOL_FULL) list_push(h, pool);
    return;
  }
  if (pool->state == POOL_PARTIAL) list_remove(h, pool);
  heap_return_pool(h, pool);
}

void pool_free_bits(heap *h, ouro_pool *pool, unsigned word, uint64_t bits) {
  OURO_CHECK((pool_words(pool)[word] & bits) == 0 && pool->used >= bits_count(bits));
  pool_words(pool)[word] |= bits;
  pool->summary |= (uint64_t)1 << word;
  pool->used -= bits_count(bits);
  h->events++;
  settle(h, pool);
}

void pool_free_block(heap *h, ouro_pool *pool, unsigned index) {
  if (index < pool->first || index >= pool->end || pool_is_free(pool, index)) return;
  pool_free_bits(h, pool, index / 64, (uint64_t)1 << (index % 64));
}

void ouro_pool_emptied(ouro_heap *h, ouro_pool *pool) {
  heap_in(h)->events++;
  settle(heap_in(h), pool);
}

ouro_pool *pool_next(heap *h, unsigned class) {
  ouro_pool *pool = h->partial[class];
  if (pool) {
    list_remove(h, pool);
  } else {
    pool = heap_take_pool(h);
    if (!pool) return NULL;
    pool_init(h, pool, class);
  }
  pool->state = POOL_CURRENT;
  return pool;
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
    settle(h, pool);
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
    unsigned from = (unsigned)(k * h->page / pool->size);
    unsigned to = (unsigned)(((k + 1) * h->page - 1) / pool->size);
    if (from < pool->first) from = pool->first;
    if (to >= pool->end) to = pool->end - 1u;
    if (all_free(pool, from, to)) pages |= 1u << k;
  }
  return pages;
}
