/* SPDX-License-Identifier: MIT */
#include "purge.h"

#include "hard.h"
#include "remote.h"

/* What one arena could return: whole pools, and pages of pools in use. */
typedef struct spare {
  uint32_t pools;                   /* free and touched */
  uint16_t pages[OURO_ARENA_POOLS]; /* of pools in use: touched, without a block */
  size_t bytes;
} spare;

static size_t pages_bytes(const heap *h, uint32_t pages) { return bits_count(pages) * h->page; }

/* What is free on touched pages; with `idle_only`, of that what was so at the last round too. */
static spare find_spare(const heap *h, const window *w, const arena *a, bool idle_only) {
  const ouro_pool *pools = arena_pools(w, a);
  spare s = {.pools = idle_only ? a->idle : a->dirty};
  for (unsigned k = 0; k < OURO_ARENA_POOLS; k++) {
    const ouro_pool *pool = &pools[k];
    if (s.pools >> k & 1) s.bytes += pages_bytes(h, pool->touched);
    if (a->free >> k & 1) continue;
    uint32_t wanted = idle_only ? pool->idle & pool->touched : pool->touched;
    if (wanted) s.pages[k] = (uint16_t)(pool_free_pages(h, pool) & wanted);
    s.bytes += pages_bytes(h, s.pages[k]);
  }
  return s;
}

static void purge_pools(window *w, arena *a, uint32_t set) {
  ouro_pool *pools = arena_pools(w, a);
  for (uint64_t rest = set; rest;) {
    unsigned from = ouro_lowest_bit(rest), count = bits_run(rest, from);
    /* Not pool_start: it reads the descriptor, and an unused pool's may have been purged. */
    os_purge(arena_start(w, a) + from * OURO_POOL_BYTES, count * OURO_POOL_BYTES);
    for (unsigned k = from; k < from + count; k++) pools[k].touched = 0;
    rest &= ~(bits_below(count) << from);
  }
  a->dirty &= ~set;
  a->idle &= ~set;
}

static void purge_pages(const heap *h, ouro_pool *pool, uint32_t set) {
  for (uint64_t rest = set; rest;) {
    unsigned from = ouro_lowest_bit(rest), count = bits_run(rest, from);
    os_purge(pool_start(pool) + from * h->page, count * h->page);
    rest &= ~(bits_below(count) << from);
  }
  pool->touched &= (uint16_t)~set;
  pool->idle &= (uint16_t)~set;
}

/* The descriptors of an arena without a pool in use or a touched one say nothing that zero does
 * not. */
static void purge_descriptors(const heap *h, window *w, arena *a) {
  uintptr_t from = ((uintptr_t)arena_pools(w, a) + h->page - 1) & ~(h->page - 1);
  uintptr_t to = (uintptr_t)(arena_pools(w, a) + OURO_ARENA_POOLS) & ~(h->page - 1);
  if (to > from) os_purge((void *)from, to - from);
}

static size_t purge_spare(heap *h, window *w, arena *a, const spare *s) {
  if (s->bytes == 0) return 0;
  if (a->huge)
    os_huge(arena_start(w, a), OURO_ARENA_BYTES, false); /* or the kernel fills it up again */
  a->huge = false;
  purge_pools(w, a, s->pools);
  for (unsigned k = 0; k < OURO_ARENA_POOLS; k++)
    if (s->pages[k]) purge_pages(h, &arena_pools(w, a)[k], s->pages[k]);
  if (a->free == UINT32_MAX && a->dirty == 0) purge_descriptors(h, w, a);
  h->returned += s->bytes;
  return s->bytes;
}

/* Marks what is free now and adds it up. */
static void mark_idle(heap *h, window *w, arena *a) {
  spare s = find_spare(h, w, a, false);
  ouro_pool *pools = arena_pools(w, a);
  a->idle = s.pools;
  for (unsigned k = 0; k < OURO_ARENA_POOLS; k++)
    if (!(a->free >> k & 1)) pools[k].idle = s.pages[k];
  if (!a->huge || s.bytes >= TUNE_HUGE_BREAK) h->idle_seen += s.bytes;
}

