/* SPDX-License-Identifier: MIT */
/* Records. */
#include "test.h"

#include "object/record.h"
#include "support/probes.h"

static const char *const point_names[] = {"y", "x", "label"};

static ouro_type *point_type(ouro_heap *heap) {
  return ouro_record_type(heap, "point", 3, point_names, NULL);
}

TEST(a_type_knows_its_fields) {
  ouro_heap *h = quiet_heap("record");
  ouro_type *type = point_type(h);
  CHECK_STR(ouro_type_name(type), "point");
  CHECK_EQ(ouro_record_count(type), 3u);
  CHECK_STR(ouro_record_name(type, 0), "y");
  CHECK_STR(ouro_record_name(type, 2), "label");
  CHECK(!ouro_record_name(type, 3));
  CHECK_EQ(ouro_record_find(type, "y"), 0u);
  CHECK_EQ(ouro_record_find(type, "x"), 1u);
  CHECK_EQ(ouro_record_find(type, "label"), 2u);
  CHECK_EQ(ouro_record_find(type, "lab"), SIZE_MAX);
  CHECK_EQ(ouro_record_find(type, ""), SIZE_MAX);
  CHECK_EQ(ouro_record_find(type, "zz"), SIZE_MAX);
}

TEST(other_types_are_none_of_records) {
  ouro_heap *h = quiet_heap("record");
  ouro_type *ints = ouro_int_type(h);
  CHECK_EQ(ouro_record_find(ints, "x"), SIZE_MAX);
  CHECK_EQ(ouro_record_count(ints), 0u);
  CHECK(!ouro_record_name(ints, 0));
  CHECK(!ouro_record_new(ints));
  CHECK_STR(ouro_heap_error(h), "the type is not one of records");
  CHECK(point_type(h));
  CHECK(!ouro_record_new(ints));
  probe *p = probe_new(h, 1);
  CHECK(!ouro_is_record(p));
}

TEST(fields_by_index_and_by_name) {
  ouro_heap *h = quiet_heap("record");
  ouro_record *record = ouro_record_new(point_type(h));
  ouro_object *found;
  CHECK(ouro_is_record(record));
  for (size_t i = 0; i < 3; i++) CHECK(!ouro_record_get(record, i));
  probe *p = probe_new(h, 1), *q = probe_new(h, 2);
  ouro_record_set(record, 1, p);
  CHECK_EQ(ouro_count(p), 2u);
  CHECK(ouro_record_get_named(record, "x", &found));
  CHECK_EQ((void *)found, (void *)p);
  CHECK(ouro_record_get_named(record, "y", &found));
  CHECK(!found);
  ouro_unref(p);
  CHECK(ouro_record_set_named(record, "x", q));
  CHECK(PROBES_DIED(1));
  CHECK(!ouro_record_set_named(record, "z", q));
  CHECK_STR(ouro_heap_error(h), "no such field");
  found = OURO_OBJECT(q);
  CHECK(!ouro_record_get_named(record, "z", &found));
  CHECK(!found);
  CHECK_EQ(ouro_count(q), 2u);
  ouro_unref(q);
  ouro_unref(record);
  CHECK(PROBES_DIED(2));
  CHECK(objects_ok(h));
}

TEST(fields_are_dropped_in_order) {
  ouro_heap *h = quiet_heap("record");
  ouro_record *record = ouro_record_new(point_type(h));
  for (int i = 0; i < 3; i++) {
    probe *p = probe_new(h, i);
    ouro_record_set(record, (size_t)i, p);
    ouro_unref(p);
  }
  ouro_unref(record);
  CHECK(PROBES_DIED(0, 1, 2));
}

TEST(names_are_copied) {
  ouro_heap *h = quiet_heap("record");
  char name[] = "first";
  const char *names[] = {name};
  ouro_type *type = ouro_record_type(h, "one", 1, names, NULL);
  strcpy(name, "xxxxx");
  CHECK_STR(ouro_record_name(type, 0), "first");
}

