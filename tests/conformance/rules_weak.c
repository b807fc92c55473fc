/* SPDX-License-Identifier: MIT */
/* Rules W1 to W5: weak references and weak containers. Scenarios marked STORY were compared with
 * CPython's events by weak_order.py. */
#include "test.h"

#include "support/story.h"

static ouro_weak *w, *w1, *w2, *w3, *wa, *wb, *plain;
static node *held;

/* --- W1: not kept alive; gone from the moment of death; a callback is told -------------------- */

TEST(W1_a_weak_reference_does_not_keep_its_object_alive) {
  open_world();
  node *x = make_node("x", NULL);
  w = ouro_weak_new(x, NULL, NULL);
  CHECK_EQ(ouro_count(x), 1u);
  node *same = ouro_weak_get(w);
  CHECK(same == x);
  CHECK_EQ(ouro_count(x), 2u);
  ouro_unref(same);
  ouro_unref(x);
  CHECK_STR(events, "del x");
  CHECK(ouro_weak_is_gone(w));
  CHECK(!ouro_weak_get(w));
  node *reuse = make_node("y", NULL); /* most likely in the same place: still gone (rule R6) */
  CHECK(!ouro_weak_get(w));
  CHECK_EQ(ouro_weak_count(reuse), 0u);
  ouro_unref(reuse);
  ouro_unref(w);
  ouro_heap_destroy(world);
}

static void finalizer_then_callback_then_references(void) {
  node *x = make_node("x", make_node("y", NULL));
  w1 = watch(x, "wx", NULL);
  w2 = watch(x->left, "wy", NULL);
  ouro_unref(x);
}

TEST(W1_finalizer_then_callback_then_references) {
  STORY(finalizer_then_callback_then_references, "del x, wx, del y, wy");
}

static void says_w(node *self) {
  (void)self;
  say("w %s", state_of(w));
}

static void alive_in_the_finalizer(void) {
  node *x = make_node("x", NULL);
  x->at_end = says_w;
  w = watch(x, "w", NULL);
  ouro_unref(x);
}

TEST(W1_alive_in_the_finalizer) { STORY(alive_in_the_finalizer, "del x, w alive, w"); }

static void youngest_first(void) {
  node *x = make_node("x", NULL);
  w1 = watch(x, "w1", NULL);
  w2 = watch(x, "w2", NULL);
  w3 = watch(x, "w3", NULL);
  ouro_unref(x);
}

TEST(W1_youngest_first) { STORY(youngest_first, "del x, w3, w2, w1"); }

static void says_plain(void) { say("w1 plain %s", state_of(plain)); }
static void says_w1(void) { say("w2 w1 %s", state_of(w1)); }

static void all_are_cleared_before_the_first_callback(void) {
  node *x = make_node("x", NULL);
  plain = ouro_weak_new(x, NULL, NULL);
  w1 = watch(x, "", says_plain);
  w2 = watch(x, "", says_w1);
  ouro_unref(x);
}

TEST(W1_all_are_cleared_before_the_first_callback) {
  STORY(all_are_cleared_before_the_first_callback, "del x, w2 w1 gone, w1 plain gone");
}

static void drops_w1(void) { forget(&w1); }

static void dropped_by_an_earlier_callback(void) {
  node *x = make_node("x", NULL);
  w1 = watch(x, "w1", NULL);
  w2 = watch(x, "w2 drops w1", drops_w1);
  ouro_unref(x);
}

TEST(W1_dropped_by_an_earlier_callback) {
  STORY(dropped_by_an_earlier_callback, "del x, w2 drops w1, w1");
}

static void a_dead_weak_reference_is_not_told(void) {
  node *x = make_node("x", NULL);
  w1 = watch(x, "w1", NULL);
  w2 = watch(x, "w2", NULL);
  forget(&w2);
  ouro_unref(x);
}

TEST(W1_a_dead_weak_reference_is_not_told) {
  STORY(a_dead_weak_reference_is_not_told, "del x, w1");
}

static void watches_itself(node *self) { w = watch(self, "w", NULL); }

static void made_by_the_finalizer(void) {
  node *x = make_node("x", make_node("y", NULL));
  x->at_end = watches_itself;
  ouro_unref(x);
}

TEST(W1_made_by_the_finalizer) { STORY(made_by_the_finalizer, "del x, w, del y"); }

static void drops_held_and_says_so(void) {
  forget(&held);
  say("wx ends");
}

