/* SPDX-License-Identifier: MIT */
/* Memory that does no work (M8), each kind beside what must not be reported. */
#include "test.h"

#include "analyze/small.h"
#include "analyze/waste.h"

typedef struct found {
  waste_row *rows;
  size_t count;
} found;

static found find(const small *h) {
  found f;
  CHECK(waste_find(&h->g, &f.rows, &f.count));
  for (size_t i = 1; i < f.count; i++) CHECK_LE(f.rows[i].bytes, f.rows[i - 1].bytes);
  return f;
}

static void check_none(small *h) {
  small_open(h);
  found f = find(h);
  CHECK_EQ(f.count, 0);
  free(f.rows);
  small_close(h);
}

/* Exactly one row, which is freed. */
static waste_row find_one(const small *h) {
  found f = find(h);
  CHECK_EQ(f.count, 1);
  waste_row row = f.rows[0];
  free(f.rows);
  return row;
}

/* --- Empty room ------------------------------------------------------------------------------- */

typedef struct drawn {
  small h;
  uint32_t number, list, dict, set;
  int item; /* in every container */
} drawn;

static drawn draw_types(void) {
  drawn d = {.h = {0}};
  d.number = small_type(&d.h, SNAPSHOT_NUMBER, "int");
  d.list = small_type(&d.h, SNAPSHOT_LIST, "list");
  d.dict = small_type(&d.h, SNAPSHOT_DICT, "dict");
  d.set = small_type(&d.h, SNAPSHOT_SET, "set");
  d.item = small_node(&d.h, d.number, 28);
  return d;
}

/* Containers of `count` items (pairs) that take `size` bytes. */
static int draw_list(drawn *d, int count, uint64_t size) {
  int list = small_node(&d->h, d->list, size);
  for (int i = 0; i < count; i++) small_item(&d->h, list, d->item, (uint64_t)i);
  return list;
}

static int draw_dict(drawn *d, int count, uint64_t size) {
  int dict = small_node(&d->h, d->dict, size);
  for (int i = 0; i < count; i++) small_entry(&d->h, dict, d->item, d->item);
  return dict;
}

static int draw_set(drawn *d, int count, uint64_t size) {
  int set = small_node(&d->h, d->set, size);
  for (int i = 0; i < count; i++) small_edge(&d->h, set, d->item);
  return set;
}

TEST(M8_a_list_that_kept_its_room) {
  drawn d = draw_types();
  draw_list(&d, 10, 8000);
  int large = draw_list(&d, 10, 80000);
  small_open(&d.h);
  waste_row row = find_one(&d.h);
  CHECK_EQ(row.kind, WASTE_EMPTY_ROOM);
  CHECK_EQ(row.type, d.list);
  CHECK_EQ(row.objects, 2);
  CHECK_EQ(row.bytes, 88000 - 2 * (64 + 10 * 8));
  CHECK_EQ(row.example, small_at(&d.h, large));
  small_close(&d.h);
}

/* What lists take after appending, and after half of it was removed. */
TEST(lists_as_they_grow_are_not_reported) {
  drawn d = draw_types();
  draw_list(&d, 0, 56);
  for (int i = 1; i < 2000; i += 37) {
    draw_list(&d, i, 72 + 8 * ((uint64_t)i + (uint64_t)i / 8 + 6));
    draw_list(&d, i, 72 + 16 * (uint64_t)i);
  }
  check_none(&d.h);
}

TEST(M8_a_dictionary_that_kept_its_table) {
  drawn d = draw_types();
  int dict = draw_dict(&d, 3, 36960); /* of a thousand, all but three are gone */
  small_open(&d.h);
  waste_row row = find_one(&d.h);
  CHECK_EQ(row.kind, WASTE_EMPTY_ROOM);
  CHECK_EQ(row.type, d.dict);
  CHECK_EQ(row.objects, 1);
  CHECK_EQ(row.bytes, 36960 - (64 + 40 + 8 + 5 * 24));
  CHECK_EQ(row.example, small_at(&d.h, dict));
  small_close(&d.h);
}

