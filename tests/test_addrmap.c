/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/addrmap.h"

enum { KEYS = 3000 };

/* Keys that lie close together, far apart, and on the same page offsets: what allocators return. */
static const void *key_at(size_t i) {
  uintptr_t base = i % 3 == 0 ? 0x7f0000001000 : i % 3 == 1 ? 0x550000000010 : (uintptr_t)i << 30;
  return (const void *)(base + i * (i % 2 ? 16 : 4096));
}

TEST(an_empty_map_answers_none) {
  addrmap map = {0};
  CHECK_EQ(addrmap_get(&map, key_at(1)), ADDRMAP_NONE);
  CHECK_EQ(addrmap_take(&map, key_at(1)), ADDRMAP_NONE);
  addrmap_finish(&map);
}

TEST(a_map_agrees_with_an_array_under_random_puts_and_takes) {
  addrmap map = {0};
  uint32_t model[KEYS];
  size_t count = 0;
  memset(model, 0xff, sizeof model);
  for (uint32_t step = 0; step < 60000; step++) {
    size_t i = 1 + test_random() % (KEYS - 1);
    CHECK_EQ(addrmap_get(&map, key_at(i)), model[i]);
    if (model[i] != ADDRMAP_NONE) {
      CHECK_EQ(addrmap_take(&map, key_at(i)), model[i]);
      model[i] = ADDRMAP_NONE;
      count--;
    } else {
      CHECK(addrmap_reserve(&map));
      addrmap_put(&map, key_at(i), model[i] = step);
      count++;
    }
    CHECK_EQ(map.count, count);
  }
  for (size_t i = 1; i < KEYS; i++) CHECK_EQ(addrmap_get(&map, key_at(i)), model[i]);
  addrmap_finish(&map);
}

TEST(a_map_grows_from_nothing_and_forgets_all_on_finish) {
  addrmap map = {0};
  for (uint32_t i = 1; i < 20000; i++) {
    CHECK(addrmap_reserve(&map));
    addrmap_put(&map, (const void *)((uintptr_t)i * 64), i);
  }
  for (uint32_t i = 1; i < 20000; i++)
    CHECK_EQ(addrmap_get(&map, (const void *)((uintptr_t)i * 64)), i);
  addrmap_finish(&map);
  CHECK_EQ(map.count, 0u);
}