static void callback_destroys_the_next(void) {
  node *x = make_node("x", NULL);
  held = make_node("y", NULL);
  w1 = watch(x, "wx", drops_held_and_says_so);
  w2 = watch(held, "wy", NULL);
  ouro_unref(x);
}

TEST(W1_callback_destroys_the_next) {
  STORY(callback_destroys_the_next, "del x, wx, del y, wy, wx ends");
}

/* --- W2: weak-value dictionaries -------------------------------------------------------------- */

static ouro_weakvaluedict *by_value;
static ouro_weakkeydict *by_key;

static void put_value(const char *key_name, node *value) {
  node *key = make_node(key_name, NULL);
  CHECK(ouro_weakvaluedict_put(by_value, key, value));
  ouro_unref(key);
}

static void a_key_dies_with_its_weak_value(void) {
  by_value = ouro_weakvaluedict_new(world);
  node *v = make_node("v", NULL);
  w1 = watch(v, "old", NULL);
  put_value("k", v);
  w2 = watch(v, "young", NULL);
  ouro_unref(v);
  say("length %zu", ouro_weakvaluedict_length(by_value));
}

TEST(W2_a_key_dies_with_its_weak_value) {
  STORY(a_key_dies_with_its_weak_value, "del v, young, old, del k, length 0");
}

static void a_key_dies_between_callbacks_of_garbage(void) {
  node *ring[2];
  by_value = ouro_weakvaluedict_new(world);
  make_ring(ring, "ab");
  w1 = watch(ring[0], "old", NULL);
  put_value("k", ring[0]);
  w2 = watch(ring[0], "young", NULL);
  drop_nodes(ring, 2);
  collect();
}

TEST(W2_a_key_dies_between_callbacks_of_garbage) {
  STORY(a_key_dies_between_callbacks_of_garbage, "young, del k, old, del a, del b, collected");
}

static void says_values(node *self) {
  (void)self;
  say("length %zu", ouro_weakvaluedict_length(by_value));
}

static void garbage_leaves_a_weak_value_dictionary(void) {
  node *ring[2];
  by_value = ouro_weakvaluedict_new(world);
  make_ring(ring, "ab");
  put_value("k", ring[1]);
  ring[0]->at_end = says_values;
  drop_nodes(ring, 2);
  collect();
}

TEST(W2_garbage_leaves_a_weak_value_dictionary) {
  STORY(garbage_leaves_a_weak_value_dictionary, "del k, del a, length 0, del b, collected");
}

static void put_garbage_dictionary(node **ring) {
  node *k = make_node("k", NULL);
  make_ring(ring, "ab");
  ouro_weakvaluedict *dict = ouro_weakvaluedict_new(world);
  CHECK(ouro_weakvaluedict_put(dict, k, ring[1]));
  ring[0]->other = OURO_OBJECT(dict);
  ouro_unref(k);
}

static void keys_of_a_garbage_dictionary_are_finalized_in_turn(void) {
  node *ring[2];
  put_garbage_dictionary(ring);
  drop_nodes(ring, 2);
  collect();
}

TEST(W2_keys_of_a_garbage_dictionary_are_finalized_in_turn) {
  STORY(keys_of_a_garbage_dictionary_are_finalized_in_turn, "del k, del a, del b, collected");
}

static void holds_itself(node *self) { ouro_assign(&held, self); }

static void a_resurrected_dictionary(void) {
  node *ring[2];
  put_garbage_dictionary(ring);
  ring[0]->at_end = holds_itself;
  drop_nodes(ring, 2);
  collect();
  by_value = (ouro_weakvaluedict *)(void *)held->other;
  say("length %zu", ouro_weakvaluedict_length(by_value));
  put_value("l", held);
  say("length %zu", ouro_weakvaluedict_length(by_value));
}

/* CPython goes on counting the entries whose values were cleared while all of it was garbage. */
TEST(W2_a_resurrected_dictionary_has_no_dead_entries) {
  DIFFERS(a_resurrected_dictionary, "del k, del a, del b, collected, length 1, length 2",
          "del k, del a, del b, collected, length 0, length 1");
}

/* --- W3: weak-key dictionaries: values are strong --------------------------------------------- */

static void put_key(node *key, OURO_STOLEN node *value) {
  CHECK(ouro_weakkeydict_put(by_key, key, value));
  ouro_unref(value);
}

static void a_value_dies_between_callbacks(void) {
  by_key = ouro_weakkeydict_new(world);
  node *k = make_node("k", NULL);
  w1 = watch(k, "old", NULL);
  put_key(k, make_node("v", NULL));
  w2 = watch(k, "young", NULL);
  ouro_unref(k);
}

