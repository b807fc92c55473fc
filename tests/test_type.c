/* SPDX-License-Identifier: MIT */
/* Types: what a spec may say, and which part of an impossible one is named. */
#include "test.h"

#include "support/pairs.h"
#include "support/tools.h"

static ouro_heap *heap;

static void no_traverse(const void *self, size_t from, size_t to, ouro_visit_fn visit, void *arg) {
  (void)self, (void)from, (void)to, (void)visit, (void)arg;
}
static size_t no_length(const void *self) { return (void)self, 0; }
static uint64_t some_hash(const void *self) { return (void)self, 7; }
static int all_equal(const void *self, const void *other) { return (void)self, (void)other, 1; }

static ouro_type *try(const ouro_type_spec *spec) {
  if (!heap) heap = quiet_heap("types");
  return ouro_type_new(heap, spec);
}

static void check_refused(ouro_type_spec spec, const char *reason) {
  if (try(&spec)) TEST_FAIL("a type that should be refused: %s", reason);
  CHECK_STR(ouro_heap_error(heap), reason);
}

TEST(a_type_knows_its_name_and_heap) {
  char name[] = "thing";
  ouro_type *type = try(&(ouro_type_spec){.name = name, .size = 40});
  name[0] = 'k'; /* it was copied */
  CHECK_STR(ouro_type_name(type), "thing");
  CHECK(ouro_type_heap(type) == heap);
  void *thing = ouro_new(type);
  CHECK(ouro_type_of(thing) == type);
  CHECK(ouro_heap_of(thing) == heap);
  ouro_unref(thing);
}

TEST(a_name_is_needed) {
  check_refused((ouro_type_spec){.size = 16}, "a type has a name");
  check_refused((ouro_type_spec){.name = "", .size = 16}, "a type has a name");
}

TEST(a_size_includes_the_header_and_has_an_end) {
  const char *least = "a type's size includes its ouro_object", *most = "a type's size is too big";
  check_refused((ouro_type_spec){.name = "t"}, least);
  check_refused((ouro_type_spec){.name = "t", .size = 7}, least);
  check_refused((ouro_type_spec){.name = "t", .size = 65537}, most);
  CHECK(try(&(ouro_type_spec){.name = "t", .size = 8}));
  CHECK(try(&(ouro_type_spec){.name = "t", .size = 65536}));
}