/* A table of 2^k slots takes up to two thirds of them, and grows to more than three times what is
 * in it. */
TEST(dictionaries_as_they_grow_are_not_reported) {
  drawn d = draw_types();
  draw_dict(&d, 0, 64);
  for (uint64_t slots = 8, before = 0; slots <= 4096; slots *= 2) {
    uint64_t wide = slots <= 128 ? 1 : 2, most = slots * 2 / 3;
    uint64_t size = 64 + 40 + slots * wide + most * 24;
    draw_dict(&d, (int)most, size);
    if (before) draw_dict(&d, (int)before, size); /* just grown */
    before = most;
  }
  check_none(&d.h);
}

TEST(M8_a_set_that_kept_its_table) {
  drawn d = draw_types();
  draw_set(&d, 2, 232 + 16 * 4096);
  small_open(&d.h);
  waste_row row = find_one(&d.h);
  CHECK_EQ(row.type, d.set);
  CHECK_EQ(row.bytes, 16 * 4096);
  small_close(&d.h);
}

/* A set at three fifths grows to more than four times what is in it. */
TEST(sets_as_they_grow_are_not_reported) {
  drawn d = draw_types();
  for (int used = 5; used < 3000; used = used * 3 / 2 + 1) {
    uint64_t slots = 8;
    while (slots <= 4 * (uint64_t)used) slots *= 2;
    draw_set(&d, used, 232 + 16 * slots);
  }
  draw_set(&d, 0, 232);
  check_none(&d.h);
}

TEST(large_objects_of_other_types_are_not_judged) {
  drawn d = draw_types();
  static const snapshot_type_kind kinds[] = {SNAPSHOT_OTHER, SNAPSHOT_INSTANCE, SNAPSHOT_STR,
                                             SNAPSHOT_BYTES, SNAPSHOT_TUPLE};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    small_node(&d.h, small_type(&d.h, kinds[i], "x"), 1 << 20);
  check_none(&d.h);
}

/* A file that lost objects: containers look empty in the graph, and are not. */
TEST(a_container_of_lost_objects_is_not_reported) {
  drawn d = draw_types();
  int list = small_node(&d.h, d.list, 64 + 8 * 1000);
  for (int i = 0; i < 1000; i++)
    small_refer(&d.h, (small_reference){.from = list, .to = -1 - i, .kind = SNAPSHOT_INDEX});
  small_open(&d.h);
  CHECK_EQ(d.h.g.lost, 1000);
  found f = find(&d.h);
  CHECK_EQ(f.count, 0);
  free(f.rows);
  small_close(&d.h);
}

TEST(an_empty_container_is_reported_beside_lost_objects) {
  drawn d = draw_types();
  int other = draw_list(&d, 1, 72);
  for (int i = 0; i < 1000; i++)
    small_refer(&d.h, (small_reference){.from = other, .to = -1 - i, .kind = SNAPSHOT_INDEX});
  draw_list(&d, 1, 8000);
  small_open(&d.h);
  CHECK_EQ(find_one(&d.h).bytes, 8000 - 72);
  small_close(&d.h);
}

/* --- Equal values ----------------------------------------------------------------------------- */

static int draw_value(small *h, uint32_t type, uint64_t size, uint32_t digest) {
  int value = small_node(h, type, size);
  small_digest(h, value, digest);
  return value;
}

