/* SPDX-License-Identifier: MIT */
/* The end of objects by their counts: at once, in order, in bounded stack. */
#include "test.h"

#include <pthread.h>

#include "support/pairs.h"
#include "support/tools.h"

static ouro_heap *heap;
static ouro_type *plain, *ending;

static void open_heap(void) {
  heap = quiet_heap("destroy");
  plain = plain_pairs(heap);
  ending = ending_pairs(heap);
  CHECK(plain && ending);
}

static void close_heap(void) {
  CHECK(objects_ok(heap));
  CHECK_EQ(live_of(heap, plain) + live_of(heap, ending), 0u);
  ouro_heap_destroy(heap);
}

TEST(the_last_reference_ends_it_on_that_statement) {
  open_heap();
  pair *p = make_pair(ending, 1, NULL, NULL);
  ouro_ref(p);
  ouro_unref(p);
  CHECK(NONE_ENDED());
  ouro_unref(p);
  CHECK(ENDED(1));
  close_heap();
}

/* Depth first, fields in their order, an object's own finalizer before its references go. */
TEST(order_is_depth_first) {
  open_heap();
  pair *left =
      make_pair(ending, 2, make_pair(ending, 3, NULL, NULL), make_pair(ending, 4, NULL, NULL));
  pair *root = make_pair(ending, 1, left, make_pair(ending, 5, NULL, NULL));
  ouro_unref(root);
  CHECK(ENDED(1, 2, 3, 4, 5));
  close_heap();
}

TEST(what_others_hold_lives_on) {
  open_heap();
  pair *shared = make_pair(ending, 9, NULL, NULL);
  pair *p = make_pair(ending, 1, ouro_ref(shared), ouro_ref(shared));
  CHECK_EQ(ouro_count(shared), 3u);
  ouro_unref(p);
  CHECK(ENDED(1));
  CHECK_EQ(ouro_count(shared), 1u);
  ouro_unref(shared);
  CHECK(ENDED(9));
  close_heap();
}

/* Both fields hold the same object and nobody else does: it ends with the second. */
TEST(held_twice_by_one_object) {
  open_heap();
  for (int i = 0; i < 2; i++) {
    pair *child = make_pair(i ? ending : plain, 2, NULL, NULL);
    pair *p = make_pair(plain, 1, child, ouro_ref(child));
    ouro_unref(p);
  }
  CHECK(ENDED(2));
  close_heap();
}

/* A plain object whose first field lives on and whose second dies with it. */
TEST(half_of_the_fields_die_with_it) {
  open_heap();
  pair *kept = make_pair(ending, 1, NULL, NULL);
  pair *p = make_pair(plain, 0, ouro_ref(kept), make_pair(ending, 2, NULL, NULL));
  ouro_unref(p);
  CHECK(ENDED(2));
  CHECK_EQ(ouro_count(kept), 1u);
  p = make_pair(plain, 0, make_pair(ending, 3, NULL, NULL), kept);
  ouro_unref(p);
  CHECK(ENDED(3, 1));
  close_heap();
}

TEST(null_is_no_reference) {
  open_heap();
  ouro_unref(NULL);
  CHECK(ouro_ref(NULL) == NULL);
  pair *p = make_pair(plain, 0, NULL, NULL);
  ouro_assign(&p->a, NULL);
  ouro_assign_new(&p->a, NULL);
  ouro_unref(p);
  close_heap();
}

/* --- assignment --- */

static pair *assigned;

static void sees_the_new_value(void *self) {
  pair_end(self);
  CHECK(assigned != self);
}

TEST(an_assignment_drops_the_old_value_after_the_change) {
  open_heap();
  ouro_type_spec spec = pair_spec("looking pair");
  spec.finalize = sees_the_new_value;
  ouro_type *looking = ouro_type_new(heap, &spec);
  assigned = make_pair(looking, 1, NULL, NULL);
  ouro_assign_new(&assigned, make_pair(looking, 2, NULL, NULL));
  CHECK(ENDED(1));
  pair *mine = make_pair(looking, 3, NULL, NULL);
  ouro_assign(&assigned, mine);
  CHECK(ENDED(2));
  CHECK_EQ(ouro_count(mine), 2u);
  ouro_assign(&assigned, assigned); /* to itself */
  CHECK_EQ(ouro_count(mine), 2u);
  ouro_unref(mine);
  drop_field(&assigned);
  CHECK(ENDED(3));
  close_heap();
}

