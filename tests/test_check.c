/* SPDX-License-Identifier: MIT */
/* The checker that every other test relies on: each invariant, broken by hand, is named. */
#include "test.h"

#include "pool/pool.h"
#include "support/heaps.h"
#include "support/tools.h"

/* A heap with a pool that is full, one that is partly used, claims in a bin, and a large block. */
typedef struct victim {
  ouro_heap *heap;
  heap *inside;
  ouro_pool *full, *partial, *current;
  arena *arena;
} victim;

static ouro_pool *pool_of(const victim *v, const void *p) { return heap_pool_at(v->inside, p); }

static victim make_victim(void) {
  if (under_watch()) SKIP("watched heaps keep no blocks at hand");
  victim v = {.heap = quiet_heap("victim")};
  v.inside = heap_in(v.heap);
  char *first = ouro_alloc(v.heap, 500), *p = first;
  while (pool_of(&v, p) == pool_of(&v, first)) p = ouro_alloc(v.heap, 500);
  v.full = pool_of(&v, first);
  char *some[400];
  for (int i = 0; i < 400; i++) some[i] = ouro_alloc(v.heap, 400);
  for (int i = 0; i < 300; i++) ouro_free(v.heap, some[i]);
  v.partial = pool_of(&v, some[0]);
  v.current = pool_of(&v, ouro_alloc(v.heap, 64));
  v.arena = arena_of(v.full);
  CHECK(ouro_alloc(v.heap, 5000));
  CHECK_EQ(v.full->state, POOL_FULL);
  CHECK_EQ(v.partial->state, POOL_PARTIAL);
  CHECK_EQ(v.current->state, POOL_CURRENT);
  CHECK(heap_ok(v.heap));
  return v;
}

/* Breaks one thing, sees it named, mends it. */
#define BREAKS(lvalue, wrong, message)                                                             \
  do {                                                                                             \
    __auto_type right = (lvalue);                                                                  \
    (lvalue) = (wrong);                                                                            \
    const char *named = ouro_heap_check(v.heap);                                                   \
    (lvalue) = right;                                                                              \
    CHECK(named);                                                                                  \
    CHECK_STR(named, message);                                                                     \
    CHECK(heap_ok(v.heap));                                                                        \
  } while (0)

TEST(broken_bitmaps_are_named) {
  victim v = make_victim();
  BREAKS(v.full->used, right - 1, "used + free is not a pool's capacity");
  BREAKS(v.partial->used, right + 1, "used + free is not a pool's capacity");
  BREAKS(v.partial->summary, 0, "a pool's summary does not match its words");
  BREAKS(v.full->summary, 1, "a pool's summary does not match its words");
  unsigned last = pool_word_count(v.partial) - 1;
  BREAKS(pool_words(v.partial)[last], right | (uint64_t)1 << 63,
         "a pool has free bits behind its end");
}

TEST(broken_descriptors_are_named) {
  victim v = make_victim();
  BREAKS(v.full->index, right + 1, "a descriptor does not know its place");
  BREAKS(v.full->size, 24, "a pool's size is not its bin's");
  BREAKS(v.full->end, right - 1, "a pool's bounds are wrong");
  BREAKS(v.current->idle, 0xffff, "an idle page was never touched");
  BREAKS(v.full->bin, 0, "a pool belongs to no bin");
  BREAKS(v.full->reciprocal, right ^ 1, "a pool's reciprocal is wrong");
}

TEST(broken_states_and_lists_are_named) {
  victim v = make_victim();
  BREAKS(v.full->state, POOL_PARTIAL, "a PARTIAL pool has no free block");
  BREAKS(v.partial->state, POOL_FULL, "a FULL pool has free blocks");
  BREAKS(v.current->state, POOL_PARTIAL, "CURRENT is not the bin's pool");
  BREAKS(v.full->state, POOL_UNUSED, "a pool's state and its arena differ");
  BREAKS(v.partial->previous, v.full, "a list's links do not match");
  BREAKS(v.heap->bins[pool_class(v.partial)].last, NULL, "a list's end is wrong");
  BREAKS(v.heap->bins[1].first, v.partial, "a list holds a pool that does not belong");
}

TEST(broken_arenas_are_named) {
  victim v = make_victim();
  BREAKS(v.arena->dirty, right | ~v.arena->free, "an arena's sets are not nested");
  BREAKS(v.arena->idle, right | 1, "an arena's sets are not nested");
  BREAKS(v.arena->free, right | 1, "a pool's state and its arena differ");
  BREAKS(v.arena->free, 0, "an open arena is not listed");
  BREAKS(v.inside->pools, right + 1, "pools in use are miscounted");
  BREAKS(v.inside->peak_pools, 0, "pools in use are miscounted");
}

/* Where the bin keeps the block, however it does. */
static void **place_in(ouro_bin *bin, const void *block) {
  void **word = (void **)(void *)bin, **end = (void **)(void *)(bin + 1);
  while (word < end && *word != block) word++;
  CHECK(word < end);
  return word;
}

TEST(broken_bins_are_named) {
  victim v = make_victim();
  ouro_bin *bin = &v.heap->bins[pool_class(v.current)];
  void *freed = ouro_alloc(v.heap, v.current->size),
       *freed_last = ouro_alloc(v.heap, v.current->size);
  ouro_free(v.heap, freed);
  ouro_free(v.heap, freed_last);
  void **kept = place_in(bin, freed);
  unsigned last = v.current->end - 1u;
  CHECK(pool_is_free(v.current, last));
  BREAKS(bin->size, right + 16, "a bin's size is wrong");
  BREAKS(v.heap->bins[0].bits, 1, "the bin for size 0 is not empty");
  BREAKS(v.heap->bins[1].bits, 1, "a bin holds blocks of no pool");
  BREAKS(bin->room, 0, "a bin keeps more than it has room for");
  BREAKS(bin->top, freed, "a bin's top is not the last");
  BREAKS(*kept, pool_start(v.partial), "a bin keeps a block that is not of its class");
  BREAKS(*kept, pool_block(v.current, last), "a bin keeps a free block");
  BREAKS(bin->bits, right | pool_words(v.current)[pool_index_of(v.current, bin->base) / 64],
         "a claimed block is free");
}

TEST(a_partial_pool_that_is_on_no_list_is_named) {
  victim v = make_victim();
  ouro_bin *bin = &v.heap->bins[pool_class(v.partial)], right = *bin;
  bin->first = bin->last = NULL;
  const char *named = ouro_heap_check(v.heap);
  *bin = right;
  CHECK(named);
  CHECK_STR(named, "a PARTIAL pool is on no list");
}

TEST(miscounted_large_blocks_are_named) {
  victim v = make_victim();
  BREAKS(v.inside->large_bytes, right + 1, "large blocks are miscounted");
  BREAKS(v.inside->large_count, right + 1, "large blocks are miscounted");
  BREAKS(v.inside->large[0].address, &v, "a large block is not in the map");
  BREAKS(v.inside->large_map.count, right + 1, "the map holds other large blocks");
}
