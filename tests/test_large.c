/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "support/heaps.h"
#include "support/shadow.h"

TEST(large_requests_are_counted_apart_from_the_pools) {
  ouro_heap *heap = quiet_heap("large");
  void *at_border = ouro_alloc(heap, OURO_SMALL_MAX);
  CHECK_EQ(stats_of(heap).large_blocks, 0u);
  void *p = ouro_alloc(heap, OURO_SMALL_MAX + 1), *q = ouro_alloc(heap, 3 * MIB);
  CHECK(at_border && p && q);
  memset(q, 1, 3 * MIB);
  ouro_heap_stats s = stats_of(heap);
  CHECK_EQ(s.large, OURO_SMALL_MAX + 1 + 3 * MIB);
  CHECK_EQ(s.large_blocks, 2u);
  CHECK_EQ(s.live_blocks, 1u);
  CHECK_LT(s.resident, MIB); /* large blocks are the system allocator's */
  CHECK_LE(3 * MIB, ouro_usable_size(heap, q));
  ouro_free(heap, p);
  ouro_free(heap, q);
  CHECK_EQ(stats_of(heap).large, 0u);
  CHECK_EQ(stats_of(heap).large_blocks, 0u);
  CHECK(heap_ok(heap));
}

TEST(thousands_of_large_blocks_come_and_go_in_any_order) {
  ouro_heap *heap = quiet_heap("large");
  SHADOW(live);
  uint64_t bytes = 0;
  for (int i = 0; i < 20000; i++) {
    if (live.count < 2000 && test_random() % 5 < 3) {
      size_t size = 513 + test_random() % 3000;
      void *p = ouro_alloc(heap, size);
      CHECK(p);
      shadow_add(&live, p, size, 16);
      bytes += size;
    } else if (live.count) {
      size_t at = test_random() % live.count;
      shadow_block b = live.blocks[at];
      CHECK(shadow_intact(&b, b.size));
      ouro_free(heap, b.address);
      CHECK(!ouro_owns(heap, b.address));
      shadow_remove(&live, at);
      bytes -= b.size;
    }
  }
  CHECK_EQ(stats_of(heap).large, bytes);
  CHECK_EQ(stats_of(heap).large_blocks, live.count);
  CHECK(heap_ok(heap));
}

TEST(records_of_large_blocks_are_reused) {
  ouro_heap *heap = quiet_heap("large");
  for (int i = 0; i < 50; i++) CHECK(ouro_alloc(heap, 1000));
  uint64_t metadata = stats_of(heap).metadata;
  for (int i = 0; i < 5000; i++) ouro_free(heap, ouro_alloc(heap, 1000));
  CHECK_EQ(stats_of(heap).metadata, metadata);
}

TEST(sizes_that_no_address_space_has_are_refused) {
  ouro_heap *heap = quiet_heap("large");
  for (size_t back = 0; back < 100; back++) CHECK(!ouro_alloc(heap, SIZE_MAX - back));
  CHECK(!ouro_alloc(heap, (size_t)PTRDIFF_MAX + 1));
  CHECK(!ouro_calloc(heap, SIZE_MAX, SIZE_MAX));
  CHECK(!ouro_calloc(heap, (size_t)1 << 33, (size_t)1 << 33));
  CHECK(!ouro_calloc(heap, SIZE_MAX / 16 + 2, 16)); /* overflows to 16 */
  CHECK_EQ(stats_of(heap).large_blocks, 0u);
  CHECK(heap_ok(heap));
}

TEST(calloc_is_zero_on_recycled_memory) {
  ouro_heap *heap = quiet_heap("calloc");
  for (size_t size = 1; size < 3000; size = size * 5 / 4 + 1) {
    void *dirty[8];
    for (int i = 0; i < 8; i++) memset(dirty[i] = ouro_alloc(heap, size), 0xee, size);
    for (int i = 0; i < 8; i++) ouro_free(heap, dirty[i]);
    for (int i = 0; i < 8; i++) {
      unsigned char *p = dirty[i] = ouro_calloc(heap, 1, size);
      for (size_t j = 0; j < size; j++) CHECK_EQ(p[j], 0);
      memset(p, 0xee, size);
    }
  }
  CHECK(ouro_calloc(heap, 0, 100));
  CHECK(ouro_calloc(heap, 100, 0));
}
