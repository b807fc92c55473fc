/* SPDX-License-Identifier: MIT */
/* Weak references: every call of <ouro/weak.h> that is about them, in every state of referent and
 * weak reference. Order and timing are in conformance/rules_weak.c. */
#include "test.h"

#include "object/state.h"
#include "support/story.h"

static int calls;
static void count_call(ouro_weak *weak, ouro_object *closure) {
  (void)weak, (void)closure;
  calls++;
}

/* --- states ----------------------------------------------------------------------------------- */

TEST(plain_weak_references_are_shared_others_are_not) {
  open_world();
  node *x = make_node("x", NULL), *y = make_node("y", NULL);
  ouro_weak *a = ouro_weak_new(x, NULL, NULL), *b = ouro_weak_new(x, NULL, NULL);
  CHECK(a == b);
  CHECK_EQ(ouro_count(a), 2u);
  CHECK_EQ(ouro_weak_count(x), 1u);
  ouro_weak *c = ouro_weak_new(x, count_call, NULL), *d = ouro_weak_new(x, count_call, NULL);
  ouro_weak *e = ouro_weak_new(x, NULL, y), *f = ouro_weak_new(x, NULL, NULL);
  CHECK(c != d && c != a && e != a && f == a);
  CHECK_EQ(ouro_weak_count(x), 4u);
  CHECK_EQ(ouro_count(y), 2u);
  CHECK_EQ(ouro_weak_count(y), 0u);
  check_world();
  ouro_unref(x);
  CHECK_EQ(calls, 2);
  CHECK(ouro_weak_is_gone(a) && ouro_weak_is_gone(c) && ouro_weak_is_gone(e));
  ouro_weak *all[] = {a, b, c, d, e, f};
  for (int i = 0; i < 6; i++) ouro_unref(all[i]);
  CHECK_EQ(ouro_count(y), 1u);
  CHECK_EQ(map_count(), 0u);
  ouro_unref(y);
  close_world();
}

TEST(a_callback_is_called_once_and_its_closure_dropped) {
  open_world();
  node *x = make_node("x", NULL), *closure = make_node("closure", NULL);
  ouro_weak *weak = ouro_weak_new(x, count_call, closure);
  CHECK_EQ(ouro_count(closure), 2u);
  ouro_unref(x);
  CHECK_EQ(calls, 1);
  CHECK_EQ(ouro_count(closure), 1u);
  CHECK_EQ(ouro_count(weak), 1u);
  ouro_unref(weak);
  ouro_unref(closure);
  CHECK_EQ(calls, 1);
  close_world();
}

TEST(a_weak_reference_that_dies_first_leaves_no_trace) {
  open_world();
  node *x = make_node("x", NULL);
  ouro_unref(ouro_weak_new(x, count_call, NULL));
  CHECK_EQ(ouro_weak_count(x), 0u);
  CHECK_EQ(x->object.flags & OURO_FLAG_WEAK, 0);
  CHECK_EQ(map_count(), 0u);
  ouro_unref(x);
  CHECK_EQ(calls, 0);
  close_world();
}

TEST(links_leave_a_chain_from_any_place) {
  open_world();
  enum { MANY = 2000 };
  static ouro_weak *weak[MANY];
  node *x = make_node("x", NULL);
  for (int i = 0; i < MANY; i++) weak[i] = ouro_weak_new(x, count_call, NULL);
  for (int left = MANY; left > 0; left--) {
    int i = (int)(test_random() % (uint64_t)left);
    CHECK_EQ(ouro_weak_count(x), (size_t)left);
    ouro_unref(weak[i]);
    weak[i] = weak[left - 1];
    if (left % 100 == 0) check_world();
  }
  CHECK_EQ(ouro_weak_count(x), 0u);
  ouro_unref(x);
  CHECK_EQ(calls, 0);
  close_world();
}

