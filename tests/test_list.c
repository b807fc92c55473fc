/* SPDX-License-Identifier: MIT */
/* Lists. */
#include "test.h"

#include "object/list.h"
#include "support/probes.h"

static ouro_list *list_of_probes(ouro_heap *heap, int n) {
  ouro_list *list = ouro_list_new(heap);
  for (int i = 0; i < n; i++) CHECK(ouro_list_append_new(list, probe_new(heap, i)));
  return list;
}

static ouro_list *list_of_ints(ouro_heap *heap, size_t n, const int64_t *values) {
  ouro_list *list = ouro_list_new(heap);
  for (size_t i = 0; i < n; i++) CHECK(ouro_list_append_new(list, ouro_int_new(heap, values[i])));
  return list;
}
#define INTS(heap, ...)                                                                            \
  list_of_ints(heap, sizeof((int64_t[]){__VA_ARGS__}) / 8, (const int64_t[]){__VA_ARGS__})

static bool list_is(const ouro_list *list, size_t n, const int64_t *values) {
  if (list->length != n || n > list->room) return false;
  for (size_t i = 0; i < n; i++)
    if (!int_is(ouro_list_get(list, i), values[i])) return false;
  return true;
}
#define LIST_IS(list, ...)                                                                         \
  list_is(list, sizeof((int64_t[]){__VA_ARGS__}) / 8, (const int64_t[]){__VA_ARGS__})

TEST(new_list_is_empty) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = ouro_list_new(h);
  CHECK(ouro_is_list(list));
  CHECK_EQ(ouro_count(list), 1u);
  CHECK_EQ(ouro_list_length(list), 0u);
  CHECK(!ouro_list_get(list, 0));
  CHECK(ouro_is_tracked(list));
  probe *p = probe_new(h, 1);
  CHECK(!ouro_is_list(p));
  ouro_unref(p);
  ouro_unref(list);
  CHECK_EQ(objects_of(h, "list"), 0u);
  CHECK(objects_ok(h));
}

TEST(append_takes_a_reference_of_its_own) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = ouro_list_new(h);
  probe *p = probe_new(h, 7);
  CHECK(ouro_list_append(list, p));
  CHECK_EQ(ouro_count(p), 2u);
  CHECK(ouro_list_append_new(list, ouro_ref(p)));
  CHECK_EQ(ouro_count(p), 3u);
  ouro_unref(p);
  CHECK(NO_PROBE_DIED());
  ouro_unref(list);
  CHECK(PROBES_DIED(7));
  CHECK(objects_ok(h));
}

TEST(insert_accepts_every_index_up_to_the_length) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = INTS(h, 1, 2, 3);
  ouro_int *ten = ouro_int_new(h, 10);
  CHECK(ouro_list_insert(list, 0, ten));
  CHECK(ouro_list_insert(list, 2, ten));
  CHECK(ouro_list_insert(list, 5, ten));
  CHECK(LIST_IS(list, 10, 1, 10, 2, 3, 10));
  CHECK(!ouro_list_insert(list, 7, ten));
  CHECK_STR(ouro_heap_error(h), "no such index in the list");
  CHECK(LIST_IS(list, 10, 1, 10, 2, 3, 10));
}

TEST(set_drops_what_was_there_after_the_change) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = list_of_probes(h, 3);
  probe *p = probe_new(h, 9);
  CHECK(ouro_list_set(list, 1, p));
  CHECK(PROBES_DIED(1));
  CHECK(!ouro_list_set(list, 3, p));
  CHECK_STR(ouro_heap_error(h), "no such index in the list");
  CHECK_EQ(ouro_count(p), 2u);
  ouro_unref(p);
  ouro_unref(list);
  CHECK(PROBES_DIED(2, 9, 0)); /* last to first */
}

