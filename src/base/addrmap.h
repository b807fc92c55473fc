/* SPDX-License-Identifier: MIT */
/*
 * A map from addresses to 32-bit numbers: open addressing, linear probing, deletion by shifting
 * back (Knuth, TAOCP 6.4, algorithm R), so that there are no tombstones and lookups stay short.
 *
 *     count <= 3/4 * room, room is a power of two or 0
 */
#ifndef OURO_SRC_BASE_ADDRMAP_H
#define OURO_SRC_BASE_ADDRMAP_H

#include <ouro/base.h>

typedef struct addrmap_entry {
  uintptr_t key; /* 0: empty */
  uint32_t value;
} addrmap_entry;

typedef struct addrmap {
  addrmap_entry *entries;
  size_t room, count;
} addrmap;

#define ADDRMAP_NONE UINT32_MAX

/* All zero is an empty map. */
void addrmap_finish(addrmap *map);

/* Makes room for one more entry, so that the next addrmap_put cannot fail. False: out of memory. */
bool addrmap_reserve(addrmap *map);

/* Adds a key that is not in the map, after a successful addrmap_reserve. */
void addrmap_put(addrmap *map, const void *key, uint32_t value);

/* The value, or ADDRMAP_NONE. */
uint32_t addrmap_get(const addrmap *map, const void *key);

/* Removes the key and returns its value, or ADDRMAP_NONE. */
uint32_t addrmap_take(addrmap *map, const void *key);

#endif
