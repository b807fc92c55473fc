/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <pthread.h>

#include "support/heaps.h"
#include "support/shadow.h"

enum { COUNT = 20000 };
static void *blocks[COUNT];

typedef struct freeing {
  ouro_heap *heap;
  int from, step;
} freeing;

static void *free_some(void *arg) {
  const freeing *f = arg;
  for (int i = f->from; i < COUNT; i += f->step) ouro_free_remote(f->heap, blocks[i]);
  return NULL;
}

static void free_from_threads(ouro_heap *heap, int threads) {
  pthread_t ids[8];
  freeing parts[8];
  for (int i = 0; i < threads; i++) {
    parts[i] = (freeing){heap, i, threads};
    CHECK_EQ(pthread_create(&ids[i], NULL, free_some, &parts[i]), 0);
  }
  for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
}

TEST(blocks_freed_elsewhere_are_not_live_even_before_they_are_taken_back) {
  ouro_heap *heap = quiet_heap("remote");
  for (int i = 0; i < COUNT; i++) blocks[i] = ouro_alloc(heap, (size_t)(i % 512));
  void *kept = ouro_alloc(heap, 100);
  free_from_threads(heap, 3);
  ouro_heap_stats s = stats_of(heap);
  CHECK(sums_hold(&s));
  CHECK_EQ(s.live_blocks, 1u);
  CHECK_EQ(s.remote_frees, COUNT);
  CHECK(heap_ok(heap));
  size_t bytes;
  CHECK_EQ(walk_all(heap, &bytes), 1u);
  CHECK(ouro_usable_size(heap, kept) >= 100);
}

TEST(the_owner_takes_back_and_reuses_them) {
  ouro_heap *heap = quiet_heap("remote");
  uint64_t peak = 0;
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < COUNT; i++) blocks[i] = ouro_alloc(heap, 100);
    if (round == 0) peak = stats_of(heap).peak_pools;
    free_from_threads(heap, 2);
  }
  CHECK_LE(stats_of(heap).peak_pools, peak + peak / 4);
  ouro_heap_give_back(heap);
  CHECK_EQ(stats_of(heap).live_blocks, 0u);
  CHECK_EQ(stats_of(heap).purgeable, 0u);
  CHECK_LT(stats_of(heap).resident, MIB);
}

TEST(large_blocks_can_be_freed_elsewhere) {
  ouro_heap *heap = quiet_heap("remote");
  for (int i = 0; i < COUNT; i++) blocks[i] = ouro_alloc(heap, i % 8 ? 40 : 600 + (size_t)i % 5000);
  free_from_threads(heap, 4);
  ouro_heap_adopt(heap);
  CHECK_EQ(stats_of(heap).large_blocks, 0u);
  CHECK_EQ(stats_of(heap).large, 0u);
  CHECK_EQ(stats_of(heap).live_blocks, 0u);
  CHECK(heap_ok(heap));
}

TEST(freeing_nothing_elsewhere_has_no_effect) {
  ouro_heap *heap = quiet_heap("remote");
  ouro_free_remote(heap, NULL);
  CHECK_EQ(stats_of(heap).remote_frees, 0u);
}

TEST(a_block_that_is_free_already_stays_so) {
  ouro_heap *heap = quiet_heap("remote");
  void *kept = ouro_alloc(heap, 100), *p = ouro_alloc(heap, 100);
  ouro_free(heap, p);
  ouro_heap_give_back(heap); /* the block is back in its pool's bitmap */
  ouro_free_remote(heap, p);
  ouro_heap_adopt(heap);
  CHECK(heap_ok(heap));
  CHECK_EQ(stats_of(heap).live_blocks, 1u);
  ouro_free(heap, kept);
}

TEST(the_owner_may_use_the_remote_call_itself) {
  ouro_heap *heap = quiet_heap("remote");
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < 1000; i++) blocks[i] = ouro_alloc(heap, (size_t)(i % 700));
    for (int i = 0; i < 1000; i++) ouro_free_remote(heap, blocks[i]);
    CHECK(heap_ok(heap));
  }
  ouro_heap_adopt(heap);
  CHECK_EQ(stats_of(heap).live_blocks + stats_of(heap).large_blocks, 0u);
}

static void *use_as_owner(void *arg) {
  ouro_heap *heap = arg;
  ouro_heap_adopt(heap);
  for (int i = 0; i < COUNT; i += 2) {
    ouro_free(heap, blocks[i]);
    blocks[i] = ouro_alloc(heap, (size_t)(i % 600));
    if (!blocks[i]) return NULL;
  }
  return ouro_heap_check(heap) ? NULL : heap;
}

TEST(a_heap_can_be_handed_from_thread_to_thread) {
  for (int hardened = 0; hardened < 2; hardened++) {
    ouro_heap_options options = quiet_options("handed");
    options.hardened = hardened;
    ouro_heap *heap = ouro_heap_new(&options);
    for (int i = 0; i < COUNT; i++) blocks[i] = ouro_alloc(heap, (size_t)(i % 600));
    for (int round = 0; round < 4; round++) {
      pthread_t thread;
      void *result;
      CHECK_EQ(pthread_create(&thread, NULL, use_as_owner, heap), 0);
      pthread_join(thread, &result);
      CHECK(result == heap);
    }
    ouro_heap_adopt(heap);
    for (int i = 0; i < COUNT; i++) ouro_free(heap, blocks[i]);
    CHECK_EQ(stats_of(heap).live_blocks + stats_of(heap).large_blocks, 0u);
    CHECK(heap_ok(heap));
    ouro_heap_destroy(heap);
  }
}

TEST(hardened_heaps_take_remote_frees_and_check_them) {
  ouro_heap_options options = quiet_options("hard");
  options.hardened = true;
  ouro_heap *heap = ouro_heap_new(&options);
  for (int i = 0; i < COUNT; i++) blocks[i] = ouro_alloc(heap, (size_t)(i % 600));
  free_from_threads(heap, 2);
  ouro_heap_adopt(heap);
  ouro_heap_give_back(heap);
  CHECK_EQ(stats_of(heap).live_blocks + stats_of(heap).large_blocks, 0u);
  CHECK(heap_ok(heap));
}
