/* SPDX-License-Identifier: MIT */
/* Dictionaries. */
#include "test.h"

#include "object/dict.h"
#include "support/probes.h"

static void put(ouro_dict *dict, OURO_STOLEN void *key, OURO_STOLEN void *value) {
  CHECK(ouro_dict_put(dict, key, value));
  ouro_unref(key);
  ouro_unref(value);
}

static void put_ints(ouro_dict *dict, int64_t from, int64_t to) {
  ouro_heap *heap = ouro_heap_of(dict);
  for (int64_t i = from; i < to; i++)
    put(dict, ouro_int_new(heap, i), ouro_int_new(heap, i * 1000));
}

static bool has_int(ouro_dict *dict, int64_t key, int64_t value) {
  ouro_int *k = ouro_int_new(ouro_heap_of(dict), key);
  ouro_object *found;
  int result = ouro_dict_get(dict, k, &found);
  ouro_unref(k);
  return result == 1 && int_is(found, value);
}

static int remove_int(ouro_dict *dict, int64_t key) {
  ouro_int *k = ouro_int_new(ouro_heap_of(dict), key);
  int result = ouro_dict_remove(dict, k);
  ouro_unref(k);
  return result;
}

/* The dictionary's keys in order are exactly these. */
static bool keys_are(const ouro_dict *dict, size_t n, const int64_t *keys) {
  ouro_object *key, *value;
  size_t position = 0, i = 0;
  for (; ouro_dict_next(dict, &position, &key, &value); i++)
    if (i >= n || !int_is(key, keys[i])) return false;
  return i == n && ouro_dict_length(dict) == n;
}
#define KEYS_ARE(dict, ...)                                                                        \
  keys_are(dict, sizeof((int64_t[]){__VA_ARGS__}) / 8, (const int64_t[]){__VA_ARGS__})

TEST(new_dict_is_empty) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  ouro_object *key, *value;
  size_t position = 0;
  CHECK(ouro_is_dict(dict));
  CHECK(ouro_is_tracked(dict));
  CHECK_EQ(ouro_dict_length(dict), 0u);
  CHECK(!ouro_dict_next(dict, &position, &key, &value));
  CHECK(!key && !value);
  CHECK_EQ(remove_int(dict, 1), 0);
  CHECK(!has_int(dict, 1, 1));
  ouro_dict_clear(dict);
  ouro_list *list = ouro_list_new(h);
  CHECK(!ouro_is_dict(list));
  ouro_unref(dict);
  CHECK(objects_ok(h));
}

TEST(put_keeps_references_and_order) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  probe *key = probe_new(h, 1), *value = probe_new(h, 2), *other = probe_new(h, 3);
  ouro_object *found;
  CHECK(ouro_dict_put(dict, key, value));
  CHECK_EQ(ouro_count(key), 2u);
  CHECK_EQ(ouro_count(value), 2u);
  CHECK_EQ(ouro_dict_get(dict, key, &found), 1);
  CHECK_EQ((void *)found, (void *)value);
  CHECK_EQ(ouro_count(value), 2u); /* borrowed */
  ouro_unref(value);
  CHECK(ouro_dict_put(dict, key, other));
  CHECK(PROBES_DIED(2));
  CHECK_EQ(ouro_dict_length(dict), 1u);
  CHECK_EQ(ouro_count(key), 2u); /* the first key stays */
  CHECK_EQ(ouro_dict_get(dict, other, &found), 0);
  CHECK(!found);
  ouro_unref(key);
  ouro_unref(other);
  ouro_unref(dict);
  CHECK(PROBES_DIED(3, 1)); /* value, then key */
}

TEST(values_may_be_null_keys_not) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  probe *key = probe_new(h, 1);
  ouro_object *found = OURO_OBJECT(key);
  CHECK(ouro_dict_put(dict, key, NULL));
  CHECK_EQ(ouro_dict_get(dict, key, &found), 1);
  CHECK(!found);
  CHECK(!ouro_dict_put(dict, NULL, key));
  CHECK_STR(ouro_heap_error(h), "NULL is no key");
  CHECK_EQ(ouro_dict_get(dict, NULL, &found), -1);
  CHECK_EQ(ouro_dict_remove(dict, NULL), -1);
  CHECK_EQ(ouro_dict_length(dict), 1u);
}

