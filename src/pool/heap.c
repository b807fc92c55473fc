/* SPDX-License-Identifier: MIT */
/* Heaps: made, changed, handed over, ended. */
#include "heap.h"

#include <stdio.h>
#include <stdlib.h>

#include "../os/annotate.h"
#include "hard.h"
#include "large.h"
#include "remote.h"

void ouro_heap_options_init(ouro_heap_options *options) {
  *options = (ouro_heap_options){
      .name = "heap",
      .keep = TUNE_KEEP,
      .decay_ms = TUNE_DECAY_MS,
      .huge = OURO_HUGE_AUTO,
      .quarantine = TUNE_QUARANTINE,
  };
}

static void apply_options(heap *h, const ouro_heap_options *o) {
  snprintf(h->name, sizeof h->name, "%s", o->name ? o->name : "heap");
  h->limit = o->limit;
  h->keep = o->keep;
  h->decay_ns = (uint64_t)o->decay_ms * 1000000u;
  h->huge = o->huge;
  h->hardened = o->hardened;
  h->locked_by_caller = o->locked_by_caller;
  h->quarantine_limit = o->quarantine;
  h->on_misuse = o->on_misuse;
  h->misuse_ctx = o->misuse_ctx;
}

uint32_t heap_recent_room(size_t size) {
  size_t room = TUNE_RECENT_BYTES / size;
  if (room > OURO_BIN_RECENT) room = OURO_BIN_RECENT;
  return (uint32_t)(room < TUNE_RECENT_LEAST ? TUNE_RECENT_LEAST : room);
}

void heap_set_room(const heap *h, ouro_bin *bin) {
  bin->room = h->slow_frees || h->fail_in || h->watched ? 0 : bin->cap;
}

static void init_bins(heap *h) {
  for (unsigned c = 1; c <= OURO_CLASSES; c++) {
    ouro_bin *bin = &h->open.bins[c];
    bin->size = class_size(c);
    bin->cap = heap_recent_room(bin->size);
    heap_set_room(h, bin);
  }
}

ouro_heap *ouro_heap_new(const ouro_heap_options *options) {
  ouro_heap_options defaults;
  ouro_heap_options_init(&defaults);
  window *w = window_new(0);
  if (!w) return NULL;
  heap *h = (heap *)(void *)window_base(w);
  apply_options(h, options ? options : &defaults);
  heap_own_window(h, w);
  h->page = os_page_size();
  h->page_shift = ouro_lowest_bit(h->page);
  h->pool_pages = OURO_POOL_BYTES / h->page;
  h->large_free = ADDRMAP_NONE;
  h->owner = os_thread_id();
  h->process = os_process_id();
  h->annotated = annotate_wanted();
  h->slow_frees = h->hardened || h->annotated;
  init_bins(h);
  h->secret = h->hardened ? os_random() : 0;
  h->next_round = os_clock_ns() + h->decay_ns;
  return &h->open;
}

/* Bins lie in blocks of the heap: from bitmaps alone. */
static void end_pool(const ouro_pool *pool) {
  for (unsigned index = pool->first; index < pool->end; index++) {
    bool used = !(pool_words(pool)[index / 64] >> index % 64 & 1);
    if (used && !(remote_word(pool, index / 64) >> index % 64 & 1))
      annotate_died(pool_block(pool, index), pool->size);
  }
}

/* A memory checker is told of each block's end: its address may soon be another heap's. */
static void end_blocks(heap *h) {
  pool_unclaim_all(h);
  for (uint32_t i = 0; i < h->window_count; i++)
    for (uint32_t k = OURO_FIRST_ARENA * OURO_ARENA_POOLS;
         k < h->windows[i]->committed * OURO_ARENA_POOLS; k++) {
      const ouro_pool *pool = &window_pools(h->windows[i])[k];
      if (pool->state != POOL_UNUSED) end_pool(pool);
    }
}

void ouro_heap_destroy(ouro_heap *heap_) {
  if (!heap_) return;
  heap *h = heap_in(heap_);
  if (h->annotated) end_blocks(h);
  if (h->ending) h->ending(h);
  large_free_all(h);
  free(h->quarantine.ring);
  for (uint32_t i = h->window_count; i-- > 0;)
    window_free(h->windows[i]); /* the first holds the heap */
}

void ouro_heap_adopt(ouro_heap *heap_) {
  heap *h = heap_in(heap_);
  bool forked = h->process != os_process_id();
  h->owner = os_thread_id();
  h->process = os_process_id();
  if (forked) remote_drain_all(h);
  else remote_drain(h);
}

void ouro_heap_set_limit(ouro_heap *heap, size_t bytes) { heap_in(heap)->limit = bytes; }

void ouro_heap_set_keep(ouro_heap *heap_, size_t bytes) {
  heap *h = heap_in(heap_);
  h->keep = bytes;
  h->waiting = true; /* what was kept so far may be too much now */
}

void ouro_heap_set_decay(ouro_heap *heap_, uint32_t milliseconds) {
  heap *h = heap_in(heap_);
  h->decay_ns = (uint64_t)milliseconds * 1000000u;
  h->next_round = os_clock_ns() + h->decay_ns;
}

/* Blocks at hand would be handed out without being seen, so the bins give them back. */
static void reset_rooms(heap *h) {
  pool_unclaim_all(h);
  for (ouro_bin *bin = heap_bins(h); bin; bin = heap_next_bin(h, bin)) heap_set_room(h, bin);
}

void ouro_heap_fail(ouro_heap *heap_, uint64_t n, uint64_t every) {
  heap *h = heap_in(heap_);
  h->fail_in = n;
  h->fail_every = n ? every : 0;
  reset_rooms(h);
}

void heap_watch(heap *h, bool watched) {
  h->watched = watched;
  reset_rooms(h);
}