TEST(remove_and_pop_hand_their_reference_over) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = INTS(h, 1000, 1001, 1002, 1003);
  ouro_object *item = ouro_list_remove(list, 1);
  CHECK(int_is(item, 1001));
  CHECK_EQ(ouro_count(item), 1u);
  ouro_unref(item);
  item = ouro_list_pop(list);
  CHECK(int_is(item, 1003));
  ouro_unref(item);
  CHECK(LIST_IS(list, 1000, 1002));
  CHECK(!ouro_list_remove(list, 2));
  CHECK_STR(ouro_heap_error(h), "no such index in the list");
  ouro_unref(ouro_list_pop(list));
  ouro_unref(ouro_list_pop(list));
  CHECK(!ouro_list_pop(list));
  CHECK_EQ(objects_of(h, "int"), 0u);
}

TEST(items_may_be_null) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = ouro_list_new(h);
  CHECK(ouro_list_append(list, NULL));
  CHECK(ouro_list_append_new(list, NULL));
  CHECK_EQ(ouro_list_length(list), 2u);
  CHECK(!ouro_list_remove(list, 0));
  CHECK_EQ(ouro_list_length(list), 1u);
  CHECK(objects_ok(h));
  ouro_unref(list);
}

TEST(clear_drops_last_to_first) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = list_of_probes(h, 4);
  ouro_list_clear(list);
  CHECK(PROBES_DIED(3, 2, 1, 0));
  CHECK_EQ(ouro_list_length(list), 0u);
  ouro_list_clear(list);
  CHECK(ouro_list_append_new(list, probe_new(h, 5)));
  ouro_unref(list);
  CHECK(PROBES_DIED(5));
}

static void append_to(void *list) {
  ouro_list *to = list;
  CHECK_EQ(ouro_list_length(to) + 3, 3 + (size_t)probe_death_count - 1); /* it was emptied first */
  CHECK(ouro_list_append_new(to, ouro_int_new(ouro_heap_of(to), 1000 + probe_death_count)));
}

TEST(finalizers_append_to_the_list_being_cleared) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = list_of_probes(h, 3);
  for (size_t i = 0; i < 3; i++) {
    probe *p = (probe *)(void *)ouro_list_get(list, i);
    p->at_end = append_to;
    p->ctx = list;
  }
  ouro_list_clear(list);
  CHECK(LIST_IS(list, 1001, 1002, 1003));
  CHECK(objects_ok(h));
  ouro_unref(list);
}

TEST(room_grows_by_an_eighth_and_shrinks) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = ouro_list_new(h);
  static const size_t rooms[] = {4, 8, 16, 24, 32, 40, 52, 64, 76};
  size_t step = 0;
  for (size_t last = 0; step < 9; last = list->room) {
    CHECK(ouro_list_append(list, NULL));
    if (list->room != last) CHECK_EQ(list->room, rooms[step++]);
  }
  for (int i = 0; i < 1000; i++) CHECK(ouro_list_append(list, NULL));
  while (list->length) {
    ouro_list_pop(list);
    CHECK_LE(list->room, 2 * list->length + 8);
  }
}

TEST(after_reserve_appending_cannot_fail) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = ouro_list_new(h);
  ouro_int *number = ouro_int_new(h, 5);
  CHECK(ouro_list_reserve(list, 100));
  CHECK(ouro_list_reserve(list, 10));
  ouro_heap_fail(h, 1, 1);
  for (int i = 0; i < 100; i++) CHECK(ouro_list_append(list, number));
  CHECK(!ouro_list_append(list, number));
  CHECK_STR(ouro_heap_error(h), "out of memory");
  CHECK(!ouro_list_insert(list, 3, number));
  CHECK(!ouro_list_reserve(list, 200));
  CHECK_EQ(ouro_list_length(list), 100u);
  ouro_heap_fail(h, 0, 0);
  CHECK(!ouro_list_reserve(list, SIZE_MAX / 4));
  CHECK(ouro_list_append(list, number));
  ouro_unref(list);
  CHECK(objects_ok(h));
}

TEST(append_new_drops_the_item_where_it_fails) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = ouro_list_new(h);
  probe *p = probe_new(h, 3);
  ouro_heap_fail(h, 1, 1);
  CHECK(!ouro_list_append_new(list, p));
  CHECK(PROBES_DIED(3));
}