TEST(order_is_that_of_the_first_put) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  put_ints(dict, 300, 306);
  put_ints(dict, 302, 303);
  CHECK(KEYS_ARE(dict, 300, 301, 302, 303, 304, 305));
  CHECK_EQ(remove_int(dict, 301), 1);
  CHECK_EQ(remove_int(dict, 301), 0);
  put_ints(dict, 301, 302);
  CHECK(KEYS_ARE(dict, 300, 302, 303, 304, 305, 301));
  put_ints(dict, 400, 430); /* grows: the removed entry disappears, the order stays */
  CHECK_EQ(dict->table.used, 36u);
  CHECK(has_int(dict, 301, 301000));
  ouro_dict_clear(dict);
  CHECK_EQ(ouro_dict_length(dict), 0u);
  put_ints(dict, 7, 9);
  CHECK(KEYS_ARE(dict, 7, 8));
  CHECK(objects_ok(h));
}

/* Crosses every width of the index: 1 byte to 128 slots, 2 to 32,768, 4 beyond. */
TEST(growth_through_all_widths) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  for (int64_t n = 0, step = 1; n < 60000; n += step, step += 1 + step / 3) {
    put_ints(dict, n, n + step);
    CHECK_EQ(ouro_dict_length(dict), (size_t)(n + step));
    CHECK(has_int(dict, 0, 0) && has_int(dict, n, n * 1000));
    CHECK(!has_int(dict, n + step, (n + step) * 1000));
    for (int64_t i = 0; n < 1000 && i < n + step; i++) CHECK(has_int(dict, i, i * 1000));
  }
  int64_t all = (int64_t)ouro_dict_length(dict);
  for (int64_t i = 0; i < all; i++) CHECK(has_int(dict, i, i * 1000));
  for (int64_t i = 0; i < all; i += 2) CHECK_EQ(remove_int(dict, i), 1);
  for (int64_t i = 0; i < all; i++) CHECK_EQ(has_int(dict, i, i * 1000), i % 2 == 1);
  CHECK(objects_ok(h));
  ouro_unref(dict);
  CHECK_EQ(objects_of(h, "int"), 257u);
}

TEST(an_emptied_table_gives_its_block_back) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  put_ints(dict, 0, 1000);
  CHECK_LE(1024u, 1u << dict->table.log2);
  for (int64_t i = 0; i < 1000; i++) CHECK_EQ(remove_int(dict, i), 1);
  CHECK(!dict->table.entries);
  put_ints(dict, 0, 1);
  void *small = dict->table.entries;
  for (int i = 0; i < 100; i++) { /* one entry at a time stays in the smallest block */
    CHECK_EQ(remove_int(dict, i), 1);
    put_ints(dict, i + 1, i + 2);
    CHECK_EQ(dict->table.entries, small);
  }
}

TEST(a_sparse_table_shrinks_at_the_next_put) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  put_ints(dict, 0, 1000);
  for (int64_t i = 0; i < 998; i++) CHECK_EQ(remove_int(dict, i), 1);
  put_ints(dict, 2000, 2001);
  CHECK_EQ(1u << dict->table.log2, 8u);
  CHECK(KEYS_ARE(dict, 998, 999, 2000));
}

/* A queue: entries come behind and go before. The table must not grow with time. */
TEST(a_queue_keeps_its_size) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  put_ints(dict, 0, 20);
  for (int64_t i = 0; i < 5000; i++) {
    CHECK_EQ(remove_int(dict, i), 1);
    put_ints(dict, i + 20, i + 21);
    CHECK_LE(1u << dict->table.log2, 64u);
  }
  CHECK(has_int(dict, 5000, 5000000));
}

TEST(removing_while_iterating_sees_every_entry_once) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  put_ints(dict, 0, 100);
  ouro_object *key, *value;
  int64_t expected = 0;
  for (size_t at = 0; ouro_dict_next(dict, &at, &key, &value); expected++) {
    CHECK(int_is(key, expected) && int_is(value, expected * 1000));
    if (expected % 3) CHECK_EQ(ouro_dict_remove(dict, key), 1);
    if (expected != 50) continue;
    CHECK_EQ(remove_int(dict, 51), 1);
    expected++;
  }
  CHECK_EQ(expected, 100);
}

