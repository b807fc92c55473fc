/* SPDX-License-Identifier: MIT */
/* Weak dictionaries and weak sets: every call, every refusal, and programs that change them at the
 * worst moment. Order of events is in conformance/rules_weak.c. */
#include "test.h"

#include <ouro/number.h>
#include <ouro/str.h>

#include "support/story.h"

/* A key that compares by its number. `equal` does what the test has put into `on_equal` first. */
typedef struct key {
  ouro_object object;
  uint64_t number, hash;
} key;

static ouro_type *key_type;
static int (*on_equal)(void); /* its result if it is not 2 */

static uint64_t key_hash(const void *self) { return ((const key *)self)->hash; }

static int key_equal(const void *self, const void *other) {
  int early = on_equal ? on_equal() : 2;
  if (early != 2) return early;
  if (ouro_type_of(other) != key_type) return 0;
  return ((const key *)self)->number == ((const key *)other)->number;
}

static void key_ends(void *self) { say("key %d", (int)((key *)self)->number); }

static void open_keys(void) {
  open_world();
  const ouro_type_spec spec = {.name = "key",
                               .size = sizeof(key),
                               .hash = key_hash,
                               .equal = key_equal,
                               .finalize = key_ends};
  key_type = ouro_type_new(world, &spec);
  on_equal = NULL;
}

static key *make_key(uint64_t number) {
  key *k = ouro_new(key_type);
  CHECK(k);
  k->number = number;
  k->hash = number * 0x9E3779B97F4A7C15u;
  return k;
}

static ouro_weakvaluedict *values;
static ouro_weakkeydict *keys;
static ouro_weakset *set;

/* --- weak values ------------------------------------------------------------------------------ */

TEST(weak_values) {
  open_keys();
  values = ouro_weakvaluedict_new(world);
  key *one = make_key(1), *equal = make_key(1);
  node *v = make_node("v", NULL), *u = make_node("u", NULL);
  ouro_object *found = OURO_OBJECT(v);
  CHECK_EQ(ouro_weakvaluedict_get(values, one, &found), 0);
  CHECK(!found);
  CHECK_EQ(ouro_weakvaluedict_remove(values, one), 0);
  CHECK(ouro_weakvaluedict_put(values, one, v));
  CHECK_EQ(ouro_count(one), 2u);
  CHECK_EQ(ouro_count(v), 1u);
  CHECK_EQ(ouro_weakvaluedict_get(values, equal, &found), 1);
  CHECK(found == OURO_OBJECT(v) && ouro_count(v) == 2);
  ouro_unref(found);
  CHECK(ouro_weakvaluedict_put(values, equal, u)); /* the first key stays */
  CHECK_EQ(ouro_count(one), 2u);
  CHECK_EQ(ouro_count(equal), 1u);
  CHECK_EQ(ouro_weak_count(v), 0u);
  CHECK_EQ(ouro_weakvaluedict_length(values), 1u);
  ouro_unref(v);
  CHECK_EQ(ouro_weakvaluedict_length(values), 1u);
  CHECK_EQ(ouro_weakvaluedict_remove(values, equal), 1);
  CHECK_EQ(ouro_count(one), 1u);
  CHECK_EQ(ouro_weakvaluedict_length(values), 0u);
  CHECK_EQ(ouro_weak_count(u), 0u);
  ouro_unref(u);
  ouro_unref(one);
  ouro_unref(equal);
  ouro_unref(values);
  CHECK_STR(events, "del v, del u, key 1, key 1");
  close_world();
}

