/* SPDX-License-Identifier: MIT */
/* The calls on blocks that are not inlined. */
#include <string.h>

#include "../os/annotate.h"
#include "bin.h"
#include "hard.h"
#include "large.h"
#include "purge.h"
#include "remote.h"

/* Bits a bin claims at once; one where every allocation must be seen. */
static unsigned claim_width(const heap *h, const ouro_bin *bin) {
  if (h->slow_frees || h->fail_in || h->watched) return 1;
  unsigned width = TUNE_CLAIM_BYTES / (unsigned)bin->size;
  return width < TUNE_CLAIM_LEAST ? TUNE_CLAIM_LEAST : width > 64 ? 64 : width;
}

/* What bins and quarantine keep at hand, before a request fails for want of it. */
static void reclaim(heap *h) {
  hard_flush(h);
  pool_unclaim_all(h);
}

bool bin_refill(heap *h, ouro_bin *bin) {
  if (remote_pending(h)) remote_drain(h);
  if (bin->pool && bin->pool->summary == 0) {
    bin->pool->state = POOL_FULL;
    bin->pool = NULL;
  }
  if (!bin->pool) bin->pool = pool_next(h, bin);
  if (!bin->pool) {
    reclaim(h);
    bin->pool = pool_next(h, bin);
  }
  if (!bin->pool) return false;
  bin->bits = pool_claim(h, bin->pool, claim_width(h, bin), &bin->base);
  purge_now_and_then(h);
  return true;
}

static void *take_block(heap *h, ouro_bin *bin) {
  h->events++;
  if (bin->bits == 0 && !bin_refill(h, bin)) return NULL;
  uint64_t bits = bin->bits;
  bin->bits = bits & (bits - 1);
  bin->taken++;
  return bin->base + ouro_lowest_bit(bits) * bin->size;
}

/* What a block of a heap where every free is slow takes: room for the trailer, and enough of it
 * that the bitmap fits behind POOL_SLOW_WORD. */
static size_t watched_size(const heap *h, size_t size) {
  size += h->hardened ? HARD_TRAILER_BYTES : 0;
  return size < 2 * OURO_CLASS_BYTES ? 2 * OURO_CLASS_BYTES : size;
}

/* A block that tools and checks know of. */
static void *take_watched(heap *h, ouro_bin *bin, size_t size, bool zeroed) {
  char *p = take_block(h, bin);
  if (!p) return NULL;
  ouro_pool *pool = heap_slot_of(p);
  if (h->annotated) annotate_born(p, pool->size, zeroed);
  if (h->hardened) hard_seal(h, pool, p, size, zeroed);
  else if (zeroed) memset(p, 0, pool->size);
  return p;
}

static void *alloc_small(heap *h, size_t size, bool zeroed) {
  if (h->slow_frees)
    return take_watched(h, &h->open.bins[class_of(watched_size(h, size))], size, zeroed);
  ouro_bin *bin = &h->open.bins[class_of(size)];
  bin->asked_bytes += size;
  bin->asked_count++;
  void *p = take_block(h, bin);
  return p && zeroed ? memset(p, 0, size) : p;
}

bool bin_add(heap *h, ouro_bin *bin, size_t size, unsigned kind, uint32_t cap) {
  size_t needed = h->slow_frees ? watched_size(h, size) : size;
  needed = (needed + 7) & ~(size_t)7;
  if (needed > OURO_SMALL_MAX) return false;
  memset(bin, 0, sizeof *bin);
  bin->size = needed < OURO_CLASS_BYTES ? OURO_CLASS_BYTES : needed;
  bin->kind = kind;
  bin->cap = cap && cap < heap_recent_room(bin->size) ? cap : heap_recent_room(bin->size);
  bin->next = h->added;
  __atomic_store_n(&h->added, bin, __ATOMIC_RELEASE);
  heap_set_room(h, bin);
  return true;
}

void *bin_take(heap *h, ouro_bin *bin, size_t size) {
  if (!hard_owner(h, NULL) || heap_fault(h)) return NULL;
  if (h->slow_frees) return take_watched(h, bin, size, false);
  bin->asked_bytes += size;
  bin->asked_count++;
  return take_block(h, bin);
}

static bool is_small(const heap *h, size_t size) {
  return size <= OURO_SMALL_MAX - (h->hardened ? HARD_TRAILER_BYTES : 0);
}

/* Pools that only bins and quarantine hold must not count against a large block. */
static void *take_large(heap *h, size_t alignment, size_t size, bool zeroed) {
  void *p = large_alloc(h, alignment, size, zeroed);
  if (p || heap_allows(h, size) || size > h->limit) return p;
  reclaim(h);
  return large_alloc(h, alignment, size, zeroed);
}

static void *alloc_any(heap *h, size_t size, bool zeroed) {
  if (!hard_owner(h, NULL) || heap_fault(h)) return NULL;
  return is_small(h, size) ? alloc_small(h, size, zeroed) : take_large(h, 0, size, zeroed);
}

/* The way of most calls: blocks that the bin's own pool has, or its class. */
void *ouro_alloc_slow(ouro_heap *heap_, size_t size) {
  heap *h = heap_in(heap_);
  if (OURO_LIKELY(size <= OURO_SMALL_MAX && !h->slow_frees && !h->fail_in))
    return alloc_small(h, size, false);
  return alloc_any(h, size, false);
}

