/* SPDX-License-Identifier: MIT */
/*
 * The rules of the system that the pools answer for, on Ouro's own blocks. A test's name starts
 * with the number of its rule.
 */
#include "test.h"

#include "support/heaps.h"
#include "support/tools.h"

static uintptr_t pool_of(const void *p) { return (uintptr_t)p / OURO_POOL_BYTES; }
static uintptr_t arena_of(const void *p) { return (uintptr_t)p >> 21; }

/* P1: arenas are taken from the system in big pieces, cut into pools, each pool into blocks of one
 * size. */
TEST(P1_pools_hold_blocks_of_one_size_within_arenas) {
  ouro_heap *heap = quiet_heap("P1");
  enum { ROUNDS = 1000 };
  static char *blocks[ROUNDS][3];
  const size_t sizes[3] = {16, 100, 512}, classes[3] = {16, 112, 512};
  for (int i = 0; i < ROUNDS; i++)
    for (int k = 0; k < 3; k++) {
      blocks[i][k] = ouro_alloc(heap, sizes[k]);
      if (!under_watch()) CHECK_EQ(ouro_usable_size(heap, blocks[i][k]), classes[k]);
    }
  for (int i = 0; i < ROUNDS; i++)
    for (int k = 0; k < 3; k++) {
      CHECK(pool_of(blocks[i][k]) != pool_of(blocks[i][(k + 1) % 3]));
      if (pool_of(blocks[i][k]) == pool_of(blocks[0][k]))
        CHECK_EQ((size_t)llabs(blocks[i][k] - blocks[0][k]) % (under_watch() ? 16 : classes[k]),
                 0u);
    }
  ouro_heap_stats s = stats_of(heap);
  CHECK_EQ(s.arenas, 1u);
  CHECK_EQ(arena_of(blocks[0][0]), arena_of(blocks[ROUNDS - 1][2]));
}

TEST(P1_a_16_byte_request_takes_a_16_byte_block_and_returns_to_its_pool) {
  if (under_watch()) SKIP("watched heaps have no 16-byte blocks");
  ouro_heap *heap = quiet_heap("P1");
  enum { COUNT = 4096 };
  static char *blocks[COUNT];
  for (int i = 0; i < COUNT; i++) blocks[i] = ouro_alloc(heap, 16);
  CHECK_EQ(stats_of(heap).live, COUNT * 16u);
  CHECK_EQ(stats_of(heap).rounding, 0u);
  for (int i = 0; i < COUNT; i += 2) ouro_free(heap, blocks[i]);
  for (int i = 0; i < COUNT; i += 2) {
    char *p = ouro_alloc(heap, 16);
    bool from_the_same = false;
    for (int k = 0; k < COUNT && !from_the_same; k += 2) from_the_same = p == blocks[k];
    CHECK(from_the_same);
  }
}

TEST(P1_the_border_is_512_bytes_and_a_named_constant) {
  ouro_heap *heap = quiet_heap("P1");
  CHECK_EQ(OURO_SMALL_MAX, 512u);
  CHECK_EQ(OURO_CLASS_BYTES, 16u);
  CHECK(ouro_alloc(heap, OURO_SMALL_MAX));
  CHECK_EQ(stats_of(heap).large_blocks, 0u);
}

TEST(P2_larger_requests_go_to_the_system_allocator) {
  ouro_heap *heap = quiet_heap("P2");
  char *p = ouro_alloc(heap, OURO_SMALL_MAX + 1), *q = ouro_alloc(heap, 10 * MIB);
  CHECK(p && q);
  CHECK_EQ(stats_of(heap).large_blocks, 2u);
  CHECK_EQ(stats_of(heap).pools, 0u);
  CHECK_LT((uintptr_t)1 << OURO_WINDOW_SHIFT, (uintptr_t)p ^ (uintptr_t)heap);
  memset(q, 1, 10 * MIB);
  size_t with = rss_process();
  ouro_free(heap, q);
  if (!under_sanitizer() && !under_valgrind()) CHECK_LT(rss_process(), with - 9 * MIB);
}

