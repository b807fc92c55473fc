/* SPDX-License-Identifier: MIT */
/* The heap as its own parts see it. */
#ifndef OURO_SRC_POOL_HEAP_H
#define OURO_SRC_POOL_HEAP_H

#include <stdatomic.h>

#include "../base/addrmap.h"
#include "window.h"

/* 8 TiB of small blocks: far beyond any machine, and the array stays in one page. */
#define HEAP_WINDOWS_MAX 512u

/* A large block's record; `live` false: on the chain of free records. */
typedef struct large {
  void *address;
  size_t size;
  uint32_t next_free;
  bool live;
} large;

typedef struct quarantine {
  void **ring; /* room entries, a power of two; entries [head, tail) modulo room are withheld */
  size_t room, head, tail, bytes;
} quarantine;

typedef struct heap {
  ouro_heap open; /* the part that callers inline; must be first */

  /* Options. */
  char name[32];
  size_t limit, keep, quarantine_limit;
  uint64_t decay_ns;
  ouro_huge huge;
  bool hardened, locked_by_caller;
  bool annotated;  /* a tool watches: every block is announced */
  bool slow_frees; /* hardened or annotated: pools keep frees off the fast path */
  ouro_misuse_fn on_misuse;
  void *misuse_ctx;
  uint64_t secret; /* hardened: makes trailers hard to forge */
  uintptr_t owner;
  uint64_t process; /* where the heap was made or adopted last */
  size_t page, pool_pages;
  unsigned page_shift;

  /* Address space. */
  uint32_t window_count, colour;
  window *windows[HEAP_WINDOWS_MAX];
  uint64_t window_set[((size_t)1 << 47) / OURO_WINDOW_BYTES / 64]; /* by address / 16 GiB */

  /* Pools. */
  ouro_bin *added; /* bins of the layers above, the last one first */
  void *above;     /* state of the layer above, and what ends it with the heap */
  void (*ending)(struct heap *h);
  uint64_t pools, peak_pools; /* counts of pools in use */
  uint64_t arenas_committed;

  /* Large blocks: records keep their place, so that walks can use indexes. */
  addrmap large_map;
  large *large;
  uint32_t large_room, large_end, large_free;
  uint64_t large_bytes, large_count;

  /* Faults: allocations until the next one that fails, 0: none. */
  uint64_t fail_in, fail_every;
  uint64_t faults; /* injected so far */
  bool watched;    /* every allocation is to be slow */

  /* Giving back; see purge.c. */
  uint64_t returned;
  uint64_t events;          /* slow paths so far: whatever frees memory passes one now and then */
  uint64_t events_at_round; /* when the last round began */
  uint64_t next_clock;      /* look at the clock when `events` gets here */
  uint64_t round_began, round_spent, next_round;
  uint64_t idle_seen; /* bytes this round left to age */
  uint64_t allowance; /* bytes this round may still purge */
  uint32_t round_window, round_arena;
  bool in_round, waiting; /* waiting: the last round left memory to age */

  quarantine quarantine;
  uint64_t remote_taken; /* blocks that other threads freed and the owner has taken back */

  /* Written by other threads; on lines of their own. */
  _Alignas(64) _Atomic(uintptr_t) remote_pools; /* chain of descriptors with remote frees */
  _Atomic(uintptr_t) remote_large;              /* chain through freed large blocks */
} heap;

_Static_assert(sizeof(heap) <= WINDOW_HEADER_AT, "the heap fits before its window's header");
_Static_assert(offsetof(heap, open) == 0, "a heap's address is its public part's");

/* For every bin of the heap: ouro_bin *b = heap_bins(h); b; b = heap_next_bin(h, b). */
static inline ouro_bin *heap_bins(const heap *h) { return (ouro_bin *)(uintptr_t)&h->open.bins[1]; }

static inline ouro_bin *heap_next_bin(const heap *h, const ouro_bin *bin) {
  const ouro_bin *last = &h->open.bins[OURO_CLASSES];
  if (bin >= h->open.bins && bin < last) return (ouro_bin *)(uintptr_t)(bin + 1);
  return bin == last ? __atomic_load_n(&h->added, __ATOMIC_ACQUIRE) : bin->next;
}

static inline ouro_bin *heap_bin_of(const ouro_pool *pool) {
  uintptr_t window = (uintptr_t)pool & ~(uintptr_t)(OURO_WINDOW_BYTES - 1);
  return (ouro_bin *)(window + (uintptr_t)pool->bin);
}

static inline heap *heap_in(const ouro_heap *h) { return (heap *)(uintptr_t)h; }

/* Any thread: the set only grows, and whoever holds a block of a window has seen it added. */
static inline bool heap_has_window(const heap *h, const void *p) {
  uintptr_t slot = (uintptr_t)p >> OURO_WINDOW_SHIFT;
  if (slot >= sizeof h->window_set * 8) return false;
  return __atomic_load_n(&h->window_set[slot / 64], __ATOMIC_RELAXED) >> (slot % 64) & 1;
}

/* The descriptor that belongs to an address in one of the heap's windows. */
static inline ouro_pool *heap_slot_of(const void *p) {
  uintptr_t base = (uintptr_t)p & ~(uintptr_t)(OURO_WINDOW_BYTES - 1);
  return (ouro_pool *)base + (((uintptr_t)p - base) >> OURO_POOL_SHIFT);
}

/* The descriptor of the pool in use that p lies in, or NULL. */
ouro_pool *heap_pool_at(const heap *h, const void *p);

/* Makes a new window the heap's. The first one also holds it: its first word is `self`. */
void heap_own_window(heap *h, window *w);

/* A pool to use, its descriptor reset; NULL: the limit or the system says no. */
ouro_pool *heap_take_pool(heap *h);

/* The reverse: no block of the pool is held by anyone. */
void heap_return_pool(heap *h, ouro_pool *pool);

/* How many freed blocks of a size may be kept at hand. */
uint32_t heap_recent_room(size_t size);

/* Bins keep nothing at hand where every allocation or free must be seen. */
void heap_set_room(const heap *h, ouro_bin *bin);

/* Makes every allocation take the slow path, or not. */
void heap_watch(heap *h, bool watched);

/* Whether `more` bytes stay within the limit. */
bool heap_allows(const heap *h, size_t more);

/* Whether the calling thread may use the heap. */
static inline bool heap_is_mine(const heap *h) {
  return h->locked_by_caller || h->owner == os_thread_id();
}

/* Counts an allocation for fault injection; true: this one must fail. */
bool heap_fault(heap *h);

#endif