/* --- items --- */

typedef struct row {
  ouro_object object;
  pair *field;
  size_t length;
  pair *items[];
} row;

typedef struct table {
  ouro_object object;
  size_t length;
  struct entry {
    uint64_t hash;
    pair *key, *value;
  } * entries;
} table;

static ouro_type *row_type(void) {
  static const uint16_t refs[] = {offsetof(row, field), 0};
  return ouro_type_new(heap, &(ouro_type_spec){.name = "row",
                                               .size = sizeof(row),
                                               .item_size = sizeof(pair *),
                                               .refs = refs,
                                               .items = {.kind = OURO_ITEMS_INLINE,
                                                         .at = offsetof(row, items),
                                                         .length = offsetof(row, length)}});
}

static ouro_type *table_type(void) {
  return ouro_type_new(heap, &(ouro_type_spec){.name = "table",
                                               .size = sizeof(table),
                                               .items = {.kind = OURO_ITEMS_POINTED,
                                                         .at = offsetof(table, entries),
                                                         .length = offsetof(table, length),
                                                         .stride = sizeof(struct entry),
                                                         .offset = offsetof(struct entry, key),
                                                         .per_item = 2}});
}

/* Items from the last to the first, then fields. NULL items are none. */
TEST(inline_items_end_last_to_first_then_fields) {
  open_heap();
  row *r = ouro_new_items(row_type(), 4);
  r->length = 4;
  for (int i = 0; i < 4; i++)
    if (i != 2) r->items[i] = make_pair(ending, i, NULL, NULL);
  r->field = make_pair(ending, 10, NULL, NULL);
  ouro_unref(r);
  CHECK(ENDED(3, 1, 0, 10));
  close_heap();
}

static table *make_table(ouro_type *type, int n) {
  table *t = ouro_new(type);
  t->entries = ouro_calloc(heap, (size_t)n, sizeof *t->entries);
  t->length = (size_t)n;
  for (int i = 0; i < n; i++) {
    t->entries[i].hash = 0x1111; /* no reference: must not be looked at */
    t->entries[i].key = make_pair(ending, 2 * i, NULL, NULL);
    t->entries[i].value = make_pair(ending, 2 * i + 1, NULL, NULL);
  }
  return t;
}

TEST(pointed_items_with_a_stride_end_with_their_array) {
  open_heap();
  ouro_type *type = table_type();
  uint64_t before = stats_of(heap).live_blocks;
  table *t = make_table(type, 3);
  ouro_unref(t);
  CHECK(ENDED(5, 4, 3, 2, 1, 0));
  CHECK_EQ(stats_of(heap).live_blocks, before);
  t = ouro_new(type); /* no array at all */
  ouro_unref(t);
  close_heap();
}

/* The same array in a garbage cycle: collected, not leaked. */
TEST(pointed_items_of_a_cycle_end_with_their_array) {
  open_heap();
  ouro_type *type = table_type();
  uint64_t before = stats_of(heap).live_blocks;
  table *t = make_table(type, 2);
  ouro_assign_new(&t->entries[0].key, ouro_ref(t));
  CHECK(ENDED(0));
  ouro_unref(t);
  CHECK_EQ(ouro_collect(heap, 2), 1 + 3);
  CHECK_EQ(ended_count, 3);
  CHECK_EQ(stats_of(heap).live_blocks, before);
  ouro_heap_destroy(heap);
}

/* --- clear --- */

typedef struct bag {
  ouro_object object;
  pair **things; /* of the heap; visited by traverse, dropped by clear */
  size_t length;
} bag;

static int bag_clears;