TEST(refs_lie_aligned_within_the_size) {
  const char *reason = "a type's refs lie aligned within its size";
  const uint16_t wrong[][2] = {{4, 0}, {7, 0}, {12, 0}, {24, 0}, {17, 0}, {65528, 0}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    check_refused((ouro_type_spec){.name = "t", .size = 24, .refs = wrong[i]}, reason);
  const uint16_t second[] = {8, 24, 0};
  check_refused((ouro_type_spec){.name = "t", .size = 24, .refs = second}, reason);
  const uint16_t right[] = {8, 16, 0}, none[] = {0};
  CHECK(try(&(ouro_type_spec){.name = "t", .size = 24, .refs = right}));
  CHECK(try(&(ouro_type_spec){.name = "t", .size = 24, .refs = none}));
}

static void check_items_refused(ouro_items items) {
  check_refused((ouro_type_spec){.name = "t", .size = 32, .item_size = 8, .items = items},
                "a type's items lie aligned within its size");
}

TEST(items_lie_aligned_within_the_size) {
  const ouro_items right = {.kind = OURO_ITEMS_POINTED, .length = 16, .at = 24};
  CHECK(try(&(ouro_type_spec){.name = "t", .size = 32, .item_size = 8, .items = right}));
  struct {
    uint16_t at, length, stride, offset, per_item;
  } wrong[] = {{0, 16, 0, 0, 0},   {4, 16, 0, 0, 0},    {28, 16, 0, 0, 0},  {32, 16, 0, 0, 0},
               {24, 0, 0, 0, 0},   {24, 12, 0, 0, 0},   {24, 32, 0, 0, 0},  {24, 16, 12, 0, 0},
               {24, 16, 16, 4, 0}, {24, 16, 16, 16, 0}, {24, 16, 16, 8, 2}, {24, 16, 8, 0, 2}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    ouro_items items = right;
    items.at = wrong[i].at, items.length = wrong[i].length, items.stride = wrong[i].stride;
    items.offset = wrong[i].offset, items.per_item = wrong[i].per_item;
    check_items_refused(items);
  }
  check_items_refused((ouro_items){.kind = OURO_ITEMS_INLINE, .length = 16, .at = 0});
  check_items_refused((ouro_items){.kind = OURO_ITEMS_INLINE, .length = 16, .at = 40});
  check_items_refused((ouro_items){.kind = (ouro_items_kind)3, .length = 16, .at = 24});
}

TEST(functions_come_together) {
  check_refused((ouro_type_spec){.name = "t", .size = 16, .length = no_length},
                "a type with a length has a traverse");
  const char *reason = "a type has both hash and equal, or neither";
  check_refused((ouro_type_spec){.name = "t", .size = 16, .hash = some_hash}, reason);
  check_refused((ouro_type_spec){.name = "t", .size = 16, .equal = all_equal}, reason);
  CHECK(try(&(ouro_type_spec){.name = "t", .size = 16, .traverse = no_traverse}));
}

TEST(unknown_flags_are_refused) {
  check_refused((ouro_type_spec){.name = "t", .size = 16, .flags = 8}, "a type has unknown flags");
}

/* 65,535 and no more; those that there are go on working. */
TEST(a_heap_has_at_most_65535_types) {
  if (under_valgrind() || under_tsan()) SKIP("too slow");
  ouro_type *first = try(&(ouro_type_spec){.name = "first", .size = 24}), *last = first, *type;
  uint32_t count = 1;
  while ((type = try(&(ouro_type_spec){.name = "t", .size = 24})) != NULL) last = type, count++;
  CHECK_EQ(count, 65535u);
  CHECK_STR(ouro_heap_error(heap), "a heap has at most 65,535 types");
  void *a = ouro_new(first), *b = ouro_new(last);
  CHECK(ouro_type_of(a) == first && ouro_type_of(b) == last);
  ouro_unref(a);
  ouro_unref(b);
  CHECK_EQ(ouro_collect(heap, 2), 0);
  ouro_heap_destroy(heap);
}

TEST(memory_refused_for_a_type) {
  ouro_type_spec spec = pair_spec("pair");
  int refused = 0;
  ouro_type *type = NULL;
  heap = quiet_heap("types");
  for (uint64_t n = 1; !type; n++, refused++) {
    ouro_heap_fail(heap, n, 0);
    type = ouro_type_new(heap, &spec);
    if (!type) CHECK_STR(ouro_heap_error(heap), "out of memory");
  }
  CHECK_LE(4, refused); /* the runtime, the type, its name, its refs */
  ouro_heap_fail(heap, 0, 0);
  ouro_unref(make_pair(type, 1, NULL, NULL));
  CHECK(objects_ok(heap));
  uint64_t blocks = stats_of(heap).live_blocks;
  for (uint64_t n = 1; n <= 3; n++) {
    ouro_heap_fail(heap, n, 0);
    CHECK(!ouro_type_new(heap, &spec));
  }
  ouro_heap_fail(heap, 0, 0);
  CHECK_EQ(stats_of(heap).live_blocks, blocks); /* nothing leaks */
}

/* --- private free lists (P4) --- */

TEST(dead_objects_are_kept_up_to_the_cap) {
  if (under_watch()) SKIP("a watched heap keeps nothing at hand");
  ouro_type_spec spec = pair_spec("pair");
  spec.free_list = 2;
  ouro_type *type = try(&spec);
  pair *p[6];
  CHECK_EQ(ouro_free_list_cap(type), 2u);
  CHECK_EQ(ouro_free_list_length(type), 0u);
  for (int i = 0; i < 6; i++) p[i] = make_pair(type, i, NULL, NULL);
  for (int i = 0; i < 6; i++) {
    ouro_unref(p[i]);
    CHECK_EQ(ouro_free_list_length(type), i < 2 ? i + 1u : 2u);
  }
  pair *again = make_pair(type, 7, NULL, NULL);
  CHECK(again == p[1]); /* the last one kept */
  CHECK(again->a == NULL && again->b == NULL);
  CHECK_EQ(ouro_free_list_length(type), 1u);
  ouro_collect(heap, 2);
  CHECK_EQ(ouro_free_list_length(type), 0u);
  ouro_unref(again);
}

TEST(the_cap_is_ouros_choice_up_to_32) {
  CHECK_LE(1u, ouro_free_list_cap(try(&(ouro_type_spec){.name = "t", .size = 16})));
  CHECK_LE(ouro_free_list_cap(try(&(ouro_type_spec){.name = "t", .size = 16})), 32u);
  ouro_type *many = try(&(ouro_type_spec){.name = "t", .size = 16, .free_list = 1000});
  CHECK_LE(ouro_free_list_cap(many), 32u);
}

TEST(a_hardened_heap_keeps_none) {
  heap = hardened_heap("types");
  ouro_type *type = plain_pairs(heap);
  ouro_unref(make_pair(type, 1, NULL, NULL));
  CHECK_EQ(ouro_free_list_length(type), 0u);
}
