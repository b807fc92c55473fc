/* SPDX-License-Identifier: MIT */
/* Who is of which generation, and when generations are collected. */
#include "test.h"

#include "object/tune.h"
#include "support/pairs.h"

static ouro_heap *heap;
static ouro_type *pairs, *ending;
static heard news;

static void open_heap(bool automatic) {
  heap = quiet_heap("generations");
  ouro_gc_enable(heap, automatic);
  pairs = plain_pairs(heap);
  ending = ending_pairs(heap);
  listen_to(heap, &news);
}

static bool count_one(void *ctx, ouro_object *o) { return (void)o, ++*(size_t *)ctx, true; }

static size_t of_generation(int generation) {
  size_t n = 0;
  ouro_each_object(heap, generation, count_one, &n);
  return n;
}

TEST(survivors_move_up) {
  open_heap(false);
  pair *p = make_pair(pairs, 1, NULL, NULL);
  CHECK_EQ(ouro_generation_of(p), 0);
  ouro_collect(heap, 0);
  CHECK_EQ(ouro_generation_of(p), 1);
  ouro_collect(heap, 0); /* does not look at it */
  CHECK_EQ(ouro_generation_of(p), 1);
  ouro_collect(heap, 1);
  CHECK_EQ(ouro_generation_of(p), 2);
  ouro_collect(heap, 2);
  CHECK_EQ(ouro_generation_of(p), 2);
  ouro_unref(p);
  CHECK(objects_ok(heap));
}

TEST(a_collection_looks_at_its_generation_and_the_younger) {
  for (int g = 0; g <= 2; g++) {
    open_heap(false);
    ouro_unref(make_pairs_ring(ending, 20, 2));
    ouro_collect(heap, 1); /* dies young */
    CHECK(ENDED(20, 21));
    pair *old = make_pairs_ring(ending, 20, 2);
    ouro_collect(heap, 1);
    pair *middle = make_pairs_ring(ending, 10, 2);
    ouro_collect(heap, 0);
    pair *young = make_pairs_ring(ending, 0, 2);
    CHECK_EQ(ouro_generation_of(old), 2);
    CHECK_EQ(ouro_generation_of(middle), 1);
    CHECK_EQ(ouro_generation_of(young), 0);
    ouro_unref(old), ouro_unref(middle), ouro_unref(young);
    CHECK_EQ(ouro_collect(heap, g), 2 * (g + 1));
    CHECK_EQ(ended_count, 2 * (g + 1));
    ended_count = 0;
    CHECK_EQ(ouro_collect(heap, 2), 6 - 2 * (g + 1));
    ended_count = 0;
    CHECK(objects_ok(heap));
    ouro_heap_destroy(heap);
  }
}

/* Garbage that an older object holds waits for the older generation. */
TEST(what_old_garbage_holds_waits_with_it) {
  open_heap(false);
  pair *old = make_pairs_ring(ending, 1, 2);
  ouro_collect(heap, 1);
  old->b = make_pairs_ring(ending, 3, 2);
  ouro_unref(old);
  CHECK_EQ(ouro_collect(heap, 0), 0);
  CHECK_EQ(ouro_collect(heap, 2), 4);
  CHECK(ENDED(1, 2, 3, 4));
}

TEST(objects_are_listed_by_generation) {
  open_heap(false);
  pair *old = make_chain(pairs, 3);
  ouro_collect(heap, 1);
  pair *middle = make_chain(pairs, 4);
  ouro_collect(heap, 0);
  pair *young = make_chain(pairs, 5);
  CHECK_EQ(of_generation(0), 5u);
  CHECK_EQ(of_generation(1), 4u);
  CHECK_EQ(of_generation(2), 3u);
  CHECK_EQ(of_generation(3), 0u);
  CHECK_EQ(of_generation(-1), 12u);
  ouro_gc_freeze(heap);
  CHECK_EQ(of_generation(3), 12u);
  CHECK_EQ(of_generation(2), 0u);
  ouro_gc_unfreeze(heap);
  ouro_unref(old), ouro_unref(middle), ouro_unref(young);
  CHECK_EQ(of_generation(-1), 0u);
}