static void bag_traverse(const void *self, size_t from, size_t to, ouro_visit_fn visit, void *arg) {
  const bag *b = self;
  for (size_t i = from; i < to && i < b->length; i++) visit(OURO_OBJECT(b->things[i]), arg);
}

static size_t bag_length(const void *self) { return ((const bag *)self)->length; }

static void bag_clear(void *self) {
  bag *b = self;
  pair **things = b->things;
  size_t length = b->length;
  b->things = NULL;
  b->length = 0;
  bag_clears++;
  for (size_t i = 0; i < length; i++) ouro_unref(things[i]);
  ouro_free(ouro_heap_of(b), things);
}

static ouro_type *bag_type(void) {
  return ouro_type_new(heap, &(ouro_type_spec){.name = "bag",
                                               .size = sizeof(bag),
                                               .traverse = bag_traverse,
                                               .length = bag_length,
                                               .clear = bag_clear});
}

static bag *make_bag(ouro_type *type, void *thing) {
  bag *b = ouro_new(type);
  b->things = ouro_alloc(heap, sizeof *b->things);
  b->things[0] = thing;
  b->length = 1;
  return b;
}

TEST(clear_is_called_once) {
  open_heap();
  ouro_type *bags = bag_type();
  ouro_unref(make_bag(bags, make_pair(ending, 1, NULL, NULL)));
  CHECK(ENDED(1));
  CHECK_EQ(bag_clears, 1);
  bag *b = make_bag(bags, NULL);
  b->things[0] = ouro_ref(b);
  ouro_unref(b);
  CHECK_EQ(ouro_collect(heap, 2), 1);
  CHECK_EQ(bag_clears, 2);
  close_heap();
}

/* --- depth --- */

enum { DEEP = 10000000, DEEP_BAGS = 1000000 };

static int deep(int n) { return under_sanitizer() || under_valgrind() ? n / 50 : n; }

/* Runs on a stack of 64 KiB: any recursion per link ends in a fault. */
static void on_a_small_stack(void *(*run)(void *), void *arg) {
  pthread_attr_t attr;
  pthread_t thread;
  pthread_attr_init(&attr);
  CHECK_EQ(pthread_attr_setstacksize(&attr, under_sanitizer() ? 1 << 20 : 1 << 16), 0);
  CHECK_EQ(pthread_create(&thread, &attr, run, arg), 0);
  pthread_join(thread, NULL);
}

static void *drop_it(void *object) {
  ouro_heap_adopt(heap);
  ouro_unref(object);
  return NULL;
}

TEST(a_chain_of_ten_million_links_takes_no_stack) {
  open_heap();
  ouro_gc_enable(heap, false);
  on_a_small_stack(drop_it, make_chain(plain, deep(DEEP)));
  ouro_heap_adopt(heap);
  close_heap();
}

TEST(a_chain_with_finalizers_takes_no_stack) {
  open_heap();
  on_a_small_stack(drop_it, make_chain(ending, deep(DEEP_BAGS)));
  ouro_heap_adopt(heap);
  CHECK_EQ(ended_count, deep(DEEP_BAGS));
  close_heap();
}

static pair *make_tree(int depth) {
  if (depth == 0) return NULL;
  pair *left = make_tree(depth - 1), *right = make_tree(depth - 1);
  pair *spine = make_chain(plain, 20);
  spine->b = left;
  return make_pair(plain, depth, spine, right);
}

TEST(a_tree_takes_no_stack) {
  open_heap();
  on_a_small_stack(drop_it, make_tree(under_sanitizer() ? 10 : 16));
  ouro_heap_adopt(heap);
  close_heap();
}

/* References that `clear` drops cannot be followed without recursion: it ends at a fixed depth. */
TEST(a_chain_of_types_with_clear_takes_no_stack) {
  open_heap();
  ouro_type *bags = bag_type();
  int n = deep(DEEP_BAGS);
  bag *head = make_bag(bags, make_pair(ending, 7, NULL, NULL));
  for (int i = 1; i < n; i++) head = make_bag(bags, head);
  on_a_small_stack(drop_it, head);
  ouro_heap_adopt(heap);
  CHECK_EQ(bag_clears, n);
  CHECK(ENDED(7));
  close_heap();
}

