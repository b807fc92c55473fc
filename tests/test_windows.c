/* SPDX-License-Identifier: MIT */
/* Heaps of more than one window. */
#include "test.h"

#include "object/state.h"
#include "support/pairs.h"
#include "support/tools.h"

enum { SECOND_WINDOW = 1000, ROOM = 4096, RING = 10 };

/* Blocks are taken and never touched, so that only their descriptors need memory: 150 MB or so. */
static ouro_heap *heap_over_two_windows(void **second) {
  ouro_heap *heap = quiet_heap("windows");
  CHECK(heap);
  for (size_t n = 0; n < SECOND_WINDOW;) {
    void *p = ouro_alloc(heap, OURO_SMALL_MAX);
    CHECK(p);
    if (((uintptr_t)p ^ (uintptr_t)heap) >> OURO_WINDOW_SHIFT) second[n++] = p;
  }
  return heap;
}

static size_t free_all(ouro_heap *heap) {
  static ouro_block blocks[ROOM];
  ouro_walk at = {0};
  size_t freed = 0, n;
  while ((n = ouro_walk_next(heap, &at, blocks, ROOM)) > 0) {
    for (size_t i = 0; i < n; i++) ouro_free(heap, blocks[i].address);
    freed += n;
  }
  return freed;
}

TEST(a_heap_goes_on_in_a_second_window) {
  if (under_asan()) SKIP("poisoning 16 GiB needs 2 GiB of shadow");
  void *second[SECOND_WINDOW];
  ouro_heap *heap = heap_over_two_windows(second);
  CHECK_EQ(heap_in(heap)->window_count, 2u);
  for (size_t i = 0; i < SECOND_WINDOW; i++) {
    memset(second[i], (int)i, OURO_SMALL_MAX);
    CHECK(ouro_owns(heap, second[i]));
    CHECK_EQ(ouro_usable_size(heap, second[i]), OURO_SMALL_MAX);
    CHECK_EQ(ouro_block_size(heap, second[i]), OURO_SMALL_MAX);
  }
  CHECK(heap_ok(heap));
  ouro_range ranges[6];
  CHECK_EQ(ouro_heap_ranges(heap, ranges, 6), 6u);
  ouro_free_remote(heap, second[0]);
  ouro_free(heap, second[1]);
  void *moved = ouro_realloc(heap, second[2], 100);
  CHECK(moved);
  CHECK_EQ(((unsigned char *)moved)[99], 2);
  size_t live = stats_of(heap).live_blocks;
  CHECK_EQ(free_all(heap), live);
  CHECK_EQ(stats_of(heap).live_blocks, 0u);
  CHECK(ouro_heap_give_back(heap) > 0);
  CHECK(heap_ok(heap));
  ouro_heap_destroy(heap);
}

/* The first window ends here, as where a mapping of somebody else's lies behind what is reserved.
 * Returns where it ended. */
static uint32_t end_first_window(const heap *h) {
  uint32_t reserved = h->windows[0]->reserved;
  h->windows[0]->reserved = h->windows[0]->committed;
  return reserved;
}

/* The records of arenas that are not in use yet lie where descriptors of the window's own tables
 * would: whoever took them for some would see what is written here. */
static void disguise_tables(window *w, int as) {
  memset(&w->arenas[w->committed], as, (OURO_WINDOW_ARENAS - w->committed) * sizeof(arena));
}

TEST(objects_lie_in_two_windows_neither_of_which_is_full) {
  ouro_heap *heap = quiet_heap("windows");
  ouro_gc_enable(heap, false);
  ouro_type *pairs = plain_pairs(heap);
  pair *first = make_pairs_ring(pairs, 0, RING);
  uint32_t reserved = end_first_window(heap_in(heap)), rings = 0;
  for (; heap_in(heap)->window_count == 1; rings++) ouro_unref(make_pairs_ring(pairs, 0, RING));
  for (uint32_t left = rings; left-- > 0; rings++) ouro_unref(make_pairs_ring(pairs, 0, RING));
  pair *second = make_pairs_ring(pairs, 0, RING);
  CHECK(((uintptr_t)second ^ (uintptr_t)first) >> OURO_WINDOW_SHIFT);
  disguise_tables(heap_in(heap)->windows[1], KIND_TRACKED);
  CHECK(objects_ok(heap));
  CHECK_EQ(live_of(heap, pairs), (rings + 2) * RING);
  ouro_gc_freeze(heap);
  CHECK_EQ(ouro_gc_frozen_count(heap), (rings + 2) * RING);
  CHECK_EQ(ouro_collect(heap, 2), 0);
  ouro_gc_unfreeze(heap);
  CHECK_EQ(ouro_collect(heap, 2), rings * RING);
  ouro_gc_stats stats;
  ouro_gc_stats_read(heap, &stats);
  CHECK_EQ(stats.tracked, 2 * RING);
  ouro_unref(first);
  ouro_unref(second);
  CHECK_EQ(ouro_collect(heap, 2), 2 * RING);
  CHECK(objects_ok(heap));
  disguise_tables(heap_in(heap)->windows[1], 0);
  heap_in(heap)->windows[0]->reserved = reserved;
  ouro_heap_destroy(heap);
}
