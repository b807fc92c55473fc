/* SPDX-License-Identifier: MIT */
/*
 * Ouro pools: memory for small blocks that are counted, walkable and given back.
 *
 * A *heap* takes 2 MiB *arenas* from the system, cuts them into 64 KiB *pools* and each pool into
 * *blocks* of one size class. Nothing about a block is stored in it: one bit in the pool's
 * descriptor, which lies in a table apart from the arenas, says whether it is free. That bitmap is
 * the free list.
 *
 * Threads: a heap belongs to one thread at a time, its owner. Every call below is for the owner,
 * unless its paragraph says "any thread". Different heaps never share anything and need no locks
 * between them.
 *
 * Failure: calls that hand out memory return NULL when the system, the heap's limit or an injected
 * fault says no. Nothing aborts, and the heap stays as it was.
 */
#ifndef OURO_POOL_H
#define OURO_POOL_H

#include <ouro/base.h>

OURO_BEGIN_DECLS

typedef struct ouro_heap ouro_heap;

/* Requests up to this many bytes are served from pools, larger ones by the system allocator. */
#define OURO_SMALL_MAX 512u
#define OURO_CLASS_BYTES 16u
#define OURO_CLASSES (OURO_SMALL_MAX / OURO_CLASS_BYTES)

/* --- Heaps ---------------------------------------------------------------------------------- */

/* When arenas ask the system for huge pages: by heap size (see src/pool/tune.h), never, always. */
typedef enum ouro_huge { OURO_HUGE_AUTO, OURO_HUGE_OFF, OURO_HUGE_ALWAYS } ouro_huge;

typedef enum ouro_misuse_kind {
  OURO_DOUBLE_FREE,
  OURO_FOREIGN_FREE,
  OURO_WRITE_PAST_END,
  OURO_WRITE_AFTER_FREE,
  OURO_WRONG_THREAD
} ouro_misuse_kind;

/* What a hardened heap found. `block` is the block's start (or the address as given, if it is
 * none), `pool` the start of its pool, `block_size` its size class in bytes (0: none). */
typedef struct ouro_misuse {
  ouro_misuse_kind kind;
  const char *heap_name;
  const void *address;
  const void *block;
  const void *pool;
  size_t block_size;
  size_t requested;
} ouro_misuse;

/* Called by the finding thread. If it returns, the call is ignored and the program goes on. */
typedef void (*ouro_misuse_fn)(void *ctx, const ouro_misuse *what);

typedef struct ouro_heap_options {
  const char *name; /* in reports and /proc/PID/maps; copied, at most 31 bytes; NULL: "heap" */
  size_t limit;     /* most bytes in pools and large blocks together; 0: no limit */
  size_t keep;      /* free bytes that decay leaves with the process; default 2 MiB */
  /* Free memory that is idle for this long (to twice this) goes back; default 250, 0: never. */
  uint32_t decay_ms;
  ouro_huge huge; /* huge-page policy */
  /* Calls come from several threads, ordered by a lock of the caller's (a GIL): a hardened heap
   * then does not check for the owner thread. */
  bool locked_by_caller;
  bool hardened;     /* detect double, foreign and late frees and overruns, by name; slower */
  size_t quarantine; /* hardened: bytes of freed blocks withheld from reuse; default 256 KiB */
  ouro_misuse_fn on_misuse; /* hardened: NULL prints one line to stderr and aborts */
  void *misuse_ctx;
} ouro_heap_options;

/* Fills `options` with the defaults above. Start from here, so that new fields keep old programs
 * right. */
OURO_API void ouro_heap_options_init(ouro_heap_options *options);

/* Makes a heap owned by the calling thread. `options` (borrowed; NULL: defaults) is read before
 * return. Reserves address space only; memory is taken as blocks are. Returns a new heap for
 * ouro_heap_destroy, or NULL where address space is refused. Any thread. */
OURO_API ouro_heap *ouro_heap_new(const ouro_heap_options *options);

/* Gives everything the heap holds back to the system at once, live blocks of any size included. No
 * block of it may be used afterwards and no other thread may be freeing into it. NULL: none. */