TEST(weak_values_by_text_and_number) {
  open_world();
  values = ouro_weakvaluedict_new(world);
  enum { COUNT = 300 };
  static node *node_of[COUNT];
  ouro_object *found;
  for (int i = 0; i < COUNT; i++) {
    void *name = i % 2 ? (void *)ouro_str_format(world, "node %d", i)
                       : (void *)ouro_int_new(world, i * 1000);
    node_of[i] = make_node("x", NULL);
    CHECK(ouro_weakvaluedict_put(values, name, node_of[i]));
    ouro_unref(name);
  }
  for (int i = 0; i < COUNT; i += 3) ouro_unref(node_of[i]);
  CHECK_EQ(ouro_weakvaluedict_length(values), (size_t)COUNT - COUNT / 3);
  for (int i = 0; i < COUNT; i++) {
    void *name = i % 2 ? (void *)ouro_str_format(world, "node %d", i)
                       : (void *)ouro_int_new(world, i * 1000);
    CHECK_EQ(ouro_weakvaluedict_get(values, name, &found), i % 3 ? 1 : 0);
    if (found) CHECK(found == OURO_OBJECT(node_of[i]));
    ouro_unref(found);
    ouro_unref(name);
  }
  ouro_unref(values); /* before the values: their chains know nothing of it any more */
  for (int i = 0; i < COUNT; i++)
    if (i % 3) ouro_unref(node_of[i]);
  CHECK_EQ(map_count(), 0u);
  close_world();
}

/* --- weak keys -------------------------------------------------------------------------------- */

TEST(weak_keys) {
  open_keys();
  keys = ouro_weakkeydict_new(world);
  key *one = make_key(1), *equal = make_key(1);
  node *v = make_node("v", NULL), *u = make_node("u", NULL);
  ouro_object *found;
  CHECK_EQ(ouro_weakkeydict_get(keys, one, &found), 0);
  CHECK_EQ(ouro_weakkeydict_remove(keys, one), 0);
  CHECK(ouro_weakkeydict_put(keys, one, v));
  CHECK_EQ(ouro_count(one), 1u);
  CHECK_EQ(ouro_count(v), 2u);
  CHECK_EQ(ouro_weakkeydict_get(keys, equal, &found), 1);
  CHECK(found == OURO_OBJECT(v));
  ouro_unref(found);
  CHECK(ouro_weakkeydict_put(keys, equal, u)); /* a new value, the key that was there */
  CHECK_EQ(ouro_count(v), 1u);
  CHECK_EQ(ouro_weak_count(equal), 0u);
  ouro_unref(equal);
  CHECK_EQ(ouro_weakkeydict_length(keys), 1u);
  ouro_unref(one);
  CHECK_EQ(ouro_weakkeydict_length(keys), 0u);
  CHECK_EQ(ouro_count(u), 1u);
  one = make_key(1);
  CHECK(ouro_weakkeydict_put(keys, one, v));
  CHECK_EQ(ouro_weakkeydict_remove(keys, one), 1);
  CHECK_EQ(ouro_count(v), 1u);
  CHECK_EQ(ouro_weak_count(one), 0u);
  CHECK(ouro_weakkeydict_put(keys, one, v));
  ouro_unref(keys);
  CHECK_EQ(ouro_count(v), 1u);
  ouro_unref(one);
  ouro_unref(u);
  ouro_unref(v);
  CHECK_EQ(map_count(), 0u);
  close_world();
}

/* --- weak sets -------------------------------------------------------------------------------- */

TEST(weak_sets) {
  open_keys();
  set = ouro_weakset_new(world);
  CHECK(!ouro_is_tracked(set));
  key *one = make_key(1), *equal = make_key(1), *two = make_key(2);
  CHECK_EQ(ouro_weakset_has(set, one), 0);
  CHECK_EQ(ouro_weakset_remove(set, one), 0);
  CHECK(ouro_weakset_add(set, one));
  CHECK(ouro_weakset_add(set, equal));
  CHECK(ouro_weakset_add(set, two));
  CHECK_EQ(ouro_weakset_length(set), 2u);
  CHECK_EQ(ouro_weak_count(equal), 0u);
  CHECK_EQ(ouro_weakset_has(set, equal), 1);
  ouro_unref(one);
  CHECK_EQ(ouro_weakset_has(set, equal), 0);
  CHECK_EQ(ouro_weakset_remove(set, two), 1);
  CHECK_EQ(ouro_weakset_length(set), 0u);
  CHECK(ouro_weakset_add(set, two));
  ouro_unref(set);
  CHECK_EQ(ouro_weak_count(two), 0u);
  ouro_unref(two);
  ouro_unref(equal);
  close_world();
}