enum { MANY = 100000 };
static void *many[MANY];

static void fill(ouro_heap *heap) {
  for (int i = 0; i < MANY; i++) memset(many[i] = ouro_alloc(heap, 200), 1, 200);
}

TEST(P3_freed_blocks_are_kept_for_reuse) {
  ouro_heap *heap = quiet_heap("P3");
  fill(heap);
  uint64_t committed = stats_of(heap).committed, returned = stats_of(heap).returned;
  size_t resident = heap_rss(heap);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < MANY; i++) ouro_free(heap, many[i]);
    CHECK_LE(resident - MIB, heap_rss(heap));
    fill(heap);
  }
  CHECK_LE(stats_of(heap).committed, committed + 4 * MIB);
  CHECK_EQ(stats_of(heap).returned, returned);
}

TEST(P3_unused_memory_goes_back_also_from_arenas_that_hold_live_blocks) {
  ouro_heap_options options = quiet_options("P3");
  options.decay_ms = 50;
  options.keep = 0;
  ouro_heap *heap = ouro_heap_new(&options);
  fill(heap);
  size_t full = heap_rss(heap);
  for (int i = 0; i < MANY; i++)
    if (i % 2000) ouro_free(heap, many[i]);
  CHECK(stats_of(heap).arenas >= 5);
  idle_until(heap, 64 * KIB);
  CHECK(stats_of(heap).arenas >= 5); /* none of them is empty */
  CHECK_LT(heap_rss(heap), full / 10);
}

TEST(P3_how_much_is_kept_is_a_setting) {
  size_t kept[2];
  for (int k = 0; k < 2; k++) {
    ouro_heap_options options = quiet_options("P3");
    options.decay_ms = 30;
    options.keep = k ? 8 * MIB : 0;
    ouro_heap *heap = ouro_heap_new(&options);
    fill(heap);
    for (int i = 0; i < MANY; i++) ouro_free(heap, many[i]);
    idle_until(heap, k ? 9 * MIB : 64 * KIB);
    kept[k] = heap_rss(heap);
    ouro_heap_destroy(heap);
  }
  CHECK_LT(kept[0], MIB);
  CHECK(kept[1] > 6 * MIB && kept[1] < 10 * MIB);
}

/* P4, for the pools: a type that wants free memory of its own has its own heap. What one keeps the
 * other cannot use; it is capped, can be read, and is emptied on request. */
TEST(P4_memory_kept_for_one_heap_is_not_used_for_another) {
  ouro_heap_options options = quiet_options("ints");
  options.limit = 8 * MIB;
  ouro_heap *ints = ouro_heap_new(&options), *lists = quiet_heap("lists");
  enum { COUNT = 50000 };
  for (int i = 0; i < COUNT; i++) CHECK((many[i] = ouro_alloc(ints, 32)) != NULL);
  for (int i = 0; i < COUNT; i++) ouro_free(ints, many[i]);
  ouro_heap_stats before = stats_of(ints);
  CHECK(before.purgeable + before.pinned + before.held >= COUNT * 32u);
  for (int i = 0; i < COUNT; i++) CHECK(!ouro_owns(ints, ouro_alloc(lists, 32)));
  ouro_heap_stats after = stats_of(ints);
  CHECK_EQ(memcmp(&before, &after, sizeof before), 0);
  CHECK_LE(before.peak_pools, options.limit);
  ouro_heap_give_back(ints);
  CHECK_EQ(stats_of(ints).purgeable, 0u);
}

TEST(P5_a_loop_that_makes_and_drops_one_kind_of_object_needs_no_more_memory) {
  ouro_heap *heap = quiet_heap("P5");
  for (int i = 0; i < 1000; i++) ouro_free(heap, ouro_alloc(heap, 200));
  ouro_heap_stats before = stats_of(heap);
  size_t resident = heap_rss(heap);
  for (int i = 0; i < 1000000; i++) {
    char *p = ouro_alloc(heap, 200);
    *p = 1;
    ouro_free(heap, p);
  }
  CHECK_EQ(stats_of(heap).pools, before.pools);
  CHECK_EQ(stats_of(heap).peak_pools, before.peak_pools);
  CHECK_LE(heap_rss(heap), resident + 64 * KIB);
}

