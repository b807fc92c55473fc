/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "support/heaps.h"

static ouro_heap *limited_heap(size_t bytes) {
  ouro_heap_options options = quiet_options("limit");
  options.limit = bytes;
  return ouro_heap_new(&options);
}

static size_t blocks_until_null(ouro_heap *heap, size_t size, void **last) {
  size_t count = 0;
  for (void *p; (p = ouro_alloc(heap, size)) != NULL; count++) *last = p;
  return count;
}

TEST(pools_stop_at_the_limit) {
  ouro_heap *heap = limited_heap(4 * MIB);
  void *last = NULL;
  size_t count = blocks_until_null(heap, 64, &last);
  CHECK_LE(count * 64, 4 * MIB);
  CHECK_LT(4 * MIB * 95 / 100, count * 64);
  CHECK(heap_ok(heap));
  CHECK(!ouro_calloc(heap, 1, 64));
  CHECK(!ouro_alloc_aligned(heap, 64, 64));
  ouro_free(heap, last);
  CHECK(ouro_alloc(heap, 64));
  CHECK(heap_ok(heap));
}

TEST(large_blocks_count_against_the_limit) {
  ouro_heap *heap = limited_heap(4 * MIB);
  void *p = ouro_alloc(heap, 3 * MIB);
  CHECK(p);
  CHECK(!ouro_alloc(heap, 2 * MIB));
  CHECK(!ouro_realloc(heap, p, 5 * MIB));
  CHECK(ouro_owns(heap, p));
  void *last = NULL;
  CHECK_LE(blocks_until_null(heap, 512, &last) * 512, MIB);
  ouro_free(heap, p);
  CHECK(ouro_alloc(heap, 2 * MIB));
  CHECK(heap_ok(heap));
}

TEST(a_limit_of_one_byte_allows_nothing) {
  ouro_heap *heap = limited_heap(1);
  CHECK(heap);
  for (size_t size = 0; size < 2000; size++) CHECK(!ouro_alloc(heap, size));
  CHECK(heap_ok(heap));
}

TEST(blocks_freed_by_other_threads_make_room) {
  ouro_heap *heap = limited_heap(MIB);
  enum { MOST = 20000 };
  static void *blocks[MOST];
  size_t count = 0;
  while (count < MOST && (blocks[count] = ouro_alloc(heap, 100)) != NULL) count++;
  CHECK(count > 0 && count < MOST);
  for (size_t i = 0; i < count; i++) ouro_free_remote(heap, blocks[i]);
  for (size_t i = 0; i < count; i++) CHECK(ouro_alloc(heap, 100));
  CHECK(heap_ok(heap));
}

/* What the bins of other classes or the quarantine hold must not make a request fail that would
 * fit. */
static void fill_and_drop_every_class(bool hardened) {
  ouro_heap_options options = quiet_options("limit");
  options.limit = 2 * MIB;
  options.hardened = hardened;
  ouro_heap *heap = ouro_heap_new(&options);
  enum { MOST = 200000 };
  static void *blocks[MOST];
  for (size_t size = 32; size <= OURO_SMALL_MAX - 32; size += 16) {
    size_t count = 0, class = hardened ? size + 16 : size;
    while (count < MOST && (blocks[count] = ouro_alloc(heap, size)) != NULL) count++;
    CHECK_LT(2 * MIB * 95 / 100, count * class);
    for (size_t i = 0; i < count; i++) ouro_free(heap, blocks[i]);
    CHECK(heap_ok(heap));
    if (size % 64) continue;
    void *large = ouro_alloc(heap, 2 * MIB - 100);
    CHECK(large);
    ouro_free(heap, large);
  }
  ouro_heap_destroy(heap);
}

TEST(memory_freed_by_one_class_serves_another_at_the_limit) { fill_and_drop_every_class(false); }

TEST(quarantined_memory_serves_requests_at_the_limit) { fill_and_drop_every_class(true); }

TEST(a_limit_can_be_lifted_and_lowered_below_what_is_in_use) {
  ouro_heap *heap = limited_heap(MIB);
  void *last = NULL;
  size_t count = blocks_until_null(heap, 128, &last);
  ouro_heap_set_limit(heap, 4 * MIB);
  CHECK_LT(2 * count, blocks_until_null(heap, 128, &last));
  ouro_heap_set_limit(heap, MIB);
  CHECK(!ouro_alloc(heap, 128));
  ouro_free(heap, last);
  CHECK(heap_ok(heap));
  ouro_heap_set_limit(heap, 0);
  for (int i = 0; i < 100000; i++) CHECK(ouro_alloc(heap, 128));
  CHECK(heap_ok(heap));
}