TEST(many_referents) {
  open_world();
  enum { MANY = 50000 };
  static node *nodes[MANY];
  static ouro_weak *weak[MANY];
  for (int i = 0; i < MANY; i++) {
    nodes[i] = make_node("x", NULL);
    weak[i] = ouro_weak_new(nodes[i], count_call, NULL);
  }
  CHECK_EQ(map_count(), (size_t)MANY);
  check_world();
  for (int i = 0; i < MANY; i++) {
    CHECK(weak[i]->link.referent == OURO_OBJECT(nodes[i]));
    events[0] = 0;
    if (i % 3) ouro_unref(nodes[i]);
    else ouro_unref(weak[i]);
  }
  CHECK_EQ(calls, MANY - (MANY + 2) / 3);
  CHECK_EQ(map_count(), 0u);
  close_world();
}

TEST(referents_of_every_kind) {
  open_world();
  const ouro_type_spec leaf = {.name = "leaf", .size = sizeof(ouro_object)};
  const ouro_type_spec bytes = {.name = "bytes", .size = sizeof(ouro_object), .item_size = 1};
  ouro_type *leaf_type = ouro_type_new(world, &leaf), *bytes_type = ouro_type_new(world, &bytes);
  ouro_object *of[] = {ouro_new(leaf_type), ouro_new_items(bytes_type, 100),
                       ouro_new_items(bytes_type, 5000), ouro_new_items(bytes_type, 3000000),
                       ouro_new(node_type)};
  for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
    ouro_weak *weak = ouro_weak_new(of[i], count_call, NULL);
    ouro_object *same = ouro_weak_get(weak);
    CHECK(same == of[i]);
    ouro_unref(same);
    check_world();
    ouro_unref(of[i]);
    CHECK_EQ(calls, (int)i + 1);
    CHECK(!ouro_weak_get(weak));
    ouro_unref(weak);
  }
  close_world();
}

TEST(immortal_referents_and_weak_references) {
  open_world();
  node *x = make_node("x", NULL), *y = make_node("y", NULL);
  ouro_immortalize(x);
  ouro_weak *to_immortal = ouro_weak_new(x, count_call, NULL);
  ouro_weak *immortal = ouro_weak_new(y, count_call, NULL);
  ouro_immortalize(immortal);
  ouro_unref(x);
  ouro_unref(immortal);
  CHECK(ouro_weak_get(to_immortal) == (void *)x);
  ouro_unref(y);
  CHECK_EQ(calls, 1);
  CHECK(ouro_weak_is_gone(immortal));
  ouro_unref(to_immortal);
  close_world();
}

/* --- refusals --------------------------------------------------------------------------------- */

TEST(types_that_allow_none) {
  open_world();
  const ouro_type_spec spec = {.name = "no", .size = sizeof(ouro_object), .flags = OURO_NO_WEAKREF};
  ouro_object *o = ouro_new(ouro_type_new(world, &spec));
  CHECK(!ouro_weak_new(o, NULL, NULL));
  CHECK_STR(ouro_heap_error(world), "the type allows no weak references");
  node *x = make_node("x", NULL);
  ouro_weak *weak = ouro_weak_new(x, NULL, NULL);
  CHECK(!ouro_weak_new(weak, NULL, NULL)); /* as in CPython */
  ouro_unref(weak);
  ouro_unref(x);
  ouro_unref(o);
  close_world();
}

static ouro_weak *from_clear;
static bool cleared;
static void refer_to_self(void *self) {
  from_clear = ouro_weak_new(self, NULL, NULL);
  cleared = true;
}

static node *dying;
static void refer_to_dying(void) {
  CHECK(!ouro_weak_new(dying, NULL, NULL));
  CHECK(!ouro_weak_new(dying, count_call, NULL));
  CHECK_STR(ouro_heap_error(world), "the object is being destroyed");
}

TEST(objects_that_are_being_destroyed) {
  open_world();
  const ouro_type_spec spec = {
      .name = "clears", .size = sizeof(ouro_object), .clear = refer_to_self};
  ouro_unref(ouro_new(ouro_type_new(world, &spec)));
  CHECK(cleared && !from_clear);
  dying = make_node("x", NULL);
  ouro_weak *weak = watch(dying, "w", refer_to_dying);
  ouro_unref(dying);
  CHECK_STR(events, "del x, w");
  ouro_unref(weak);
  close_world();
}

/* Links that a `clear` of its own drops are destroyed one within the other to a certain depth, then
 * the next ones wait. Nobody may get hold of one that waits, of a weak reference to it that waits,
 * or of any that has gone. */
