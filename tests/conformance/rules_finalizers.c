/* SPDX-License-Identifier: MIT */
/* Rule C6: finalizers, in the order and with the guarantees of PEP 442. Scenarios marked STORY were
 * compared with CPython's events by weak_order.py. */
#include "test.h"

#include "support/story.h"

static ouro_weak *w, *w2;
static node *held;

/* --- order ------------------------------------------------------------------------------------ */

static void a_chain_dies_from_its_head(void) {
  node *x = make_node("x", make_node("y", make_node("z", NULL)));
  x->right = make_node("r", NULL);
  ouro_unref(x);
}

TEST(C6_a_chain_dies_from_its_head) {
  STORY(a_chain_dies_from_its_head, "del x, del y, del z, del r");
}

static void says_next_two(node *self) { say("%s%s", self->left->name, self->left->left->name); }

static void references_are_whole_in_finalizers(void) {
  node *ring[3];
  make_ring(ring, "abc");
  for (int i = 0; i < 3; i++) ring[i]->at_end = says_next_two;
  drop_nodes(ring, 3);
  collect();
}

TEST(C6_references_are_whole_in_finalizers) {
  STORY(references_are_whole_in_finalizers, "del a, bc, del b, ca, del c, ab, collected");
}

static void what_hangs_from_a_cycle(void) {
  node *ring[2];
  make_ring(ring, "ab");
  ring[1]->right = make_node("t", make_node("u", NULL));
  drop_nodes(ring, 2);
  collect();
}

TEST(C6_what_hangs_from_a_cycle) {
  STORY(what_hangs_from_a_cycle, "del a, del b, del u, del t, collected");
}

/* --- once, and resurrection ------------------------------------------------------------------- */

static void holds_itself(node *self) { ouro_assign(&held, self); }

static void resurrected_by_its_finalizer(void) {
  node *x = make_node("x", NULL);
  x->at_end = holds_itself;
  w = watch(x, "w", NULL);
  ouro_unref(x);
  say("w %s", state_of(w));
  CHECK(ouro_is_finalized(held));
  CHECK_EQ(ouro_count(held), 1u);
  forget(&held);
}

TEST(C6_resurrected_by_its_finalizer_and_finalized_once) {
  STORY(resurrected_by_its_finalizer, "del x, w alive, w");
}

static void a_cycle_resurrected_by_one_member(void) {
  node *ring[2];
  make_ring(ring, "ab");
  ring[0]->at_end = holds_itself;
  w = watch(ring[1], "w", NULL);
  drop_nodes(ring, 2);
  collect();
  say("w %s", state_of(w));
  w2 = watch(held->left, "w2", NULL);
  forget(&held);
  collect();
}

TEST(C6_a_cycle_resurrected_by_one_member) {
  STORY(a_cycle_resurrected_by_one_member, "w, del a, del b, collected, w gone, w2, collected");
}

static void part_of_the_garbage_resurrected(void) {
  node *ring[2];
  make_ring(ring, "ab");
  ring[0]->right = make_node("t", NULL);
  ring[0]->right->at_end = holds_itself;
  drop_nodes(ring, 2);
  collect();
  CHECK_EQ(ouro_count(held), 1u);
  forget(&held);
  say("end");
}

TEST(C6_part_of_the_garbage_resurrected) {
  STORY(part_of_the_garbage_resurrected, "del a, del b, del t, collected, end");
}

/* --- finalizers that change the garbage ------------------------------------------------------- */

static void breaks_off(node *self) {
  forget(&self->left);
  say("broken");
}

static void a_finalizer_breaks_its_cycle(void) {
  node *ring[3];
  make_ring(ring, "abc");
  ring[0]->at_end = breaks_off;
  drop_nodes(ring, 3);
  collect();
}

/* The collector holds the members of a batch while their finalizers run: those of b and c follow in
 * their turn instead of nested in a's. */
TEST(C6_a_finalizer_breaks_its_cycle) {
  DIFFERS(a_finalizer_breaks_its_cycle, "del a, del b, del c, broken, collected",
          "del a, broken, del b, del c, collected");
}

