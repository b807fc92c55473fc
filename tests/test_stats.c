/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "support/heaps.h"
#include "support/shadow.h"
#include "support/tools.h"

/* A heap that has lived: mixed sizes, most of it freed again, in random order. */
static ouro_heap *used_heap(ouro_heap_options options, size_t most, shadow *live) {
  ouro_heap *heap = ouro_heap_new(&options);
  CHECK(heap);
  for (int i = 0; i < 40000; i++) {
    size_t size = test_random() % (most + 1);
    void *p = ouro_alloc(heap, size);
    CHECK(p);
    shadow_add(live, p, size, 16);
  }
  while (live->count > 3000) {
    size_t at = test_random() % live->count;
    ouro_free(heap, live->blocks[at].address);
    shadow_remove(live, at);
  }
  return heap;
}

static size_t asked(const shadow *live, bool large) {
  size_t sum = 0;
  for (size_t i = 0; i < live->count; i++)
    if ((live->blocks[i].size > OURO_SMALL_MAX) == large) sum += live->blocks[i].size;
  return sum;
}

TEST(live_is_the_sum_of_the_blocks_handed_out) {
  SHADOW(live);
  ouro_heap *heap = used_heap(quiet_options("stats"), 700, &live);
  ouro_heap_stats s = stats_of(heap);
  uint64_t small = 0, bytes = 0;
  for (size_t i = 0; i < live.count; i++) {
    if (live.blocks[i].size > OURO_SMALL_MAX) continue;
    small++;
    bytes += ouro_usable_size(heap, live.blocks[i].address);
  }
  CHECK(sums_hold(&s));
  CHECK_EQ(s.live_blocks, small);
  CHECK_EQ(s.live_blocks + s.large_blocks, live.count);
  CHECK_EQ(s.large, asked(&live, true));
  CHECK_EQ(s.live, bytes);
}

TEST(blocks_handed_out_are_counted_however_they_end) {
  for (int hardened = 0; hardened < 2; hardened++) {
    ouro_heap_options options = quiet_options("stats");
    options.hardened = hardened;
    ouro_heap *heap = ouro_heap_new(&options);
    void *kept[300];
    for (int i = 0; i < 300; i++) CHECK(kept[i] = ouro_alloc(heap, 40));
    for (int i = 0; i < 700; i++) ouro_free(heap, ouro_alloc(heap, 100));
    for (int i = 0; i < 300; i++) ouro_free(heap, kept[i]);
    ouro_heap_give_back(heap); /* blocks at hand go back to their pools */
    ouro_class_stats class[OURO_CLASSES];
    ouro_heap_class_stats(heap, class);
    CHECK_EQ(stats_of(heap).allocated, 1000);
    CHECK_EQ(class[48 / 16 - 1].allocated, 300);
    ouro_heap_destroy(heap);
  }
}

TEST(requested_is_close_in_a_plain_heap_and_exact_in_a_hardened_one) {
  for (int hardened = 0; hardened < 2; hardened++) {
    SHADOW(live);
    ouro_heap_options options = quiet_options("stats");
    options.hardened = hardened;
    ouro_heap *heap = used_heap(options, 700, &live);
    ouro_heap_stats s = stats_of(heap);
    CHECK(sums_hold(&s));
    uint64_t small = asked(&live, false);
    if (hardened) CHECK_EQ(s.requested + s.large, small + asked(&live, true));
    else CHECK(within(s.requested, small, small / 20));
    ouro_heap_destroy(heap);
  }
}

/* What the heap says is resident, the kernel says too: pages claimed for the bins but never
 * written, at most one for each class, are the difference. */
TEST(resident_is_what_the_kernel_counts) {
  for (int hardened = 0; hardened < 2; hardened++) {
    SHADOW(live);
    ouro_heap_options options = quiet_options("stats");
    options.hardened = hardened;
    ouro_heap *heap = used_heap(options, 500, &live);
    CHECK(within(stats_of(heap).resident, heap_rss(heap), 2 * OURO_CLASSES * 4 * KIB));
    ouro_heap_give_back(heap);
    CHECK(within(stats_of(heap).resident, heap_rss(heap), 2 * OURO_CLASSES * 4 * KIB));
    ouro_heap_destroy(heap);
  }
}

