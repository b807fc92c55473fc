/* SPDX-License-Identifier: MIT */
/*
 * The runtime's own state, and where objects lie.
 *
 * A *slot* is the place of an object as a number: page * 4096 + block index. The pages of window k
 * are the numbers [k, k + 1) * 2^18, one per pool; the numbers of the pools where the first window
 * keeps its tables, which never hold blocks, stand for objects too large for a pool. Those of other
 * windows' tables stand for nothing, as do those behind the last arena of a window: a heap goes on
 * in a new one where the last cannot grow, be it full or not.
 *
 * Which objects are young is said twice: in a header (generation 0) and in the bitmaps of its page,
 * so that a young collection finds them without looking at others.
 *
 *     a live tracked object of generation 0  =>  its bit in young is set
 *     a live tracked object of generation 1  =>  its bit in middle is set; of 2: neither is
 *     word[w].young != 0  =>  bit w of young_words is set, the same for middle
 *     young_words | middle_words != 0  =>  the page is on the list of young pages
 */
#ifndef OURO_SRC_OBJECT_STATE_H
#define OURO_SRC_OBJECT_STATE_H

#include "../cycle/embedder.h"
#include "objectlist.h"
#include "tune.h"
#include "type.h"
#include "../pool/bin.h"
#include "../pool/pool.h"

/* What the blocks of a pool are. */
enum { KIND_RAW, KIND_LEAF, KIND_TRACKED };

#define PAGE_SHIFT 12
#define WINDOW_PAGES_SHIFT (OURO_WINDOW_SHIFT - OURO_POOL_SHIFT)
#define WINDOW_PAGES ((uint64_t)1 << WINDOW_PAGES_SHIFT)
#define BIG_PAGES (OURO_FIRST_ARENA * OURO_ARENA_POOLS)

_Static_assert(1u << PAGE_SHIFT == CYCLE_PAGE_SLOTS, "a page's slots are the collector's");
_Static_assert(OURO_POOL_BYTES / OURO_CLASS_BYTES <= CYCLE_PAGE_SLOTS,
               "a pool's blocks fit a page");

typedef struct page {
  uint64_t young_words, middle_words;
  uint64_t aging_words; /* words whose young objects the collection that runs moves up */
  uint32_t next;        /* on the list of young pages: number + 1 */
  bool listed;
  struct {
    uint64_t young, middle;
  } word[CYCLE_PAGE_SLOTS / 64];
} page;

/* Objects too large for a pool, 4096 at a time. */
typedef struct big_page {
  uint64_t live[CYCLE_PAGE_SLOTS / 64];
  ouro_object *at[CYCLE_PAGE_SLOTS];
} big_page;

/* What lies before such an object. */
typedef struct big_prefix {
  runtime *rt;
  uint64_t slot;
} big_prefix;

typedef struct collector collector; /* gc.c */

struct runtime {
  heap *heap;
  const char *error;
  type *builtin[BUILTINS];
  void *part[PARTS];
  uint32_t type_count;

  /* Bins of objects whose size differs, by kind - 1 and size class. */
  ouro_bin shared[2][OURO_CLASSES + 1];

  /* Pages. */
  page *pages[HEAP_WINDOWS_MAX];
  uint32_t page_room[HEAP_WINDOWS_MAX];
  uint32_t young_first; /* number + 1 of the first page with young or middle objects */
  uint64_t young_count; /* blocks taken for tracked objects since the last young collection */
  big_page *big[BIG_PAGES];
  uint64_t big_free; /* the lowest slot of a big page that may be free */

  /* Destruction: nested calls, and objects whose turn comes when these have returned. */
  uint32_t depth;
  object_list deferred;

  collector *gc;
  uint64_t faults_seen; /* injected faults so far: they are meant to be seen by the program */
  bool untracked;       /* ouro_untrack was called: not every live object of a tracked type is */

  /* The permanent generation: bits by slot, for the pages of each window that existed then. */
  uint64_t frozen_count;
  uint64_t *frozen[HEAP_WINDOWS_MAX];
  uint64_t frozen_words[HEAP_WINDOWS_MAX];

  type *types[UINT16_MAX + 1];
};

static inline runtime *runtime_in(const ouro_heap *heap) { return heap_in(heap)->above; }

static inline bool object_is_big(const ouro_object *o) { return o->flags & OURO_FLAG_LARGE; }

static inline big_prefix *big_prefix_of(const ouro_object *o) {
  return (big_prefix *)(uintptr_t)o - 1;
}

/* The heap of any object: the first word of its window, or of its prefix. */
static inline runtime *runtime_of(const ouro_object *o) {
  if (OURO_UNLIKELY(object_is_big(o))) return big_prefix_of(o)->rt;
  uintptr_t base = (uintptr_t)o & ~(uintptr_t)(OURO_WINDOW_BYTES - 1);
  return runtime_in(*(ouro_heap **)base);
}

static inline type *type_of(const runtime *rt, const ouro_object *o) { return rt->types[o->type]; }

static inline unsigned generation_of(const ouro_object *o) {
  return o->flags & OURO_FLAG_GENERATION;
}

static inline void set_generation(ouro_object *o, unsigned generation) {
  o->flags = (uint8_t)((o->flags & ~OURO_FLAG_GENERATION) | generation);
}

/* The type of an object in a pool that holds no other's: no need to look at the object. */
static inline const type *pooled_type(const ouro_pool *pool) {
  return (const type *)(const void *)heap_bin_of(pool);
}

/* After the program's code had an object with a count of 1 for itself: takes that back. True: the
 * code has made the object reachable, or immortal. */
static inline bool object_still_held(ouro_object *o) {
  return o->count >= OURO_IMMORTAL || --o->count > 0;
}

