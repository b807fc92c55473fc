/* SPDX-License-Identifier: MIT */
/*
 * The part of the pools that callers inline: the layouts the fast paths read, and the fast paths.
 * Included by <ouro/pool.h>; names here that pool.h does not document may change in any release.
 *
 * Address arithmetic. A heap owns *windows*: 16 GiB of address space, aligned to their size. A
 * window starts with one descriptor per 64 KiB of itself, so
 *
 *     descriptor of p = window of p + (p's offset in the window / 64 KiB) * sizeof(descriptor)
 *
 * and the descriptors that would describe the table itself are where the heap's own struct lies: a
 * heap *is* the start of its first window.
 *
 * The invariant of a pool in use, with [first, end) its usable block indexes and bit i of word w
 * standing for block 64 w + i:
 *
 *     used + popcount(free) == end - first          free: bits of blocks nobody holds
 *     live == used - blocks held in the class's bin - popcount(bits freed by other threads)
 *     bit w of summary is set  <=>  free[w] != 0
 *
 * Blocks lie at pool + i * size, so an index is one multiplication: i = offset * reciprocal >> 32.
 * Colouring skips the first blocks of a pool (indexes below `first` are never free), which keeps
 * this exact.
 */
#ifndef OURO_POOL_INLINE_H
#define OURO_POOL_INLINE_H

#define OURO_WINDOW_SHIFT 34
#define OURO_POOL_SHIFT 16
#define OURO_POOL_BYTES ((size_t)1 << OURO_POOL_SHIFT)
#define OURO_POOL_WORDS (OURO_POOL_BYTES / OURO_CLASS_BYTES / 64)

/* The descriptor of one pool. All zero: not in use; the fast path of a free then finds free[0] ==
 * 0 and turns to the slow one, as it does for pools whose heap must see every free: those keep
 * `reciprocal` and the first words at zero, and their bitmap behind. */
typedef struct ouro_pool {
  uint32_t reciprocal; /* ceil(2^32 / block size); 0: the fast path may not free here */
  uint32_t used;       /* usable blocks not in `free` */
  uint64_t summary;
  uint8_t state;    /* enum pool_state */
  uint8_t first;    /* first usable block index: the colour */
  uint16_t end;     /* behind the last block index */
  uint16_t size;    /* block size in bytes */
  uint8_t kind;     /* of its bin: what its blocks are to the layers above; 0: just blocks */
  uint8_t typed;    /* of its bin: it begins an ouro_type, all of whose objects lie in such pools */
  uint16_t touched; /* bit k: page k of the pool was touched and not returned since */
  uint16_t idle;    /* bit k: page k had no live block at the last tick, and none since */
  uint32_t index;   /* of this descriptor in its window */
  struct ouro_pool *next, *previous; /* the class's pools with free blocks */
  intptr_t bin;                      /* where its bin lies, in bytes from its window */
  uint32_t requested;                /* hardened heaps: bytes asked for in the live blocks */
  uint32_t withheld;                 /* hardened heaps: blocks in quarantine, which count as used */
  uint64_t free[OURO_POOL_WORDS];
} ouro_pool;

#define OURO_BIN_RECENT 32u

/* What the next allocations of one size class take: first the block freed last, then up to 64
 * blocks claimed from one bitmap word. Both count as used in their pools.
 *
 *     top == recent[count]          recent[0] == NULL          count <= room
 *
 * `top` repeats what `recent` says so that an allocation loads one word that the free just before
 * it stored, not two that depend on each other. Where every call must be slow, and in bins[0], all
 * of it stays 0.
 *
 * A heap has one bin for each size class; layers above may add bins with pools of their own. */