TEST(a_refusal_is_answered_by_a_collection) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = ouro_list_new(h);
  leave_garbage(h, NULL, NULL);
  refuse_growth(h);
  CHECK(ouro_list_reserve(list, 5000));
  CHECK(PROBES_DIED(1));
  CHECK(!ouro_list_reserve(list, 50000));
  CHECK_STR(ouro_heap_error(h), "out of memory");
  CHECK_EQ(list->room, 5000u);
}

static void empty_list(void *list) { ouro_list_clear(list); }

/* The collection that makes room for the item runs a finalizer that empties the list. */
TEST(insert_looks_at_its_index_again_after_a_collection) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = ouro_list_new(h);
  CHECK(ouro_list_reserve(list, 1000));
  while (list->length < list->room) CHECK(ouro_list_append(list, NULL));
  leave_garbage(h, empty_list, list);
  refuse_growth(h);
  CHECK(!ouro_list_insert(list, 3, list));
  CHECK_STR(ouro_heap_error(h), "no such index in the list");
  CHECK(PROBES_DIED(1));
  CHECK_EQ(ouro_list_length(list), 0u);
  CHECK(objects_ok(h));
}

TEST(reverse) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = ouro_list_new(h);
  ouro_list_reverse(list);
  for (int64_t n = 1; n <= 5; n++) {
    CHECK(ouro_list_append_new(list, ouro_int_new(h, n)));
    ouro_list_reverse(list);
    ouro_list_reverse(list);
  }
  CHECK(LIST_IS(list, 1, 2, 3, 4, 5));
  ouro_list_reverse(list);
  CHECK(LIST_IS(list, 5, 4, 3, 2, 1));
}

/* --- Sorting --- */

/* Orders by the value's upper half, so that the lower half shows whether the sort is stable. */
static bool upper_before(const void *a, const void *b, void *ctx) {
  ++*(size_t *)ctx;
  return ((const ouro_int *)a)->value >> 32 < ((const ouro_int *)b)->value >> 32;
}

static void check_sorted(const ouro_list *list) {
  for (size_t i = 1; i < list->length; i++) {
    int64_t a = ((ouro_int *)(void *)list->items[i - 1])->value;
    int64_t b = ((ouro_int *)(void *)list->items[i])->value;
    CHECK_LT(a, b);
  }
}

TEST(sort_is_stable) {
  ouro_heap *h = quiet_heap("list");
  for (size_t n = 0; n < 300; n += 1 + n / 8) {
    ouro_list *list = ouro_list_new(h);
    for (size_t i = 0; i < n; i++) {
      int64_t value = (int64_t)(test_random() % (1 + n / 4)) << 32 | (int64_t)i;
      CHECK(ouro_list_append_new(list, ouro_int_new(h, value)));
    }
    size_t calls = 0;
    CHECK(ouro_list_sort(list, upper_before, &calls));
    CHECK_EQ(ouro_list_length(list), n);
    check_sorted(list);
    size_t most = n < 2 ? 0 : n * 14; /* n log2 n and the short runs */
    CHECK_LE(calls, most);
    calls = 0;
    CHECK(ouro_list_sort(list, upper_before, &calls));
    CHECK_LE(calls, n + n / 4); /* sorted already */
    ouro_unref(list);
  }
  CHECK(objects_ok(h));
}

/* Items of a tracked type, so that the collector looks at them. */
static int64_t first_of(const void *list) {
  return ouro_int_value((const ouro_int *)(void *)ouro_list_get(list, 0));
}

static bool before_collects(const void *a, const void *b, void *heap) {
  CHECK_LE(0, ouro_collect(heap, (int)(test_random() % 3)));
  CHECK(!ouro_objects_check(heap));
  return first_of(a) < first_of(b);
}