void *ouro_calloc(ouro_heap *heap, size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) return NULL;
  const ouro_bin *bin = &heap->bins[class_of(total <= OURO_SMALL_MAX ? total : 0)];
  if (total > OURO_SMALL_MAX || (bin->bits == 0 && !bin->top))
    return alloc_any(heap_in(heap), total, true);
  return memset(ouro_alloc(heap, total ? total : 1), 0, total);
}

static void free_small(heap *h, ouro_pool *pool, void *p) {
  if (h->hardened) {
    hard_free(h, pool, p);
    return;
  }
  unsigned index = pool_index_of(pool, p);
  if (h->annotated && !pool_is_free(pool, index)) annotate_died(p, pool->size);
  pool_free_block(h, pool, index);
}

static void free_unusual(heap *h, void *block) {
  if (!block || !hard_owner(h, block)) return;
  ouro_pool *pool = heap_pool_at(h, block);
  if (pool) free_small(h, pool, block);
  else if (!large_free(h, block) && h->hardened) hard_report(h, OURO_FOREIGN_FREE, block, NULL, 0);
  purge_now_and_then(h);
}

/* The way of most calls: the first block of its word to become free. */
void ouro_free_slow(ouro_heap *heap_, void *block) {
  heap *h = heap_in(heap_);
  if (OURO_LIKELY(heap_has_window(h, block))) {
    ouro_pool *pool = heap_slot_of(block);
    if (OURO_LIKELY(pool->reciprocal)) {
      pool_free_block(h, pool, pool_index_of(pool, block));
      purge_now_and_then(h);
      return;
    }
  }
  free_unusual(h, block);
}

/* Small requests of a size that is a multiple of the alignment have it by themselves: blocks lie at
 * multiples of their size from a pool's start, which is aligned to 64 KiB. */
void *ouro_alloc_aligned(ouro_heap *heap_, size_t alignment, size_t size) {
  heap *h = heap_in(heap_);
  if (alignment == 0 || (alignment & (alignment - 1)) || alignment > (size_t)1 << 30) return NULL;
  if (alignment <= OURO_CLASS_BYTES) return ouro_alloc(heap_, size);
  size_t rounded = ((size ? size : 1) + alignment - 1) & ~(alignment - 1);
  if (rounded < size) return NULL;
  if (rounded <= OURO_SMALL_MAX && !h->hardened) return ouro_alloc(heap_, rounded);
  if (!hard_owner(h, NULL) || heap_fault(h)) return NULL;
  return take_large(h, alignment, size ? size : 1, false);
}

static bool is_recent(const ouro_bin *bin, const void *p) {
  for (uint32_t i = 1; i <= bin->count; i++)
    if (bin->recent[i] == p) return true;
  return false;
}

/* Whether the program holds the block: not free, and not kept by the bin for later. */
static bool is_held(const ouro_pool *pool, const void *p) {
  unsigned index = pool_index_of(pool, p);
  if (index < pool->first || index >= pool->end || pool_block(pool, index) != p) return false;
  if (pool_is_free(pool, index)) return false;
  const ouro_bin *bin = heap_bin_of(pool);
  if (is_recent(bin, p)) return false;
  if (bin->pool != pool || bin->bits == 0) return true;
  unsigned word = pool_index_of(pool, bin->base) / 64;
  return word != index / 64 || !(bin->bits >> (index % 64) & 1);
}

size_t ouro_usable_size(const ouro_heap *heap, const void *block) {
  const struct heap *h = heap_in(heap);
  const ouro_pool *pool = heap_pool_at(h, block);
  if (!pool) {
    uint32_t record = large_find(h, block);
    return record == ADDRMAP_NONE ? 0 : h->large[record].size;
  }
  if (!is_held(pool, block) || (h->hardened && !hard_is_live(h, pool, block))) return 0;
  return h->hardened ? hard_check(h, pool, block) : pool->size;
}

bool ouro_owns(const ouro_heap *heap, const void *address) {
  const struct heap *h = heap_in(heap);
  return heap_pool_at(h, address) || large_find(h, address) != ADDRMAP_NONE;
}

/* --- realloc --- */

static void *move(ouro_heap *heap, void *block, size_t old, size_t size) {
  void *p = ouro_alloc(heap, size);
  if (!p) return NULL;
  memcpy(p, block, old < size ? old : size);
  ouro_free(heap, block);
  return p;
}

static void *realloc_small(heap *h, ouro_pool *pool, void *block, size_t size) {
  size_t old = h->hardened ? hard_check(h, pool, block) : pool->size;
  if (old == SIZE_MAX) return NULL;
  if (h->slow_frees) return move(&h->open, block, old, size);
  if (size <= old && (size * 4 >= old * 3 || class_of(size) == pool_class(pool))) return block;
  void *p = move(&h->open, block, old, size);
  return p || size > old ? p : block; /* shrinking never fails */
}

void *ouro_realloc(ouro_heap *heap_, void *block, size_t size) {
  heap *h = heap_in(heap_);
  if (!block) return ouro_alloc(heap_, size);
  if (!hard_owner(h, block)) return NULL;
  ouro_pool *pool = heap_pool_at(h, block);
  if (pool) return realloc_small(h, pool, block, size);
  uint32_t record = large_find(h, block);
  if (record == ADDRMAP_NONE) {
    if (h->hardened) hard_report(h, OURO_FOREIGN_FREE, block, NULL, 0);
    return NULL;
  }
  if (is_small(h, size)) return move(heap_, block, h->large[record].size, size);
  return heap_fault(h) ? NULL : large_realloc(h, record, size);
}
