/* SPDX-License-Identifier: MIT */
/*
 * The numbers of the ledger. Each pool is read once into locals and its touched bytes are then
 * dealt out to the rows, `pinned` taking the rest: so the rows add up even while the owner works
 * on.
 */
#include "view.h"

typedef struct pool_view {
  unsigned class;
  uint64_t live_blocks, live, requested, held, purgeable, waste, pinned, touched;
  uint64_t remote; /* blocks that other threads freed and the owner has not taken back */
} pool_view;

/* Takes up to `wanted` out of *rest. */
static uint64_t deal(uint64_t *rest, uint64_t wanted) {
  uint64_t part = wanted < *rest ? wanted : *rest;
  *rest -= part;
  return part;
}

/* Blocks that are used but not the program's, remote frees apart. */
static uint64_t held_blocks(const ouro_pool *pool) {
  const ouro_bin *bin = heap_bin_of(pool);
  uint64_t held = bin->pool == pool ? bits_count(bin->bits) : 0;
  return held + pool->withheld;
}

/* Bytes of colour and tail on pages that are resident and not purgeable. */
static uint64_t waste_bytes(const heap *h, const ouro_pool *pool, uint32_t kept) {
  uint64_t tail = OURO_POOL_BYTES - (uint64_t)pool->end * pool->size;
  uint64_t waste = kept & 1 ? (uint64_t)pool->first * pool->size : 0;
  return waste + (kept >> (h->pool_pages - 1) & 1 ? tail : 0);
}

/* What was probably asked for where blocks of the bin take `bytes`. */
static uint64_t expected_request(const ouro_bin *bin, uint64_t bytes) {
  if (bin->asked_count == 0) return bytes;
  return (uint64_t)((double)bytes * (double)bin->asked_bytes /
                    ((double)bin->asked_count * (double)bin->size));
}

static uint64_t requested_bytes(const heap *h, const ouro_pool *pool, uint64_t live) {
  if (!h->hardened) return expected_request(heap_bin_of(pool), live);
  return pool->requested < live ? pool->requested : live;
}

static pool_view view_of(const heap *h, const ouro_pool *pool) {
  uint32_t touched = pool->touched, spare = pool_free_pages(h, pool) & touched;
  uint64_t used = pool->used, rest = bits_count(touched) * h->page;
  pool_view v = {.class = pool_class(pool), .touched = rest, .remote = remote_count(pool)};
  uint64_t held = held_blocks(pool) + v.remote;
  v.purgeable = deal(&rest, bits_count(spare) * h->page);
  v.waste = deal(&rest, waste_bytes(h, pool, touched & ~spare));
  v.held = deal(&rest, (held < used ? held : used) * pool->size);
  v.live = deal(&rest, (used - (held < used ? held : used)) * pool->size);
  v.live -= v.live % pool->size;
  v.live_blocks = v.live / pool->size;
  v.requested = requested_bytes(h, pool, v.live);
  v.pinned = v.touched - v.purgeable - v.waste - v.held - v.live;
  return v;
}

static void add_pool(ouro_heap_stats *s, const pool_view *v) {
  s->live += v->live;
  s->live_blocks += v->live_blocks;
  s->requested += v->requested;
  s->held += v->held;
  s->purgeable += v->purgeable;
  s->pinned += v->pinned;
  s->waste += v->waste;
  s->remote_frees += v->remote;
  s->pools++;
}

/* One arena's pools in use, and the touched ones among its free ones. */
static void add_arena(const heap *h, const window *w, const arena *a, ouro_heap_stats *s) {
  const ouro_pool *pools = arena_pools(w, a);
  uint64_t live_before = s->live;
  for (unsigned k = 0; k < OURO_ARENA_POOLS; k++) {
    if (a->dirty >> k & 1) s->purgeable += bits_count(pools[k].touched) * h->page;
    if (pools[k].state == POOL_UNUSED) continue;
    pool_view v = view_of(h, &pools[k]);
    add_pool(s, &v);
  }
  if (a->free != UINT32_MAX) s->arenas++;
  if (a->free != UINT32_MAX && (s->live - live_before) * 2 <= OURO_ARENA_BYTES) s->pinned_arenas++;
  if (a->free != UINT32_MAX || a->dirty) s->metadata += OURO_ARENA_POOLS * sizeof(ouro_pool);
}

