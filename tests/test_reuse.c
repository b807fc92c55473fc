/* SPDX-License-Identifier: MIT */
/* Object pools: dead objects kept, reset, and handed out again. */
#include "test.h"

#include "support/pairs.h"

static ouro_heap *heap;
static ouro_type *type;
static ouro_reuse *pool;
static int constructed, resets;
static bool refuse;

static bool construct(void *self) {
  if (refuse) return false;
  ((pair *)self)->id = ++constructed;
  return true;
}

static void reset(void *self) {
  pair *p = self;
  resets++;
  drop_field(&p->a);
}

static void open_pool(size_t cap) {
  heap = quiet_heap("reuse");
  type = ending_pairs(heap);
  pool = ouro_reuse_new(type, cap, construct, reset);
  CHECK(pool);
}

TEST(used_objects_are_reset_and_handed_out_again) {
  open_pool(2);
  pair *p = ouro_reuse_take(pool), *inner = make_pair(type, 50, NULL, NULL);
  CHECK_EQ(p->id, 1);
  p->a = inner;
  ouro_unref(p);
  CHECK(ENDED(50)); /* by reset; p itself lives on */
  CHECK_EQ(resets, 1);
  CHECK_EQ(ouro_reuse_stats_of(pool).kept, 1u);
  pair *again = ouro_reuse_take(pool);
  CHECK(again == p && again->id == 1 && again->a == NULL);
  CHECK_EQ(ouro_count(again), 1u);
  CHECK_EQ(constructed, 1);
  ouro_unref(again);
  ouro_reuse_stats s = ouro_reuse_stats_of(pool);
  CHECK(s.constructed == 1 && s.reused == 1 && s.kept == 1);
  ouro_reuse_free(pool);
  CHECK(ENDED(1));
  CHECK(objects_ok(heap));
}

TEST(beyond_the_cap_they_die) {
  open_pool(2);
  pair *p[4];
  for (int i = 0; i < 4; i++) p[i] = ouro_reuse_take(pool);
  for (int i = 0; i < 4; i++) ouro_unref(p[i]);
  CHECK(ENDED(3, 4));
  CHECK_EQ(ouro_reuse_stats_of(pool).kept, 2u);
  CHECK(ouro_reuse_take(pool) == p[1] && ouro_reuse_take(pool) == p[0]);
  ouro_reuse_free(pool); /* those in use die as usual */
  CHECK(NONE_ENDED());
  ouro_unref(p[0]);
  ouro_unref(p[1]);
  CHECK(ENDED(1, 2));
}

/* `reset` drops another object of the pool, which takes the last place. */
TEST(the_cap_holds_when_reset_drops_another) {
  open_pool(1);
  pair *outer = ouro_reuse_take(pool), *inner = ouro_reuse_take(pool);
  outer->a = inner;
  ouro_unref(outer);
  CHECK(ENDED(1));
  CHECK_EQ(ouro_reuse_stats_of(pool).kept, 1u);
  CHECK(ouro_reuse_take(pool) == inner);
  ouro_unref(inner);
  ouro_reuse_free(pool);
  CHECK(objects_ok(heap));
}

static pair *saved;

static void reset_and_save(void *self) { ouro_assign(&saved, self); }

TEST(reset_may_make_it_reachable_again) {
  heap = quiet_heap("reuse");
  type = ending_pairs(heap);
  pool = ouro_reuse_new(type, 4, NULL, reset_and_save);
  pair *p = ouro_reuse_take(pool);
  ouro_unref(p);
  CHECK(saved == p);
  CHECK_EQ(ouro_count(p), 1u);
  CHECK_EQ(ouro_reuse_stats_of(pool).kept, 0u);
}

/* Others of the type are no concern of the pool's. */
TEST(only_what_came_from_the_pool_goes_back) {
  open_pool(4);
  ouro_unref(make_pair(type, 9, NULL, NULL));
  CHECK(ENDED(9));
  CHECK_EQ(ouro_reuse_stats_of(pool).kept, 0u);
}

TEST(pooled_garbage_is_collected_for_good) {
  open_pool(4);
  pair *p = ouro_reuse_take(pool);
  p->a = ouro_ref(p);
  ouro_unref(p);
  CHECK_EQ(ouro_collect(heap, 2), 1);
  CHECK(ENDED(1));
  CHECK_EQ(ouro_reuse_stats_of(pool).kept, 0u);
  CHECK(objects_ok(heap));
}

/* What the pool keeps is alive for the collector too. */
TEST(kept_objects_survive_collections) {
  open_pool(4);
  pair *p = ouro_reuse_take(pool);
  p->b = make_pair(type, 77, NULL, NULL); /* reset leaves it alone */
  ouro_unref(p);
  CHECK_EQ(ouro_collect(heap, 2), 0);
  CHECK(NONE_ENDED());
  p = ouro_reuse_take(pool);
  CHECK_EQ(p->b->id, 77);
  ouro_unref(p);
  ouro_reuse_free(pool);
  CHECK(ENDED(1, 77));
}

TEST(a_constructor_may_fail) {
  open_pool(4);
  refuse = true;
  CHECK(ouro_reuse_take(pool) == NULL);
  CHECK_EQ(ouro_reuse_stats_of(pool).constructed, 0u);
  refuse = false;
  CHECK(objects_ok(heap));
}

TEST(impossible_pools) {
  open_pool(4);
  const char *reason = "a type of fixed-size objects has at most one object pool";
  CHECK(ouro_reuse_new(type, 4, NULL, NULL) == NULL);
  CHECK_STR(ouro_heap_error(heap), reason);
  ouro_type *rows =
      ouro_type_new(heap, &(ouro_type_spec){.name = "row", .size = 16, .item_size = 8});
  CHECK(ouro_reuse_new(rows, 4, NULL, NULL) == NULL);
  CHECK_STR(ouro_heap_error(heap), reason);
  ouro_type *other = plain_pairs(heap);
  CHECK(ouro_reuse_new(other, SIZE_MAX / 2, NULL, NULL) == NULL);
  CHECK(ouro_reuse_new(other, SIZE_MAX / 8 - 2, NULL, NULL) == NULL);
  ouro_reuse_free(pool);
  ouro_reuse_free(NULL);
  CHECK(ouro_reuse_new(type, 4, NULL, NULL)); /* the place is free again */
}

TEST(a_pool_that_keeps_nothing) {
  open_pool(0);
  ouro_unref(ouro_reuse_take(pool));
  CHECK(ENDED(1));
  CHECK_EQ(resets, 0);
  ouro_reuse_free(pool);
}