/* Whether somebody may hold the object in a block that its pool says is in use. */
static inline bool header_alive(const ouro_object *o) {
  return o->count != 0 && !(o->flags & OURO_FLAG_DYING);
}

/* The slot of an object in a pool. */
static inline uint64_t pooled_slot(const ouro_pool *pool, const void *o) {
  uint64_t number = ((uint64_t)window_of(pool)->number << WINDOW_PAGES_SHIFT) + pool->index;
  return number << PAGE_SHIFT | pool_index_of(pool, o);
}

/* The slot of an object of any kind. */
static inline uint64_t slot_of(const ouro_object *o) {
  if (OURO_UNLIKELY(object_is_big(o))) return big_prefix_of(o)->slot;
  return pooled_slot(heap_slot_of(o), o);
}

static inline bool page_is_big(uint64_t number) { return number < BIG_PAGES; }

static inline uint64_t page_window(uint64_t number) { return number >> WINDOW_PAGES_SHIFT; }

/* Its place in its window. */
static inline uint64_t page_index(uint64_t number) { return number & (WINDOW_PAGES - 1); }

/* Whether a page is a pool, in use or not. */
static inline bool page_is_pool(const runtime *rt, uint64_t number) {
  const window *w = rt->heap->windows[page_window(number)];
  uint64_t index = page_index(number);
  return index >= BIG_PAGES && index < w->committed * OURO_ARENA_POOLS;
}

static inline ouro_pool *page_pool(const runtime *rt, uint64_t number) {
  if (OURO_LIKELY(page_window(number) == 0)) return (ouro_pool *)(void *)rt->heap + number;
  return &window_pools(rt->heap->windows[page_window(number)])[page_index(number)];
}

static inline page *page_at(const runtime *rt, uint64_t number) {
  return &rt->pages[page_window(number)][page_index(number)];
}

/* Bits of a word of slots that hold an object of the kind, or did and are at hand for the next. The
 * page is a pool or big. */
uint64_t page_used_big(const runtime *rt, uint64_t word, unsigned kind);
static inline uint64_t page_used(const runtime *rt, uint64_t word, unsigned kind) {
  if (OURO_UNLIKELY(page_is_big(word / 64))) return page_used_big(rt, word, kind);
  const ouro_pool *pool = page_pool(rt, word / 64);
  unsigned w = word % 64;
  return pool->kind == kind ? pool_usable_word(pool, w) & ~pool_words(pool)[w] : 0;
}

/* The object in a slot of a pool or of a big page that is in use. */
static inline ouro_object *slot_object(const runtime *rt, uint64_t slot) {
  uint64_t number = slot >> PAGE_SHIFT;
  unsigned index = slot & (CYCLE_PAGE_SLOTS - 1);
  if (OURO_UNLIKELY(page_is_big(number))) return rt->big[number]->at[index];
  return OURO_OBJECT(pool_block(page_pool(rt, number), index));
}

/* Whether a hardened heap withholds the block from reuse: it is used but nobody's. */
bool slot_withheld(const runtime *rt, const ouro_object *o);

/* The object in a slot whose bit page_used gave, if it is alive; else NULL. */
static inline ouro_object *slot_alive(const runtime *rt, uint64_t slot) {
  ouro_object *o = slot_object(rt, slot);
  if (OURO_UNLIKELY(rt->heap->hardened) && !page_is_big(slot >> PAGE_SHIFT) && slot_withheld(rt, o))
    return NULL;
  return header_alive(o) ? o : NULL;
}

/* Pages have the numbers [0, n); not all of these stand for one. */
uint64_t page_count(const runtime *rt);

/* What is in use in all pools, in blocks that the bins have at hand as well. */
typedef struct page_sums {
  uint64_t tracked; /* blocks for tracked objects */
  uint64_t bytes; /* of these and of blocks that are no objects, the arrays of objects among them */
} page_sums;
page_sums page_sum(const runtime *rt);

/* Remembers that these slots of a word hold (or will hold) young objects. The page is ready. */
void page_add_young(runtime *rt, uint64_t word, uint64_t bits);

/* Whether the page has records. One that has none, as they were refused, holds no object, but
 * perhaps a block that a hardened heap withholds. */
static inline bool page_known(const runtime *rt, uint64_t number) {
  return page_index(number) < rt->page_room[page_window(number)];
}

/* Makes the records of a page ready. False: out of memory. */
bool page_ready(runtime *rt, uint64_t number);

/* Zero pages for a table of the runtime's own of `size` bytes, counted by fault injection. NULL:
 * refused. */
void *runtime_map(runtime *rt, size_t size);

/* The runtime of a heap, made where there is none. NULL: out of memory. */
runtime *runtime_ensure(ouro_heap *heap);

/* Memory of an object of the type, header set, the rest not; objects of `size` bytes. NULL: out of
 * memory. */
ouro_object *object_allocate(runtime *rt, type *t, size_t size);

/* Gives an object's memory back, its references dropped. */
void object_release(runtime *rt, const type *t, ouro_object *o);

/* The same for one in no pool. */
ouro_object *big_allocate(runtime *rt, const type *t, size_t size);
void big_release(runtime *rt, ouro_object *o);

/* --- the collector, as the other parts of the runtime see it --- */

/* Before an object of a tracked type is allocated: may collect. */
void gc_before_allocation(runtime *rt);

/* A full collection, where memory was refused. False: none was possible now. */
bool gc_emergency(runtime *rt);

/* The object, which is of generation 1 or 2, dies: its slot becomes young. */
void gc_note_death(runtime *rt, const ouro_object *o);

bool gc_open(runtime *rt);
void gc_close(runtime *rt);

#endif