/* --- refusals --------------------------------------------------------------------------------- */

TEST(objects_without_weak_references_are_refused) {
  open_keys();
  const ouro_type_spec spec = {.name = "no", .size = sizeof(ouro_object), .flags = OURO_NO_WEAKREF};
  ouro_object *no = ouro_new(ouro_type_new(world, &spec));
  values = ouro_weakvaluedict_new(world);
  keys = ouro_weakkeydict_new(world);
  set = ouro_weakset_new(world);
  node *n = make_node("n", NULL);
  CHECK(!ouro_weakvaluedict_put(values, n, no));
  CHECK(!ouro_weakkeydict_put(keys, no, n));
  CHECK(!ouro_weakset_add(set, no));
  CHECK_STR(ouro_heap_error(world), "the type allows no weak references");
  CHECK(ouro_weakvaluedict_put(values, no, n));
  CHECK(ouro_weakkeydict_put(keys, n, no));
  CHECK_EQ(ouro_count(no), 3u);
  ouro_unref(values);
  ouro_unref(keys);
  ouro_unref(set);
  ouro_unref(no);
  ouro_unref(n);
  close_world();
}

static int fails(void) { return -1; }

TEST(an_equal_that_fails_fails_the_call) {
  open_keys();
  values = ouro_weakvaluedict_new(world);
  keys = ouro_weakkeydict_new(world);
  set = ouro_weakset_new(world);
  key *one = make_key(1), *other = make_key(2);
  other->hash = one->hash;
  node *v = make_node("v", NULL);
  ouro_object *found;
  CHECK(ouro_weakvaluedict_put(values, one, v) && ouro_weakkeydict_put(keys, one, other) &&
        ouro_weakset_add(set, one));
  on_equal = fails;
  CHECK(!ouro_weakvaluedict_put(values, other, v));
  CHECK_EQ(ouro_weakvaluedict_get(values, other, &found), -1);
  CHECK(!found);
  CHECK_EQ(ouro_weakvaluedict_remove(values, other), -1);
  CHECK(!ouro_weakkeydict_put(keys, other, v));
  CHECK_EQ(ouro_weakkeydict_get(keys, other, &found), -1);
  CHECK_EQ(ouro_weakkeydict_remove(keys, other), -1);
  CHECK(!ouro_weakset_add(set, other));
  CHECK_EQ(ouro_weakset_has(set, other), -1);
  CHECK_EQ(ouro_weakset_remove(set, other), -1);
  CHECK_EQ(ouro_weak_count(other), 0u);
  CHECK_EQ(ouro_count(other), 2u);
  CHECK_EQ(ouro_weak_count(v), 1u);
  check_world();
  on_equal = NULL;
  CHECK_EQ(ouro_weakvaluedict_length(values) + ouro_weakkeydict_length(keys) +
               ouro_weakset_length(set),
           3u);
  ouro_unref(one);
  ouro_unref(other);
  ouro_unref(v);
  CHECK_EQ(ouro_weakvaluedict_length(values) + ouro_weakkeydict_length(keys) +
               ouro_weakset_length(set),
           0u);
  ouro_unref(values);
  ouro_unref(keys);
  ouro_unref(set);
  close_world();
}

/* --- an `equal` that changes what is looked up ------------------------------------------------ */

static key *victims[3];

static int drops_victims(void) {
  for (int i = 0; i < 3; i++) forget(&victims[i]);
  ouro_collect(world, 2);
  return 2;
}

/* All keys have the same hash, so each is compared; the first comparison lets all of them die. */
static void fill_with_victims(void) {
  for (int i = 0; i < 3; i++) {
    victims[i] = make_key((uint64_t)i);
    victims[i]->hash = 1;
  }
}

