/* SPDX-License-Identifier: MIT */
/* Integers and floats. */
#include "test.h"

#include <math.h>

#include "object/number.h"
#include "support/probes.h"

TEST(values) {
  ouro_heap *h = quiet_heap("number");
  static const int64_t ints[] = {INT64_MIN, -1000, -6, -5, -1, 0, 1, 256, 257, INT64_MAX};
  static const double floats[] = {0.0, -0.0, 0.1, 1e308, -INFINITY};
  for (size_t i = 0; i < 10; i++) {
    ouro_int *n = ouro_int_new(h, ints[i]);
    CHECK(ouro_is_int(n) && !ouro_is_float(n));
    CHECK_EQ(ouro_int_value(n), ints[i]);
    CHECK(!ouro_is_tracked(n));
    ouro_unref(n);
  }
  for (size_t i = 0; i < 5; i++) {
    ouro_float *x = ouro_float_new(h, floats[i]);
    CHECK(ouro_is_float(x) && !ouro_is_int(x));
    CHECK_EQ(ouro_float_value(x), floats[i]);
    CHECK_EQ(ouro_count(x), 1u);
    ouro_unref(x);
  }
  CHECK_EQ(objects_of(h, "float"), 0u);
  CHECK(objects_ok(h));
}

TEST(small_ints_are_made_once_and_last) {
  ouro_heap *h = quiet_heap("number");
  CHECK_EQ(objects_of(h, "int"), 0u);
  for (int64_t value = -5; value <= 256; value++) {
    ouro_int *a = ouro_int_new(h, value);
    CHECK_LE(OURO_IMMORTAL, ouro_count(a));
    for (int i = 0; i < 3; i++) ouro_unref(a);
    CHECK_EQ((void *)ouro_int_new(h, value), (void *)a);
    CHECK_EQ(ouro_int_value(a), value);
  }
  CHECK_EQ(objects_of(h, "int"), 262u);
  ouro_int *below = ouro_int_new(h, -6), *above = ouro_int_new(h, 257);
  CHECK_EQ(ouro_count(below), 1u);
  CHECK_EQ(ouro_count(above), 1u);
  ouro_heap *other = quiet_heap("other");
  CHECK_NE((void *)ouro_int_new(h, 1), (void *)ouro_int_new(other, 1));
}

TEST(equality_and_hash) {
  ouro_heap *h = quiet_heap("number");
  ouro_int *a = ouro_int_new(h, 1 << 20), *b = ouro_int_new(h, 1 << 20), *c = ouro_int_new(h, 3000);
  CHECK_EQ(ouro_equal(a, b), 1);
  CHECK_EQ(ouro_hash(a), ouro_hash(b));
  CHECK_EQ(ouro_equal(a, c), 0);
  CHECK_NE(ouro_hash(a), ouro_hash(c));
  ouro_float *x = ouro_float_new(h, 3000.0), *y = ouro_float_new(h, 3000.0);
  CHECK_EQ(ouro_equal(x, y), 1);
  CHECK_EQ(ouro_hash(x), ouro_hash(y));
  CHECK_EQ(ouro_equal(c, x), 0); /* other types are other keys */
  CHECK_EQ(ouro_equal(x, c), 0);
}

TEST(zeros_are_equal_and_nan_is_only_itself) {
  ouro_heap *h = quiet_heap("number");
  ouro_float *zero = ouro_float_new(h, 0.0), *minus = ouro_float_new(h, -0.0);
  CHECK_EQ(ouro_equal(zero, minus), 1);
  CHECK_EQ(ouro_hash(zero), ouro_hash(minus));
  ouro_float *nan1 = ouro_float_new(h, NAN), *nan2 = ouro_float_new(h, NAN);
  ouro_set *set = ouro_set_new(h);
  CHECK_EQ(ouro_set_add(set, nan1), 1);
  CHECK_EQ(ouro_set_has(set, nan1), 1);
  CHECK_EQ(ouro_set_has(set, nan2), 0);
}

/* Sequential integers, multiples of large powers and pointers must not share slots: the lowest 10
 * bits of 1,024 hashes hit about 63 % of the values. */