typedef struct ouro_bin {
  uint64_t bits;   /* bit i: the block at base + i * size is claimed and not yet handed out */
  uint32_t room;   /* how many blocks may be kept at hand */
  uint32_t count;  /* how many are */
  char *base;      /* block 0 of the claimed word */
  ouro_pool *pool; /* the pool claimed from; NULL: none */
  uint64_t size;   /* block size in bytes */
  void *top;       /* the block freed last; NULL: none is at hand */
  uint64_t taken;  /* blocks ever handed out: what a program makes again and again */
  ouro_pool *first, *last;           /* its other pools with free blocks, in order of use */
  uint64_t asked_bytes, asked_count; /* a sample of the requests */
  struct ouro_bin *next;             /* of the bins that were added to the heap */
  uint32_t cap;                      /* what `room` is where blocks may be kept */
  uint16_t kind, typed;              /* of its pools */
  void *recent[1 + OURO_BIN_RECENT];
} ouro_bin;

struct ouro_heap {
  ouro_heap *self;      /* first word of every window: the heap it belongs to */
  uint32_t no_room[14]; /* zero: what the bin of a descriptor that is not in use has for room */
  ouro_bin bins[OURO_CLASSES + 1]; /* by (size + 15) / 16; bins[0] is always empty */
  /* the rest is in src/pool/heap.h */
};

/* A block that the bin has at hand, or has claimed; NULL: neither. */
static inline void *ouro_bin_take(ouro_bin *bin) {
  void *block = bin->top;
  if (block) {
    bin->top = bin->recent[--bin->count];
    bin->taken++;
    return block;
  }
  uint64_t bits = bin->bits;
  if (OURO_UNLIKELY(bits == 0)) return NULL;
  bin->bits = bits & (bits - 1);
  bin->taken++;
  return bin->base + ouro_lowest_bit(bits) * bin->size;
}

/* Keeps a freed block at hand. False: there is no room. */
static inline bool ouro_bin_keep(ouro_bin *bin, void *block) {
  if (bin->count >= bin->room) return false;
  bin->recent[++bin->count] = block;
  bin->top = block;
  return true;
}

OURO_API void *ouro_alloc_slow(ouro_heap *heap, size_t size);
OURO_API void ouro_free_slow(ouro_heap *heap, void *block);
OURO_API void ouro_pool_emptied(ouro_heap *heap, ouro_pool *pool);

OURO_STATIC_ASSERT(sizeof(ouro_pool) % 64 == 0, "descriptors start on a cache line");
OURO_STATIC_ASSERT(offsetof(ouro_bin, room) == offsetof(ouro_heap, no_room), "bin 0 has no room");

static inline void *ouro_alloc(ouro_heap *heap, size_t size) {
  if (OURO_LIKELY(size <= OURO_SMALL_MAX)) {
    void *block = ouro_bin_take(&heap->bins[(size + OURO_CLASS_BYTES - 1) / OURO_CLASS_BYTES]);
    if (OURO_LIKELY(block != NULL)) return block;
  }
  return ouro_alloc_slow(heap, size);
}

static inline size_t ouro_block_size(const ouro_heap *heap, const void *block) {
  uintptr_t offset = (uintptr_t)block ^ (uintptr_t)heap;
  if (offset >> OURO_WINDOW_SHIFT) return ouro_usable_size(heap, block);
  const ouro_pool *pool = (const ouro_pool *)(const void *)heap + (offset >> OURO_POOL_SHIFT);
  return pool->reciprocal ? pool->size : ouro_usable_size(heap, block);
}

static inline void ouro_free(ouro_heap *heap, void *block) {
  uintptr_t offset = (uintptr_t)block ^ (uintptr_t)heap;
  if (OURO_UNLIKELY(offset >> OURO_WINDOW_SHIFT)) {
    ouro_free_slow(heap, block);
    return;
  }
  ouro_pool *pool = (ouro_pool *)(void *)heap + (offset >> OURO_POOL_SHIFT);
  if (ouro_bin_keep((ouro_bin *)(void *)((char *)heap + pool->bin), block)) return;
  uint64_t index = ((offset & (OURO_POOL_BYTES - 1)) * pool->reciprocal) >> 32;
  uint64_t *word = &pool->free[index / 64];
  uint64_t bits = *word;
  if (OURO_UNLIKELY(bits == 0)) {
    ouro_free_slow(heap, block);
    return;
  }
  *word = bits | (uint64_t)1 << (index % 64);
  if (OURO_UNLIKELY(--pool->used == 0)) ouro_pool_emptied(heap, pool);
}

#endif