TEST(keys_that_die_while_they_are_compared) {
  open_keys();
  keys = ouro_weakkeydict_new(world);
  set = ouro_weakset_new(world);
  node *v = make_node("v", NULL);
  fill_with_victims();
  for (int i = 0; i < 3; i++) CHECK(ouro_weakkeydict_put(keys, victims[i], v));
  key *wanted = make_key(2);
  wanted->hash = 1;
  ouro_object *found;
  on_equal = drops_victims;
  CHECK_EQ(ouro_weakkeydict_get(keys, wanted, &found), 0);
  CHECK_EQ(ouro_weakkeydict_length(keys), 0u);
  CHECK_EQ(ouro_count(v), 1u);
  on_equal = NULL;
  fill_with_victims();
  for (int i = 0; i < 3; i++) CHECK(ouro_weakset_add(set, victims[i]));
  on_equal = drops_victims;
  CHECK(ouro_weakset_add(set, wanted));
  CHECK_EQ(ouro_weakset_length(set), 1u);
  on_equal = NULL;
  fill_with_victims();
  for (int i = 0; i < 3; i++) CHECK(ouro_weakkeydict_put(keys, victims[i], v));
  on_equal = drops_victims;
  CHECK(ouro_weakkeydict_put(keys, wanted, v));
  CHECK_EQ(ouro_weakkeydict_length(keys), 1u);
  CHECK_EQ(ouro_count(v), 2u);
  ouro_unref(keys);
  ouro_unref(set);
  ouro_unref(wanted);
  ouro_unref(v);
  close_world();
}

static node *held;

static int drops_value(void) {
  forget(&held);
  return 2;
}

TEST(values_that_die_while_keys_are_compared) {
  open_keys();
  values = ouro_weakvaluedict_new(world);
  key *one = make_key(1), *equal = make_key(1);
  ouro_object *found;
  for (int round = 0; round < 3; round++) {
    on_equal = NULL;
    held = make_node("v", NULL);
    CHECK(ouro_weakvaluedict_put(values, one, held));
    on_equal = drops_value;
    if (round == 0) CHECK_EQ(ouro_weakvaluedict_get(values, equal, &found), 0);
    if (round == 1) CHECK_EQ(ouro_weakvaluedict_remove(values, equal), 0);
    node *u = make_node("u", NULL);
    if (round == 2) CHECK(ouro_weakvaluedict_put(values, equal, u));
    CHECK_EQ(ouro_weakvaluedict_length(values), round == 2 ? 1u : 0u);
    CHECK_EQ(ouro_count(one), 1u);
    CHECK_EQ(ouro_count(equal), round == 2 ? 2u : 1u);
    ouro_unref(u);
  }
  ouro_unref(values);
  ouro_unref(one);
  ouro_unref(equal);
  close_world();
}

static int puts_the_same(void) {
  on_equal = NULL;
  CHECK(ouro_weakkeydict_put(keys, victims[1], held));
  return 2;
}

TEST(an_equal_that_puts_the_key_itself) {
  open_keys();
  keys = ouro_weakkeydict_new(world);
  fill_with_victims();
  held = make_node("v", NULL);
  node *u = make_node("u", NULL);
  CHECK(ouro_weakkeydict_put(keys, victims[0], held));
  on_equal = puts_the_same;
  CHECK(ouro_weakkeydict_put(keys, victims[1], u));
  CHECK_EQ(ouro_weakkeydict_length(keys), 2u);
  CHECK_EQ(ouro_weak_count(victims[1]), 1u);
  CHECK_EQ(ouro_count(u), 2u);
  CHECK_EQ(ouro_count(held), 2u);
  drops_victims();
  CHECK_EQ(ouro_count(u), 1u);
  ouro_unref(keys);
  ouro_unref(u);
  forget(&held);
  close_world();
}

/* --- visits ----------------------------------------------------------------------------------- */

