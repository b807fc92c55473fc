/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "support/heaps.h"
#include "support/shadow.h"

enum { COUNT = 30000 };

static int by_address(const void *a, const void *b) {
  const ouro_block *x = a, *y = b;
  return ((char *)x->address > (char *)y->address) - ((char *)x->address < (char *)y->address);
}

/* How often the sorted walk saw the address. */
static size_t times_seen(const ouro_block *seen, size_t n, const void *address) {
  size_t low = 0, high = n, times = 0;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if ((char *)seen[middle].address < (char *)address) low = middle + 1;
    else high = middle;
  }
  while (low + times < n && seen[low + times].address == address) times++;
  return times;
}

TEST(an_empty_heap_has_nothing_to_see) {
  ouro_heap *heap = quiet_heap("walk");
  ouro_walk at = {0};
  ouro_block out[64];
  CHECK_EQ(ouro_walk_next(heap, &at, out, 64), 0u);
  CHECK_EQ(ouro_walk_next(heap, &at, out, 64), 0u);
  ouro_free(heap, ouro_alloc(heap, 30));
  at = (ouro_walk){0};
  CHECK_EQ(ouro_walk_next(heap, &at, out, 64), 0u);
}

TEST(a_walk_sees_every_live_block_once_small_and_large) {
  ouro_heap *heap = quiet_heap("walk");
  static ouro_block seen[COUNT + 256];
  SHADOW(live);
  for (size_t i = 0; i < COUNT; i++) {
    size_t size = i % 100 == 0 ? 1000 + i : i % 513;
    shadow_add(&live, ouro_alloc(heap, size), size, 16);
  }
  for (size_t i = 0; i < COUNT / 3; i++) {
    ouro_free(heap, live.blocks[i].address);
    shadow_remove(&live, i);
  }
  for (size_t room = 64; room <= 256; room += 64) {
    ouro_walk at = {0};
    size_t n = 0, got;
    while ((got = ouro_walk_next(heap, &at, seen + n, room)) != 0) {
      CHECK_LE(got, room);
      n += got;
      CHECK_LE(n, live.count);
    }
    CHECK_EQ(n, live.count);
    qsort(seen, n, sizeof *seen, by_address);
    for (size_t i = 0; i < live.count; i++)
      CHECK_EQ(times_seen(seen, n, live.blocks[i].address), 1u);
    for (size_t i = 0; i < n; i++) CHECK_EQ(seen[i].size, ouro_usable_size(heap, seen[i].address));
  }
}

/* Between two calls the heap is used as hard as may be: those who live through all of it are seen
 * once. */
TEST(a_walk_of_a_heap_in_use_sees_survivors_exactly_once) {
  for (int round = 0; round < 8; round++) {
    ouro_heap *heap = quiet_heap("walk");
    SHADOW(stay);
    SHADOW(come_and_go);
    for (int i = 0; i < 6000; i++) {
      size_t size = test_random() % 700;
      shadow_add(i % 2 ? &stay : &come_and_go, ouro_alloc(heap, size), size, 16);
    }
    size_t room = 400000, n = 0, got;
    ouro_block *seen = malloc(room * sizeof *seen);
    ouro_walk at = {0};
    while ((got = ouro_walk_next(heap, &at, seen + n, 64)) != 0) {
      n += got;
      CHECK_LE(n + 64, room);
      for (int i = 0; i < 60; i++) {
        if (come_and_go.count && test_random() % 2) {
          size_t gone = test_random() % come_and_go.count;
          ouro_free(heap, come_and_go.blocks[gone].address);
          shadow_remove(&come_and_go, gone);
        } else if (come_and_go.count < 6000) {
          size_t size = test_random() % 700;
          shadow_add(&come_and_go, ouro_alloc(heap, size), size, 16);
        }
      }
      if (test_random() % 16 == 0) ouro_heap_give_back(heap);
    }
    qsort(seen, n, sizeof *seen, by_address);
    for (size_t i = 0; i < stay.count; i++)
      CHECK_EQ(times_seen(seen, n, stay.blocks[i].address), 1u);
    CHECK(shadow_all_intact(&stay));
    ouro_heap_destroy(heap);
    free(seen);
  }
}

TEST(a_walk_of_a_shrinking_heap_ends) {
  ouro_heap *heap = quiet_heap("walk");
  static void *blocks[COUNT];
  for (int i = 0; i < COUNT; i++) blocks[i] = ouro_alloc(heap, (size_t)(i % 600));
  ouro_walk at = {0};
  ouro_block out[64];
  CHECK_EQ(ouro_walk_next(heap, &at, out, 64) > 0, true);
  for (int i = 0; i < COUNT; i++) ouro_free(heap, blocks[i]);
  ouro_heap_give_back(heap);
  CHECK_EQ(ouro_walk_next(heap, &at, out, 64), 0u);
}

TEST(a_walk_does_not_bring_pages_back) {
  ouro_heap *heap = quiet_heap("walk");
  static void *blocks[COUNT];
  for (int i = 0; i < COUNT; i++) memset(blocks[i] = ouro_alloc(heap, 256), 1, 256);
  for (int i = 0; i < COUNT; i++)
    if (i % 1000) ouro_free(heap, blocks[i]);
  ouro_heap_give_back(heap);
  size_t before = heap_rss(heap), bytes;
  CHECK_EQ(walk_all(heap, &bytes), COUNT / 1000);
  CHECK_EQ(heap_rss(heap), before);
}
