/* SPDX-License-Identifier: MIT */
/* Each misuse of objects that is detected: without a listener a line that names object, type and
 * rule ends the program; with one it hears the same line and the program goes on. */
#include "test.h"

#include <pthread.h>

#include "support/pairs.h"
#include "support/tools.h"

static ouro_heap *heap;
static ouro_type *pairs;
static heard news;

static void open_heap(bool hardened) {
  heap = hardened ? hardened_heap("the shop") : quiet_heap("the shop");
  pairs = plain_pairs(heap);
}

/* How every line begins. */
static const char *about(const char *type, const void *object) {
  static char text[96];
  snprintf(text, sizeof text, "heap \"the shop\": <%s %p>: ", type, object);
  return text;
}

static const char *message(const char *type, const void *object, const char *rule) {
  static char text[256];
  snprintf(text, sizeof text, "%s%s", about(type, object), rule);
  return text;
}

static void check_heard(const char *type, const void *object, const char *rule) {
  CHECK_EQ(news.events[OURO_GC_MISUSE], 1);
  CHECK_STR(news.misuse, message(type, object, rule));
  news.events[OURO_GC_MISUSE] = 0;
}

/* --- unref below zero --- */

static const char *const below = "R3: it was unreferenced more often than it was referenced";

TEST(an_unref_too_many_dies) {
  if (under_watch()) SKIP("the tool reports it first");
  open_heap(false);
  pair *p = make_pair(pairs, 1, NULL, NULL);
  ouro_unref(p);
  CHECK_DEATH(ouro_unref(p), message("pair", p, below));
}

TEST(an_unref_too_many_is_heard) {
  if (under_watch()) SKIP("the tool reports it first");
  for (int hardened = 0; hardened < 2; hardened++) {
    open_heap(hardened);
    listen_to(heap, &news);
    pair *p = make_pair(pairs, 1, NULL, NULL), *q = make_pair(pairs, 2, NULL, NULL);
    ouro_unref(p);
    ouro_unref(p);
    check_heard("pair", p, below);
    CHECK_EQ(ouro_count(q), 1u);
    ouro_unref(q);
    CHECK(objects_ok(heap));
  }
}

/* The reference of a field was dropped by the program too. */
TEST(a_borrowed_reference_dropped) {
  if (under_watch()) SKIP("the tool reports it first");
  open_heap(false);
  listen_to(heap, &news);
  pair *child = make_pair(pairs, 2, NULL, NULL), *p = make_pair(pairs, 1, child, NULL);
  ouro_unref(child);
  ouro_unref(p);
  check_heard("pair", child, below);
  CHECK(objects_ok(heap));
}

TEST(immortal_objects_cannot_be_unreferenced_away) {
  open_heap(false);
  listen_to(heap, &news);
  pair *p = make_pair(pairs, 1, NULL, NULL);
  ouro_immortalize(p);
  for (int i = 0; i < 100000; i++) ouro_unref(p);
  CHECK_EQ(news.events[OURO_GC_MISUSE], 0);
  CHECK_LE(OURO_IMMORTAL, ouro_count(p));
}

/* --- use of a dead object --- */

TEST(a_reference_to_a_dead_object) {
  if (OURO_CHECK_LEVEL < 2) SKIP("checked builds only");
  if (under_watch()) SKIP("the tool reports it first");
  for (int hardened = 0; hardened < 2; hardened++) {
    open_heap(hardened);
    pair *p = make_pair(pairs, 1, NULL, NULL);
    ouro_unref(p);
    CHECK_DEATH(ouro_ref(p), message("pair", p, "R4: it is dead, and was referenced again"));
  }
}

TEST(the_check_finds_a_reference_to_a_dead_object) {
  if (under_watch()) SKIP("the tool reports it first");
  open_heap(false);
  pair *child = make_pair(pairs, 2, NULL, NULL), *p = make_pair(pairs, 1, child, NULL);
  ouro_unref(child);
  CHECK_STR(ouro_objects_check(heap), "an object refers to a dead one");
  p->a = NULL;
  CHECK(objects_ok(heap));
}

/* --- traverse --- */

typedef struct liar {
  ouro_object object;
  ouro_object *other;
  int times;
} liar;

static void lies(const void *self, size_t from, size_t to, ouro_visit_fn visit, void *arg) {
  (void)from, (void)to;
  for (int i = 0; i < ((const liar *)self)->times; i++) visit(((const liar *)self)->other, arg);
}

static void drops(void *self) { ouro_assign_new(&((liar *)self)->other, NULL); }