TEST(visits_go_in_order_of_arrival_and_see_nothing_that_died) {
  open_keys();
  enum { COUNT = 100 };
  static key *member[COUNT];
  set = ouro_weakset_new(world);
  for (int i = 0; i < COUNT; i++) {
    member[i] = make_key((uint64_t)i);
    CHECK(ouro_weakset_add(set, member[i]));
  }
  size_t position = 0, seen = 0;
  int last = -1;
  ouro_object *o;
  while (ouro_weakset_next(set, &position, &o)) {
    int at = (int)((key *)(void *)o)->number;
    CHECK(last < at && member[at]);
    CHECK_EQ(ouro_count(o), 2u);
    last = at;
    seen++;
    ouro_unref(o);
    for (int i = 1; i < 4; i++) /* itself, the next and one seen long ago */
      forget(&member[(at + (i == 3 ? COUNT - 7 : i - 1)) % COUNT]);
  }
  CHECK_EQ(last, COUNT - 2);
  CHECK_EQ(seen, (size_t)COUNT / 2);
  CHECK_EQ(ouro_weakset_length(set), 0u);
  for (int i = 0; i < COUNT; i++) forget(&member[i]);
  ouro_unref(set);
  close_world();
}

TEST(visits_of_dictionaries) {
  open_keys();
  values = ouro_weakvaluedict_new(world);
  keys = ouro_weakkeydict_new(world);
  key *k[3];
  node *v[3];
  for (int i = 0; i < 3; i++) {
    k[i] = make_key((uint64_t)i);
    v[i] = make_node("v", NULL);
    CHECK(ouro_weakvaluedict_put(values, k[i], v[i]) && ouro_weakkeydict_put(keys, k[i], v[i]));
  }
  size_t position = 0, other_position = 0;
  ouro_object *a, *b, *c, *d;
  for (int i = 0; i < 3; i++) {
    CHECK(ouro_weakvaluedict_next(values, &position, &a, &b));
    CHECK(ouro_weakkeydict_next(keys, &other_position, &c, &d));
    CHECK(a == OURO_OBJECT(k[i]) && b == OURO_OBJECT(v[i]) && c == a && d == b);
    CHECK_EQ(ouro_count(a), 4u);
    ouro_object *all[] = {a, b, c, d};
    for (int j = 0; j < 4; j++) ouro_unref(all[j]);
  }
  CHECK(!ouro_weakvaluedict_next(values, &position, &a, &b));
  CHECK(!ouro_weakkeydict_next(keys, &other_position, &c, &d));
  ouro_unref(values);
  ouro_unref(keys);
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(ouro_count(k[i]), 1u);
    CHECK_EQ(ouro_count(v[i]), 1u);
    ouro_unref(k[i]);
    ouro_unref(v[i]);
  }
  close_world();
}

/* --- finalizers and the collector ------------------------------------------------------------- */

static key *again;

static void puts_again(node *self) {
  CHECK(ouro_weakkeydict_put(keys, again, self->left));
  CHECK_EQ(ouro_weakkeydict_length(keys), 1u);
}

/* The key dies, its value's finalizer puts a new entry into the same dictionary. */
TEST(a_value_whose_finalizer_puts) {
  open_keys();
  keys = ouro_weakkeydict_new(world);
  again = make_key(2);
  key *one = make_key(1);
  node *v = make_node("v", make_node("u", NULL));
  v->at_end = puts_again;
  CHECK(ouro_weakkeydict_put(keys, one, v));
  ouro_unref(v);
  ouro_unref(one);
  CHECK_STR(events, "key 1, del v");
  CHECK_EQ(ouro_weakkeydict_length(keys), 1u);
  ouro_unref(again);
  CHECK_STR(events, "key 1, del v, key 2, del u");
  ouro_unref(keys);
  close_world();
}

static void ends_the_dictionary(node *self) {
  (void)self;
  forget(&keys);
}

TEST(a_value_whose_finalizer_ends_the_dictionary) {
  open_keys();
  keys = ouro_weakkeydict_new(world);
  key *one = make_key(1), *two = make_key(2);
  node *v = make_node("v", NULL), *u = make_node("u", NULL);
  v->at_end = ends_the_dictionary;
  CHECK(ouro_weakkeydict_put(keys, one, v) && ouro_weakkeydict_put(keys, two, u));
  ouro_unref(u);
  ouro_unref(v);
  ouro_unref(one);
  CHECK_STR(events, "key 1, del v, del u");
  ouro_unref(two);
  CHECK_EQ(map_count(), 0u);
  close_world();
}