static void live_and_defer(void) {
  open_heap();
  ouro_type *bags = bag_type();
  bag *head = make_bag(bags, make_pair(plain, 0, NULL, NULL));
  for (int i = 0; i < 200; i++) head = make_bag(bags, head);
  ouro_unref(head);
  close_heap();
}

TEST(the_list_of_those_that_wait_ends_with_its_heap) {
  if (under_watch()) SKIP("tools keep what is freed");
  CHECK(nothing_stays_mapped(live_and_defer));
}

/* Through items, whose arrays are freed on the way. */
TEST(a_chain_of_tables_takes_no_stack) {
  open_heap();
  ouro_type *type = table_type();
  table *head = NULL;
  for (int i = 0, n = deep(DEEP_BAGS); i < n; i++) {
    table *t = ouro_new(type);
    t->entries = ouro_calloc(heap, 2, sizeof *t->entries);
    t->length = 2;
    t->entries[i % 2].value = (pair *)(void *)head;
    head = t;
  }
  on_a_small_stack(drop_it, head);
  ouro_heap_adopt(heap);
  CHECK_EQ(live_of(heap, type), 0u);
  close_heap();
}

/* --- heaps that see every free --- */

TEST(a_hardened_heap_ages_its_objects) {
  heap = hardened_heap("destroy");
  plain = plain_pairs(heap);
  ending = ending_pairs(heap);
  ouro_type *rows = row_type();
  pair *kept = make_pair(ending, 1, NULL, NULL);
  for (int generation = 0; generation <= 2; generation++) {
    for (int i = 0; i < 100; i++) ouro_unref(make_pair(plain, i, ouro_ref(kept), NULL));
    ouro_unref(ouro_new_items(rows, 3));
    CHECK_EQ(ouro_collect(heap, generation), 0);
    CHECK(objects_ok(heap));
    ouro_heap_give_back(heap); /* ends the quarantine: nobody has written to the dead */
  }
  CHECK_EQ(ouro_count(kept), 1u);
  CHECK_EQ(ouro_generation_of(kept), 2);
  ouro_unref(kept);
  CHECK(ENDED(1));
  close_heap();
}

/* --- resurrection --- */

static pair *saved;

static void saves_itself(void *self) {
  pair_end(self);
  ouro_assign(&saved, self);
}

/* What its finalizer holds lives on, whole, and dies without another the next time. */
TEST(a_finalizer_may_save_its_object) {
  open_heap();
  ouro_type_spec spec = pair_spec("saving pair");
  spec.finalize = saves_itself;
  ouro_type *saving = ouro_type_new(heap, &spec);
  for (int nested = 0; nested < 2; nested++) {
    pair *p = make_pair(saving, 1, make_pair(ending, 2, NULL, NULL), NULL);
    ouro_unref(nested ? make_pair(plain, 0, p, NULL) : p);
    CHECK(ENDED(1));
    CHECK(saved == p && p->a->id == 2);
    CHECK_EQ(ouro_count(p), 1u);
    drop_field(&saved);
    CHECK(ENDED(2));
    CHECK_EQ(live_of(heap, saving), 0u);
  }
  close_heap();
}

static void stays_for_ever(void *self) {
  pair_end(self);
  ouro_immortalize(self);
}

TEST(a_finalizer_may_make_its_object_immortal) {
  open_heap();
  ouro_type_spec spec = pair_spec("staying pair");
  spec.finalize = stays_for_ever;
  pair *p = make_pair(ouro_type_new(heap, &spec), 1, NULL, NULL);
  ouro_unref(p);
  CHECK(ENDED(1));
  CHECK_EQ(ouro_count(p), OURO_COUNT_IMMORTAL);
  CHECK_EQ(ouro_collect(heap, 2), 0);
  CHECK_EQ(ouro_count(p), OURO_COUNT_IMMORTAL);
  CHECK(objects_ok(heap));
}