TEST(hashes_that_collide) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  static const uint64_t hashes[] = {0, 1, 1ull << 63, 1ull << 32, 7ull << 60, UINT64_MAX};
  test_key *keys[300];
  ouro_object *found;
  for (int i = 0; i < 300; i++) {
    keys[i] = test_key_new(h, i, hashes[i % 6]);
    CHECK(ouro_dict_put(dict, keys[i], keys[i]));
  }
  for (int i = 0; i < 300; i += 2) CHECK_EQ(ouro_dict_remove(dict, keys[i]), 1);
  for (int i = 0; i < 300; i++) {
    test_key *same = test_key_new(h, i, hashes[i % 6]);
    CHECK_EQ(ouro_dict_get(dict, same, &found), i % 2);
    CHECK_EQ((void *)found, i % 2 ? (void *)keys[i] : NULL);
    ouro_unref(same);
  }
}

/* --- Callbacks that fail or change the dictionary --- */

typedef struct meddler {
  ouro_dict *dict;
  ouro_object *key; /* what to remove or to put */
  int calls;
} meddler;

static int compare_fails(void *ctx) { return ((meddler *)ctx)->calls++, -1; }

TEST(a_failing_equal_fails_the_call) {
  ouro_heap *h = quiet_heap("dict");
  meddler m = {.dict = ouro_dict_new(h)};
  test_key *key = test_key_new(h, 1, 5), *bad = test_key_new(h, 1, 5);
  ouro_object *found;
  CHECK(ouro_dict_put(m.dict, key, key));
  bad->compare = compare_fails;
  bad->ctx = &m;
  CHECK(!ouro_dict_put(m.dict, bad, bad));
  CHECK_STR(ouro_heap_error(h), "comparing keys failed, or changed the container each time");
  CHECK_EQ(ouro_dict_get(m.dict, bad, &found), -1);
  CHECK(!found);
  CHECK_EQ(ouro_dict_remove(m.dict, bad), -1);
  CHECK_EQ(m.calls, 3);
  CHECK_EQ(ouro_count(bad), 1u);
  CHECK_EQ(ouro_dict_length(m.dict), 1u);
}

static int compare_clears(void *ctx) {
  meddler *m = ctx;
  if (m->calls++ == 0) ouro_dict_clear(m->dict);
  return 2;
}

TEST(equal_clears_the_dictionary) {
  ouro_heap *h = quiet_heap("dict");
  meddler m = {.dict = ouro_dict_new(h)};
  ouro_object *found;
  for (int i = 0; i < 20; i++) {
    test_key *key = test_key_new(h, i, 5);
    put(m.dict, key, probe_new(h, i));
  }
  test_key *bad = test_key_new(h, 19, 5);
  bad->compare = compare_clears;
  bad->ctx = &m;
  CHECK_EQ(ouro_dict_get(m.dict, bad, &found), 0);
  CHECK_EQ(m.calls, 1);
  CHECK_EQ(probe_death_count, 20);
  CHECK_EQ(ouro_dict_length(m.dict), 0u);
  CHECK_EQ(objects_of(h, "key"), 1u);
  CHECK(objects_ok(h));
}

static int compare_removes(void *ctx) {
  meddler *m = ctx;
  if (m->calls++ == 0) CHECK_EQ(ouro_dict_remove(m->dict, m->key), 1);
  CHECK_EQ(ouro_count(m->key), 1u); /* the lookup keeps it for as long as it is compared */
  return 2;
}

TEST(equal_removes_the_key_that_is_compared) {
  ouro_heap *h = quiet_heap("dict");
  meddler m = {.dict = ouro_dict_new(h)};
  test_key *key = test_key_new(h, 1, 5), *bad = test_key_new(h, 1, 5);
  m.key = OURO_OBJECT(key);
  put(m.dict, key, probe_new(h, 1)); /* only the dictionary holds the key now */
  bad->compare = compare_removes;
  bad->ctx = &m;
  CHECK(ouro_dict_put(m.dict, bad, m.dict)); /* nothing equal is left: it is added */
  CHECK(PROBES_DIED(1));
  CHECK_EQ(ouro_dict_length(m.dict), 1u);
  CHECK_EQ(objects_of(h, "key"), 1u);
}

/* Grows the dictionary so that the block a lookup is in is freed. */
static int compare_puts(void *ctx) {
  meddler *m = ctx;
  ouro_heap *h = ouro_heap_of(m->dict);
  put(m->dict, ouro_int_new(h, 1000 + m->calls), ouro_int_new(h, 0));
  m->calls++;
  return 2;
}