OURO_API void ouro_heap_destroy(ouro_heap *heap);

/* Makes the calling thread the owner and takes back what other threads freed, also frees that a
 * fork cut short. Call it in the child after fork (the heap is the child's own copy), or when a
 * heap is handed to another thread; the hand-over itself (a lock, a queue, a join) orders the
 * memory. */
OURO_API void ouro_heap_adopt(ouro_heap *heap);

/* Change a running heap. A limit below what is in use only stops growth. */
OURO_API void ouro_heap_set_limit(ouro_heap *heap, size_t bytes);
OURO_API void ouro_heap_set_keep(ouro_heap *heap, size_t bytes);
OURO_API void ouro_heap_set_decay(ouro_heap *heap, uint32_t milliseconds);

/* Makes the n-th allocation from now on fail (1: the next), and every `every`-th after it (0: only
 * that one). n = 0 ends the injection. For tests of out-of-memory paths. */
OURO_API void ouro_heap_fail(ouro_heap *heap, uint64_t n, uint64_t every);

/* --- Blocks --------------------------------------------------------------------------------- */

static inline void *ouro_alloc(ouro_heap *heap, size_t size);
static inline void ouro_free(ouro_heap *heap, void *block);

/* ouro_alloc: a block of at least `size` bytes (0 counts as 1), aligned to 16, contents undefined;
 * the caller owns it until ouro_free on the same heap. NULL: out of memory.
 *
 * ouro_free: ends a block of this heap; NULL has no effect. A block of another heap or allocator
 * is misuse: a hardened heap reports it, any other ignores it where it can tell (see ouro_owns). */

/* As ouro_alloc for count * size bytes, all zero. NULL also where the product overflows. */
OURO_API void *ouro_calloc(ouro_heap *heap, size_t count, size_t size);

/* Resizes `block` (NULL: as ouro_alloc), keeping the smaller of both sizes' contents. In place
 * where the new size fits the block and fills at least three quarters of it. On success the old
 * pointer is dead, on NULL it is still the caller's, unchanged. */
OURO_API void *ouro_realloc(ouro_heap *heap, void *block, size_t size);

/* As ouro_alloc, aligned to `alignment`, a power of two up to 1 GiB. NULL for any other alignment.
 */
OURO_API void *ouro_alloc_aligned(ouro_heap *heap, size_t alignment, size_t size);

/* Bytes that may be used in `block`, at least what was asked for. 0: not a live block of this
 * heap's. */
OURO_API size_t ouro_usable_size(const ouro_heap *heap, const void *block);

/* The same for a block that the caller knows to be live, without looking: cheap enough for every
 * realloc. */
static inline size_t ouro_block_size(const ouro_heap *heap, const void *block);

/* Whether `address` lies in a pool in use or at the start of a large block of this heap. Any value
 * may be asked for, in constant time; nothing is read through it. */
OURO_API bool ouro_owns(const ouro_heap *heap, const void *address);

/* Frees a block from a thread that is not the owner: one atomic bit is set, the owner takes the
 * block back when it next needs blocks. Any thread. */
OURO_API void ouro_free_remote(ouro_heap *heap, void *block);

/* --- Giving back ---------------------------------------------------------------------------- */

/* Returns free memory that has been idle for the decay time: whole arenas, pools, and the pages
 * inside a pool on which nothing lives. Stops after about `budget_ns` and goes on there next time.
 * The heap does this by itself when it takes or loses pools; a program that goes idle calls it
 * from its timer. Returns the bytes given back by this call. */
OURO_API size_t ouro_heap_tick(ouro_heap *heap, uint64_t budget_ns);

/* Returns all free memory now, whatever its age and the `keep` setting. Returns the bytes given
 * back. */
OURO_API size_t ouro_heap_give_back(ouro_heap *heap);

/* Whether a tick would find work: free memory is waiting for its decay time. Any thread, constant
 * time. */
OURO_API bool ouro_heap_wants_tick(const ouro_heap *heap);

/* --- Walking -------------------------------------------------------------------------------- */