enum { DEEP = 200 };
typedef struct deep {
  ouro_object object;
  struct deep *next;
  ouro_weak *plain; /* to an object that outlives all of this */
  int number;
} deep;

static ouro_weak *to_deep[DEEP];
static node *survivor;
static int cleared_deep, shared_anew;

static void visit_deep(const void *self, size_t from, size_t to, ouro_visit_fn visit, void *arg) {
  (void)from, (void)to;
  const deep *d = self;
  if (d->next) visit(OURO_OBJECT(d->next), arg);
  if (d->plain) visit(OURO_OBJECT(d->plain), arg);
}

static void look_at_deep(deep *d, int number) {
  if (number == DEEP) return;
  CHECK(ouro_weak_is_gone(to_deep[number]));
  CHECK(!ouro_weak_get(to_deep[number]));
  if (ouro_weak_count(d)) CHECK(!ouro_weak_new(d, NULL, NULL));
}

static void clear_deep(void *self) {
  deep *d = self, *next = d->next;
  ouro_weak *plain = d->plain;
  bool waits = runtime_in(world)->depth >= TUNE_DEPTH;
  d->next = NULL;
  d->plain = NULL;
  ouro_unref(next);
  if (waits && next) look_at_deep(next, d->number + 1);
  else if (next) CHECK(ouro_weak_is_gone(to_deep[d->number + 1]));
  ouro_unref(plain);
  if (plain && waits) {
    ouro_weak *anew = ouro_weak_new(survivor, NULL, NULL);
    CHECK(anew && anew != plain && ouro_weak_get(anew) == (void *)survivor);
    ouro_unref(survivor);
    ouro_unref(anew);
    shared_anew++;
  }
  cleared_deep++;
}

TEST(objects_that_wait_for_their_destruction_are_gone) {
  open_world();
  const ouro_type_spec spec = {
      .name = "deep", .size = sizeof(deep), .traverse = visit_deep, .clear = clear_deep};
  ouro_type *type = ouro_type_new(world, &spec);
  survivor = make_node("s", NULL);
  deep *first = NULL;
  for (int i = DEEP - 1; i >= 0; i--) {
    deep *d = ouro_new(type);
    d->next = first;
    d->number = i;
    to_deep[i] = ouro_weak_new(d, NULL, NULL);
    first = d;
  }
  deep *at = first;
  for (unsigned i = 0; i < TUNE_DEPTH - 1; i++) at = at->next;
  at->plain = ouro_weak_new(survivor, NULL, NULL); /* dropped where destruction waits */
  ouro_unref(first);
  CHECK_EQ(cleared_deep, DEEP);
  CHECK_EQ(shared_anew, 1);
  CHECK_EQ(ouro_weak_count(survivor), 0u);
  for (int i = 0; i < DEEP; i++) ouro_unref(to_deep[i]);
  ouro_unref(survivor);
  close_world();
}

/* --- callbacks that change things ------------------------------------------------------------- */

static ouro_weak *slot[4];
static node *other;

static void drop_all(void) {
  for (int i = 0; i < 4; i++) forget(&slot[i]);
  ouro_collect(world, 2);
}

TEST(a_callback_drops_every_weak_reference_its_own_too) {
  open_world();
  node *x = make_node("x", NULL);
  for (int i = 0; i < 4; i++) slot[i] = watch(x, "w", drop_all);
  ouro_unref(x);
  CHECK_STR(events, "del x, w, w, w, w");
  close_world();
}

static void watch_other(void) {
  slot[1] = watch(other, "new", NULL);
  slot[2] = ouro_weak_new(other, NULL, NULL);
}

TEST(a_callback_makes_weak_references_to_others) {
  open_world();
  node *x = make_node("x", NULL);
  other = make_node("y", NULL);
  slot[0] = watch(x, "w", watch_other);
  ouro_unref(x);
  CHECK_EQ(ouro_weak_count(other), 2u);
  forget(&other);
  CHECK_STR(events, "del x, w, del y, new");
  CHECK(ouro_weak_is_gone(slot[2]));
  drop_all();
  close_world();
}

static void kill_other(void) { forget(&other); }

/* The weak reference that waits for its turn is itself the closure of another one, and so on: all
 * of it is only held by the call in progress. */
