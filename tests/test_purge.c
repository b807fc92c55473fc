/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "support/heaps.h"
#include "support/shadow.h"

/* 12.8 MB of 128-byte blocks, in the order they were handed out. */
enum { COUNT = 100000, SIZE = 128 };
static void *blocks[COUNT];

static void fill(ouro_heap *heap) {
  for (int i = 0; i < COUNT; i++) memset(blocks[i] = ouro_alloc(heap, SIZE), 1, SIZE);
}

static void drop_all_but_every(ouro_heap *heap, int keep) {
  for (int i = 0; i < COUNT; i++)
    if (keep == 0 || i % keep) ouro_free(heap, blocks[i]);
}

static ouro_heap *decaying_heap(uint32_t decay_ms, size_t keep) {
  ouro_heap_options options = quiet_options("purge");
  options.decay_ms = decay_ms;
  options.keep = keep;
  return ouro_heap_new(&options);
}

/* Ticks as a timer would. */
static void idle(ouro_heap *heap, long ms) {
  for (long t = 0; t < ms; t += 5) {
    sleep_ms(5);
    ouro_heap_tick(heap, 10000000);
  }
}

/* One tick when a decay time has passed, and none before: the test's speed must not matter. */
static size_t one_round(ouro_heap *heap) {
  ouro_heap_set_decay(heap, 10);
  sleep_ms(15);
  size_t bytes = ouro_heap_tick(heap, 10 * GIB);
  ouro_heap_set_decay(heap, 0);
  return bytes;
}

TEST(give_back_returns_everything_that_is_free) {
  ouro_heap *heap = quiet_heap("purge");
  size_t empty = heap_rss(heap);
  fill(heap);
  size_t full = heap_rss(heap);
  drop_all_but_every(heap, 0);
  CHECK_LT(full - MIB, heap_rss(heap)); /* kept for reuse until asked for */
  size_t bytes = ouro_heap_give_back(heap);
  CHECK(heap_ok(heap));
  CHECK_LT(heap_rss(heap), empty + MIB);
  CHECK(within(bytes, full - heap_rss(heap), 128 * KIB));
  CHECK_EQ(stats_of(heap).returned, bytes);
  CHECK_EQ(ouro_heap_give_back(heap), 0u);
}

/* 0.05 % of the blocks survive: their pages stay and not much more. */
TEST(give_back_returns_pages_within_pools_that_live_blocks_hold) {
  ouro_heap *heap = quiet_heap("purge");
  fill(heap);
  size_t full = heap_rss(heap);
  drop_all_but_every(heap, 2000);
  CHECK(ouro_heap_give_back(heap) > full * 8 / 10);
  CHECK(heap_ok(heap));
  CHECK_LT(heap_rss(heap), full / 10);
  CHECK_EQ(stats_of(heap).purgeable, 0u);
  for (int i = 0; i < COUNT; i += 2000)
    for (int k = 0; k < SIZE; k++) CHECK_EQ(((char *)blocks[i])[k], 1);
}

TEST(returned_memory_is_usable_again) {
  ouro_heap *heap = quiet_heap("purge");
  SHADOW(live);
  fill(heap);
  drop_all_but_every(heap, 300);
  ouro_heap_give_back(heap);
  for (int i = 0; i < 150000; i++) {
    void *p = ouro_alloc(heap, 100);
    CHECK(p);
    shadow_add(&live, p, 100, 16);
  }
  CHECK(shadow_all_intact(&live));
  for (int i = 0; i < COUNT; i += 300)
    for (int k = 0; k < SIZE; k++) CHECK_EQ(((char *)blocks[i])[k], 1);
  CHECK(heap_ok(heap));
  CHECK(within(stats_of(heap).resident, heap_rss(heap), 512 * KIB));
}

TEST(calloc_is_zero_on_returned_and_on_kept_pages) {
  ouro_heap *heap = quiet_heap("purge");
  for (int round = 0; round < 3; round++) {
    fill(heap);
    drop_all_but_every(heap, 0);
    if (round == 1) ouro_heap_give_back(heap);
    for (int i = 0; i < COUNT; i++) {
      const char *p = blocks[i] = ouro_calloc(heap, 1, SIZE);
      for (int k = 0; k < SIZE; k++) CHECK_EQ(p[k], 0);
    }
    drop_all_but_every(heap, 0);
  }
}