/* No finalizer far and near: that the key's count changed is for the collector to know. */
TEST(a_garbage_dictionary_whose_key_only_it_holds) {
  open_keys();
  static const uint16_t refs[] = {offsetof(node, left), offsetof(node, right),
                                  offsetof(node, other), 0};
  const ouro_type_spec quiet = {.name = "quiet", .size = sizeof(node), .refs = refs};
  node_type = ouro_type_new(world, &quiet);
  for (int i = 0; i < 100; i++) {
    node *ring[2], *k = make_node("k", NULL);
    make_ring(ring, "ab");
    values = ouro_weakvaluedict_new(world);
    CHECK(ouro_weakvaluedict_put(values, k, ring[1]));
    ouro_unref(k);
    ring[0]->other = OURO_OBJECT(values);
    drop_nodes(ring, 2);
  }
  CHECK_EQ(ouro_collect(world, 2), 400);
  CHECK_EQ(live_nodes(), 0u);
  check_world();
  for (int i = 0; i < 1000; i++) make_node("x", NULL); /* each block once */
  CHECK_EQ(live_nodes(), 1000u);
  close_world();
}

/* A dictionary in a cycle with its own value (weak-key) or key (weak-value). */
TEST(dictionaries_in_cycles_are_collected) {
  open_keys();
  node *n = make_node("n", NULL), *m = make_node("m", NULL);
  key *one = make_key(1);
  keys = ouro_weakkeydict_new(world);
  CHECK(ouro_weakkeydict_put(keys, one, n));
  n->other = OURO_OBJECT(keys);
  values = ouro_weakvaluedict_new(world);
  CHECK(ouro_weakvaluedict_put(values, m, one));
  m->other = OURO_OBJECT(values);
  ouro_unref(n);
  ouro_unref(m);
  CHECK_EQ(ouro_weak_count(one), 2u);
  CHECK_EQ(ouro_collect(world, 2), 4);
  CHECK_STR(events, "del n, del m");
  CHECK_EQ(ouro_weak_count(one), 0u);
  ouro_unref(one);
  close_world();
}

static node *saved;
static void saves_itself(node *self) { ouro_assign(&saved, self); }

/* The dictionary, its key and value were garbage; a finalizer brings all of it back. The weak side
 * is gone for good, and the next put sweeps it out. */
TEST(a_resurrected_weak_key_dictionary) {
  open_keys();
  node *ring[2];
  make_ring(ring, "ab");
  keys = ouro_weakkeydict_new(world);
  for (int i = 0; i < 2; i++) {
    node *v = make_node("v", NULL);
    CHECK(ouro_weakkeydict_put(keys, ring[i], v));
    ouro_unref(v);
  }
  ring[0]->at_end = saves_itself;
  ring[0]->other = OURO_OBJECT(keys);
  drop_nodes(ring, 2);
  ouro_collect(world, 2);
  CHECK(saved && saved->other == OURO_OBJECT(keys));
  CHECK_EQ(ouro_weakkeydict_length(keys), 0u);
  ouro_object *found;
  size_t position = 0;
  CHECK_EQ(ouro_weakkeydict_get(keys, saved, &found), 0);
  CHECK(!ouro_weakkeydict_next(keys, &position, &found, &found));
  check_world();
  events[0] = 0;
  CHECK(ouro_weakkeydict_put(keys, saved, saved->left));
  CHECK_STR(events, ""); /* the old values have been finalized already: they die in silence */
  CHECK_EQ(live_nodes(), 2u);
  CHECK_EQ(ouro_weakkeydict_length(keys), 1u);
  CHECK_EQ(ouro_weakkeydict_get(keys, saved, &found), 1);
  ouro_unref(found);
  check_world();
  forget(&saved);
  CHECK_EQ(ouro_collect(world, 2), 3);
  close_world();
}