/* Blocks that the bins keep at hand are used in their pools, but not by the program. */
static void move_recent(const heap *h, ouro_heap_stats *s) {
  for (const ouro_bin *bin = heap_bins(h); bin; bin = heap_next_bin(h, bin)) {
    uint64_t bytes = deal(&s->live, bin->count * bin->size);
    s->held += bytes;
    s->allocated += bin->taken;
    s->live_blocks -= bytes / bin->size;
    deal(&s->requested, expected_request(bin, bytes));
  }
  if (s->requested > s->live) s->requested = s->live; /* only while the owner works on */
}

static void finish(const heap *h, ouro_heap_stats *s) {
  s->metadata += (sizeof(heap) + h->page - 1) / h->page * h->page;
  move_recent(h, s);
  s->rounding = s->live - s->requested;
  s->resident = s->live + s->held + s->purgeable + s->pinned + s->waste + s->metadata;
  s->committed = h->arenas_committed * OURO_ARENA_BYTES;
  s->returned = h->returned;
  s->peak_pools = h->peak_pools * OURO_POOL_BYTES;
  s->large = h->large_bytes;
  s->large_blocks = h->large_count;
  s->remote_frees += h->remote_taken;
}

void ouro_heap_stats_read(const ouro_heap *heap, ouro_heap_stats *out) {
  const struct heap *h = heap_in(heap);
  *out = (ouro_heap_stats){0};
  for (uint32_t i = 0; i < h->window_count; i++) {
    const window *w = h->windows[i];
    out->metadata += 4 * h->page; /* the window's header: the sets, and the first of the arenas */
    for (uint32_t k = OURO_FIRST_ARENA; k < w->committed; k++) add_arena(h, w, &w->arenas[k], out);
  }
  finish(h, out);
}

static void add_class(ouro_class_stats *s, const pool_view *v) {
  s->live_blocks += v->live_blocks;
  s->live += v->live;
  s->requested += v->requested;
  s->pinned += v->pinned;
  s->purgeable += v->purgeable;
  s->pools++;
}

static void drop_recent(const ouro_bin *bin, ouro_class_stats *s) {
  uint64_t bytes = deal(&s->live, bin->count * bin->size);
  s->live_blocks -= bytes / bin->size;
  s->allocated += bin->taken;
  deal(&s->requested, expected_request(bin, bytes));
  if (s->requested > s->live) s->requested = s->live;
}

void ouro_heap_class_stats(const ouro_heap *heap, ouro_class_stats out[OURO_CLASSES]) {
  const struct heap *h = heap_in(heap);
  for (unsigned c = 0; c < OURO_CLASSES; c++)
    out[c] = (ouro_class_stats){.block_size = class_size(c + 1)};
  for (uint32_t i = 0; i < h->window_count; i++) {
    const window *w = h->windows[i];
    for (uint32_t k = OURO_FIRST_ARENA * OURO_ARENA_POOLS; k < w->committed * OURO_ARENA_POOLS;
         k++) {
      const ouro_pool *pool = &window_pools(w)[k];
      if (pool->state == POOL_UNUSED || pool->size == 0) continue;
      pool_view v = view_of(h, pool);
      add_class(&out[v.class - 1], &v);
    }
  }
  for (const ouro_bin *bin = heap_bins(h); bin; bin = heap_next_bin(h, bin))
    drop_recent(bin, &out[class_of(bin->size) - 1]);
}

static size_t add_range(ouro_range *out, size_t room, size_t n, char *start, size_t size) {
  if (n < room) out[n] = (ouro_range){start, size};
  return n + 1;
}

size_t ouro_heap_ranges(const ouro_heap *heap, ouro_range *out, size_t room) {
  const struct heap *h = heap_in(heap);
  size_t n = 0;
  for (uint32_t i = 0; i < h->window_count; i++) {
    const window *w = h->windows[i];
    char *base = window_base(w);
    size_t headers = OURO_FIRST_ARENA * OURO_ARENA_POOLS * sizeof(ouro_pool);
    size_t table = w->tabled * OURO_ARENA_POOLS * sizeof(ouro_pool);
    n = add_range(out, room, n, base, table);
    if (table > headers)
      n = add_range(out, room, n, base + OURO_TABLE_BYTES + headers, table - headers);
    size_t arenas = (w->committed - OURO_FIRST_ARENA) * OURO_ARENA_BYTES;
    if (arenas) n = add_range(out, room, n, base + OURO_FIRST_ARENA * OURO_ARENA_BYTES, arenas);
  }
  return n;
}