TEST(idle_memory_goes_back_after_the_decay_time) {
  ouro_heap *heap = decaying_heap(40, 0);
  fill(heap);
  size_t full = heap_rss(heap);
  drop_all_but_every(heap, 2000);
  idle_until(heap, 64 * KIB);
  CHECK_LT(heap_rss(heap), full / 10 + 512 * KIB);
  CHECK(stats_of(heap).returned > full * 8 / 10);
  CHECK(heap_ok(heap));
}

/* Half of the heap falls empty a round later than the rest: returning one must not forget it. */
TEST(memory_that_falls_free_in_two_steps_goes_back_in_two_steps) {
  ouro_heap *heap = decaying_heap(0, 0);
  fill(heap);
  for (int i = 0; i < COUNT / 2; i++) ouro_free(heap, blocks[i]);
  CHECK_EQ(one_round(heap), 0u); /* marks the first half */
  for (int i = COUNT / 2; i < COUNT; i++) ouro_free(heap, blocks[i]);
  CHECK(within(one_round(heap), COUNT * SIZE / 2, MIB)); /* returns it, marks the second */
  CHECK(heap_ok(heap));
  CHECK(within(stats_of(heap).resident, heap_rss(heap), 256 * KIB));
  CHECK(within(one_round(heap), COUNT * SIZE / 2, MIB));
  CHECK(heap_ok(heap));
  CHECK_LT(heap_rss(heap), MIB);
}

/* Blocks kept at hand would each hold a page, for ever where their class is not asked for again. */
TEST(blocks_kept_at_hand_do_not_outlast_a_round) {
  ouro_heap *heap = decaying_heap(0, 0);
  for (size_t size = 16; size <= OURO_SMALL_MAX; size += 16) {
    for (int i = 0; i < 200; i++) blocks[i] = ouro_alloc(heap, size);
    for (int i = 0; i < 200; i++) ouro_free(heap, blocks[i]);
  }
  one_round(heap);
  one_round(heap);
  CHECK_LE(stats_of(heap).held, OURO_CLASSES * 4 * KIB);
  CHECK_EQ(stats_of(heap).live_blocks, 0u);
  CHECK(heap_ok(heap));
}

TEST(blocks_freed_by_other_threads_go_back_by_ticks_alone) {
  ouro_heap *heap = decaying_heap(0, 0);
  fill(heap);
  for (int i = 0; i < COUNT; i++) ouro_free_remote(heap, blocks[i]);
  one_round(heap);
  CHECK_LT(COUNT * SIZE * 9 / 10, one_round(heap));
  CHECK(heap_ok(heap));
}

TEST(nothing_goes_back_before_the_decay_time) {
  ouro_heap *heap = decaying_heap(60000, 0);
  fill(heap);
  drop_all_but_every(heap, 0);
  idle(heap, 50);
  CHECK_EQ(stats_of(heap).returned, 0u);
  CHECK(stats_of(heap).purgeable > COUNT * SIZE * 9 / 10);
}

TEST(decay_zero_means_never) {
  ouro_heap *heap = decaying_heap(0, 0);
  fill(heap);
  drop_all_but_every(heap, 0);
  idle(heap, 50);
  CHECK_EQ(stats_of(heap).returned, 0u);
  CHECK(!ouro_heap_wants_tick(heap));
}

/* Free at both rounds, used in between: whole pools, then pages of a pool that one block keeps. */
TEST(memory_used_between_two_rounds_is_not_idle) {
  for (int kept = 0; kept < 2; kept++) {
    ouro_heap *heap = decaying_heap(0, 0);
    fill(heap);
    drop_all_but_every(heap, kept ? 400 : 0);
    CHECK_EQ(one_round(heap), 0u); /* marks it */
    for (int i = 0; i < COUNT; i++)
      if (!kept || i % 400) blocks[i] = ouro_alloc(heap, SIZE);
    drop_all_but_every(heap, kept ? 400 : 0);
    CHECK_LT(one_round(heap), MIB); /* it was in use since */
    CHECK_LT(COUNT * SIZE * 7 / 10, one_round(heap));
    CHECK(heap_ok(heap));
    ouro_heap_destroy(heap);
  }
}

/* A bin keeps its pool also when no block of it is held and its pages have gone back. In a hardened
 * heap without a quarantine no block is kept at hand. */
