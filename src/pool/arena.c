/* SPDX-License-Identifier: MIT */
/* Arenas: which pools of which arena are in use, lowest address first, so that the high ones
 * empty. */
#include "pool.h"

static bool wants_huge(const heap *h) {
  if (h->huge != OURO_HUGE_AUTO) return h->huge == OURO_HUGE_ALWAYS;
  return h->pools * OURO_POOL_BYTES >= TUNE_HUGE_HEAP;
}

/* An arena none of whose pools is in use starts over with what the policy says now. */
static void apply_huge_policy(heap *h, window *w, arena *a) {
  bool wanted = wants_huge(h);
  if (wanted != a->huge) os_huge(arena_start(w, a), OURO_ARENA_BYTES, wanted);
  a->huge = wanted;
}

static arena *lowest_open(window *w) {
  for (uint32_t i = w->open_from; i < OURO_WINDOW_ARENAS / 64; i++) {
    w->open_from = i;
    if (w->open[i]) return &w->arenas[i * 64 + ouro_lowest_bit(w->open[i])];
  }
  w->open_from = OURO_WINDOW_ARENAS / 64;
  return NULL;
}

void heap_own_window(heap *h, window *w) {
  uintptr_t slot = (uintptr_t)w >> OURO_WINDOW_SHIFT;
  w->heap = &h->open;
  *(ouro_heap **)(void *)window_base(w) = &h->open;
  h->windows[h->window_count++] = w;
  __atomic_fetch_or(&h->window_set[slot / 64], (uint64_t)1 << (slot % 64), __ATOMIC_RELAXED);
}

static window *add_window(heap *h) {
  if (h->window_count == HEAP_WINDOWS_MAX) return NULL;
  window *w = window_new(h->window_count);
  if (!w) return NULL;
  heap_own_window(h, w);
  return w;
}

static arena *grow(heap *h, window **from) {
  window *w = h->windows[h->window_count - 1];
  arena *a = window_grow(w);
  if (!a && (w = add_window(h)) != NULL) a = window_grow(w);
  if (!a) return NULL;
  h->arenas_committed++;
  if (h->huge == OURO_HUGE_OFF) os_huge(arena_start(w, a), OURO_ARENA_BYTES, false);
  os_name(arena_start(w, a), OURO_ARENA_BYTES, h->name);
  *from = w;
  return a;
}

static arena *open_arena(heap *h, window **from) {
  for (uint32_t i = 0; i < h->window_count; i++) {
    arena *a = lowest_open(h->windows[i]);
    if (!a) continue;
    *from = h->windows[i];
    return a;
  }
  return grow(h, from);
}

ouro_pool *heap_take_pool(heap *h) {
  window *w;
  if (!heap_allows(h, OURO_POOL_BYTES)) return NULL;
  arena *a = open_arena(h, &w);
  if (!a) return NULL;
  if (a->free == UINT32_MAX) apply_huge_policy(h, w, a);
  unsigned k = ouro_lowest_bit(a->free), number = (unsigned)(a - w->arenas);
  a->free &= ~(1u << k);
  a->dirty &= a->free;
  a->idle &= a->free;
  if (a->free == 0) w->open[number / 64] &= ~((uint64_t)1 << (number % 64));
  if (++h->pools > h->peak_pools) h->peak_pools = h->pools;
  h->events++;
  ouro_pool *pool = &window_pools(w)[number * OURO_ARENA_POOLS + k];
  pool->index = number * OURO_ARENA_POOLS + k;
  return pool;
}

void heap_return_pool(heap *h, ouro_pool *pool) {
  OURO_CHECK(pool->used == 0 && pool->state != POOL_UNUSED);
  window *w = window_of(pool);
  arena *a = arena_of(pool);
  unsigned number = (unsigned)(a - w->arenas), k = pool->index % OURO_ARENA_POOLS;
  pool->state = POOL_UNUSED;
  pool->reciprocal = 0;
  pool->bin = 0;
  pool->kind = pool->typed = 0;
  pool->free[0] = 0;
  pool->summary = 0;
  pool->idle = 0;
  a->free |= 1u << k;
  if (pool->touched) a->dirty |= 1u << k;
  w->open[number / 64] |= (uint64_t)1 << (number % 64);
  if (number / 64 < w->open_from) w->open_from = number / 64;
  h->pools--;
}

ouro_pool *heap_pool_at(const heap *h, const void *p) {
  if (!heap_has_window(h, p)) return NULL;
  ouro_pool *pool = heap_slot_of(p);
  const window *w = window_of(pool);
  size_t number = (size_t)(pool - window_pools(w)) / OURO_ARENA_POOLS;
  if (number < OURO_FIRST_ARENA || number >= w->committed) return NULL;
  return pool->state == POOL_UNUSED ? NULL : pool;
}

bool heap_allows(const heap *h, size_t more) {
  if (h->limit == 0) return true;
  size_t used = h->pools * OURO_POOL_BYTES + h->large_bytes;
  return used <= h->limit && more <= h->limit - used;
}

bool heap_fault(heap *h) {
  if (h->fail_in == 0 || --h->fail_in > 0) return false;
  h->fail_in = h->fail_every;
  h->faults++;
  return true;
}
