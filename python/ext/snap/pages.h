/* SPDX-License-Identifier: MIT */
/*
 * Memory for a snapshot in progress: pages from the system, given back all at once. Whoever gets
 * none sets `failed`, and the snapshot ends with that.
 */
#ifndef OURO_EXT_SNAP_PAGES_H
#define OURO_EXT_SNAP_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ouro/pool.h>

typedef struct snappages {
  struct snapchunk *chunks;
  char *at, *end;
  size_t bytes; /* asked of the system */
  bool failed;
} snappages;

/* Zeroed, aligned to 16; NULL: refused. */
void *snappages_take(snappages *from, size_t size);
void snappages_finish(snappages *from);

/* An array that grows; all zero is the empty one. */
typedef struct snaparray {
  void *items;
  size_t count, room; /* of items; `room` of bytes */
} snaparray;

/* Makes room for `count` more items of `size` bytes. False: refused. */
bool snaparray_grow(snaparray *a, size_t size, size_t count, snappages *from);
void snaparray_finish(snaparray *a);

static inline bool snaparray_reserve(snaparray *a, size_t size, size_t count, snappages *from) {
  return (a->count + count) * size <= a->room || snaparray_grow(a, size, count, from);
}

/* A set of addresses of objects, one bit for 16 bytes: no two objects share one. Those of the
 * heap's window have a bitmap of their own, of which only what is used takes memory; others are
 * found through a hash table. */
#define SNAPSET_PAGE_SHIFT 16
#define SNAPSET_PAGE_WORDS ((1u << SNAPSET_PAGE_SHIFT) / 16 / 64)

typedef struct snapset_page {
  uintptr_t number; /* address >> SNAPSET_PAGE_SHIFT */
  uint64_t bits[SNAPSET_PAGE_WORDS];
} snapset_page;

typedef struct snapset {
  snappages *pages;
  uintptr_t window;
  uint64_t *near; /* NULL: the window's addresses are in the table too */
  snapset_page **slots;
  size_t room, count;
  snapset_page *last;
} snapset;

/* `window`: where the heap's begins, or 0. */
void snapset_begin(snapset *set, uintptr_t window, snappages *pages);
void snapset_finish(snapset *set);
uint64_t *snapset_far_word(snapset *set, uintptr_t address);

static inline uint64_t *snapset_near_word(const snapset *set, uintptr_t address) {
  uintptr_t offset = address ^ set->window;
  return set->near && offset >> OURO_WINDOW_SHIFT == 0 ? &set->near[offset / 16 / 64] : NULL;
}

/* Where the bit of an address is; NULL: no memory for it. */
static inline uint64_t *snapset_word(snapset *set, uintptr_t address) {
  uint64_t *near = snapset_near_word(set, address);
  return near ? near : snapset_far_word(set, address);
}

static inline uint64_t snapset_bit(uintptr_t address) { return (uint64_t)1 << (address / 16 % 64); }

/* Adds an address; whether it was new. Without memory nothing is new. */
static inline bool snapset_add(snapset *set, const void *at) {
  uint64_t *word = snapset_word(set, (uintptr_t)at), bit = snapset_bit((uintptr_t)at);
  if (!word || *word & bit) return false;
  *word |= bit;
  return true;
}

static inline bool snapset_has(snapset *set, const void *at) {
  const uint64_t *word = snapset_word(set, (uintptr_t)at);
  return word && *word & snapset_bit((uintptr_t)at);
}

#endif