TEST(W3_a_value_dies_between_callbacks) {
  STORY(a_value_dies_between_callbacks, "del k, young, del v, old");
}

static void a_value_dies_with_its_weak_key(void) {
  by_key = ouro_weakkeydict_new(world);
  node *k1 = make_node("k1", NULL), *k2 = make_node("k2", NULL);
  put_key(k2, make_node("v2", NULL));
  put_key(k1, make_node("v1", k2));
  ouro_unref(k1);
  say("length %zu", ouro_weakkeydict_length(by_key));
}

TEST(W3_a_value_dies_with_its_weak_key) {
  STORY(a_value_dies_with_its_weak_key, "del k1, del v1, del k2, del v2, length 0");
}

static bool refers_by_name(void *ctx, ouro_object *other, const char *name) {
  (void)name;
  *(ouro_object **)ctx = other;
  return true;
}

/* The tools point it out: the only referrer of the key is the value, whose referrer is the
 * dictionary. */
static void check_who_holds(node *key) {
  ouro_object *holder = NULL;
  ouro_each_referrer(key, refers_by_name, &holder);
  CHECK(holder && ouro_type_of(holder) == node_type);
  CHECK_STR(((node *)(void *)holder)->name, "v");
  ouro_each_referrer(holder, refers_by_name, &holder);
  CHECK(holder == OURO_OBJECT(by_key));
}

static void a_value_that_refers_to_its_key(void) {
  by_key = ouro_weakkeydict_new(world);
  node *k = make_node("k", NULL);
  put_key(k, make_node("v", ouro_ref(k)));
  ouro_unref(k);
  collect();
  say("length %zu", ouro_weakkeydict_length(by_key));
  check_who_holds(k);
  forget(&by_key);
  collect();
}

TEST(W3_a_value_that_refers_to_its_key_keeps_the_entry) {
  STORY(a_value_that_refers_to_its_key, "collected, length 1, del v, del k, collected");
}

static void says_keys(node *self) {
  (void)self;
  say("length %zu", ouro_weakkeydict_length(by_key));
}

static void garbage_leaves_a_weak_key_dictionary(void) {
  node *ring[2];
  by_key = ouro_weakkeydict_new(world);
  make_ring(ring, "ab");
  put_key(ring[1], make_node("v", NULL));
  ring[0]->at_end = says_keys;
  drop_nodes(ring, 2);
  collect();
}

TEST(W3_garbage_leaves_a_weak_key_dictionary) {
  STORY(garbage_leaves_a_weak_key_dictionary, "del v, del a, length 0, del b, collected");
}

/* --- W4: a weak cache stops the leak, not the allocations ------------------------------------- */

static node *from_cache(node *key) {
  ouro_object *found;
  if (ouro_weakvaluedict_get(by_value, key, &found) == 1) return (node *)(void *)found;
  node *made = make_node("v", NULL);
  CHECK(ouro_weakvaluedict_put(by_value, key, made));
  return made;
}

/* Nobody holds what the cache hands out, so each round builds it anew: finalizers show the churn,
 * while the number of live objects does not move. With a holder nothing is built. */
TEST(W4_a_weak_cache_stops_the_leak_not_the_allocations) {
  open_world();
  by_value = ouro_weakvaluedict_new(world);
  node *key = make_node("k", NULL);
  for (int round = 0; round < 100; round++) {
    events[0] = 0;
    ouro_unref(from_cache(key));
    CHECK_STR(events, "del v");
    CHECK_EQ(live_nodes(), 1u);
    CHECK_EQ(ouro_weakvaluedict_length(by_value), 0u);
  }
  node *holder = from_cache(key);
  events[0] = 0;
  for (int round = 0; round < 100; round++) ouro_unref(from_cache(key));
  CHECK_STR(events, "");
  CHECK_EQ(live_nodes(), 2u);
  ouro_unref(holder);
  ouro_heap_destroy(world);
}

/* --- W5: members of a garbage cycle ----------------------------------------------------------- */

static void says_wb(void) { say("wa wb %s", state_of(wb)); }

static void callbacks_then_finalizers(void) {
  node *ring[2];
  make_ring(ring, "ab");
  wa = watch(ring[0], "", says_wb);
  wb = watch(ring[1], "wb", NULL);
  drop_nodes(ring, 2);
  collect();
}