static void watches_left(node *self) { w = watch(self->left, "w", NULL); }

static void a_finalizer_makes_a_weak_reference_to_garbage(void) {
  node *ring[2];
  make_ring(ring, "ab");
  ring[1]->at_end = watches_left;
  drop_nodes(ring, 2);
  collect();
  say("w %s", state_of(w));
  collect();
}

/* It is told before its referent loses a reference; in CPython it may be behind that. */
TEST(C6_a_finalizer_makes_a_weak_reference_to_garbage) {
  STORY(a_finalizer_makes_a_weak_reference_to_garbage,
        "del a, del b, w, collected, w gone, collected");
}

static void drops_held(node *self) {
  (void)self;
  forget(&held);
  say("y ends");
}

static void a_finalizer_drops_the_last_outside_reference(void) {
  node *ring[2];
  make_ring(ring, "ab");
  held = make_node("x", ring[0]);
  node *y = make_node("y", NULL);
  y->at_end = drops_held;
  ouro_unref(ring[1]);
  ouro_unref(y);
  collect();
}

TEST(C6_a_finalizer_drops_the_last_outside_reference) {
  STORY(a_finalizer_drops_the_last_outside_reference,
        "del y, del x, y ends, del a, del b, collected");
}

/* --- what cannot be reclaimed ----------------------------------------------------------------- */

static ouro_type *kept_type(void) {
  static const uint16_t refs[] = {offsetof(node, left), offsetof(node, right),
                                  offsetof(node, other), 0};
  const ouro_type_spec spec = {.name = "kept",
                               .size = sizeof(node),
                               .refs = refs,
                               .flags = OURO_UNCOLLECTABLE,
                               .finalize = node_ends};
  return ouro_type_new(world, &spec);
}

/* kept <-> a, and d -> a. What the uncollectable object reaches stays with it, whole, and its weak
 * references too; d, which only refers to all that, is collected. */
TEST(C6_what_cannot_be_reclaimed_is_listed_as_garbage) {
  open_world();
  node *kept = ouro_new(kept_type()), *a = make_node("a", NULL);
  strcpy(kept->name, "kept");
  ouro_assign(&kept->left, a);
  ouro_assign(&a->right, kept);
  node *d = make_node("d", ouro_ref(a));
  d->right = ouro_ref(d);
  w = watch(a, "w", NULL);
  ouro_unref(a);
  ouro_unref(d);
  ouro_unref(kept);
  CHECK_EQ(ouro_collect(world, 2), 3);
  CHECK_STR(events, "del d");
  CHECK_EQ(ouro_garbage_length(world), 1u);
  CHECK(ouro_garbage(world, 0) == OURO_OBJECT(kept));
  CHECK(kept->left == a && a->right == kept && !ouro_weak_is_gone(w));
  CHECK_EQ(ouro_collect(world, 2), 0);
  CHECK_EQ(ouro_garbage_length(world), 1u);
  forget(&a->right); /* the program breaks the cycle, then everything dies by its counts */
  ouro_garbage_clear(world);
  CHECK_STR(events, "del d, del kept, del a, w");
  CHECK_EQ(ouro_garbage_length(world), 0u);
  CHECK_EQ(live_nodes(), 0u);
  ouro_heap_destroy(world);
}

/* --- once ------------------------------------------------------------------------------------- */

/* However often an object is saved, also when the collector finds it first and its count ends it
 * later, or the other way round. */
TEST(C6_once_whichever_way_it_dies) {
  open_world();
  node *x = make_node("x", NULL);
  x->at_end = holds_itself;
  ouro_unref(x);
  ouro_assign(&held->left, held);
  forget(&held);
  collect();
  CHECK_STR(events, "del x, collected");
  CHECK_EQ(live_nodes(), 0u);
  x = make_node("y", NULL);
  x->at_end = holds_itself;
  ouro_assign(&x->left, x);
  ouro_unref(x);
  collect();
  forget(&held->left);
  forget(&held);
  CHECK_STR(events, "del x, collected, del y, collected");
  CHECK_EQ(live_nodes(), 0u);
  ouro_heap_destroy(world);
}