TEST(equal_that_always_changes_the_dictionary_ends) {
  ouro_heap *h = quiet_heap("dict");
  meddler m = {.dict = ouro_dict_new(h)};
  test_key *key = test_key_new(h, 1, 5), *bad = test_key_new(h, 2, 5);
  ouro_object *found;
  put(m.dict, key, ouro_int_new(h, 0));
  bad->compare = compare_puts;
  bad->ctx = &m;
  CHECK_EQ(ouro_dict_get(m.dict, bad, &found), -1);
  CHECK_LT(10, m.calls);
  CHECK_EQ(ouro_dict_length(m.dict), 1 + (size_t)m.calls);
  CHECK(objects_ok(h));
}

static int compare_puts_few(void *ctx) {
  return ((meddler *)ctx)->calls < 20 ? compare_puts(ctx) : 2;
}

TEST(equal_that_changes_the_dictionary_for_a_while_is_survived) {
  ouro_heap *h = quiet_heap("dict");
  meddler m = {.dict = ouro_dict_new(h)};
  test_key *key = test_key_new(h, 1, 5), *bad = test_key_new(h, 1, 5);
  ouro_object *found;
  put(m.dict, key, ouro_int_new(h, 77));
  bad->compare = compare_puts_few;
  bad->ctx = &m;
  CHECK_EQ(ouro_dict_get(m.dict, bad, &found), 1);
  CHECK(int_is(found, 77));
  CHECK_EQ(m.calls, 20);
}

static void put_again(void *ctx) {
  meddler *m = ctx;
  CHECK_EQ(ouro_dict_length(m->dict), (size_t)m->calls); /* emptied before anything dies */
  put_ints(m->dict, m->calls, m->calls + 1);
  m->calls++;
}

TEST(finalizers_put_into_the_dictionary_being_cleared) {
  ouro_heap *h = quiet_heap("dict");
  meddler m = {.dict = ouro_dict_new(h)};
  for (int i = 0; i < 12; i++) {
    probe *p = probe_new(h, i);
    p->at_end = put_again;
    p->ctx = &m;
    put(m.dict, ouro_int_new(h, i), p);
  }
  ouro_dict_clear(m.dict);
  CHECK(PROBES_DIED(11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)); /* last to first, as lists */
  CHECK(KEYS_ARE(m.dict, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  CHECK(objects_ok(h));
}

static void clear_dict(void *dict) { ouro_dict_clear(dict); }

TEST(the_finalizer_of_an_old_value_clears_the_dictionary) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  probe *p = probe_new(h, 1);
  p->at_end = clear_dict;
  p->ctx = dict;
  ouro_int *key = ouro_int_new(h, 5);
  put(dict, ouro_ref(key), p);
  CHECK(ouro_dict_put(dict, key, key));
  CHECK_EQ(ouro_dict_length(dict), 0u);
  CHECK(objects_ok(h));
}

/* --- Running out of memory --- */

TEST(without_memory_nothing_is_lost) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  probe *key = probe_new(h, 1);
  ouro_heap_fail(h, 1, 1);
  CHECK(!ouro_dict_put(dict, key, key));
  CHECK_STR(ouro_heap_error(h), "out of memory");
  CHECK_EQ(ouro_count(key), 1u);
  ouro_heap_fail(h, 0, 0);
  put_ints(dict, 0, 5);
  ouro_heap_fail(h, 1, 1);
  CHECK(!ouro_dict_put(dict, key, key));
  CHECK(KEYS_ARE(dict, 0, 1, 2, 3, 4));
  CHECK_EQ(remove_int(dict, 2), 1); /* a removed entry's place needs no memory */
  CHECK(ouro_dict_put(dict, key, key));
  CHECK_EQ(ouro_dict_length(dict), 5u);
  CHECK(!ouro_dict_new(h));
  ouro_heap_fail(h, 0, 0);
  CHECK(ouro_dict_put(dict, dict, key));
  CHECK(objects_ok(h));
}

TEST(a_refusal_is_answered_by_a_collection) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  put_ints(dict, 0, 42); /* full: 64 slots */
  leave_garbage(h, NULL, NULL);
  refuse_growth(h);
  put_ints(dict, 42, 43);
  CHECK(PROBES_DIED(1));
  CHECK_EQ(ouro_dict_length(dict), 43u);
}

static void put_key(void *ctx) {
  meddler *m = ctx;
  CHECK_EQ(remove_int(m->dict, 7), 1); /* so that there is room for it */
  CHECK(ouro_dict_put(m->dict, m->key, NULL));
}

