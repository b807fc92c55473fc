/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "support/heaps.h"
#include "support/shadow.h"
#include "support/tools.h"

TEST(realloc_of_nothing_allocates) {
  ouro_heap *heap = quiet_heap("realloc");
  void *p = ouro_realloc(heap, NULL, 100), *q = ouro_realloc(heap, NULL, 0);
  CHECK(p && q);
  CHECK_EQ(stats_of(heap).live_blocks, 2u);
}

TEST(realloc_to_zero_keeps_a_block) {
  ouro_heap *heap = quiet_heap("realloc");
  const size_t sizes[] = {1, 16, 17, 512, 513, 100000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    void *p = ouro_realloc(heap, ouro_alloc(heap, sizes[i]), 0);
    CHECK(p);
    CHECK(ouro_owns(heap, p));
    ouro_free(heap, p);
  }
  CHECK_EQ(stats_of(heap).live_blocks + stats_of(heap).large_blocks, 0u);
}

/* From every kind of size to every other: small, border, large, huge. */
TEST(contents_survive_every_change_of_size) {
  ouro_heap *heap = quiet_heap("realloc");
  const size_t sizes[] = {1,   15,  16,  17,  31,  100,  383,  384,   385,
                          500, 511, 512, 513, 514, 1000, 4096, 20000, 400000};
  const size_t count = sizeof sizes / sizeof *sizes;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) {
      shadow_block b = {ouro_alloc(heap, sizes[i]), sizes[i], 16, (uint32_t)(i * count + j)};
      shadow_fill(&b);
      b.address = ouro_realloc(heap, b.address, sizes[j]);
      CHECK(b.address);
      CHECK(shadow_intact(&b, sizes[i] < sizes[j] ? sizes[i] : sizes[j]));
      memset(b.address, 0, sizes[j]);
      ouro_free(heap, b.address);
    }
  CHECK(heap_ok(heap));
  CHECK_EQ(stats_of(heap).live_blocks + stats_of(heap).large_blocks, 0u);
}

TEST(a_small_block_stays_where_three_quarters_of_it_are_used) {
  if (under_watch()) SKIP("watched blocks move at every realloc");
  ouro_heap *heap = quiet_heap("realloc");
  char *p = ouro_alloc(heap, 400);
  size_t usable = ouro_usable_size(heap, p);
  CHECK(ouro_realloc(heap, p, usable) == p);
  CHECK(ouro_realloc(heap, p, usable * 3 / 4 + 1) == p);
  char *moved = ouro_realloc(heap, p, usable / 4);
  CHECK(moved && moved != p); /* a block three quarters empty would be waste */
  CHECK_LT(ouro_usable_size(heap, moved), usable);
}

TEST(growing_byte_by_byte_moves_only_at_the_borders_of_classes) {
  if (under_watch()) SKIP("watched blocks move at every realloc");
  ouro_heap *heap = quiet_heap("realloc");
  char *p = ouro_alloc(heap, 1);
  unsigned moves = 0;
  for (size_t size = 2; size <= OURO_SMALL_MAX; size++) {
    size_t room = ouro_usable_size(heap, p);
    char *q = ouro_realloc(heap, p, size);
    CHECK_EQ(q != p, size > room);
    moves += q != p;
    p = q;
  }
  CHECK_LE(moves, OURO_CLASSES);
}

TEST(large_blocks_shrink_into_pools_and_grow_out_of_them) {
  ouro_heap *heap = quiet_heap("realloc");
  void *p = ouro_alloc(heap, 100000);
  p = ouro_realloc(heap, p, 100);
  CHECK_EQ(stats_of(heap).large_blocks, 0u);
  CHECK_EQ(stats_of(heap).live_blocks, 1u);
  p = ouro_realloc(heap, p, 100000);
  CHECK_EQ(stats_of(heap).large_blocks, 1u);
  CHECK_EQ(stats_of(heap).live_blocks, 0u);
  CHECK_EQ(stats_of(heap).large, 100000u);
  p = ouro_realloc(heap, p, 200000);
  CHECK_EQ(stats_of(heap).large, 200000u);
  ouro_free(heap, p);
  CHECK(heap_ok(heap));
}

TEST(shrinking_never_fails) {
  if (under_watch()) SKIP("watched blocks move at every realloc");
  ouro_heap *heap = quiet_heap("realloc");
  shadow_block b = {ouro_alloc(heap, 500), 500, 16, 1};
  shadow_fill(&b);
  ouro_heap_fail(heap, 1, 1);
  for (size_t size = 500; size > 0; size -= 50)
    CHECK(ouro_realloc(heap, b.address, size) == b.address);
  CHECK(shadow_intact(&b, 50));
  ouro_heap_fail(heap, 0, 0);
  ouro_free(heap, b.address);
  CHECK(heap_ok(heap));
}

TEST(a_realloc_that_fails_leaves_the_block) {
  ouro_heap *heap = quiet_heap("realloc");
  const size_t sizes[] = {10, 512, 513, 9000};
  for (size_t i = 0; i < 4; i++) {
    shadow_block b = {ouro_alloc(heap, sizes[i]), sizes[i], 16, (uint32_t)i};
    shadow_fill(&b);
    CHECK(!ouro_realloc(heap, b.address, SIZE_MAX - 4096));
    ouro_heap_fail(heap, 1, 0);
    CHECK(!ouro_realloc(heap, b.address, 50000));
    CHECK(shadow_intact(&b, b.size));
    CHECK(ouro_owns(heap, b.address));
    ouro_free(heap, b.address);
  }
  CHECK(heap_ok(heap));
}