TEST(hashes_are_spread) {
  ouro_heap *h = quiet_heap("number");
  for (int shift = 0; shift < 54; shift += 6) {
    bool seen[1024] = {false};
    int hit = 0;
    for (int64_t i = 0; i < 1024; i++) {
      ouro_int *n = ouro_int_new(h, i << shift);
      bool *at = &seen[ouro_hash(n) % 1024];
      hit += !*at;
      *at = true;
      ouro_unref(n);
    }
    CHECK_LT(550, hit);
  }
}

TEST(P4_numbers_have_private_free_lists) {
  ouro_heap *h = quiet_heap("number");
  ouro_type *ints = ouro_int_type(h), *floats = ouro_float_type(h);
  CHECK_STR(ouro_type_name(ints), "int");
  CHECK_STR(ouro_type_name(floats), "float");
  ouro_int *dead[200];
  size_t cap = ouro_free_list_cap(ints);
  CHECK(cap > 0 && cap < 200);
  if (ints->bin.room == 0) SKIP("a sanitizer is to see every free, so nothing is kept");
  for (int i = 0; i < 200; i++) dead[i] = ouro_int_new(h, 1000 + i);
  CHECK_EQ(ouro_free_list_length(ints), 0u);
  for (size_t i = 0; i < 200; i++) {
    ouro_unref(dead[i]);
    if (i < cap) CHECK_EQ(ouro_free_list_length(ints), i + 1);
    CHECK_LE(ouro_free_list_length(ints), cap);
  }
  CHECK_EQ(ouro_free_list_length(floats), 0u);
  for (int i = 0; i < 200; i++) { /* none of the integers' memory becomes a float */
    void *made = ouro_float_new(h, 0.5);
    for (int k = 0; k < 200; k++) CHECK_NE(made, (void *)dead[k]);
  }
  CHECK_LE(0, ouro_collect(h, 2));
  CHECK_EQ(ouro_free_list_length(ints), 0u);
}

typedef struct rival {
  ouro_int *room, *made;
} rival;

static void make_first(void *ctx) {
  rival *r = ctx;
  ouro_heap *h = ouro_heap_of(r->room);
  ouro_unref(r->room);
  r->made = ouro_int_new(h, 7);
  CHECK(r->made);
}

/* Memory for a small integer is refused; the collection that follows makes the same one, and frees
 * other integers. */
TEST(a_finalizer_makes_the_small_int_that_is_being_made) {
  ouro_heap *h = quiet_heap("number");
  rival r = {.room = ouro_int_new(h, 1000)};
  ouro_list *garbage = ouro_list_new(h);
  probe *p = probe_new(h, 1);
  p->at_end = make_first;
  p->ctx = &r;
  ouro_int_new(h, 8);
  CHECK(ouro_list_reserve(garbage, 10000));
  refuse_growth(h);
  for (ouro_int *n; (n = ouro_int_new(h, 1000)) != NULL;) CHECK(ouro_list_append_new(garbage, n));
  CHECK(ouro_list_append_new(garbage, p));
  CHECK(ouro_list_append_new(garbage, ouro_ref(garbage)));
  ouro_unref(garbage);
  ouro_int *seven = ouro_int_new(h, 7);
  CHECK(PROBES_DIED(1));
  CHECK_EQ((void *)seven, (void *)r.made);
  CHECK_EQ((void *)ouro_int_new(h, 7), (void *)seven);
  CHECK_EQ(objects_of(h, "int"), 2u);
}

TEST(a_refusal_is_null) {
  ouro_heap *h = quiet_heap("number");
  for (uint64_t n = 1;; n++) {
    ouro_heap_fail(h, n, 1);
    ouro_int *small = ouro_int_new(h, 5), *large = ouro_int_new(h, 5000);
    ouro_float *x = ouro_float_new(h, 0.5);
    ouro_heap_fail(h, 0, 0);
    CHECK(objects_ok(h));
    if (small && large && x) break;
    CHECK_LT(n, 100u);
  }
  CHECK_EQ((void *)ouro_int_new(h, 5), (void *)ouro_int_new(h, 5));
}