/* Rule R8: the value of each key holds the next key. */
TEST(a_chain_through_weak_key_dictionaries_takes_bounded_stack) {
  open_world();
  enum { LINKS = 200000 };
  static const uint16_t refs[] = {offsetof(node, left), 0};
  const ouro_type_spec quiet = {.name = "quiet", .size = sizeof(node), .refs = refs};
  node_type = ouro_type_new(world, &quiet);
  keys = ouro_weakkeydict_new(world);
  node *first = ouro_new(node_type), *last = ouro_ref(first);
  for (int i = 0; i < LINKS; i++) {
    node *value = ouro_new(node_type), *next = ouro_new(node_type);
    ouro_assign(&value->left, next);
    CHECK(ouro_weakkeydict_put(keys, last, value));
    ouro_unref(value);
    ouro_unref(last);
    last = next;
  }
  ouro_unref(last);
  CHECK_EQ(ouro_weakkeydict_length(keys), (size_t)LINKS);
  ouro_unref(first);
  CHECK_EQ(ouro_weakkeydict_length(keys), 0u);
  CHECK_EQ(live_nodes(), 0u);
  ouro_unref(keys);
  close_world();
}

/* --- every refusal of memory, a collection at every allocation -------------------------------- */

static key *all_keys[30];
static node *all_nodes[30];

static bool fill(int i) {
  key *k = ouro_new(key_type);
  ouro_assign_new(&all_keys[i], k);
  node *n = k ? ouro_new(node_type) : NULL;
  ouro_assign_new(&all_nodes[i], n);
  if (!n) return false;
  k->number = (uint64_t)i;
  k->hash = (uint64_t)i % 7;
  n->left = i ? ouro_ref(all_nodes[i / 2]) : NULL;
  return ouro_weakvaluedict_put(values, k, n) && ouro_weakkeydict_put(keys, k, n) &&
         ouro_weakset_add(set, n) && ouro_weakset_add(set, k);
}

static bool script(void) {
  values = ouro_weakvaluedict_new(world);
  keys = values ? ouro_weakkeydict_new(world) : NULL;
  set = keys ? ouro_weakset_new(world) : NULL;
  if (!set) return false;
  for (int i = 0; i < 30; i++)
    if (!fill(i)) return false;
  for (int i = 0; i < 30; i += 3) forget(&all_keys[i]);
  for (int i = 15; i < 30; i += 2) forget(&all_nodes[i]);
  return ouro_collect(world, 2) >= 0;
}

/* What is in the containers is what lives, found under its key. */
static void check_contents(void) {
  size_t position = 0, seen = 0;
  ouro_object *k, *n;
  while (values && ouro_weakvaluedict_next(values, &position, &k, &n)) {
    CHECK_EQ(((key *)(void *)k)->number, ((key *)(void *)k)->number % 30);
    seen++;
    ouro_unref(k);
    ouro_unref(n);
  }
  if (values) CHECK_EQ(seen, ouro_weakvaluedict_length(values));
  for (int i = 0; i < 30 && set; i++) {
    if (!all_keys[i]) continue;
    int found = ouro_weakkeydict_get(keys, all_keys[i], &n);
    CHECK_LE(0, found);
    ouro_unref(n);
  }
  check_world();
}

static void drop_script(void) {
  for (int i = 0; i < 30; i++) {
    forget(&all_keys[i]);
    forget(&all_nodes[i]);
  }
  forget(&values);
  forget(&keys);
  forget(&set);
  ouro_collect(world, 2);
}

/* Blocks that stay when all objects are gone: types, the map. */
static uint64_t blocks_left(void) {
  ouro_heap_stats s = stats_of(world);
  return s.live_blocks + s.large_blocks;
}

static bool run_script(uint64_t fail, uint64_t every, uint64_t *left) {
  open_keys();
  ouro_heap_fail(world, fail, every);
  bool whole = script();
  ouro_heap_fail(world, 0, 0);
  check_contents();
  drop_script();
  CHECK_EQ(live_nodes(), 0u);
  CHECK_EQ(map_count(), 0u);
  *left = blocks_left();
  close_world();
  return whole;
}

/* `every` 0: one refusal; 1: from then on nothing is to be had. */
static void refuse_each(uint64_t every) {
  uint64_t whole, left, n = 1;
  CHECK(run_script(0, 0, &whole));
  for (; !run_script(n, every, &left); n++) CHECK_LE(left, whole);
  CHECK_LT(50u, n);
}

