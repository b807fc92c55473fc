/* SPDX-License-Identifier: MIT */
#include "addrmap.h"

#include <stdlib.h>

#include "assert.h"

/* Blocks are aligned to 16: the low bits say nothing, the product's high ones mix all others. */
static size_t home_of(const addrmap *map, uintptr_t key) {
  return (size_t)(((key >> 4) * 0x9E3779B97F4A7C15u) >> 20) & (map->room - 1);
}

static size_t find(const addrmap *map, uintptr_t key) {
  size_t i = home_of(map, key);
  while (map->entries[i].key != 0 && map->entries[i].key != key) i = (i + 1) & (map->room - 1);
  return i;
}

void addrmap_finish(addrmap *map) {
  free(map->entries);
  *map = (addrmap){0};
}

static bool grow_map(addrmap *map) {
  addrmap larger = {.room = map->room ? map->room * 2 : 64};
  larger.entries = calloc(larger.room, sizeof *larger.entries);
  if (!larger.entries) return false;
  for (size_t i = 0; i < map->room; i++)
    if (map->entries[i].key)
      addrmap_put(&larger, (void *)map->entries[i].key, map->entries[i].value);
  free(map->entries);
  *map = larger;
  return true;
}

bool addrmap_reserve(addrmap *map) {
  return (map->count + 1) * 4 <= map->room * 3 || grow_map(map);
}

void addrmap_put(addrmap *map, const void *key, uint32_t value) {
  size_t i = find(map, (uintptr_t)key);
  OURO_CHECK(map->entries[i].key == 0);
  map->entries[i] = (addrmap_entry){(uintptr_t)key, value};
  map->count++;
}

uint32_t addrmap_get(const addrmap *map, const void *key) {
  if (map->count == 0 || !key) return ADDRMAP_NONE;
  const addrmap_entry *e = &map->entries[find(map, (uintptr_t)key)];
  return e->key ? e->value : ADDRMAP_NONE;
}

/* Closes the hole at i: moves back each later entry of the run whose home does not lie behind the
 * hole. */
static void close_hole(addrmap *map, size_t hole) {
  size_t mask = map->room - 1;
  for (size_t i = (hole + 1) & mask; map->entries[i].key != 0; i = (i + 1) & mask) {
    size_t home = home_of(map, map->entries[i].key);
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    map->entries[hole] = map->entries[i];
    hole = i;
  }
  map->entries[hole].key = 0;
}

uint32_t addrmap_take(addrmap *map, const void *key) {
  if (map->count == 0 || !key) return ADDRMAP_NONE;
  size_t i = find(map, (uintptr_t)key);
  if (map->entries[i].key == 0) return ADDRMAP_NONE;
  uint32_t value = map->entries[i].value;
  close_hole(map, i);
  map->count--;
  return value;
}