static ouro_type *many_fields(ouro_heap *heap, size_t count) {
  static char text[5000][8];
  static const char *names[5000];
  for (size_t i = 0; i < count; i++) {
    sprintf(text[i], "f%zu", i * 7919 % 5000);
    names[i] = text[i];
  }
  return ouro_record_type(heap, "many", count, names, NULL);
}

TEST(from_no_field_to_4096) {
  ouro_heap *h = quiet_heap("record");
  CHECK_EQ(ouro_record_count(ouro_record_type(h, "none", 0, NULL, NULL)), 0u);
  CHECK(ouro_is_record(ouro_record_new(many_fields(h, 0))));
  for (size_t n = 1; n <= 4096; n = n < 4 ? n + 1 : n * 4) {
    ouro_type *type = many_fields(h, n);
    ouro_record *record = ouro_record_new(type);
    for (size_t i = 0; i < n; i++) {
      CHECK_EQ(ouro_record_find(type, ouro_record_name(type, i)), i);
      CHECK(!ouro_record_get(record, i));
      ouro_record_set(record, i, record);
    }
    CHECK_EQ(ouro_count(record), n + 1);
    ouro_unref(record);
    CHECK_EQ(ouro_collect(h, 2), 1);
  }
  CHECK(!many_fields(h, 4097));
  CHECK_STR(ouro_heap_error(h), "more than 4,096 fields");
  CHECK(objects_ok(h));
}

TEST(equal_names_are_refused) {
  ouro_heap *h = quiet_heap("record");
  static const char *const names[] = {"a", "b", "c", "b"};
  CHECK(!ouro_record_type(h, "bad", 4, names, NULL));
  CHECK_STR(ouro_heap_error(h), "two fields have the same name");
  CHECK(ouro_record_type(h, "good", 3, names, NULL));
}

TEST(many_types) {
  ouro_heap *h = quiet_heap("record");
  ouro_type *types[300];
  for (size_t i = 0; i < 300; i++) types[i] = many_fields(h, i % 9);
  for (size_t i = 0; i < 300; i++) CHECK_EQ(ouro_record_count(types[i]), i % 9);
}

static void count_ends(void *self) { ouro_record_get((ouro_record *)self, 0)->user++; }

TEST(the_finalizer_sees_the_fields) {
  ouro_heap *h = quiet_heap("record");
  ouro_type *type = ouro_record_type(h, "class", 3, point_names, count_ends);
  probe *counter = probe_new(h, 1);
  for (int i = 0; i < 3; i++) {
    ouro_record *record = ouro_record_new(type);
    ouro_record_set(record, 0, counter);
    if (i == 2) ouro_record_set(record, 1, record);
    ouro_unref(record);
  }
  CHECK_EQ(counter->object.user, 2);
  CHECK_EQ(ouro_collect(h, 2), 1);
  CHECK_EQ(counter->object.user, 3);
}

static bool note_name(void *ctx, ouro_object *other, const char *name) {
  CHECK(other);
  strcat(strcat(ctx, name), ";");
  return true;
}

TEST(references_are_named_by_their_fields) {
  ouro_heap *h = quiet_heap("record");
  ouro_record *record = ouro_record_new(point_type(h)), *other = ouro_record_new(point_type(h));
  char names[100] = "", referrers[100] = "";
  ouro_record_set(record, 2, other);
  ouro_record_set(record, 0, other);
  ouro_each_referent(record, note_name, names);
  CHECK(!strcmp(names, "y;label;") || !strcmp(names, "label;y;"));
  ouro_each_referrer(other, note_name, referrers);
  CHECK(strstr(referrers, "label;"));
}

TEST(a_refusal_is_null) {
  ouro_heap *h = quiet_heap("record");
  for (uint64_t n = 1;; n++) {
    ouro_heap_fail(h, n, 1);
    ouro_type *type = point_type(h);
    ouro_record *record = type ? ouro_record_new(type) : NULL;
    ouro_heap_fail(h, 0, 0);
    CHECK(heap_ok(h));
    if (record) break;
    CHECK_LT(n, 100u);
  }
}