TEST(a_pool_without_a_page_left_can_be_returned) {
  ouro_heap_options options = quiet_options("purge");
  options.hardened = true;
  options.quarantine = options.keep = 0;
  ouro_heap *heap = ouro_heap_new(&options);
  void *some[100];
  for (int i = 0; i < 100; i++) some[i] = ouro_alloc(heap, 100);
  for (int i = 0; i < 100; i++) ouro_free(heap, some[i]);
  CHECK_EQ(one_round(heap), 0u);
  CHECK(one_round(heap) > 0);
  CHECK_EQ(stats_of(heap).pools, 1u);
  CHECK_EQ(stats_of(heap).purgeable, 0u);
  ouro_heap_give_back(heap);
  CHECK(heap_ok(heap));
  CHECK_EQ(stats_of(heap).pools, 0u);
}

TEST(keep_bytes_stay_with_the_process) {
  ouro_heap *heap = decaying_heap(30, 4 * MIB);
  fill(heap);
  drop_all_but_every(heap, 0);
  idle_until(heap, 5 * MIB);
  idle(heap, 150);
  uint64_t purgeable = stats_of(heap).purgeable;
  CHECK(within(purgeable, 4 * MIB, MIB));
  ouro_heap_set_keep(heap, 0);
  idle_until(heap, 128 * KIB);
  CHECK_LT(stats_of(heap).purgeable, 256 * KIB);
}

TEST(give_back_does_not_heed_keep) {
  ouro_heap *heap = decaying_heap(60000, GIB);
  fill(heap);
  drop_all_but_every(heap, 0);
  ouro_heap_give_back(heap);
  CHECK_EQ(stats_of(heap).purgeable, 0u);
}

TEST(the_setting_of_decay_holds_from_then_on) {
  ouro_heap *heap = decaying_heap(0, 0);
  fill(heap);
  drop_all_but_every(heap, 0);
  ouro_heap_set_decay(heap, 20);
  idle_until(heap, 128 * KIB);
  CHECK_LT(stats_of(heap).purgeable, 256 * KIB);
  CHECK(stats_of(heap).returned > COUNT * SIZE * 9 / 10);
}

TEST(a_tick_with_a_small_budget_stops_and_goes_on_later) {
  ouro_heap *heap = decaying_heap(20, 0);
  fill(heap);
  drop_all_but_every(heap, 0);
  size_t most = 0;
  for (int i = 0; i < 2000 && stats_of(heap).purgeable > 256 * KIB; i++) {
    size_t bytes = ouro_heap_tick(heap, 1);
    if (bytes > most) most = bytes;
    sleep_ms(1);
  }
  CHECK_LT(stats_of(heap).purgeable, 256 * KIB);
  CHECK_LT(most, (size_t)COUNT * SIZE / 2);
  CHECK(heap_ok(heap));
}

TEST(a_heap_in_use_gives_back_by_itself) {
  ouro_heap *heap = decaying_heap(20, 0);
  fill(heap);
  size_t full = heap_rss(heap);
  drop_all_but_every(heap, 0);
  for (int round = 0; round < 5000 && heap_rss(heap) >= full / 2;
       round++) { /* an unrelated small load, no tick of ours */
    void *some[2000];
    for (int i = 0; i < 2000; i++) some[i] = ouro_alloc(heap, 400);
    for (int i = 0; i < 2000; i++) ouro_free(heap, some[i]);
    sleep_ms(2);
  }
  CHECK_LT(heap_rss(heap), full / 2);
  CHECK(heap_ok(heap));
}

TEST(wants_tick_tells_whether_free_memory_waits) {
  ouro_heap *heap = decaying_heap(0, 0);
  fill(heap);
  drop_all_but_every(heap, 0);
  ouro_heap_set_decay(heap, 20);
  sleep_ms(40);
  CHECK(ouro_heap_wants_tick(heap));
  idle_until(heap, 0);
  for (int i = 0; i < 1000 && ouro_heap_wants_tick(heap); i++) idle(heap, 10);
  CHECK(!ouro_heap_wants_tick(heap));
}

TEST(huge_pages_do_not_keep_memory_from_going_back) {
  ouro_heap_options options = quiet_options("huge");
  options.huge = OURO_HUGE_ALWAYS;
  ouro_heap *heap = ouro_heap_new(&options);
  fill(heap);
  size_t full = heap_rss(heap);
  drop_all_but_every(heap, 2000);
  ouro_heap_give_back(heap);
  CHECK(heap_ok(heap));
  CHECK_LT(heap_rss(heap), full / 4);
  fill(heap);
  CHECK(heap_ok(heap));
}
