/* SPDX-License-Identifier: MIT */
/*
 * Which addresses hold an object of CPython's oldest generation: the one thing that makes it safe
 * to look at an address a slice later.
 *
 *     bit(a) = 1  =>  at a is the collector's head of an object that was found in the oldest
 *                     generation, whose block has not been freed since
 *
 * So the object may have been untracked meanwhile, or lie in one of CPython's free lists, but its
 * head and type can be read. Bits are set by who walks the generation's list, and cleared by the
 * allocator hook, which sees every free and every realloc. One bit stands for 16 bytes; two objects
 * never share one.
 *
 * The heap's first window has one table for all of it, which takes memory where bits are set.
 * Objects elsewhere (older than the hook, or larger than the pools' blocks) lie in *regions* of 1
 * MiB that are found through a hash table.
 */
#ifndef OURO_EXT_GC_KNOWN_H
#define OURO_EXT_GC_KNOWN_H

#include <ouro/pool.h>

#include "list.h"
#include "pool/pool.h"

#define GCKNOWN_REGION_SHIFT 20
#define GCKNOWN_REGION_WORDS (((size_t)1 << GCKNOWN_REGION_SHIFT) / 16 / 64)
#define GCKNOWN_REGIONS 4096u /* beyond, objects stay unknown */
#define GCKNOWN_PLACES (4 * GCKNOWN_REGIONS)

/* In how many units of 16 bytes from a block's start a head may lie: behind two words for
 * instances, and behind the debug hooks' own. */
#define GCKNOWN_OFFSETS 3u

typedef struct gcknown {
  uintptr_t window;  /* the heap's first one, which begins with the heap; 0: off */
  uint64_t *near;    /* bit by (address - window) / 16 */
  uint64_t *far;     /* the same by region, one behind the other */
  uint64_t *places;  /* region's number << 16 | its index + 1; 0: empty */
  uint64_t *numbers; /* of the regions: address >> GCKNOWN_REGION_SHIFT */
  uint32_t regions;
  uint32_t offsets; /* a mask: which of GCKNOWN_OFFSETS may be */
  size_t highest;   /* words of `near` from here on are zero */
  size_t count;     /* bits set */
  size_t strangers; /* objects refused since the start: not from this allocator */
} gcknown;

extern gcknown gcknown_all;

/* Maps the tables. `debug`: CPython's debug hooks lie between it and the heap. False: no memory. */
bool gcknown_start(const ouro_heap *heap, bool debug);

/* Notes an object of the oldest generation, if it comes from the allocator that is watched and
 * there is room; else nobody will find it by its address. */
static inline void gcknown_add(PyObject *o);

/* Forgets one object. */
void gcknown_forget(const PyObject *o);

/* Forgets all, when CPython takes its objects out of the generations (gc.freeze). */
void gcknown_forget_all(void);

/* Memory that the tables take, in bytes, about. */
size_t gcknown_bytes(void);

void gcknown_add_slowly(PyObject *o);

/* A block that lies anywhere is about to be freed or resized. */
void gcknown_freed(const void *block);

static inline uint64_t gcknown_place(uintptr_t number) {
  return number * UINT64_C(0x9E3779B97F4A7C15) >> 50;
}

_Static_assert(GCKNOWN_PLACES == 1 << (64 - 50), "the hash has as many bits as the table");

/* The index of the region an address lies in; GCKNOWN_REGIONS: it has none. */
static inline uint32_t gcknown_region(uintptr_t address) {
  uintptr_t number = address >> GCKNOWN_REGION_SHIFT;
  const uint64_t *places = gcknown_all.places;
  for (uint64_t i = gcknown_place(number);; i = (i + 1) % GCKNOWN_PLACES) {
    if (OURO_LIKELY(places[i] >> 16 == number && places[i]))
      return (uint32_t)(places[i] & 0xffff) - 1;
    if (!places[i]) return GCKNOWN_REGIONS;
  }
}

/* The head lies where CPython puts it in a block. Others carve objects out of larger blocks, whose
 * end is not seen. */
static inline bool gcknown_begins_block(uintptr_t head) {
  const ouro_pool *pool = heap_slot_of((const void *)head);
  if (pool->state == POOL_UNUSED) return false;
  uintptr_t block = (uintptr_t)pool_block(pool, pool_index_of(pool, (const void *)head));
  uintptr_t units = (head - block) / 16;
  return units < GCKNOWN_OFFSETS && (gcknown_all.offsets >> units & 1);
}

static inline void gcknown_set(uint64_t *word, size_t unit) {
  uint64_t bit = (uint64_t)1 << unit % 64;
  gcknown_all.count += !(*word & bit);
  *word |= bit;
}

static inline void gcknown_set_near(size_t unit) {
  gcknown *k = &gcknown_all;
  gcknown_set(&k->near[unit / 64], unit);
  if (OURO_UNLIKELY(unit / 64 >= k->highest)) k->highest = unit / 64 + 1;
}

static inline void gcknown_add(PyObject *o) {
  uintptr_t head = (uintptr_t)gclink_of(o), offset = head ^ gcknown_all.window;
  bool near = offset >> OURO_WINDOW_SHIFT == 0 && head % 16 == 0;
  if (OURO_LIKELY(near && Py_TYPE(o)->tp_free == PyObject_GC_Del && gcknown_begins_block(head)))
    gcknown_set_near(offset / 16);
  else gcknown_add_slowly(o);
}

/* The block at this unit ends; bit i of `heads`: a head may be i units further. Small blocks that
 * end with their pool have no object, but the next pool's first may be one. */
static inline void gcknown_clear(size_t unit, unsigned heads) {
  size_t head = unit + ouro_lowest_bit(heads);
  if (OURO_UNLIKELY((unit ^ head) >= OURO_POOL_BYTES / 16)) return;
  gcknown_all.near[head / 64] &= ~((uint64_t)1 << head % 64);
  gcknown_all.count--;
}

/* Where known heads may lie in the block that is so far from the window's start: bit i, i units on.
 * Of small blocks also in the next one. */
static inline unsigned gcknown_heads(uintptr_t offset) {
  uint16_t bits; /* the bit of the block's start and the next seven, at least */
  memcpy(&bits, (const char *)gcknown_all.near + (offset >> 7), sizeof bits);
  return bits >> (offset >> 4 & 7) & gcknown_all.offsets;
}

/* A block of the first window is about to be freed or resized. */
static inline void gcknown_freed_near(const void *block) {
  uintptr_t offset = (uintptr_t)block ^ gcknown_all.window;
  unsigned heads = gcknown_heads(offset);
  if (heads) gcknown_clear(offset >> 4, heads);
}

#endif