TEST(M8_a_string_stored_many_times) {
  small h = {0};
  uint32_t str = small_type(&h, SNAPSHOT_STR, "str"),
           other = small_type(&h, SNAPSHOT_TUPLE, "tuple");
  for (int i = 0; i < 500; i++) {
    draw_value(&h, str, 64, 7);
    if (i < 100) draw_value(&h, str, 80, 7);             /* another size */
    if (i < 20) draw_value(&h, other, 64, 7);            /* another type */
    draw_value(&h, str, 64, 1000 + (uint32_t)i * 65537); /* another value each */
  }
  small_open(&h);
  found f = find(&h);
  CHECK_EQ(f.count, 2);
  CHECK_EQ(f.rows[0].kind, WASTE_EQUAL);
  CHECK_EQ(f.rows[0].type, str);
  CHECK_EQ(f.rows[0].objects, 600);
  CHECK_EQ(f.rows[0].bytes, 499 * 64 + 99 * 80);
  CHECK_EQ(h.g.size[f.rows[0].example], 64);
  CHECK_EQ(f.rows[1].type, other);
  CHECK_EQ(f.rows[1].objects, 20);
  CHECK_EQ(f.rows[1].bytes, 19 * 64);
  free(f.rows);
  small_close(&h);
}

TEST(the_example_is_no_constant_of_code) {
  small h = {0};
  uint32_t str = small_type(&h, SNAPSHOT_STR, "str"), list = small_type(&h, SNAPSHOT_LIST, "list");
  uint32_t tuple = small_type(&h, SNAPSHOT_TUPLE, "tuple");
  int code = small_node(&h, small_type(&h, SNAPSHOT_CODE, "code"), 200);
  int constants = small_node(&h, tuple, 200), items = small_node(&h, list, 400), made = -1;
  small_attribute(&h, code, constants, "co_consts");
  for (int i = 0; i < 40; i++) {
    int value = draw_value(&h, str, 64, 7);
    if (i == 20) made = value;
    small_item(&h, i < 20 ? constants : items, value, (uint64_t)i);
  }
  for (int i = 0; i < 30; i++) draw_value(&h, str, 64, 9);
  small_open(&h);
  waste_row row = find_one(&h);
  CHECK_EQ(row.objects, 70);
  CHECK_EQ(row.copies, 40);
  CHECK_EQ(row.example, small_at(&h, made));
  small_close(&h);
}

TEST(few_small_copies_may_be_chance_and_large_ones_are_not) {
  for (int copies = 1; copies <= WASTE_COPIES; copies++) {
    small h = {0};
    uint32_t str = small_type(&h, SNAPSHOT_STR, "str");
    for (int i = 0; i < copies; i++) {
      draw_value(&h, str, 64, 7);
      draw_value(&h, str, WASTE_LARGE, 9);
    }
    small_open(&h);
    uint64_t small_ones = copies >= WASTE_COPIES ? 64 : 0, each = WASTE_LARGE + small_ones;
    found f = find(&h);
    CHECK_EQ(f.count, copies > 1);
    if (f.count) CHECK_EQ(f.rows[0].bytes, (uint64_t)(copies - 1) * each);
    free(f.rows);
    small_close(&h);
  }
}

TEST(values_without_a_digest_are_not_equal) {
  small h = {0};
  uint32_t str = small_type(&h, SNAPSHOT_STR, "str");
  for (int i = 0; i < 100; i++) draw_value(&h, str, 64, 0);
  check_none(&h);
}

/* Against counting each pair, with digests that share bytes. */
TEST(copies_of_random_values) {
  small h = {0};
  enum { VALUES = 3000 };
  uint32_t types[2] = {small_type(&h, SNAPSHOT_STR, "str"),
                       small_type(&h, SNAPSHOT_BYTES, "bytes")};
  uint64_t want[2] = {0};
  for (int i = 0; i < VALUES; i++) {
    uint32_t digest = (uint32_t)(1 + test_random() % 3) << (8 * (test_random() % 4));
    draw_value(&h, types[test_random() % 2], 48 + 16 * (test_random() % 40), digest);
  }
  for (int i = 0; i < VALUES; i++) {
    const small_object *a = &h.nodes[i];
    int copies = 0;
    bool first = true;
    for (int k = 0; k < VALUES; k++) {
      const small_object *b = &h.nodes[k];
      if (a->type != b->type || a->size != b->size || a->digest != b->digest) continue;
      copies++;
      first &= k >= i;
    }
    if (first && copies >= WASTE_COPIES) want[a->type] += (uint64_t)(copies - 1) * a->size;
  }
  small_open(&h);
  found f = find(&h);
  for (size_t i = 0; i < f.count; i++) {
    CHECK_EQ(f.rows[i].bytes, want[f.rows[i].type]);
    want[f.rows[i].type] = 0;
  }
  CHECK_EQ(want[0] + want[1], 0);
  free(f.rows);
  small_close(&h);
}