TEST(every_refusal_of_memory_loses_nothing) { refuse_each(0); }
TEST(memory_that_stays_away_loses_nothing) { refuse_each(1); }

static void make_garbage(size_t n) {
  static const uint16_t refs[] = {offsetof(node, left), 0};
  const ouro_type_spec quiet = {.name = "quiet", .size = sizeof(node), .refs = refs};
  ouro_type *type = ouro_type_new(world, &quiet);
  for (size_t i = 0; i < n; i++) {
    node *loop = ouro_new(type);
    ouro_assign(&loop->left, loop);
    ouro_unref(loop);
  }
}

static void limit_to_what_is_used(void) {
  ouro_heap_set_limit(world, stats_of(world).pools * 64 * KIB + stats_of(world).large);
}

/* There is a pool with room for entries, so that the first refusal is the table's: above 512 bytes
 * it needs memory that only garbage has. */
TEST(garbage_makes_room_for_a_table) {
  open_keys();
  key *all[20];
  keys = ouro_weakkeydict_new(world);
  for (int i = 0; i < 20; i++) all[i] = make_key((uint64_t)i);
  CHECK(ouro_weakkeydict_put(keys, all[0], keys));
  make_garbage(50000);
  limit_to_what_is_used();
  for (int i = 1; i < 20; i++) CHECK(ouro_weakkeydict_put(keys, all[i], keys));
  CHECK_LT(stats_of(world).live_blocks, 10000u);
  for (int i = 0; i < 20; i++) ouro_unref(all[i]);
  ouro_unref(keys);
  close_world();
}

/* Each set has one member, so only the map grows. */
TEST(garbage_makes_room_for_the_map) {
  open_keys();
  key *all[40];
  ouro_weakset *sets[40];
  for (int i = 0; i < 40; i++) {
    all[i] = make_key((uint64_t)i);
    sets[i] = ouro_weakset_new(world);
    CHECK(ouro_weakset_add(sets[i], all[0]));
  }
  make_garbage(50000);
  limit_to_what_is_used();
  for (int i = 1; i < 40; i++) CHECK(ouro_weakset_add(sets[i], all[i]));
  CHECK_LT(stats_of(world).live_blocks, 10000u);
  for (int i = 0; i < 40; i++) {
    CHECK_EQ(ouro_weakset_has(sets[i], all[i]), 1);
    ouro_unref(all[i]);
    ouro_unref(sets[i]);
  }
  close_world();
}

/* The heap is full, of garbage for the most part. Tables and entries that need memory get it. */
TEST(garbage_makes_room) {
  open_keys();
  enum { KEYS = 20000 };
  static key *all[KEYS];
  keys = ouro_weakkeydict_new(world);
  for (int i = 0; i < KEYS; i++) all[i] = make_key((uint64_t)i);
  make_garbage(200000);
  size_t full = stats_of(world).pools * 64 * KIB + stats_of(world).large;
  ouro_heap_set_limit(world, full);
  uint64_t before = stats_of(world).live_blocks;
  for (int i = 0; i < KEYS; i++) CHECK(ouro_weakkeydict_put(keys, all[i], keys));
  CHECK_LT(stats_of(world).live_blocks, before - 100000);
  CHECK_LE(stats_of(world).pools * 64 * KIB + stats_of(world).large, full);
  CHECK_EQ(ouro_weakkeydict_length(keys), (size_t)KEYS);
  for (int i = 0; i < KEYS; i++) ouro_unref(all[i]);
  CHECK_EQ(ouro_count(keys), 1u);
  ouro_unref(keys);
  close_world();
}

TEST(a_collection_at_every_allocation) {
  open_keys();
  ouro_gc_set_stress(world, 1);
  CHECK(script());
  check_contents();
  drop_script();
  CHECK_EQ(live_nodes(), 0u);
  CHECK_EQ(map_count(), 0u);
  close_world();
}

TEST(a_heap_ends_with_containers_in_it) {
  open_keys();
  CHECK(script());
  ouro_heap_destroy(world);
}
