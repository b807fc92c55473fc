/* SPDX-License-Identifier: MIT */
#include "weakmap.h"

enum {
  WEAKMAP_FIRST_ROOM = 32,
  /* Slots of the old table moved with each change. A table shrinks when an eighth of its slots has
   * entries; if all go, it has to be moved before half of them are gone, to shrink again in time:
   * room slots in room / 16 changes. Growing would do with 2. */
  WEAKMAP_MOVED_AT_ONCE = 16,
  /* A table less than an eighth full shrinks to half: then a quarter full, as far from growing as
   * from shrinking again. */
  WEAKMAP_SHRINK_BELOW = 8
};

#define WAS_USED ((uintptr_t)1)

/* Objects are aligned to 16: the product's high bits mix all that say something. */
static size_t home_in(const weakmap_table *table, uintptr_t referent) {
  return (size_t)(((referent >> 4) * 0x9E3779B97F4A7C15u) >> 20) & (table->room - 1);
}

static weakmap_entry *find_in(const weakmap_table *table, uintptr_t referent) {
  if (!table->room) return NULL;
  size_t i = home_in(table, referent);
  for (;; i = (i + 1) & (table->room - 1)) {
    weakmap_entry *e = &table->entries[i];
    if (e->referent == referent) return e;
    if (e->referent == 0) return NULL;
  }
}

/* `now` has no used-up slots: its holes are closed, so the first free slot is the right one. */
static void put_now(weakmap *map, weakmap_entry entry) {
  size_t i = home_in(&map->now, entry.referent);
  while (map->now.entries[i].referent) i = (i + 1) & (map->now.room - 1);
  map->now.entries[i] = entry;
}

static void move_some(ouro_heap *heap, weakmap *map, size_t slots) {
  if (!map->old.room) return;
  for (; slots > 0 && map->moved < map->old.room; slots--) {
    weakmap_entry *e = &map->old.entries[map->moved++];
    if (e->referent <= WAS_USED) continue;
    put_now(map, *e);
    e->referent = WAS_USED; /* not 0: others may have been put behind it */
  }
  if (map->moved < map->old.room) return;
  ouro_free(heap, map->old.entries);
  map->old = (weakmap_table){0};
  map->moved = 0;
}

/* Begins to move to a table of `room` slots. */
static bool resize_map(ouro_heap *heap, weakmap *map, size_t room) {
  weakmap_table next = {ouro_calloc(heap, room, sizeof *next.entries), room};
  if (!next.entries) return false;
  move_some(heap, map, SIZE_MAX);
  map->old = map->now;
  map->now = next;
  return true;
}

bool weakmap_reserve(ouro_heap *heap, weakmap *map) {
  if ((map->count + 1) * 4 <= map->now.room * 3) return true;
  return resize_map(heap, map, map->now.room ? map->now.room * 2 : WEAKMAP_FIRST_ROOM);
}

void weakmap_put(ouro_heap *heap, weakmap *map, const ouro_object *referent,
                 struct weak_link *first) {
  move_some(heap, map, WEAKMAP_MOVED_AT_ONCE);
  put_now(map, (weakmap_entry){(uintptr_t)referent, first});
  map->count++;
}

struct weak_link **weakmap_find(const weakmap *map, const ouro_object *referent) {
  weakmap_entry *e = find_in(&map->now, (uintptr_t)referent);
  if (!e) e = find_in(&map->old, (uintptr_t)referent);
  return e ? &e->first : NULL;
}

/* Closes the hole: moves back each later entry of the run whose home does not lie behind it (Knuth,
 * TAOCP 6.4, algorithm R). */
static void close_gap(weakmap_table *table, size_t hole) {
  size_t mask = table->room - 1;
  for (size_t i = (hole + 1) & mask; table->entries[i].referent != 0; i = (i + 1) & mask) {
    size_t home = home_in(table, table->entries[i].referent);
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    table->entries[hole] = table->entries[i];
    hole = i;
  }
  table->entries[hole].referent = 0;
}

static void drop_tables(ouro_heap *heap, weakmap *map) {
  ouro_free(heap, map->now.entries);
  ouro_free(heap, map->old.entries);
  *map = (weakmap){0};
}

/* Where the smaller table is refused, the larger one serves on. */
static void shrink_map(ouro_heap *heap, weakmap *map) {
  if (map->now.room == WEAKMAP_FIRST_ROOM) return;
  if (map->count == 0) drop_tables(heap, map);
  else if (!map->old.room && map->count < map->now.room / WEAKMAP_SHRINK_BELOW)
    (void)resize_map(heap, map, map->now.room / 2);
}

void weakmap_remove(ouro_heap *heap, weakmap *map, const ouro_object *referent) {
  weakmap_entry *e = find_in(&map->now, (uintptr_t)referent);
  if (e) close_gap(&map->now, (size_t)(e - map->now.entries));
  else find_in(&map->old, (uintptr_t)referent)->referent = WAS_USED;
  map->count--;
  move_some(heap, map, WEAKMAP_MOVED_AT_ONCE);
  shrink_map(heap, map);
}

const weakmap_entry *weakmap_next(const weakmap *map, size_t *at) {
  while (*at < map->now.room + map->old.room) {
    size_t i = (*at)++;
    const weakmap_entry *e =
        i < map->now.room ? &map->now.entries[i] : &map->old.entries[i - map->now.room];
    if (e->referent > WAS_USED) return e;
  }
  return NULL;
}