typedef struct ouro_block {
  void *address;
  size_t size; /* usable bytes */
} ouro_block;

/* A position in a heap; all zero is the start. Holds no pointer, so it stays valid while the heap
 * is used. */
typedef struct ouro_walk {
  uint64_t at;
} ouro_walk;

/* Writes up to `room` live blocks from the position on into `out` and moves the position behind
 * them. Returns how many; 0: the end. Blocks that live through the whole walk are seen exactly
 * once, blocks allocated or freed meanwhile once or not at all. `room` must be at least 64. */
OURO_API size_t ouro_walk_next(ouro_heap *heap, ouro_walk *position, ouro_block *out, size_t room);

/* --- Numbers -------------------------------------------------------------------------------- */

/* All in bytes unless named otherwise. Two sums hold exactly:
 *
 *     live     = requested + rounding
 *     resident = live + held + purgeable + pinned + waste + metadata
 *
 * `requested` is estimated from a sample of the requests of each size class (one in 64 or so),
 * except in a hardened heap, where it is exact; `live` is always exact. `resident` is what the heap
 * has touched and not returned; large blocks are the system allocator's and counted apart. */
typedef struct ouro_heap_stats {
  uint64_t live;      /* blocks handed out and not freed, at their class size */
  uint64_t requested; /* of it: asked for */
  uint64_t rounding;  /* of it: lost to rounding up to the size class */
  uint64_t held; /* free blocks on touched pages, claimed for the next allocations or quarantined */
  uint64_t purgeable;     /* pages without a live block: what ouro_heap_give_back would return */
  uint64_t pinned;        /* free blocks on pages that a live block keeps */
  uint64_t waste;         /* ends and colouring of pools in use */
  uint64_t metadata;      /* descriptors and the heap itself */
  uint64_t resident;      /* the sum */
  uint64_t committed;     /* address space that may be touched */
  uint64_t returned;      /* given back to the system since the heap was made */
  uint64_t peak_pools;    /* most bytes in pools in use at once */
  uint64_t large;         /* requests above OURO_SMALL_MAX: bytes asked for */
  uint64_t live_blocks;   /* count */
  uint64_t large_blocks;  /* count */
  uint64_t pools;         /* count, in use */
  uint64_t arenas;        /* count, with a pool in use */
  uint64_t pinned_arenas; /* count, of these: at least half of the bytes are free */
  uint64_t remote_frees;  /* count, since the heap was made; large ones once they are taken back */
  uint64_t allocated;     /* count, small blocks handed out since the heap was made */
} ouro_heap_stats;

/* Fills `out` from one pass over the descriptors. Any thread: while the owner works on, single
 * numbers may be a moment old, but the sums hold. */
OURO_API void ouro_heap_stats_read(const ouro_heap *heap, ouro_heap_stats *out);

typedef struct ouro_class_stats {
  uint64_t block_size;
  uint64_t live_blocks;
  uint64_t live;
  uint64_t requested;
  uint64_t pinned;
  uint64_t purgeable;
  uint64_t pools;
  uint64_t allocated; /* count, since the heap was made */
} ouro_class_stats;

/* The same for each size class: out[i] is the class of (i + 1) * 16 bytes. Any thread. */
OURO_API void ouro_heap_class_stats(const ouro_heap *heap, ouro_class_stats out[OURO_CLASSES]);

/* A piece of address space that the heap may touch. */
typedef struct ouro_range {
  void *start;
  size_t size;
} ouro_range;

/* Writes up to `room` ranges that hold the heap's pools and descriptors (not its large blocks)
 * into `out` and returns how many there are, at most 3 per 16 GiB of pools. Any thread. */
OURO_API size_t ouro_heap_ranges(const ouro_heap *heap, ouro_range *out, size_t room);

/* Checks every invariant of the heap. NULL: all hold; else a static text naming the first that
 * does not. Time proportional to the heap. For tests and for programs that suspect corruption. */
OURO_API const char *ouro_heap_check(ouro_heap *heap);

#include <ouro/pool_inline.h>

OURO_END_DECLS

#endif
