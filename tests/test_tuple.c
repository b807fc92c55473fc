/* SPDX-License-Identifier: MIT */
/* Tuples, and tuples as keys. */
#include "test.h"

#include "object/tuple.h"
#include "support/probes.h"

static ouro_tuple *pair(ouro_heap *heap, OURO_STOLEN void *a, OURO_STOLEN void *b) {
  ouro_tuple *tuple = ouro_tuple_new(heap, 2);
  CHECK(tuple);
  ouro_tuple_init(tuple, 0, a);
  ouro_tuple_init(tuple, 1, b);
  return tuple;
}

TEST(init_takes_the_reference) {
  ouro_heap *h = quiet_heap("tuple");
  probe *a = probe_new(h, 1), *b = probe_new(h, 2);
  ouro_tuple *tuple = pair(h, a, b);
  CHECK(ouro_is_tuple(tuple));
  CHECK(!ouro_is_tuple(a));
  CHECK_EQ(ouro_tuple_length(tuple), 2u);
  CHECK_EQ((void *)ouro_tuple_get(tuple, 0), (void *)a);
  CHECK_EQ((void *)ouro_tuple_get(tuple, 1), (void *)b);
  CHECK(!ouro_tuple_get(tuple, 2));
  CHECK_EQ(ouro_count(a), 1u);
  ouro_unref(tuple);
  CHECK(PROBES_DIED(2, 1)); /* last to first */
  CHECK(objects_ok(h));
}

TEST(new_tuples_hold_nothing) {
  ouro_heap *h = quiet_heap("tuple");
  for (size_t n = 0; n < 200; n += 1 + n / 3) {
    ouro_tuple *tuple = ouro_tuple_new(h, n);
    for (size_t i = 0; i < n; i++) CHECK(!ouro_tuple_get(tuple, i));
    CHECK(objects_ok(h));
    ouro_unref(tuple);
  }
}

TEST(tuple_of_takes_references_of_its_own) {
  ouro_heap *h = quiet_heap("tuple");
  ouro_object *items[] = {OURO_OBJECT(probe_new(h, 1)), NULL, OURO_OBJECT(probe_new(h, 2))};
  ouro_tuple *tuple = ouro_tuple_of(h, 3, items);
  CHECK_EQ(ouro_count(items[0]), 2u);
  CHECK(!ouro_tuple_get(tuple, 1));
  ouro_unref(items[0]);
  ouro_unref(items[2]);
  CHECK(NO_PROBE_DIED());
  ouro_unref(tuple);
  CHECK(PROBES_DIED(2, 1));
}

TEST(large_tuples) {
  ouro_heap *h = quiet_heap("tuple");
  ouro_tuple *tuple = ouro_tuple_new(h, 100000);
  for (size_t i = 0; i < 100000; i++) ouro_tuple_init(tuple, i, ouro_int_new(h, (int64_t)i));
  CHECK(int_is(ouro_tuple_get(tuple, 99999), 99999));
  CHECK_EQ(objects_of(h, "int"), 100000u);
  ouro_unref(tuple);
  CHECK_EQ(objects_of(h, "int"), 257u); /* the small ones stay */
  CHECK(!ouro_tuple_new(h, SIZE_MAX / 8));
  CHECK(objects_ok(h));
}

TEST(a_refusal_is_null) {
  ouro_heap *h = quiet_heap("tuple");
  ouro_object *item = OURO_OBJECT(probe_new(h, 1));
  ouro_heap_fail(h, 1, 1);
  CHECK(!ouro_tuple_new(h, 3));
  CHECK(!ouro_tuple_of(h, 1, &item));
  CHECK_EQ(ouro_count(item), 1u);
}

/* --- As keys --- */

static ouro_tuple *nested(ouro_heap *heap, int depth) {
  ouro_tuple *tuple = pair(heap, ouro_int_new(heap, 1000), ouro_str_text(heap, "deep"));
  while (depth--) tuple = pair(heap, tuple, ouro_float_new(heap, 0.5));
  return tuple;
}

