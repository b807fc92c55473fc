/* SPDX-License-Identifier: MIT */
/* Objects: made, counted, of any size, immortal, hashed, finalized at a heap's end. */
#include "test.h"

#include "support/pairs.h"
#include "support/tools.h"

static ouro_heap *heap;
static ouro_type *pairs, *ending;

static void open_heap(void) {
  heap = quiet_heap("objects");
  pairs = plain_pairs(heap);
  ending = ending_pairs(heap);
}

static bool all_zero(const void *object, size_t size) {
  const unsigned char *b = object;
  for (size_t i = sizeof(ouro_object); i < size; i++)
    if (b[i]) return false;
  return true;
}

/* Whatever the memory was before. */
TEST(a_new_object_is_zero_behind_its_header) {
  open_heap();
  for (int i = 0; i < 5000; i++) {
    pair *p = i % 2 ? OURO_MAKE(pair, pairs) : ouro_new(pairs);
    CHECK(all_zero(p, sizeof *p));
    CHECK(ouro_count(p) == 1 && p->object.user == 0);
    memset(&p->id, 0xff, sizeof p->id);
    p->object.user = 200;
    if (i % 3) ouro_unref(p);
  }
}

/* --- sizes --- */

static ouro_type *blobs(size_t item_size) {
  return ouro_type_new(heap, &(ouro_type_spec){.name = "blob",
                                               .size = sizeof(ouro_object),
                                               .item_size = (uint32_t)item_size});
}

TEST(objects_of_every_size) {
  open_heap();
  ouro_type *type = blobs(1);
  for (size_t n = 0; n < 3000; n += n < 600 ? 1 : 97) {
    ouro_object *o = ouro_new_items(type, n);
    CHECK(o && all_zero(o, sizeof *o + n));
    CHECK_LE(sizeof *o + n, ouro_object_size(o));
    CHECK(ouro_type_of(o) == type && ouro_heap_of(o) == heap);
    memset(o + 1, 0xff, n);
    if (n % 2) ouro_unref(o);
  }
  CHECK(objects_ok(heap));
}

TEST(sizes_that_overflow_are_refused) {
  open_heap();
  ouro_type *type = blobs(16);
  const size_t items[] = {SIZE_MAX, SIZE_MAX / 16, SIZE_MAX / 16 + 1, SIZE_MAX / 32 + 1};
  for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
    CHECK(ouro_new_items(type, items[i]) == NULL);
    CHECK_STR(ouro_heap_error(heap), "an object's size is too big");
  }
  if (under_sanitizer()) return;                      /* its malloc ends the process */
  CHECK(ouro_new_items(type, SIZE_MAX / 64) == NULL); /* there is no such memory */
  CHECK_STR(ouro_heap_error(heap), "out of memory");
  CHECK(objects_ok(heap));
}

/* Large ones come and go in any order; places are reused. */
TEST(large_objects_reuse_their_places) {
  open_heap();
  ouro_type *type = blobs(1);
  ouro_object *o[300];
  uint64_t blocks = stats_of(heap).large_blocks;
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < 300; i++) CHECK(o[i] = ouro_new_items(type, 1000 + (size_t)i));
    CHECK_EQ(live_of(heap, type), 300u);
    for (int i = 0; i < 300; i++) ouro_unref(o[(i * 7 + round) % 300]);
    CHECK_EQ(live_of(heap, type), 0u);
  }
  CHECK_EQ(stats_of(heap).large_blocks, blocks);
  CHECK(objects_ok(heap));
}

/* --- immortal --- */

TEST(immortal_objects_stay_with_what_they_hold) {
  open_heap();
  pair *p = make_pair(ending, 1, make_pair(ending, 2, NULL, NULL), NULL);
  ouro_immortalize(p);
  for (int i = 0; i < 10; i++) ouro_unref(ouro_ref(p)), ouro_unref(p);
  CHECK_LE(OURO_IMMORTAL, ouro_count(p));
  uint32_t count = ouro_count(p);
  pair *q = make_pair(pairs, 3, p, p);
  ouro_unref(q);
  CHECK_EQ(ouro_count(p), count); /* not written: a forked child shares its page */
  CHECK_EQ(ouro_collect(heap, 2), 0);
  CHECK(NONE_ENDED());
  CHECK(objects_ok(heap));
}