TEST(W5_callbacks_then_finalizers) {
  STORY(callbacks_then_finalizers, "wa wb gone, wb, del a, del b, collected");
}

static void says_state_of_wb(node *self) {
  (void)self;
  say("wb %s", state_of(wb));
}

static void gone_in_the_finalizer(void) {
  node *ring[2];
  make_ring(ring, "ab");
  ring[0]->at_end = says_state_of_wb;
  wb = ouro_weak_new(ring[1], NULL, NULL);
  drop_nodes(ring, 2);
  collect();
}

TEST(W5_gone_in_the_finalizer) { STORY(gone_in_the_finalizer, "del a, wb gone, del b, collected"); }

static void garbage_weak_references_are_not_told(void) {
  node *ring[2];
  make_ring(ring, "ab");
  ring[0]->other = OURO_OBJECT(watch(ring[1], "in the cycle", NULL));
  w = watch(ring[1], "outside", NULL);
  drop_nodes(ring, 2);
  collect();
}

TEST(W5_garbage_weak_references_are_not_told) {
  STORY(garbage_weak_references_are_not_told, "outside, del a, del b, collected");
}

static void not_told_where_both_cycles_are_garbage(void) {
  node *ring[2], *other[2];
  make_ring(ring, "ab");
  make_ring(other, "cd");
  other[0]->other = OURO_OBJECT(watch(ring[0], "in the other cycle", NULL));
  drop_nodes(ring, 2);
  drop_nodes(other, 2);
  collect();
}

TEST(W5_not_told_where_both_cycles_are_garbage) {
  STORY(not_told_where_both_cycles_are_garbage, "del a, del b, del c, del d, collected");
}

static void told_where_only_the_referent_is_garbage(void) {
  node *ring[2], *other[2];
  make_ring(ring, "ab");
  make_ring(other, "cd");
  other[0]->other = OURO_OBJECT(watch(ring[0], "in the other cycle", NULL));
  held = ouro_ref(other[0]);
  drop_nodes(ring, 2);
  drop_nodes(other, 2);
  collect();
  forget(&held);
  collect();
}

TEST(W5_told_where_only_the_referent_is_garbage) {
  STORY(told_where_only_the_referent_is_garbage,
        "in the other cycle, del a, del b, collected, del c, del d, collected");
}

static void a_garbage_weak_reference_to_what_lives(void) {
  node *ring[2];
  held = make_node("x", NULL);
  make_ring(ring, "ab");
  ring[0]->other = OURO_OBJECT(watch(held, "w", NULL));
  drop_nodes(ring, 2);
  collect();
  forget(&held);
}

TEST(W5_a_garbage_weak_reference_to_what_lives) {
  STORY(a_garbage_weak_reference_to_what_lives, "del a, del b, collected, del x");
}

static void youngest_first_for_each_member_in_turn(void) {
  node *ring[2];
  make_ring(ring, "ab");
  wa = watch(ring[0], "a1", NULL);
  wb = watch(ring[1], "b1", NULL);
  w1 = watch(ring[0], "a2", NULL);
  w2 = watch(ring[1], "b2", NULL);
  drop_nodes(ring, 2);
  collect();
}

TEST(W5_youngest_first_for_each_member_in_turn) {
  STORY(youngest_first_for_each_member_in_turn, "a2, a1, b2, b1, del a, del b, collected");
}

static void drops_held_and_collects(void) {
  forget(&held);
  collect();
}

static void a_callback_collects(void) {
  node *ring[2], *other[2];
  make_ring(ring, "ab");
  make_ring(other, "cd");
  held = ouro_ref(other[0]);
  w = watch(ring[0], "w", drops_held_and_collects);
  drop_nodes(ring, 2);
  drop_nodes(other, 2);
  collect();
  collect();
}

TEST(W5_a_callback_collects) {
  STORY(a_callback_collects, "w, collected, del a, del b, collected, del c, del d, collected");
}

static void drops_left_of_held(void) {
  forget(&held->left);
  say("w ends");
}

static void a_callback_makes_more_garbage(void) {
  node *ring[2], *other[2];
  make_ring(ring, "ab");
  held = make_node("x", make_node("c", ring[0]));
  make_ring(other, "de");
  w = watch(other[0], "", drops_left_of_held);
  ouro_unref(ring[1]);
  drop_nodes(other, 2);
  collect();
  collect();
}

TEST(W5_a_callback_makes_more_garbage) {
  STORY(a_callback_makes_more_garbage,
        "del c, w ends, del d, del e, collected, del a, del b, collected");
}
