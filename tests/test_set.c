/* SPDX-License-Identifier: MIT */
/* Sets. What they share with dictionaries is tested there. */
#include "test.h"

#include "object/set.h"
#include "support/probes.h"

static int add(ouro_set *set, OURO_STOLEN void *member) {
  int result = ouro_set_add(set, member);
  ouro_unref(member);
  return result;
}

static bool members_are(const ouro_set *set, size_t n, const int64_t *values) {
  ouro_object *member;
  size_t position = 0, i = 0;
  for (; ouro_set_next(set, &position, &member); i++)
    if (i >= n || !int_is(member, values[i])) return false;
  return i == n && !member && ouro_set_length(set) == n;
}
#define MEMBERS_ARE(set, ...)                                                                      \
  members_are(set, sizeof((int64_t[]){__VA_ARGS__}) / 8, (const int64_t[]){__VA_ARGS__})

TEST(add_has_remove) {
  ouro_heap *h = quiet_heap("set");
  ouro_set *set = ouro_set_new(h);
  ouro_int *a = ouro_int_new(h, 1000), *same = ouro_int_new(h, 1000);
  CHECK(ouro_is_set(set));
  CHECK(!ouro_is_set(a));
  CHECK(MEMBERS_ARE(set));
  CHECK_EQ(ouro_set_has(set, a), 0);
  CHECK_EQ(ouro_set_remove(set, a), 0);
  CHECK_EQ(ouro_set_add(set, a), 1);
  CHECK_EQ(ouro_count(a), 2u);
  CHECK_EQ(ouro_set_add(set, same), 0);
  CHECK_EQ(ouro_count(same), 1u);
  CHECK_EQ(ouro_set_has(set, same), 1);
  CHECK_EQ(add(set, ouro_int_new(h, 7)), 1);
  CHECK_EQ(add(set, ouro_int_new(h, 3)), 1);
  CHECK(MEMBERS_ARE(set, 1000, 7, 3));
  CHECK_EQ(ouro_set_remove(set, same), 1);
  CHECK_EQ(ouro_count(a), 1u);
  CHECK(MEMBERS_ARE(set, 7, 3));
  CHECK_EQ(add(set, same), 1);
  CHECK(MEMBERS_ARE(set, 7, 3, 1000));
  ouro_unref(a);
  ouro_unref(set);
  CHECK(objects_ok(h));
}

TEST(null_is_no_member) {
  ouro_heap *h = quiet_heap("set");
  ouro_set *set = ouro_set_new(h);
  CHECK_EQ(ouro_set_add(set, NULL), -1);
  CHECK_STR(ouro_heap_error(h), "NULL is no key");
  CHECK_EQ(ouro_set_has(set, NULL), -1);
  CHECK_EQ(ouro_set_remove(set, NULL), -1);
}

TEST(members_without_equality_are_themselves) {
  ouro_heap *h = quiet_heap("set");
  ouro_set *set = ouro_set_new(h);
  probe *a = probe_new(h, 1), *b = probe_new(h, 1);
  CHECK_EQ(ouro_set_add(set, a), 1);
  CHECK_EQ(ouro_set_has(set, b), 0);
  CHECK_EQ(ouro_set_add(set, b), 1);
  CHECK_EQ(ouro_set_remove(set, a), 1);
  CHECK_EQ(ouro_set_has(set, a), 0);
  CHECK_EQ(ouro_set_has(set, b), 1);
}

TEST(many_members) {
  ouro_heap *h = quiet_heap("set");
  ouro_set *set = ouro_set_new(h);
  for (int64_t i = 0; i < 50000; i++) CHECK_EQ(add(set, ouro_int_new(h, i * i)), 1);
  for (int64_t i = 0; i < 50000; i++) CHECK_EQ(add(set, ouro_int_new(h, i * i)), 0);
  CHECK_EQ(ouro_set_length(set), 50000u);
  ouro_object *member;
  int64_t i = 0;
  for (size_t at = 0; ouro_set_next(set, &at, &member); i++) {
    CHECK(int_is(member, i * i));
    CHECK_EQ(ouro_set_remove(set, member), 1); /* while iterating */
  }
  CHECK_EQ(i, 50000);
  CHECK_EQ(ouro_set_length(set), 0u);
  CHECK(!set->table.entries);
  CHECK(objects_ok(h));
}

static void add_again(void *set) {
  ouro_heap *h = ouro_heap_of(set);
  CHECK_EQ(ouro_set_length(set), (size_t)probe_death_count - 1);
  CHECK_EQ(add(set, ouro_int_new(h, probe_death_count)), 1);
}

TEST(finalizers_add_to_the_set_being_cleared) {
  ouro_heap *h = quiet_heap("set");
  ouro_set *set = ouro_set_new(h);
  for (int i = 0; i < 4; i++) {
    probe *p = probe_new(h, i);
    p->at_end = add_again;
    p->ctx = set;
    CHECK_EQ(add(set, p), 1);
  }
  ouro_set_clear(set);
  CHECK(PROBES_DIED(3, 2, 1, 0));
  CHECK(MEMBERS_ARE(set, 1, 2, 3, 4));
  CHECK(objects_ok(h));
}

static int compare_clears(void *set) { return ouro_set_clear(set), 2; }

TEST(equal_clears_the_set) {
  ouro_heap *h = quiet_heap("set");
  ouro_set *set = ouro_set_new(h);
  for (int i = 0; i < 9; i++) CHECK_EQ(add(set, test_key_new(h, i, 3)), 1);
  test_key *bad = test_key_new(h, 8, 3);
  bad->compare = compare_clears;
  bad->ctx = set;
  CHECK_EQ(ouro_set_add(set, bad), 1); /* of the members none is left to be equal to */
  CHECK_EQ(ouro_set_length(set), 1u);
  CHECK_EQ(objects_of(h, "key"), 1u);
}

static int compare_fails(void *ctx) { return (void)ctx, -1; }

TEST(a_failing_equal_fails_the_call) {
  ouro_heap *h = quiet_heap("set");
  ouro_set *set = ouro_set_new(h);
  CHECK_EQ(add(set, test_key_new(h, 1, 3)), 1);
  test_key *bad = test_key_new(h, 1, 3);
  bad->compare = compare_fails;
  CHECK_EQ(ouro_set_add(set, bad), -1);
  CHECK_EQ(ouro_set_has(set, bad), -1);
  CHECK_EQ(ouro_set_remove(set, bad), -1);
  CHECK_STR(ouro_heap_error(h), "comparing keys failed, or changed the container each time");
}

TEST(without_memory_nothing_is_lost) {
  ouro_heap *h = quiet_heap("set");
  ouro_set *set = ouro_set_new(h);
  probe *p = probe_new(h, 1);
  ouro_heap_fail(h, 1, 1);
  CHECK_EQ(ouro_set_add(set, p), -1);
  CHECK_STR(ouro_heap_error(h), "out of memory");
  CHECK_EQ(ouro_count(p), 1u);
  CHECK(!ouro_set_new(h));
  ouro_heap_fail(h, 0, 0);
  CHECK_EQ(ouro_set_add(set, p), 1);
}

TEST(a_set_in_a_cycle_is_collected) {
  ouro_heap *h = quiet_heap("set");
  ouro_set *set = ouro_set_new(h);
  CHECK_EQ(ouro_set_add(set, set), 1);
  CHECK_EQ(add(set, probe_new(h, 1)), 1);
  ouro_unref(set);
  CHECK(NO_PROBE_DIED());
  CHECK_EQ(ouro_collect(h, 2), 1);
  CHECK(PROBES_DIED(1));
  CHECK(objects_ok(h));
}
