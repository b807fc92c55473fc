/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "support/heaps.h"
#include "support/shadow.h"
#include "support/tools.h"

TEST(every_power_of_two_up_to_a_gibibyte_is_an_alignment) {
  ouro_heap *heap = quiet_heap("aligned");
  size_t most = under_asan() ? 64 * MIB : GIB; /* asan touches what it allocates */
  for (size_t alignment = 1; alignment <= most; alignment *= 2)
    for (size_t size = 0; size <= 600; size += 75) {
      char *p = ouro_alloc_aligned(heap, alignment, size);
      CHECK(p);
      CHECK_EQ((uintptr_t)p % alignment, 0u);
      CHECK_EQ((uintptr_t)p % 16, 0u);
      CHECK_LE(size, ouro_usable_size(heap, p));
      memset(p, 1, size);
      ouro_free(heap, p);
    }
  CHECK(heap_ok(heap));
  CHECK_EQ(stats_of(heap).live_blocks + stats_of(heap).large_blocks, 0u);
}

TEST(other_alignments_are_refused) {
  ouro_heap *heap = quiet_heap("aligned");
  CHECK(!ouro_alloc_aligned(heap, 0, 16));
  CHECK(!ouro_alloc_aligned(heap, 3, 16));
  CHECK(!ouro_alloc_aligned(heap, 48, 16));
  CHECK(!ouro_alloc_aligned(heap, 2 * GIB, 16));
  CHECK(!ouro_alloc_aligned(heap, SIZE_MAX, 16));
  CHECK(!ouro_alloc_aligned(heap, 4096, SIZE_MAX - 100));
  CHECK(heap_ok(heap));
}

TEST(aligned_blocks_do_not_overlap_and_can_be_resized_and_freed) {
  ouro_heap *heap = quiet_heap("aligned");
  SHADOW(live);
  for (int i = 0; i < 3000; i++) {
    size_t alignment = (size_t)1 << test_random() % 13, size = test_random() % 1200;
    void *p = ouro_alloc_aligned(heap, alignment, size);
    CHECK(p);
    CHECK_EQ((uintptr_t)p % alignment, 0u);
    shadow_add(&live, p, size, alignment);
  }
  CHECK(shadow_all_intact(&live));
  CHECK(heap_ok(heap));
  for (size_t i = 0; i < live.count; i++) {
    shadow_block *b = &live.blocks[i];
    size_t size = test_random() % 1200, kept = size < b->size ? size : b->size;
    b->address = ouro_realloc(heap, b->address, size);
    CHECK(shadow_intact(b, kept));
    b->size = size;
    shadow_fill(b);
  }
  CHECK(shadow_all_intact(&live));
  while (live.count) {
    ouro_free(heap, live.blocks[0].address);
    shadow_remove(&live, 0);
  }
  CHECK(heap_ok(heap));
  CHECK_EQ(stats_of(heap).live_blocks + stats_of(heap).large_blocks, 0u);
}