/* --- Dictionaries that could be slots --------------------------------------------------------- */

typedef struct model {
  small h;
  uint32_t instance, dict, str;
  int names[WASTE_NAMES + 1];
} model;

static model draw_model(void) {
  model m = {.h = {0}};
  m.instance = small_type(&m.h, SNAPSHOT_INSTANCE, "app.Node");
  m.dict = small_type(&m.h, SNAPSHOT_DICT, "dict");
  m.str = small_type(&m.h, SNAPSHOT_STR, "str");
  for (int i = 0; i <= WASTE_NAMES; i++) m.names[i] = small_node(&m.h, m.str, 50);
  return m;
}

/* An instance with the attributes from `first` on; returns its dictionary. */
static int draw_instance(model *m, int first, int count) {
  int instance = small_node(&m->h, m->instance, 48), dict = small_node(&m->h, m->dict, 232);
  small_attribute(&m->h, instance, dict, "__dict__");
  for (int i = 0; i < count; i++) /* in another order each time */
    small_entry(&m->h, dict, m->names[first + (i + instance) % count], instance);
  return dict;
}

TEST(M8_a_thousand_instances_with_the_same_attributes) {
  model m = draw_model();
  for (int i = 0; i < WASTE_INSTANCES; i++) draw_instance(&m, 0, 5);
  for (int i = 0; i < WASTE_INSTANCES / 2; i++) draw_instance(&m, 1, 5); /* others, not as many */
  small_open(&m.h);
  waste_row row = find_one(&m.h);
  CHECK_EQ(row.kind, WASTE_SLOTS);
  CHECK_EQ(row.type, m.instance);
  CHECK_EQ(row.objects, WASTE_INSTANCES);
  CHECK_EQ(row.bytes, (uint64_t)WASTE_INSTANCES * (232 - 5 * 8));
  CHECK_EQ(m.h.g.type[row.example], m.instance);
  small_close(&m.h);
}

TEST(too_few_instances_are_not_reported) {
  model m = draw_model();
  for (int i = 0; i < WASTE_INSTANCES - 1; i++) draw_instance(&m, 0, 5);
  check_none(&m.h);
}

TEST(instances_with_many_attributes_are_not_reported) {
  model m = draw_model();
  for (int i = 0; i < WASTE_INSTANCES; i++) draw_instance(&m, 0, WASTE_NAMES + 1);
  check_none(&m.h);
}

TEST(instances_with_attributes_of_their_own_are_not_reported) {
  model m = draw_model();
  for (int i = 0; i < WASTE_INSTANCES; i++) {
    int dict = draw_instance(&m, 0, 2), name = small_node(&m.h, m.str, 50);
    small_entry(&m.h, dict, name, m.names[0]);
  }
  check_none(&m.h);
}

TEST(dictionaries_that_others_hold_are_not_reported) {
  model m = draw_model();
  int list = small_node(&m.h, small_type(&m.h, SNAPSHOT_LIST, "list"), 9000);
  for (int i = 0; i < WASTE_INSTANCES; i++)
    small_item(&m.h, list, draw_instance(&m, 0, 5), (uint64_t)i);
  check_none(&m.h);
}

TEST(dictionaries_in_attributes_are_not_reported) {
  model m = draw_model();
  for (int i = 0; i < WASTE_INSTANCES; i++) {
    int instance = small_node(&m.h, m.instance, 48), dict = small_node(&m.h, m.dict, 232);
    small_attribute(&m.h, instance, dict, "options");
    small_entry(&m.h, dict, m.names[0], m.names[1]);
  }
  check_none(&m.h);
}
