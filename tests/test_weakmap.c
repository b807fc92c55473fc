/* SPDX-License-Identifier: MIT */
/* The map from referents to their weak references, against an array. Keys are only addresses to it,
 * so these tests need no objects. */
#include "test.h"

#include "object/weakmap.h"
#include "support/heaps.h"

enum { KEYS = 4000 };

static struct weak_link *link_number(size_t i) { return (struct weak_link *)(i * 64 + 64); }

static const ouro_object *key_number(size_t i) {
  return (const ouro_object *)(uintptr_t)((i * 2654435761u % (1u << 28) + 1) * 16);
}

static size_t entries_seen(const weakmap *map) {
  size_t at = 0, seen = 0;
  while (weakmap_next(map, &at)) seen++;
  return seen;
}

static void check_map(const weakmap *map, const bool *in, size_t count) {
  CHECK_EQ(map->count, count);
  CHECK_EQ(entries_seen(map), count);
  CHECK_LE(count * 4, map->now.room * 3);
  for (size_t i = 0; i < KEYS; i++) {
    struct weak_link **first = weakmap_find(map, key_number(i));
    CHECK_EQ(first != NULL, in[i]);
    if (first) CHECK(*first == link_number(i));
  }
}

static void flip(ouro_heap *heap, weakmap *map, bool *in, size_t *count, size_t i) {
  if (in[i]) {
    weakmap_remove(heap, map, key_number(i));
    --*count;
  } else {
    CHECK(weakmap_reserve(heap, map));
    weakmap_put(heap, map, key_number(i), link_number(i));
    ++*count;
  }
  in[i] = !in[i];
}

static void finish(ouro_heap *heap, weakmap *map) {
  ouro_free(heap, map->now.entries);
  ouro_free(heap, map->old.entries);
  CHECK_EQ(stats_of(heap).live_blocks + stats_of(heap).large_blocks, 0u);
  ouro_heap_destroy(heap);
}

/* Random puts and removals while the number of keys in use swings between few and many, so that the
 * table grows and shrinks many times and is looked at in the middle of each move. */
TEST(random_changes_against_an_array) {
  ouro_heap *heap = quiet_heap("map");
  static bool in[KEYS];
  weakmap map = {0};
  size_t count = 0;
  for (int round = 0; round < 60000; round++) {
    size_t wanted = round / 5000 % 2 ? 20 : KEYS - 20, i = test_random() % KEYS;
    if (in[i] == (count < wanted)) continue;
    flip(heap, &map, in, &count, i);
    if (round % 61 == 0) check_map(&map, in, count);
  }
  check_map(&map, in, count);
  finish(heap, &map);
}

TEST(memory_goes_back_with_the_entries) {
  ouro_heap *heap = quiet_heap("map");
  static bool in[KEYS];
  weakmap map = {0};
  size_t count = 0;
  for (size_t i = 0; i < KEYS; i++) flip(heap, &map, in, &count, i);
  CHECK_LE((size_t)KEYS, map.now.room * 3 / 4);
  for (size_t i = 0; i < KEYS - 1; i++) flip(heap, &map, in, &count, i);
  check_map(&map, in, 1);
  CHECK_LE(map.now.room + map.old.room, 256u);
  flip(heap, &map, in, &count, KEYS - 1);
  CHECK_EQ(stats_of(heap).live_blocks, map.now.room ? 1u : 0u);
  finish(heap, &map);
}

/* One change never moves more than a few entries: the whole table would be 3000. */
TEST(a_resize_is_spread_over_changes) {
  ouro_heap *heap = quiet_heap("map");
  static bool in[KEYS];
  weakmap map = {0};
  size_t count = 0, resizes = 0;
  for (size_t i = 0; i < KEYS; i++) {
    size_t before = map.moved, room = map.now.room;
    flip(heap, &map, in, &count, i);
    resizes += room != map.now.room;
    if (map.moved > before) CHECK_LE(map.moved - before, 32u);
    if (room != map.now.room && room) CHECK_EQ(map.old.room, room);
  }
  CHECK_LT(5u, resizes);
  finish(heap, &map);
}

TEST(refused_memory_changes_nothing) {
  ouro_heap *heap = quiet_heap("map");
  static bool in[KEYS];
  weakmap map = {0};
  size_t count = 0, refused = 0;
  for (size_t i = 0; i < KEYS; i++) {
    ouro_heap_fail(heap, 1, 1);
    if (!weakmap_reserve(heap, &map)) {
      refused++;
      check_map(&map, in, count);
    }
    ouro_heap_fail(heap, 0, 0);
    flip(heap, &map, in, &count, i);
  }
  CHECK_LT(5u, refused);
  ouro_heap_fail(heap, 1, 1); /* no smaller table to be had: the larger one serves on */
  for (size_t i = 0; i < KEYS; i++) flip(heap, &map, in, &count, i);
  ouro_heap_fail(heap, 0, 0);
  check_map(&map, in, 0);
  finish(heap, &map);
}
