/* SPDX-License-Identifier: MIT */
/*
 * Windows: 16 GiB of address space each, the unit in which a heap owns addresses.
 *
 *     0                       table of descriptors, one per 64 KiB of the window (144 MiB)
 *       of these, the ones that would describe the two tables hold the heap and the window instead
 *     OURO_TABLE_BYTES        table of remote frees, same shape (144 MiB)
 *     OURO_FIRST_ARENA ...    arenas, committed from low to high
 *
 * All of it is reserved, little of it is ever touched: 18 KiB of descriptors for each 2 MiB of
 * blocks.
 */
#ifndef OURO_SRC_POOL_WINDOW_H
#define OURO_SRC_POOL_WINDOW_H

#include "../os/os.h"
#include "tune.h"

struct heap;

/* One arena. Bit k of each set is pool k.
 *     idle is a subset of dirty is a subset of free */
typedef struct arena {
  uint32_t free;  /* pools not in use */
  uint32_t dirty; /* of these: touched and not returned */
  uint32_t idle;  /* of these: free since before the last tick */
  bool huge;      /* huge pages were asked for */
} arena;

typedef struct window {
  ouro_heap *heap;
  uint32_t number;                        /* among the heap's windows */
  uint32_t reserved;                      /* arenas [OURO_FIRST_ARENA, reserved) may be committed */
  uint32_t committed;                     /* arenas [OURO_FIRST_ARENA, committed) may be used */
  uint32_t tabled;                        /* descriptors of arenas below this are committed */
  uint32_t open_from;                     /* words of `open` below this are zero */
  uint64_t open[OURO_WINDOW_ARENAS / 64]; /* arenas with a free pool */
  arena arenas[OURO_WINDOW_ARENAS];
} window;

/* The heap lies at the start of its first window, the window's own data behind it. */
#define WINDOW_HEADER_AT ((size_t)32 << 10)

_Static_assert(WINDOW_HEADER_AT + sizeof(window) <=
                   OURO_FIRST_ARENA * OURO_ARENA_POOLS * sizeof(ouro_pool),
               "headers fit where no descriptor is needed");

static inline char *window_base(const window *w) { return (char *)(uintptr_t)w - WINDOW_HEADER_AT; }

static inline ouro_pool *window_pools(const window *w) {
  return (ouro_pool *)(void *)window_base(w);
}

/* The window a descriptor lies in, and what it describes. */
static inline window *window_of(const ouro_pool *pool) {
  uintptr_t base = (uintptr_t)pool & ~(uintptr_t)(OURO_WINDOW_BYTES - 1);
  return (window *)(base + WINDOW_HEADER_AT);
}

static inline arena *arena_of(const ouro_pool *pool) {
  return &window_of(pool)->arenas[pool->index / OURO_ARENA_POOLS];
}

static inline char *arena_start(const window *w, const arena *a) {
  return window_base(w) + (size_t)(a - w->arenas) * OURO_ARENA_BYTES;
}

static inline char *pool_start(const ouro_pool *pool) {
  return (char *)((uintptr_t)pool & ~(uintptr_t)(OURO_WINDOW_BYTES - 1)) +
         (size_t)pool->index * OURO_POOL_BYTES;
}

/* The descriptors of an arena's pools. */
static inline ouro_pool *arena_pools(const window *w, const arena *a) {
  return &window_pools(w)[(size_t)(a - w->arenas) * OURO_ARENA_POOLS];
}

/* Reserves the address space of a new window and commits its headers: all zero but for `number`.
 * The caller sets the heap. NULL: refused. */
window *window_new(uint32_t number);

/* Ends a window and everything in it. */
void window_free(window *w);

/* Commits the next arena, its pools all free and clean. NULL: the window is full or the system
 * refuses. */
arena *window_grow(window *w);

#endif