static size_t visit(heap *h, window *w, arena *a) {
  if (a->dirty == 0 && a->free == UINT32_MAX) return 0;
  spare s = find_spare(h, w, a, true);
  size_t returned = 0;
  if (s.bytes && s.bytes <= h->allowance && (!a->huge || s.bytes >= TUNE_HUGE_BREAK)) {
    returned = purge_spare(h, w, a, &s);
    h->allowance -= returned;
  }
  mark_idle(h, w, a);
  return returned;
}

/* --- rounds --- */

static bool round_due(const heap *h, uint64_t now) {
  if (h->decay_ns == 0) return false;
  if (h->in_round) return true;
  bool news = __atomic_load_n(&h->events, __ATOMIC_RELAXED) != h->events_at_round;
  return (news || h->waiting) && now >= h->next_round;
}

static void begin_round(heap *h, uint64_t now) {
  pool_flush_all(h);
  h->in_round = true;
  h->round_window = 0;
  h->round_arena = OURO_FIRST_ARENA;
  h->round_began = now;
  h->round_spent = 0;
  h->events_at_round = h->events;
  h->allowance = h->idle_seen > h->keep ? h->idle_seen - h->keep : 0;
  h->idle_seen = 0;
}

static void end_round(heap *h) {
  uint64_t pause = h->round_spent * TUNE_TICK_SHARE;
  h->in_round = false;
  h->waiting = h->idle_seen > h->keep;
  h->next_round = h->round_began + (pause > h->decay_ns ? pause : h->decay_ns);
}

/* A visit, on the round's account: processor time, as a busy machine may keep the thread waiting,
 * and only of looking, as returning memory is work that ends by itself. */
static size_t visit_on_account(heap *h, window *w, arena *a) {
  uint64_t before = os_thread_cpu_ns();
  size_t returned = visit(h, w, a);
  if (returned == 0) h->round_spent += os_thread_cpu_ns() - before;
  return returned;
}

/* The arena to visit next, or NULL at the end of the round. */
static arena *next_arena(heap *h, window **in) {
  while (h->round_window < h->window_count) {
    window *w = h->windows[h->round_window];
    *in = w;
    if (h->round_arena < w->committed) return &w->arenas[h->round_arena++];
    h->round_window++;
    h->round_arena = OURO_FIRST_ARENA;
  }
  return NULL;
}

size_t ouro_heap_tick(ouro_heap *heap_, uint64_t budget_ns) {
  heap *h = heap_in(heap_);
  uint64_t began = os_clock_ns();
  size_t returned = 0;
  window *w;
  if (!hard_owner(h, NULL) || !round_due(h, began)) return 0;
  if (remote_pending(h)) remote_drain(h);
  if (!h->in_round) begin_round(h, began);
  for (arena *a = next_arena(h, &w); a; a = next_arena(h, &w)) {
    returned += visit_on_account(h, w, a);
    if (os_clock_ns() - began >= budget_ns) break;
  }
  if (h->round_window == h->window_count) end_round(h);
  OURO_SLOW(!ouro_heap_check(heap_));
  return returned;
}

bool ouro_heap_wants_tick(const ouro_heap *heap) {
  return round_due(heap_in(heap), os_clock_coarse_ns());
}

void purge_look(heap *h) {
  h->next_clock = h->events + TUNE_TICK_EVENTS;
  if (round_due(h, os_clock_coarse_ns())) ouro_heap_tick(&h->open, TUNE_TICK_BUDGET_NS);
}

size_t ouro_heap_give_back(ouro_heap *heap_) {
  heap *h = heap_in(heap_);
  size_t returned = 0;
  if (!hard_owner(h, NULL)) return 0;
  remote_drain(h);
  hard_flush(h);
  pool_unclaim_all(h);
  for (uint32_t i = 0; i < h->window_count; i++) {
    window *w = h->windows[i];
    for (uint32_t k = OURO_FIRST_ARENA; k < w->committed; k++) {
      spare s = find_spare(h, w, &w->arenas[k], false);
      returned += purge_spare(h, w, &w->arenas[k], &s);
    }
  }
  OURO_SLOW(!ouro_heap_check(heap_));
  return returned;
}