/* A dead object's place is young whatever it was before. */
TEST(places_are_reused_young) {
  open_heap(false);
  for (int g = 0; g <= 2; g++) {
    pair *p = make_pair(pairs, 1, NULL, NULL);
    ouro_collect(heap, g);
    ouro_unref(p);
    pair *again = make_pair(pairs, 2, NULL, NULL);
    CHECK_EQ(ouro_generation_of(again), 0);
    again->a = ouro_ref(again);
    ouro_unref(again);
    CHECK_EQ(ouro_collect(heap, 0), 1);
    CHECK(objects_ok(heap));
  }
}

/* --- while a collection runs --- */

static pair *made[40];
static int made_count, killed;

/* Objects made while generation 0 is collected are of the next one, also in places of objects that
 * died meanwhile. */
static void makes_and_drops(void *self) {
  pair_end(self);
  for (int i = 0; i < 20; i++) ouro_assign_new(&made[i], NULL), killed++;
  for (int i = 20; i < 40; i++) made[i] = make_pair(pairs, i, NULL, NULL), made_count++;
}

TEST(objects_made_by_finalizers_are_young) {
  open_heap(false);
  ouro_type_spec spec = pair_spec("making pair");
  spec.finalize = makes_and_drops;
  ouro_type *making = ouro_type_new(heap, &spec);
  for (int i = 0; i < 20; i++) made[i] = make_pair(pairs, i, NULL, NULL);
  ouro_unref(make_pairs_ring(making, 1, 1));
  CHECK_EQ(ouro_collect(heap, 0), 1);
  CHECK(ENDED(1));
  CHECK(objects_ok(heap));
  for (int i = 0; i < 20; i++) made[i] = make_pair(pairs, i, NULL, NULL);
  CHECK(objects_ok(heap));
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(ouro_generation_of(made[i]), 0);
    made[i]->a = ouro_ref(made[i]);
    ouro_unref(made[i]);
  }
  CHECK_EQ(ouro_collect(heap, 0), 20);
  for (int i = 20; i < 40; i++) ouro_unref(made[i]);
  CHECK(objects_ok(heap));
}

static int64_t inner_result = -2;
static bool inner_finished;

static void collects(void *self) {
  pair_end(self);
  inner_result = ouro_collect(heap, 2);
  inner_finished = ouro_step(heap, 1000000).examined == 0;
}

TEST(a_collection_within_a_collection_does_nothing) {
  open_heap(false);
  ouro_type_spec spec = pair_spec("collecting pair");
  spec.finalize = collects;
  ouro_type *collecting = ouro_type_new(heap, &spec);
  for (int g = 0; g <= 2; g++) {
    ouro_unref(make_pairs_ring(collecting, 1, 2));
    CHECK_EQ(ouro_collect(heap, g), 2);
    CHECK(ENDED(1, 2));
    CHECK_EQ(inner_result, 0);
    CHECK(inner_finished);
  }
  ouro_unref(make_pair(collecting, 5, make_pairs_ring(ending, 7, 1), NULL));
  CHECK(ENDED(5)); /* its own count ends it: then there may be one */
  CHECK_EQ(ouro_collect(heap, 2), 1);
}

/* --- when --- */

TEST(thresholds_can_be_read_and_set) {
  heap = quiet_heap("generations");
  uint32_t t[3], wanted[3] = {7, 8, 9};
  ouro_gc_thresholds(heap, t); /* before there is any type */
  CHECK(t[0] == 10000 && t[1] == 3 && t[2] == 10);
  ouro_gc_set_thresholds(heap, wanted);
  ouro_gc_thresholds(heap, t);
  CHECK(!memcmp(t, wanted, sizeof t));
}

