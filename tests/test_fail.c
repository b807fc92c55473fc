/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "support/heaps.h"

TEST(exactly_the_nth_allocation_fails) {
  ouro_heap *heap = quiet_heap("fail");
  for (uint64_t n = 1; n < 200; n++) {
    ouro_heap_fail(heap, n, 0);
    for (uint64_t i = 1; i < n; i++) CHECK(ouro_alloc(heap, 1 + (size_t)(i * 13 % 700)));
    CHECK(!ouro_alloc(heap, 50));
    for (int i = 0; i < 300; i++) CHECK(ouro_alloc(heap, 50));
  }
  CHECK(heap_ok(heap));
}

TEST(every_kind_of_allocation_can_be_the_one) {
  ouro_heap *heap = quiet_heap("fail");
  void *small = ouro_alloc(heap, 10), *large = ouro_alloc(heap, 10000);
  for (uint64_t n = 1; n <= 2; n++) {
#define FAILS(call)                                                                                \
  do {                                                                                             \
    ouro_heap_fail(heap, n, 0);                                                                    \
    if (n == 2) CHECK(ouro_alloc(heap, 20));                                                       \
    CHECK(!(call));                                                                                \
  } while (0)
    FAILS(ouro_alloc(heap, 0));
    FAILS(ouro_alloc(heap, 512));
    FAILS(ouro_alloc(heap, 513));
    FAILS(ouro_calloc(heap, 3, 20));
    FAILS(ouro_calloc(heap, 300, 20));
    FAILS(ouro_alloc_aligned(heap, 64, 20));
    FAILS(ouro_alloc_aligned(heap, 4096, 20));
    FAILS(ouro_realloc(heap, NULL, 20));
    FAILS(ouro_realloc(heap, small, 400));
    FAILS(ouro_realloc(heap, small, 4000));
    FAILS(ouro_realloc(heap, large, 10));
    FAILS(ouro_realloc(heap, large, 40000));
#undef FAILS
  }
  CHECK(ouro_owns(heap, small) && ouro_owns(heap, large));
  CHECK(heap_ok(heap));
}

TEST(faults_repeat_when_asked_to) {
  ouro_heap *heap = quiet_heap("fail");
  ouro_heap_fail(heap, 5, 3);
  for (int i = 1; i <= 100; i++) {
    bool fails = i >= 5 && (i - 5) % 3 == 0;
    CHECK_EQ(ouro_alloc(heap, 40) == NULL, fails);
  }
  ouro_heap_fail(heap, 1, 1);
  for (int i = 0; i < 100; i++) CHECK(!ouro_alloc(heap, (size_t)i * 20));
  ouro_heap_fail(heap, 0, 0);
  for (int i = 0; i < 100; i++) CHECK(ouro_alloc(heap, (size_t)i * 20));
  CHECK(heap_ok(heap));
}

TEST(faults_hit_recycled_blocks_too) {
  ouro_heap *heap = quiet_heap("fail");
  void *blocks[100];
  for (int i = 0; i < 100; i++) blocks[i] = ouro_alloc(heap, 48);
  for (int i = 0; i < 100; i++) ouro_free(heap, blocks[i]);
  ouro_heap_fail(heap, 3, 0);
  CHECK(ouro_alloc(heap, 48) && ouro_alloc(heap, 48));
  CHECK(!ouro_alloc(heap, 48));
  CHECK(ouro_alloc(heap, 48));
}

TEST(frees_are_not_counted) {
  ouro_heap *heap = quiet_heap("fail");
  void *blocks[100];
  for (int i = 0; i < 100; i++) blocks[i] = ouro_alloc(heap, (size_t)i * 8);
  ouro_heap_fail(heap, 1, 0);
  for (int i = 0; i < 100; i++) ouro_free(heap, blocks[i]);
  CHECK(!ouro_alloc(heap, 8));
}