TEST(P6_what_is_used_free_pinned_and_returned_can_be_read_at_any_time_and_adds_up) {
  ouro_heap *heap = quiet_heap("P6");
  for (int i = 0; i < MANY; i++) {
    memset(many[i] = ouro_alloc(heap, (size_t)(i % 512)), 1, (size_t)(i % 512));
    if (i % 5000) continue;
    ouro_heap_stats s = stats_of(heap);
    CHECK(sums_hold(&s));
    CHECK_EQ(s.live_blocks, i + 1);
    CHECK(within(s.resident, heap_rss(heap), 2 * OURO_CLASSES * 4 * KIB));
  }
  for (int i = 0; i < MANY; i++) {
    if (i % 100) ouro_free(heap, many[i]);
    if (i % 5000) continue;
    ouro_heap_stats s = stats_of(heap);
    CHECK(sums_hold(&s));
    CHECK(within(s.resident, heap_rss(heap), 2 * OURO_CLASSES * 4 * KIB));
  }
  ouro_heap_stats freed = stats_of(heap);
  CHECK(freed.pinned > 0 && freed.purgeable > 0 && freed.returned == 0);
  size_t bytes = ouro_heap_give_back(heap);
  ouro_heap_stats after = stats_of(heap);
  CHECK_EQ(after.returned, bytes);
  CHECK_EQ(after.purgeable, 0u);
  CHECK(within(after.resident, freed.resident - bytes, 2 * OURO_CLASSES * 4 * KIB));
}

TEST(M1_how_much_is_in_use_over_time_is_readable_as_now_peak_and_returned) {
  ouro_heap *heap = quiet_heap("M1");
  uint64_t live = 0;
  for (int i = 0; i < MANY; i++) {
    many[i] = ouro_alloc(heap, 200);
    if (i % 10000) continue;
    CHECK_LT(live, stats_of(heap).live);
    live = stats_of(heap).live;
  }
  uint64_t peak = stats_of(heap).peak_pools;
  for (int i = 0; i < MANY; i++) ouro_free(heap, many[i]);
  CHECK_EQ(stats_of(heap).live, 0u);
  CHECK_EQ(stats_of(heap).peak_pools, peak);
  CHECK_LE(MANY * 200u, peak);
}

/* M6: memory that only the allocator keeps is told apart from memory that the program holds. */
TEST(M6_memory_kept_by_the_allocator_is_no_leak) {
  ouro_heap *heap = quiet_heap("M6");
  fill(heap);
  ouro_heap_stats leak = stats_of(heap);
  CHECK(leak.live > leak.resident * 9 / 10);
  for (int i = 0; i < MANY; i++) ouro_free(heap, many[i]);
  ouro_heap_stats kept = stats_of(heap);
  CHECK(kept.resident > leak.resident * 9 / 10);
  CHECK_EQ(kept.live, 0u);
  CHECK(kept.purgeable > kept.resident * 9 / 10);
}

TEST(M6_memory_pinned_by_survivors_is_named_by_their_size_class) {
  ouro_heap *heap = quiet_heap("M6");
  fill(heap);
  for (int i = 0; i < MANY; i++)
    if (i % 10) ouro_free(heap, many[i]);
  ouro_heap_give_back(heap);
  ouro_heap_stats s = stats_of(heap);
  ouro_class_stats classes[OURO_CLASSES];
  ouro_heap_class_stats(heap, classes);
  unsigned class = (unsigned)(ouro_usable_size(heap, many[0]) + 15) / 16 - 1;
  CHECK(s.pinned > s.resident / 2);
  CHECK(classes[class].pinned > s.pinned * 95 / 100);
  CHECK(s.pinned_arenas > 0);
}
