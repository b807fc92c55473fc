/* SPDX-License-Identifier: MIT */
/* Every invariant that a comment of this layer states, as code. */
#include "large.h"
#include "view.h"

#define MUST(condition, text)                                                                      \
  if (!(condition)) return text

static const char *check_words(const ouro_pool *pool) {
  unsigned free_blocks = 0;
  for (unsigned w = 0; w < pool_word_count(pool); w++) {
    uint64_t word = pool_words(pool)[w];
    unsigned left = pool->end - w * 64u;
    MUST((word & ~bits_below(left < 64 ? left : 64)) == 0, "a pool has free bits behind its end");
    MUST((pool->summary >> w & 1) == (word != 0), "a pool's summary does not match its words");
    free_blocks += bits_count(word);
  }
  MUST(pool->first == 0 || (pool_words(pool)[0] & bits_below(pool->first)) == 0,
       "a pool has free bits in its colour");
  MUST(pool->used + free_blocks == (unsigned)(pool->end - pool->first),
       "used + free is not a pool's capacity");
  return NULL;
}

static const char *check_state(const ouro_pool *pool) {
  const ouro_bin *bin = heap_bin_of(pool);
  MUST((pool->state == POOL_CURRENT) == (bin->pool == pool), "CURRENT is not the bin's pool");
  MUST(pool->state != POOL_FULL || pool->summary == 0, "a FULL pool has free blocks");
  MUST(pool->state != POOL_PARTIAL || pool->summary != 0, "a PARTIAL pool has no free block");
  MUST(pool->state == POOL_CURRENT || pool->used > 0, "an empty pool was not returned");
  return NULL;
}

static bool is_bin(const heap *h, const ouro_bin *wanted) {
  for (const ouro_bin *bin = heap_bins(h); bin; bin = heap_next_bin(h, bin))
    if (bin == wanted) return true;
  return false;
}

static const char *check_pool(const heap *h, const ouro_pool *pool, uint32_t index) {
  MUST(pool->index == index, "a descriptor does not know its place");
  const ouro_bin *bin = heap_bin_of(pool);
  MUST(is_bin(h, bin), "a pool belongs to no bin");
  MUST(pool->size == bin->size && pool->kind == bin->kind, "a pool's size is not its bin's");
  MUST(pool->end == OURO_POOL_BYTES / pool->size && pool->first < pool->end,
       "a pool's bounds are wrong");
  MUST((pool->idle & ~pool->touched) == 0, "an idle page was never touched");
  MUST(pool->reciprocal == (h->slow_frees ? 0 : class_reciprocal(pool->size)),
       "a pool's reciprocal is wrong");
  MUST(!h->slow_frees || pool->free[0] == 0, "a watched pool allows fast frees");
  const char *wrong = check_words(pool);
  return wrong ? wrong : check_state(pool);
}

typedef struct pool_counts {
  uint64_t in_use, partial;
} pool_counts;

static const char *check_arena(const heap *h, const window *w, uint32_t number, pool_counts *n) {
  const arena *a = &w->arenas[number];
  MUST((a->dirty & ~a->free) == 0 && (a->idle & ~a->dirty) == 0, "an arena's sets are not nested");
  MUST((w->open[number / 64] >> (number % 64) & 1) == (a->free != 0),
       "an open arena is not listed");
  MUST(a->free == 0 || w->open_from <= number / 64, "an open arena lies below the search");
  for (unsigned k = 0; k < OURO_ARENA_POOLS; k++) {
    uint32_t index = number * OURO_ARENA_POOLS + k;
    const ouro_pool *pool = &window_pools(w)[index];
    MUST((pool->state == POOL_UNUSED) == (a->free >> k & 1), "a pool's state and its arena differ");
    if (pool->state == POOL_UNUSED) {
      MUST(pool->reciprocal == 0 && pool->bin == 0 && pool->free[0] == 0,
           "an unused pool allows fast frees");
      MUST((pool->touched != 0) == (a->dirty >> k & 1), "an unused pool's pages are miscounted");
      continue;
    }
    n->in_use++;
    n->partial += pool->state == POOL_PARTIAL;
    const char *wrong = check_pool(h, pool, index);
    if (wrong) return wrong;
  }
  return NULL;
}