TEST(collections_while_sorting_do_no_harm) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = ouro_list_new(h);
  for (int i = 0; i < 60; i++) {
    ouro_list *item = INTS(h, (int64_t)(test_random() >> 8));
    CHECK(ouro_list_append(item, item));
    CHECK(ouro_list_append_new(list, item));
  }
  CHECK(ouro_list_sort(list, before_collects, h));
  CHECK_EQ(ouro_list_length(list), 60u);
  for (size_t i = 1; i < 60; i++)
    CHECK_LE(first_of(ouro_list_get(list, i - 1)), first_of(ouro_list_get(list, i)));
  CHECK(objects_ok(h));
}

static bool before_appends(const void *a, const void *b, void *list) {
  ouro_list *to = list;
  CHECK(ouro_list_append_new(to, probe_new(ouro_heap_of(to), (int)to->length)));
  return ((const ouro_int *)a)->value < ((const ouro_int *)b)->value;
}

TEST(a_list_changed_while_it_is_sorted_is_whole) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = INTS(h, 3, 1, 2);
  CHECK(!ouro_list_sort(list, before_appends, list));
  CHECK_STR(ouro_heap_error(h), "the list was changed while it was sorted");
  CHECK(LIST_IS(list, 1, 2, 3));
  CHECK_LT(1, probe_death_count);
  CHECK_EQ(objects_of(h, "probe"), 0u);
  CHECK(objects_ok(h));
}

TEST(sort_without_memory_changes_nothing) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = INTS(h, 3, 1, 2);
  size_t calls = 0;
  ouro_heap_fail(h, 1, 1);
  CHECK(!ouro_list_sort(list, upper_before, &calls));
  CHECK(LIST_IS(list, 3, 1, 2));
  CHECK_EQ(calls, 0u);
}

TEST(a_list_in_itself_is_collected) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *list = list_of_probes(h, 2);
  CHECK(ouro_list_append(list, list));
  ouro_unref(list);
  CHECK(NO_PROBE_DIED());
  CHECK_EQ(ouro_collect(h, 2), 1);
  CHECK(PROBES_DIED(1, 0));
  CHECK(objects_ok(h));
}

TEST(a_chain_of_a_million_lists_dies_on_a_small_stack) {
  ouro_heap *h = quiet_heap("list");
  ouro_gc_enable(h, false);
  ouro_list *chain = NULL;
  for (int i = 0; i < 1000000; i++) {
    ouro_list *link = ouro_list_new(h);
    CHECK(ouro_list_append_new(link, chain));
    chain = link;
  }
  ouro_list_clear(chain);
  ouro_unref(chain);
  CHECK_EQ(objects_of(h, "list"), 0u);
}

TEST(P4_lists_have_a_private_free_list) {
  ouro_heap *h = quiet_heap("list");
  ouro_list *dead[200];
  for (int i = 0; i < 200; i++) dead[i] = ouro_list_new(h);
  ouro_type *lists = ouro_type_of(dead[0]);
  size_t cap = ouro_free_list_cap(lists);
  if (lists->bin.room == 0) SKIP("a sanitizer is to see every free, so nothing is kept");
  CHECK(cap > 0 && cap < 200);
  for (size_t i = 0; i < 200; i++) {
    ouro_unref(dead[i]);
    if (i < cap) CHECK_EQ(ouro_free_list_length(lists), i + 1);
    CHECK_LE(ouro_free_list_length(lists), cap);
  }
  for (int i = 0; i < 200; i++) { /* none of their memory becomes a set */
    void *made = ouro_set_new(h);
    for (int k = 0; k < 200; k++) CHECK_NE(made, (void *)dead[k]);
  }
  CHECK_LE(0, ouro_collect(h, 2));
  CHECK_EQ(ouro_free_list_length(lists), 0u);
}

TEST(new_list_fails_as_null) {
  ouro_heap *h = quiet_heap("list");
  ouro_heap_fail(h, 1, 1);
  CHECK(!ouro_list_new(h));
  ouro_heap_fail(h, 0, 0);
  CHECK(ouro_list_new(h));
}