TEST(closures_that_are_weak_references) {
  open_world();
  node *x = make_node("x", NULL);
  other = make_node("y", NULL);
  ouro_weak *to_y = watch(other, "to y", NULL);
  ouro_weak *to_x = ouro_weak_new(x, count_call, to_y);
  ouro_unref(to_y);
  slot[0] = watch(x, "kills y", kill_other);
  ouro_unref(x);
  CHECK_STR(events, "del x, kills y, del y, to y");
  CHECK_EQ(calls, 1);
  ouro_unref(to_x);
  drop_all();
  close_world();
}

/* Each node's only reference is the closure of the weak reference to the one before it. */
static void make_domino(size_t n) {
  node *first = make_node("f", NULL), *last = first;
  for (size_t i = 0; i < n; i++) {
    node *next = ouro_new(node_type);
    ouro_weak *weak = ouro_weak_new(last, count_call, next);
    last->at_end = NULL;
    last = next;
    ouro_unref(next);
    ouro_assign_new(&next->other, weak); /* a holder for it, further down the line */
  }
  ouro_unref(first);
}

/* Rule R8: a callback that lets the next object die, whose callback lets the next one die, ... */
TEST(a_long_line_of_deaths_in_callbacks_takes_bounded_stack) {
  open_world();
  ouro_type_spec quiet = {.name = "quiet", .size = sizeof(node)};
  static const uint16_t refs[] = {offsetof(node, other), 0};
  quiet.refs = refs;
  node_type = ouro_type_new(world, &quiet);
  make_domino(300000);
  CHECK_EQ(calls, 300000);
  CHECK_EQ(map_count(), 0u);
  CHECK_EQ(live_nodes(), 0u);
  close_world();
}

/* --- the collector ---------------------------------------------------------------------------- */

TEST(weak_references_are_tracked_and_part_of_cycles) {
  open_world();
  node *x = make_node("x", NULL);
  ouro_weak *weak = ouro_weak_new(x, count_call, x); /* the closure keeps its referent */
  ouro_assign_new(&x->other, weak);
  CHECK(ouro_is_tracked(weak));
  ouro_unref(x);
  CHECK_STR(events, "");
  CHECK_EQ(ouro_collect(world, 2), 2);
  CHECK_STR(events, "del x");
  CHECK_EQ(calls, 0); /* both are garbage: not told */
  CHECK_EQ(map_count(), 0u);
  close_world();
}

TEST(a_weak_reference_that_nobody_holds_but_garbage_dies_quietly) {
  open_world();
  node *ring[2];
  make_ring(ring, "ab");
  node *x = make_node("x", NULL);
  ring[0]->other = OURO_OBJECT(ouro_weak_new(x, count_call, NULL));
  drop_nodes(ring, 2);
  ouro_collect(world, 2);
  CHECK_EQ(ouro_weak_count(x), 0u);
  ouro_unref(x);
  CHECK_EQ(calls, 0);
  close_world();
}

/* In slices of a nanosecond each, as gentle as it gets. */
TEST(garbage_found_in_slices) {
  open_world();
  enum { RINGS = 3000 };
  static ouro_weak *weak[RINGS];
  for (int i = 0; i < RINGS; i++) {
    node *ring[2];
    make_ring(ring, "ab");
    weak[i] = ouro_weak_new(ring[i % 2], count_call, NULL);
    ring[0]->at_end = NULL;
    drop_nodes(ring, 2);
    events[0] = 0;
  }
  ouro_collect(world, 1); /* nothing may be left to a later step but what is found */
  CHECK_EQ(calls, RINGS);
  for (int i = 0; i < RINGS; i++) {
    CHECK(ouro_weak_is_gone(weak[i]));
    ouro_unref(weak[i]);
  }
  close_world();
}

static void step_to_the_end(void) {
  ouro_step_report report;
  for (int i = 0; i < 1000000; i++) {
    events[0] = 0;
    report = ouro_step(world, 1);
    if (i % 16 == 0) check_world();
    if (report.finished) return;
  }
  TEST_FAIL("no end of the cycle");
}