static const char *check_list(const ouro_bin *bin, uint64_t *partial) {
  const ouro_pool *previous = NULL;
  for (const ouro_pool *p = bin->first; p; previous = p, p = p->next, --*partial) {
    MUST(p->state == POOL_PARTIAL && heap_bin_of(p) == bin,
         "a list holds a pool that does not belong");
    MUST(p->previous == previous, "a list's links do not match");
  }
  MUST(bin->last == previous, "a list's end is wrong");
  MUST(bin->bits == 0 || bin->pool, "a bin holds blocks of no pool");
  return NULL;
}

static const char *check_sizes(const heap *h) {
  for (unsigned c = 1; c <= OURO_CLASSES; c++)
    MUST(h->open.bins[c].size == class_size(c), "a bin's size is wrong");
  return NULL;
}

static const char *check_lists(const heap *h, uint64_t partial) {
  for (const ouro_bin *bin = heap_bins(h); bin; bin = heap_next_bin(h, bin)) {
    const char *wrong = check_list(bin, &partial);
    if (wrong) return wrong;
  }
  MUST(partial == 0, "a PARTIAL pool is on no list");
  MUST(h->open.bins[0].bits == 0, "the bin for size 0 is not empty");
  return NULL;
}

static const char *check_large(const heap *h) {
  uint64_t bytes = 0, count = 0;
  for (uint32_t i = 0; i < h->large_end; i++) {
    if (!h->large[i].live) continue;
    MUST(large_find(h, h->large[i].address) == i, "a large block is not in the map");
    bytes += h->large[i].size;
    count++;
  }
  MUST(bytes == h->large_bytes && count == h->large_count, "large blocks are miscounted");
  MUST(h->large_map.count == count, "the map holds other large blocks");
  return NULL;
}

static const char *check_recent_block(const heap *h, const ouro_bin *bin, const void *block) {
  const ouro_pool *pool = heap_pool_at(h, block);
  MUST(pool && pool->size == bin->size, "a bin keeps a block that is not of its class");
  MUST(!pool_is_free(pool, pool_index_of(pool, block)), "a bin keeps a free block");
  return NULL;
}

static const char *check_recent(const heap *h, const ouro_bin *bin) {
  MUST(bin->count <= bin->room, "a bin keeps more than it has room for");
  MUST(bin->recent[0] == NULL && bin->recent[bin->count] == bin->top,
       "a bin's top is not the last");
  const char *wrong = NULL;
  for (uint32_t i = 1; i <= bin->count && !wrong; i++)
    wrong = check_recent_block(h, bin, bin->recent[i]);
  return wrong;
}

/* What bins hold must be used in its pool, not free. */
static const char *check_claims(const heap *h) {
  for (const ouro_bin *bin = heap_bins(h); bin; bin = heap_next_bin(h, bin)) {
    const char *wrong = check_recent(h, bin);
    if (wrong) return wrong;
    if (!bin->bits) continue;
    unsigned word = pool_index_of(bin->pool, bin->base) / 64;
    MUST((pool_words(bin->pool)[word] & bin->bits) == 0, "a claimed block is free");
  }
  return NULL;
}

const char *ouro_heap_check(ouro_heap *heap) {
  const struct heap *h = heap_in(heap);
  pool_counts n = {0};
  const char *wrong = check_sizes(h);
  if (wrong) return wrong;
  MUST(h->open.self == heap, "the heap does not know itself");
  for (uint32_t i = 0; i < h->window_count; i++)
    for (uint32_t k = OURO_FIRST_ARENA; k < h->windows[i]->committed; k++)
      if ((wrong = check_arena(h, h->windows[i], k, &n))) return wrong;
  MUST(n.in_use == h->pools && h->pools <= h->peak_pools, "pools in use are miscounted");
  if ((wrong = check_lists(h, n.partial)) || (wrong = check_claims(h))) return wrong;
  return check_large(h);
}