/* The collection that makes room runs a finalizer that puts the very key. */
TEST(a_finalizer_puts_the_key_that_is_being_put) {
  ouro_heap *h = quiet_heap("dict");
  meddler m = {.dict = ouro_dict_new(h), .key = OURO_OBJECT(ouro_int_new(h, 5000))};
  ouro_object *found;
  put_ints(m.dict, 0, 42);
  leave_garbage(h, put_key, &m);
  refuse_growth(h);
  CHECK(ouro_dict_put(m.dict, m.key, m.key));
  CHECK(PROBES_DIED(1));
  CHECK_EQ(ouro_dict_length(m.dict), 42u);
  CHECK_EQ(ouro_dict_get(m.dict, m.key, &found), 1);
  CHECK_EQ((void *)found, (void *)m.key);
  CHECK_EQ(ouro_count(m.key), 3u);
  CHECK(objects_ok(h));
}

/* --- Text keys --- */

TEST(text_keys) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  ouro_object *found;
  CHECK_EQ(ouro_dict_get_text(dict, "name", &found), 0); /* no string was ever made */
  put_ints(dict, 0, 1);
  CHECK_EQ(ouro_dict_get_text(dict, "name", &found), 0);
  probe *value = probe_new(h, 1);
  CHECK(ouro_dict_put_text(dict, "name", value));
  ouro_unref(value);
  CHECK_EQ(ouro_dict_get_text(dict, "name", &found), 1);
  CHECK_EQ((void *)found, (void *)value);
  ouro_str *name = ouro_str_text(h, "name");
  CHECK_EQ(ouro_dict_get(dict, name, &found), 1);
  CHECK_EQ((void *)found, (void *)value);
  CHECK(ouro_dict_put_text(dict, "name", dict));
  CHECK(PROBES_DIED(1));
  CHECK_EQ(ouro_dict_length(dict), 2u);
  CHECK(!ouro_dict_put_text(dict, "\xFF", dict));
  CHECK_STR(ouro_heap_error(h), "the bytes are no UTF-8");
  CHECK_EQ(ouro_dict_get_text(dict, "\xFF", &found), 0);
}

/* --- The collector --- */

TEST(a_dictionary_in_itself_is_collected) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h), *keys = ouro_dict_new(h);
  put(dict, probe_new(h, 1), ouro_ref(dict));
  put(keys, ouro_ref(keys), probe_new(h, 2));
  put_ints(keys, 0, 100);
  CHECK_EQ(remove_int(keys, 50), 1);
  ouro_unref(dict);
  ouro_unref(keys);
  CHECK(NO_PROBE_DIED());
  CHECK_EQ(ouro_collect(h, 2), 2);
  CHECK_EQ(probe_death_count, 2);
  CHECK_EQ(objects_of(h, "dict"), 0u);
  CHECK(objects_ok(h));
}

TEST(what_a_dictionary_holds_is_alive) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  for (int i = 0; i < 200; i++) {
    ouro_list *list = ouro_list_new(h);
    CHECK(ouro_list_append(list, list));
    put(dict, ouro_int_new(h, i), list);
  }
  for (int g = 0; g < 3; g++) CHECK_EQ(ouro_collect(h, g), 0);
  CHECK_EQ(objects_of(h, "list"), 200u);
  ouro_dict_clear(dict);
  CHECK_EQ(ouro_collect(h, 2), 200);
}

/* Its name in reports; see ouro_each_referent. */
static bool note_name(void *ctx, ouro_object *other, const char *name) {
  char *out = ctx;
  (void)other;
  snprintf(out + strlen(out), 200 - strlen(out), "%s;", name);
  return true;
}

TEST(references_have_names) {
  ouro_heap *h = quiet_heap("dict");
  ouro_dict *dict = ouro_dict_new(h);
  char names[200] = "";
  put(dict, ouro_str_text(h, "left"), ouro_list_new(h));
  put(dict, ouro_int_new(h, 42), ouro_list_new(h));
  put(dict, probe_new(h, 1), NULL);
  put(dict, ouro_str_text(h, "a key longer than 27 byte\xE2\x82\xAC"), ouro_list_new(h));
  ouro_each_referent(dict, note_name, names);
  CHECK(strstr(names, "[\"left\"];"));
  CHECK(strstr(names, "[42];"));
  CHECK(strstr(names, "key 2;"));
  CHECK(strstr(names, "[\"a key longer than 27 byte\"];"));
}