/* Billions of references cannot bring a count back to 0. */
TEST(a_count_that_climbs_too_high_stays) {
  open_heap();
  pair *p = make_pair(ending, 1, NULL, NULL);
  p->object.count = OURO_IMMORTAL - 2;
  ouro_ref(p);
  CHECK_EQ(ouro_count(p), OURO_IMMORTAL - 1);
  ouro_ref(p);
  CHECK_LT(OURO_IMMORTAL, ouro_count(p));
  uint32_t count = ouro_count(p);
  for (int i = 0; i < 100; i++) ouro_unref(p);
  ouro_ref(p);
  CHECK_EQ(ouro_count(p), count);
}

/* --- hash and equality --- */

static uint64_t hash_id(const void *self) { return (uint64_t)((const pair *)self)->id; }
static int same_id(const void *a, const void *b) {
  if (((const pair *)a)->id < 0) return -1;
  return ((const pair *)a)->id == ((const pair *)b)->id;
}

TEST(hash_and_equality_are_the_types_or_identity) {
  open_heap();
  ouro_type_spec spec = pair_spec("number");
  spec.hash = hash_id, spec.equal = same_id;
  ouro_type *numbers = ouro_type_new(heap, &spec);
  pair *a = make_pair(numbers, 5, NULL, NULL), *b = make_pair(numbers, 5, NULL, NULL);
  pair *c = make_pair(pairs, 5, NULL, NULL), *d = make_pair(pairs, 5, NULL, NULL);
  CHECK_EQ(ouro_hash(a), 5u);
  CHECK_EQ(ouro_equal(a, b), 1);
  CHECK_EQ(ouro_equal(c, d), 0);
  CHECK_EQ(ouro_equal(c, c), 1);
  CHECK_NE(ouro_hash(c), ouro_hash(d));
  CHECK_EQ(ouro_hash(c), ouro_hash(c));
  a->id = -1;
  CHECK_EQ(ouro_equal(a, b), -1);
  CHECK_EQ(ouro_equal(a, a), 1); /* itself, without asking */
}

/* --- the end of a heap --- */

static void makes_another(void *self) {
  pair_end(self);
  make_pair(ending, 50, NULL, NULL);
}

TEST(finalize_all_runs_what_has_not_run) {
  open_heap();
  pair *kept = make_pair(ending, 1, NULL, NULL);
  make_pairs_ring(ending, 2, 2);
  pair *done = make_pair(ending, 4, NULL, NULL);
  CHECK_EQ(ouro_finalize_all(heap), 4u);
  CHECK_EQ(ended_count, 4);
  CHECK(ouro_is_finalized(kept) && ouro_is_finalized(done));
  CHECK_EQ(ouro_count(kept), 1u);
  CHECK_EQ(ouro_finalize_all(heap), 0u);
  ouro_unref(kept); /* dies without another */
  CHECK_EQ(ended_count, 4);
  CHECK(objects_ok(heap));
}

TEST(finalize_all_leaves_what_finalizers_make) {
  open_heap();
  ouro_type_spec spec = pair_spec("making pair");
  spec.finalize = makes_another;
  make_pair(ouro_type_new(heap, &spec), 1, NULL, NULL);
  CHECK_EQ(ouro_finalize_all(heap), 1u);
  CHECK_EQ(ouro_finalize_all(heap), 1u);
  CHECK(ENDED(1, 50));
  CHECK_EQ(ouro_finalize_all(quiet_heap("empty")), 0u);
}

TEST(destroying_a_heap_runs_no_finalizer) {
  open_heap();
  make_pairs_ring(ending, 1, 3);
  ouro_unref(make_pairs_ring(ending, 4, 6000));
  for (int i = 0; i < 20; i++) ouro_step(heap, 0); /* in mid-cycle */
  int before = ended_count;
  ouro_heap_destroy(heap);
  CHECK_EQ(ended_count, before);
}

TEST(the_reason_of_a_failure) {
  heap = quiet_heap("objects");
  CHECK_STR(ouro_heap_error(heap), "out of memory"); /* what else could it be */
  CHECK(!ouro_type_new(heap, &(ouro_type_spec){.name = "t"}));
  CHECK_STR(ouro_heap_error(heap), "a type's size includes its ouro_object");
}