TEST(classes_add_up_to_the_heap) {
  SHADOW(live);
  ouro_heap *heap = used_heap(quiet_options("stats"), 700, &live);
  ouro_class_stats classes[OURO_CLASSES];
  ouro_heap_class_stats(heap, classes);
  ouro_heap_stats s = stats_of(heap);
  uint64_t blocks = 0, bytes = 0, requested = 0, pinned = 0, pools = 0;
  for (unsigned i = 0; i < OURO_CLASSES; i++) {
    CHECK_EQ(classes[i].block_size, (i + 1) * OURO_CLASS_BYTES);
    CHECK_EQ(classes[i].live, classes[i].live_blocks * classes[i].block_size);
    CHECK_LE(classes[i].requested, classes[i].live);
    blocks += classes[i].live_blocks, bytes += classes[i].live, requested += classes[i].requested;
    pinned += classes[i].pinned, pools += classes[i].pools;
  }
  CHECK_EQ(blocks, s.live_blocks);
  CHECK_EQ(bytes, s.live);
  CHECK_EQ(requested, s.requested);
  CHECK_EQ(pinned, s.pinned);
  CHECK_EQ(pools, s.pools);
}

TEST(the_class_that_pins_memory_is_named) {
  ouro_heap *heap = quiet_heap("stats");
  enum { COUNT = 40000 };
  static void *blocks[2][COUNT];
  const size_t sizes[2] = {96, 320};
  for (int i = 0; i < COUNT; i++)
    for (int k = 0; k < 2; k++) blocks[k][i] = ouro_alloc(heap, sizes[k]);
  for (int i = 0; i < COUNT; i++) {
    ouro_free(heap, blocks[0][i]);
    if (i % 10) ouro_free(heap, blocks[1][i]); /* one block of 320 lives on nearly every page */
  }
  ouro_heap_give_back(heap);
  ouro_class_stats classes[OURO_CLASSES];
  ouro_heap_class_stats(heap, classes);
  uint64_t most = 0, of = 0;
  for (unsigned i = 0; i < OURO_CLASSES; i++)
    if (classes[i].pinned > most) most = classes[i].pinned, of = classes[i].block_size;
  CHECK(of >= 320 && of <= 336);
  CHECK_LT(stats_of(heap).resident / 2, most);
}

TEST(peak_and_returned_only_grow) {
  ouro_heap *heap = quiet_heap("stats");
  enum { COUNT = 20000 };
  static void *blocks[COUNT];
  uint64_t peak = 0, returned = 0;
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < COUNT / (round + 1); i++) blocks[i] = ouro_alloc(heap, 128);
    uint64_t in_pools = stats_of(heap).pools * OURO_POOL_BYTES;
    CHECK_LE(peak, stats_of(heap).peak_pools);
    peak = stats_of(heap).peak_pools;
    CHECK_LE(in_pools, peak);
    for (int i = 0; i < COUNT / (round + 1); i++) ouro_free(heap, blocks[i]);
    uint64_t bytes = ouro_heap_give_back(heap);
    CHECK(bytes > 0);
    CHECK_EQ(stats_of(heap).returned, returned + bytes);
    returned += bytes;
    CHECK_EQ(stats_of(heap).peak_pools, peak);
  }
  CHECK_LE(COUNT * 128u, peak);
  CHECK_LE(peak, COUNT * 150u);
}

TEST(a_heap_full_of_live_blocks_has_little_but_live) {
  ouro_heap *heap = quiet_heap("stats");
  for (int i = 0; i < 200000; i++) CHECK(ouro_alloc(heap, 64));
  ouro_heap_stats s = stats_of(heap);
  CHECK_EQ(s.live, 200000u * 64);
  CHECK_EQ(s.rounding, 0u);
  CHECK_LE(s.resident, s.live + s.live / 40 + 256 * KIB);
}