TEST(old_garbage_found_in_slices) {
  open_world();
  enum { RINGS = 500 };
  static ouro_weak *weak[RINGS];
  static node *rings[RINGS][2];
  for (int i = 0; i < RINGS; i++) {
    make_ring(rings[i], "ab");
    weak[i] = ouro_weak_new(rings[i][i % 2], count_call, NULL);
  }
  ouro_collect(world, 2);
  ouro_collect(world, 2);
  CHECK_EQ(calls, 0);
  for (int i = 0; i < RINGS; i++) drop_nodes(rings[i], 2);
  step_to_the_end();
  CHECK_EQ(calls, RINGS);
  for (int i = 0; i < RINGS; i++) ouro_unref(weak[i]);
  close_world();
}

/* Between two slices a weak reference gives a strong one to what the collector took for garbage. */
TEST(taken_back_between_slices) {
  open_world();
  enum { RINGS = 200 };
  static ouro_weak *weak[RINGS];
  static node *rings[RINGS][2], *back[RINGS];
  for (int i = 0; i < RINGS; i++) {
    make_ring(rings[i], "ab");
    weak[i] = ouro_weak_new(rings[i][0], count_call, NULL);
  }
  ouro_collect(world, 2);
  ouro_collect(world, 2);
  for (int i = 0; i < RINGS; i++) drop_nodes(rings[i], 2);
  size_t taken = 0;
  for (int i = 0; i < 1000000; i++) {
    events[0] = 0;
    bool finished = ouro_step(world, 1).finished;
    if (i % 5 == 0 && taken < RINGS) {
      back[taken] = ouro_weak_get(weak[taken]);
      taken++;
    }
    if (finished) break;
  }
  for (size_t i = 0; i < taken; i++)
    if (back[i]) CHECK(back[i]->left->left == back[i] && back[i]->object.count == 2);
  check_world();
  for (size_t i = 0; i < taken; i++) ouro_unref(back[i]);
  for (int i = 0; i < RINGS; i++) ouro_unref(weak[i]);
  ouro_collect(world, 2);
  CHECK_EQ(live_nodes(), 0u);
  close_world();
}

/* --- every refusal of memory, a collection at every allocation -------------------------------- */

static bool keep(void *place, void *made) {
  ouro_assign_new(place, made);
  return made != NULL;
}

static node *roots[2];
static ouro_weak *weaks[40];

/* Uses everything; false at the first refusal. */
static bool script(void) {
  for (int i = 0; i < 2; i++)
    if (!keep(&roots[i], ouro_new(node_type))) return false;
  for (int i = 0; i < 40; i++) {
    node *n = ouro_new(node_type);
    if (!n) return false;
    ouro_assign_new(&n->left, ouro_ref(roots[0]));
    ouro_assign_new(&roots[0], n);
    if (!keep(&weaks[i], ouro_weak_new(n, i % 3 ? count_call : NULL, i % 4 ? roots[1] : NULL)))
      return false;
  }
  for (int i = 0; i < 40; i += 2) forget(&weaks[i]);
  ouro_assign(&roots[0]->left->left->left->right, roots[0]);
  forget(&roots[0]);
  return ouro_collect(world, 2) >= 0;
}

static void drop_script(void) {
  for (int i = 0; i < 40; i++) forget(&weaks[i]);
  for (int i = 0; i < 2; i++) forget(&roots[i]);
  ouro_collect(world, 2);
  events[0] = 0;
}

TEST(every_refusal_of_memory_loses_nothing) {
  uint64_t n = 1;
  for (bool whole = false; !whole; n++) {
    open_world();
    ouro_heap_fail(world, n, 0);
    whole = script();
    ouro_heap_fail(world, 0, 0);
    events[0] = 0;
    check_world();
    drop_script();
    CHECK_EQ(live_nodes(), 0u);
    CHECK_EQ(map_count(), 0u);
    close_world();
  }
  CHECK_LT(5u, n);
}

TEST(a_collection_at_every_allocation) {
  open_world();
  ouro_gc_set_stress(world, 1);
  CHECK(script());
  check_world();
  drop_script();
  CHECK_EQ(live_nodes(), 0u);
  close_world();
}

TEST(a_heap_ends_with_weak_references_in_it) {
  open_world();
  script();
  calls = 0;
  ouro_heap_destroy(world);
  CHECK_EQ(calls, 0);
}
