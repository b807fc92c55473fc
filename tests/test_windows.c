/* SPDX-License-Identifier: MIT */
/* A heap beyond one window of 16 GiB. Blocks are taken and never touched, so that only their
 * descriptors need memory: about 150 MB. */
#include "test.h"

#include "pool/heap.h"
#include "support/heaps.h"
#include "support/tools.h"

enum { SECOND_WINDOW = 1000, ROOM = 4096 };

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