/* Generation 0 with more than threshold[0] new objects, 1 with every threshold[1]th of these. */
TEST(collections_begin_at_their_thresholds) {
  open_heap(true);
  ouro_gc_set_thresholds(heap, (uint32_t[]){700, 5, 1000000});
  ouro_gc_set_garbage_limit(heap, 1e9); /* the bound on garbage would win */
  pair *head = NULL;
  for (int i = 0; i < 700 * 36; i++) head = make_pair(pairs, i, head, NULL);
  ouro_gc_stats s;
  ouro_gc_stats_read(heap, &s);
  CHECK(within(s.generation[0].collections, 30, 4));
  CHECK(within(s.generation[1].collections, 5, 2));
  CHECK_EQ(s.generation[2].collections, 0u);
  ouro_unref(head);
}

/* Objects that die by their counts do not add up to a collection. */
TEST(new_objects_are_counted_net_of_dead_ones) {
  open_heap(true);
  for (int i = 0; i < 100000; i++) ouro_unref(make_pair(pairs, i, NULL, NULL));
  CHECK_LE(news.events[OURO_GC_START], 3);
}

TEST(disabled_it_stays_off) {
  open_heap(true);
  CHECK(ouro_gc_is_enabled(heap));
  ouro_gc_enable(heap, false);
  CHECK(!ouro_gc_is_enabled(heap));
  for (int i = 0; i < 5000; i++) ouro_unref(make_pairs_ring(pairs, i, 2));
  CHECK_EQ(news.events[OURO_GC_START], 0);
  CHECK_EQ(live_of(heap, pairs), 10000u);
  CHECK_EQ(ouro_collect(heap, 2), 10000);
  ouro_gc_enable(heap, true);
  for (int i = 0; i < 20000; i++) ouro_unref(make_pairs_ring(pairs, i, 2));
  CHECK_LT(0, news.events[OURO_GC_START]);
  CHECK_LT(live_of(heap, pairs), 40000u);
}

TEST(a_threshold_of_0_is_off_too) {
  open_heap(true);
  ouro_gc_set_thresholds(heap, (uint32_t[]){0, 10, 10});
  for (int i = 0; i < 5000; i++) ouro_unref(make_pairs_ring(pairs, i, 2));
  CHECK_EQ(news.events[OURO_GC_START], 0);
}

TEST(counts_say_how_far_it_is) {
  open_heap(false);
  uint64_t c[3];
  pair *chain = make_chain(pairs, 50);
  ouro_gc_counts(heap, c);
  CHECK(c[0] == 50 && c[1] == 0 && c[2] == 0);
  ouro_collect(heap, 0);
  ouro_collect(heap, 0);
  ouro_gc_counts(heap, c);
  CHECK(c[0] == 0 && c[1] == 2 && c[2] == 0);
  ouro_collect(heap, 1);
  ouro_gc_counts(heap, c);
  CHECK(c[0] == 0 && c[1] == 0 && c[2] == 1);
  ouro_collect(heap, 2);
  ouro_gc_counts(heap, c);
  CHECK(c[0] == 0 && c[1] == 0 && c[2] == 0);
  ouro_unref(chain);
}

TEST(stress_collects_at_every_nth_allocation) {
  open_heap(false);
  for (uint32_t n = 1; n <= 3; n++) {
    int before = news.events[OURO_GC_STOP];
    ouro_gc_set_stress(heap, n);
    for (int i = 0; i < 12; i++) ouro_unref(make_pair(pairs, i, NULL, NULL));
    CHECK_EQ(news.events[OURO_GC_STOP] - before, 12 / (int)n);
  }
  ouro_gc_set_stress(heap, 0);
  int before = news.events[OURO_GC_STOP];
  for (int i = 0; i < 100; i++) ouro_unref(make_pair(pairs, i, NULL, NULL));
  CHECK_EQ(news.events[OURO_GC_STOP], before);
}