TEST(equal_items_make_equal_tuples) {
  ouro_heap *h = quiet_heap("tuple");
  ouro_tuple *a = nested(h, 5), *b = nested(h, 5), *c = nested(h, 6);
  CHECK_EQ(ouro_equal(a, b), 1);
  CHECK_EQ(ouro_hash(a), ouro_hash(b));
  CHECK_EQ(ouro_equal(a, c), 0);
  CHECK_NE(ouro_hash(a), ouro_hash(c));
  CHECK_EQ(ouro_equal(a, ouro_tuple_get(a, 1)), 0);
  ouro_tuple *hole = pair(h, NULL, NULL), *half = pair(h, NULL, ouro_int_new(h, 0));
  CHECK_EQ(ouro_equal(hole, half), 0);
  CHECK_EQ(ouro_equal(half, hole), 0);
  ouro_unref(ouro_tuple_get(half, 1));
  ouro_tuple_init(half, 1, NULL);
  CHECK_EQ(ouro_equal(half, hole), 1);
  CHECK_EQ(ouro_hash(half), ouro_hash(hole));
}

TEST(order_and_length_make_different_hashes) {
  ouro_heap *h = quiet_heap("tuple");
  ouro_tuple *ab = pair(h, ouro_int_new(h, 1), ouro_int_new(h, 2));
  ouro_tuple *ba = pair(h, ouro_int_new(h, 2), ouro_int_new(h, 1));
  ouro_tuple *empty = ouro_tuple_new(h, 0), *one = ouro_tuple_new(h, 1);
  CHECK_NE(ouro_hash(ab), ouro_hash(ba));
  CHECK_NE(ouro_hash(empty), ouro_hash(one));
  CHECK_EQ(ouro_equal(ab, ba), 0);
  CHECK_EQ(ouro_equal(empty, one), 0);
}

static int compare_fails(void *ctx) { return ++*(int *)ctx, -1; }

TEST(a_failing_equal_fails_the_comparison) {
  ouro_heap *h = quiet_heap("tuple");
  int calls = 0;
  test_key *bad = test_key_new(h, 1, 1), *other = test_key_new(h, 1, 1);
  bad->compare = compare_fails;
  bad->ctx = &calls;
  ouro_tuple *a = pair(h, bad, test_key_new(h, 2, 2)), *b = pair(h, other, test_key_new(h, 3, 3));
  CHECK_EQ(ouro_equal(a, b), -1);
  CHECK_EQ(calls, 1);
}

TEST(depth_beyond_the_limit_fails_instead_of_overflowing) {
  ouro_heap *h = quiet_heap("tuple");
  ouro_gc_enable(h, false);
  ouro_tuple *a = nested(h, TUPLE_DEPTH - 1), *b = nested(h, TUPLE_DEPTH - 1);
  CHECK_EQ(ouro_equal(a, b), 1);
  ouro_tuple *c = nested(h, 200000), *d = nested(h, 200000);
  CHECK_EQ(ouro_hash(c), ouro_hash(d));
  CHECK_EQ(ouro_equal(c, d), -1);
  CHECK_STR(ouro_heap_error(h), "tuples nested too deep");
  ouro_dict *dict = ouro_dict_new(h);
  ouro_object *found;
  CHECK(ouro_dict_put(dict, c, c));
  CHECK_EQ(ouro_dict_get(dict, c, &found), 1); /* the same object needs no comparison */
  CHECK_EQ(ouro_dict_get(dict, d, &found), -1);
  ouro_unref(dict);
  ouro_unref(c);
  ouro_unref(d);
  CHECK(objects_ok(h));
}

TEST(a_tuple_in_a_cycle_is_collected) {
  ouro_heap *h = quiet_heap("tuple");
  ouro_list *list = ouro_list_new(h);
  CHECK(ouro_list_append_new(list, pair(h, ouro_ref(list), probe_new(h, 1))));
  ouro_unref(list);
  CHECK(NO_PROBE_DIED());
  CHECK_EQ(ouro_collect(h, 2), 2);
  CHECK(PROBES_DIED(1));
}