static ouro_type *liars(void) {
  return ouro_type_new(
      heap,
      &(ouro_type_spec){.name = "liar", .size = sizeof(liar), .traverse = lies, .clear = drops});
}

static const char *const too_many =
    "C7: more references to it were found than it counts: its count was dropped too often, or a "
    "traverse visits a reference that is not owned";

/* A ring of a liar and a pair: the pair counts one reference, two are reported. It is kept. */
TEST(a_traverse_that_reports_too_many_references) {
  for (int g = 0; g <= 2; g++) {
    open_heap(false);
    listen_to(heap, &news);
    liar *l = ouro_new(liars());
    pair *p = make_pair(pairs, 1, (pair *)(void *)l, NULL);
    l->other = OURO_OBJECT(p);
    l->times = 2;
    CHECK_EQ(ouro_collect(heap, g), 0);
    check_heard("pair", p, too_many);
    l->times = 1;
    CHECK_EQ(ouro_collect(heap, 2), 2);
    CHECK_EQ(news.events[OURO_GC_MISUSE], 0);
    CHECK(objects_ok(heap));
  }
}

static pair *ring_with_a_count_too_low(void) {
  pair *ring = make_pairs_ring(pairs, 1, 3);
  ring->b = ring;         /* not counted, */
  ring->object.count = 1; /* and the program's own reference is dropped */
  return ring;
}

TEST(a_count_that_is_too_low) {
  open_heap(false);
  listen_to(heap, &news);
  pair *ring = ring_with_a_count_too_low();
  ouro_collect(heap, 2);
  check_heard("pair", ring, too_many);
}

/* --- references to what is no object of the heap --- */

TEST(a_reference_to_an_object_of_another_heap) {
  open_heap(false);
  ouro_heap *home = heap;
  pair *p = make_pair(pairs, 1, NULL, NULL);
  p->b = ouro_ref(p);
  open_heap(false);
  pair *stranger = make_pair(pairs, 2, NULL, NULL);
  p->a = ouro_ref(stranger);
  char rule[96];
  snprintf(rule, sizeof rule, "C7: it refers to %p, which is no object of this heap",
           (void *)stranger);
  CHECK_DEATH(ouro_collect(home, 2), message("pair", p, rule));
  listen_to(home, &news);
  CHECK_EQ(ouro_collect(home, 0), 0);
  CHECK_LE(1, news.events[OURO_GC_MISUSE]);
  CHECK_STR(news.misuse, message("pair", p, rule));
  CHECK_STR(ouro_objects_check(home), "an object refers to something outside its heap");
}

TEST(a_reference_to_no_object_at_all) {
  if (OURO_CHECK_LEVEL < 2) SKIP("checked builds only");
  open_heap(false);
  pair *p = make_pair(pairs, 1, NULL, NULL);
  char rule[96];
  p->a = (pair *)(void *)((char *)malloc(64) + 16);
  memset(p->a, 0xff, 40);
  snprintf(rule, sizeof rule, "C7: it refers to %p, which is no object of this heap", (void *)p->a);
  for (int g = 0; g <= 2; g++) CHECK_DEATH(ouro_collect(heap, g), message("pair", p, rule));
}

TEST(an_object_of_another_heap_that_dies_with_its_holder) {
  if (OURO_CHECK_LEVEL < 2) SKIP("checked builds only");
  open_heap(false);
  pair *p = make_pair(pairs, 1, NULL, NULL);
  open_heap(false);
  p->a = make_pair(pairs, 2, NULL, NULL);
  CHECK_DEATH(ouro_unref(p), message("pair", p, "C7: it refers to an object of another heap"));
}

/* --- threads --- */

static void *unref_it(void *object) { return ouro_unref(object), NULL; }

static void unref_elsewhere(void *object) {
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, unref_it, object), 0);
  pthread_join(thread, NULL);
}

TEST(a_thread_that_does_not_own_the_heap) {
  if (OURO_CHECK_LEVEL < 2) SKIP("checked builds only");
  open_heap(false);
  pair *p = make_pair(pairs, 1, make_pair(pairs, 2, NULL, NULL), NULL);
  CHECK_DEATH(unref_elsewhere(p),
              message("pair", p, "R4: it was unreferenced by a thread that does not own its heap"));
}

static void *make_one(void *type) { return make_pair(type, 1, NULL, NULL); }

TEST(a_thread_that_does_not_own_a_hardened_heap) {
  open_heap(true);
  pthread_t thread;
  CHECK_DEATH((pthread_create(&thread, NULL, make_one, pairs), pthread_join(thread, NULL)),
              "heap \"the shop\": call from a thread that does not own the heap");
}
