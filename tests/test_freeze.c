/* SPDX-License-Identifier: MIT */
/* The permanent generation. */
#include "test.h"

#include "support/pairs.h"
#include "support/tools.h"

static ouro_heap *heap;
static ouro_type *pairs, *ending, *giants;

typedef struct giant {
  ouro_object object;
  struct giant *next;
  char rest[900];
} giant;

static void open_heap(void) {
  static const uint16_t refs[] = {offsetof(giant, next), 0};
  heap = quiet_heap("freeze");
  pairs = plain_pairs(heap);
  ending = ending_pairs(heap);
  giants =
      ouro_type_new(heap, &(ouro_type_spec){.name = "giant", .size = sizeof(giant), .refs = refs});
  CHECK(pairs && ending && giants);
}

TEST(frozen_garbage_is_not_looked_at) {
  open_heap();
  pair *ring = make_pairs_ring(ending, 1, 3), *kept = make_pair(pairs, 9, NULL, NULL);
  ouro_gc_freeze(heap);
  CHECK_EQ(ouro_gc_frozen_count(heap), 4u);
  CHECK_EQ(ouro_generation_of(kept), 3);
  ouro_unref(ring);
  for (int g = 0; g <= 2; g++) CHECK_EQ(ouro_collect(heap, g), 0);
  CHECK(NONE_ENDED());
  ouro_gc_unfreeze(heap);
  CHECK_EQ(ouro_gc_frozen_count(heap), 0u);
  CHECK_EQ(ouro_generation_of(kept), 2);
  CHECK_EQ(ouro_collect(heap, 1), 0); /* they are old now */
  CHECK_EQ(ouro_collect(heap, 2), 3);
  CHECK(ENDED(1, 2, 3));
  ouro_unref(kept);
  CHECK(objects_ok(heap));
}

/* New objects are collected as ever, and what frozen ones refer to is held. */
TEST(what_is_made_later_is_collected) {
  open_heap();
  pair *old = make_pair(pairs, 1, NULL, NULL);
  ouro_gc_freeze(heap);
  old->a = make_pairs_ring(ending, 1, 2);
  ouro_unref(make_pairs_ring(ending, 3, 2));
  CHECK_EQ(ouro_collect(heap, 2), 2);
  CHECK(ENDED(3, 4));
  drop_field(&old->a);
  CHECK_EQ(ouro_collect(heap, 2), 2);
  CHECK(ENDED(1, 2));
  ouro_unref(old);
  CHECK_EQ(ouro_gc_frozen_count(heap), 0u);
}

/* A frozen object dies by its count; what takes its place is not frozen. */
TEST(a_place_does_not_stay_frozen) {
  open_heap();
  ouro_type *types[] = {pairs, giants};
  for (int i = 0; i < 2; i++) {
    void *frozen = ouro_new(types[i]);
    ouro_gc_freeze(heap);
    CHECK_EQ(ouro_gc_frozen_count(heap), 1u);
    ouro_unref(frozen);
    CHECK_EQ(ouro_gc_frozen_count(heap), 0u);
    void *again = ouro_new(types[i]);
    CHECK_EQ(ouro_generation_of(again), 0);
    ouro_unref(again);
  }
  CHECK(objects_ok(heap));
}

static void freeze_all(void *self) {
  pair_end(self);
  ouro_gc_freeze(heap);
}

/* A finalizer freezes the heap while its own garbage is being collected. */
TEST(garbage_does_not_stay_frozen) {
  open_heap();
  ouro_type_spec spec = pair_spec("freezing pair");
  spec.finalize = freeze_all;
  ouro_type *freezing = ouro_type_new(heap, &spec);
  for (int g = 0; g <= 2; g++) {
    ouro_unref(make_pairs_ring(freezing, 1, 2));
    ouro_collect(heap, g);
    CHECK(ENDED(1, 2));
    CHECK_EQ(ouro_gc_frozen_count(heap), 0u);
    CHECK_EQ(live_of(heap, freezing), 0u);
    CHECK(objects_ok(heap));
  }
}

/* Between the slices in which a giant dies, its members are nobody's: not to be frozen. */
TEST(a_dying_giant_is_not_frozen) {
  open_heap();
  ouro_unref(make_pairs_ring(pairs, 1, 20000));
  while (!ouro_step(heap, 0).finished) {
    ouro_gc_freeze(heap);
    if (live_of(heap, pairs) == 0) CHECK_EQ(ouro_gc_frozen_count(heap), 0u);
    else ouro_gc_unfreeze(heap);
  }
  CHECK_EQ(live_of(heap, pairs), 0u);
  CHECK_EQ(ouro_gc_frozen_count(heap), 0u);
  CHECK(objects_ok(heap));
}

TEST(freezing_twice_adds_what_is_new) {
  open_heap();
  pair *a = make_pair(pairs, 1, NULL, NULL);
  ouro_gc_freeze(heap);
  pair *b = make_pair(pairs, 2, NULL, NULL);
  CHECK_EQ(ouro_gc_frozen_count(heap), 1u);
  ouro_gc_freeze(heap);
  CHECK_EQ(ouro_gc_frozen_count(heap), 2u);
  CHECK_EQ(ouro_generation_of(a), 3);
  CHECK_EQ(ouro_generation_of(b), 3);
  ouro_unref(a);
  ouro_unref(b);
}

TEST(untracked_objects_are_not_frozen) {
  open_heap();
  pair *p = make_pair(pairs, 1, NULL, NULL);
  ouro_untrack(p);
  ouro_gc_freeze(heap);
  CHECK_EQ(ouro_gc_frozen_count(heap), 0u);
  CHECK_EQ(ouro_generation_of(p), -1);
  ouro_track(p);
  CHECK_EQ(ouro_generation_of(p), 2);
  ouro_unref(p);
}

TEST(a_heap_without_objects_can_be_frozen) {
  heap = quiet_heap("empty");
  CHECK_EQ(ouro_gc_frozen_count(heap), 0u);
  ouro_gc_unfreeze(heap);
  ouro_gc_freeze(heap);
  CHECK_EQ(ouro_gc_frozen_count(heap), 0u);
  ouro_heap_destroy(heap);
}

static void live_and_freeze(void) {
  open_heap();
  make_pairs_ring(pairs, 1, 3);
  ouro_gc_freeze(heap);
  ouro_heap_destroy(heap);
}

TEST(what_is_frozen_ends_with_its_heap) {
  if (under_watch()) SKIP("tools keep what is freed");
  CHECK(nothing_stays_mapped(live_and_freeze));
}

/* Memory refused for the bits: nothing is frozen by halves that cannot be taken back. */
TEST(freezing_without_memory_changes_nothing) {
  open_heap();
  pair *ring = make_pairs_ring(pairs, 1, 3);
  ouro_heap_fail(heap, 1, 1);
  ouro_gc_freeze(heap);
  ouro_heap_fail(heap, 0, 0);
  CHECK_EQ(ouro_gc_frozen_count(heap), 0u);
  ouro_unref(ring);
  CHECK_EQ(ouro_collect(heap, 2), 3);
  CHECK(objects_ok(heap));
}
