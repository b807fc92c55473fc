/* SPDX-License-Identifier: MIT */
/* Collections and cycles in slices: results, reports, events, statistics, debug flags. */
#include "test.h"

#include "support/pairs.h"
#include "support/tools.h"

static ouro_heap *heap;
static ouro_type *pairs, *ending, *kept;
static heard news;

static void open_heap(void) {
  heap = quiet_heap("the shop");
  ouro_gc_enable(heap, false);
  pairs = plain_pairs(heap);
  ending = ending_pairs(heap);
  ouro_type_spec spec = pair_spec("kept pair");
  spec.flags = OURO_UNCOLLECTABLE;
  kept = ouro_type_new(heap, &spec);
  listen_to(heap, &news);
}

static ouro_gc_stats stats_now(void) {
  ouro_gc_stats s;
  ouro_gc_stats_read(heap, &s);
  return s;
}

TEST(a_heap_without_objects) {
  heap = quiet_heap("empty");
  CHECK_EQ(ouro_collect(heap, 2), 0);
  CHECK(ouro_step(heap, 1000).finished);
  CHECK(ouro_gc_is_enabled(heap));
  CHECK_EQ(ouro_gc_debug(heap), 0u);
  CHECK_EQ(ouro_garbage_length(heap), 0u);
  CHECK(ouro_garbage(heap, 0) == NULL);
  ouro_garbage_clear(heap);
  CHECK_EQ(stats_now().tracked, 0u);
  CHECK(ouro_objects_check(heap) == NULL);
  uint64_t counts[3];
  ouro_gc_counts(heap, counts);
  CHECK(counts[0] + counts[1] + counts[2] == 0);
  ouro_heap_destroy(heap);
}

TEST(impossible_generations) {
  open_heap();
  ouro_unref(make_pairs_ring(pairs, 1, 2));
  CHECK_EQ(ouro_collect(heap, -1), 0);
  CHECK_EQ(ouro_collect(heap, 7), 2); /* all there are */
}

/* --- results and statistics --- */

TEST(what_is_found_is_counted) {
  open_heap();
  ouro_unref(make_pairs_ring(ending, 1, 3));
  pair *u = make_pair(kept, 9, NULL, NULL);
  u->a = ouro_ref(u);
  ouro_unref(u);
  CHECK_EQ(ouro_collect(heap, 2), 4);
  ouro_gc_stats s = stats_now();
  CHECK_EQ(s.generation[2].collections, 1u);
  CHECK_EQ(s.generation[2].collected, 3u);
  CHECK_EQ(s.generation[2].uncollectable, 1u);
  CHECK_EQ(s.generation[2].candidates, 4u);
  CHECK_LT(0u, s.generation[2].elapsed_ns);
  CHECK_LE(s.generation[2].longest_ns, s.generation[2].elapsed_ns);
  CHECK_LT(0u, s.longest_atomic_ns);
  CHECK(s.longest_atomic && s.longest_atomic[0]);
  CHECK_EQ(s.given_up, 0u);
  CHECK_EQ(s.tracked, 1u);
  CHECK_EQ(ouro_collect(heap, 2), 0);
}

TEST(candidates_are_what_was_looked_at) {
  open_heap();
  pair *chain = make_chain(pairs, 10);
  ouro_collect(heap, 0);
  CHECK_EQ(stats_now().generation[0].candidates, 10u);
  CHECK_EQ(stats_now().tracked, 10u);
  ouro_collect(heap, 1);
  CHECK_EQ(stats_now().generation[1].candidates, 10u);
  ouro_unref(chain);
  CHECK_EQ(stats_now().tracked, 0u);
}

TEST(live_and_pending_bytes_add_up) {
  open_heap();
  pair *chain = make_chain(pairs, 1000);
  ouro_collect(heap, 1);
  CHECK_EQ(stats_now().pending_bytes, 1000 * ouro_object_size(chain));
  ouro_collect(heap, 2);
  CHECK_EQ(stats_now().pending_bytes, 0u);
  uint64_t objects = 1000 * ouro_object_size(chain), live = stats_now().live_bytes;
  CHECK(live >= objects && live < objects + 16384); /* types are blocks too */
  ouro_gc_external(heap, 5000);
  CHECK_EQ(stats_now().pending_bytes, 5000u);
  ouro_gc_external(heap, -2000);
  CHECK_EQ(stats_now().pending_bytes, 3000u);
  ouro_gc_external(heap, INT64_MIN);
  CHECK_EQ(stats_now().pending_bytes, 0u);
  ouro_unref(chain);
}

/* --- events --- */

static char order[64];

static void note_order(void *ctx, const ouro_gc_event *event) {
  (void)ctx;
  size_t n = strlen(order);
  if (n + 3 < sizeof order) sprintf(order + n, "%c%d", "bsexgm"[event->kind], event -> generation);
}

TEST(events_come_in_order) {
  open_heap();
  ouro_gc_listen(heap, &(ouro_listener){.event = note_order});
  ouro_collect(heap, 0);
  CHECK_STR(order, "b0e0");
  ouro_collect(heap, 1);
  ouro_collect(heap, 2);
  CHECK_STR(order, "b0e0b1e1b2s2e2");
  ouro_gc_listen(heap, NULL);
  ouro_collect(heap, 2);
  CHECK_STR(order, "b0e0b1e1b2s2e2");
}

TEST(the_last_event_says_what_was_found) {
  open_heap();
  ouro_unref(make_pairs_ring(ending, 1, 3));
  ouro_collect(heap, 0);
  const ouro_gc_event *stop = &news.last[OURO_GC_STOP];
  CHECK(stop->found == 3 && stop->uncollectable == 0 && stop->generation == 0);
  CHECK_LT(0u, stop->elapsed_ns);
}

/* --- slices --- */

TEST(a_cycle_in_slices_finds_what_was_garbage_at_its_start) {
  open_heap();
  pair *live = make_chain(pairs, 3000);
  ouro_unref(make_pairs_ring(ending, 1, 1000));
  for (int i = 0; i < 500; i++) ouro_unref(make_pairs_ring(pairs, 1, 2));
  uint64_t found = 0, examined = 0;
  int slices = 1;
  ouro_step_report r;
  for (; !(r = ouro_step(heap, 0)).finished; slices++) {
    found += r.found, examined += r.examined;
    ouro_unref(make_pairs_ring(pairs, 1, 2)); /* too late for this cycle */
    CHECK_LE(r.longest_ns, r.elapsed_ns);
    CHECK(r.longest && !r.out_of_memory);
  }
  found += r.found;
  CHECK_EQ(found, 2000u);
  CHECK_EQ(ended_count, 1000);
  CHECK_LE(2000u, examined);
  CHECK_LT(10, slices);
  CHECK_EQ(stats_now().slices, (uint64_t)slices);
  CHECK_EQ(news.events[OURO_GC_SLICE], slices);
  CHECK_EQ(live_of(heap, pairs), 3000u + 2u * (unsigned)(slices - 1));
  CHECK_EQ(ouro_collect(heap, 2), 2 * (slices - 1));
  ouro_unref(live);
  CHECK(objects_ok(heap));
}

/* Once its finalizers have run nobody sees a giant any more, however many slices its end takes. */
TEST(a_giant_that_dies_in_slices_is_seen_by_nobody) {
  open_heap();
  enum { MEMBERS = 9000 };
  ouro_unref(make_pairs_ring(ending, 1, MEMBERS));
  int unseen = 0;
  while (!ouro_step(heap, 0).finished) {
    CHECK_EQ(live_of(heap, ending), ended_count ? 0u : (uint64_t)MEMBERS);
    unseen += ended_count > 0;
  }
  CHECK_LT(2, unseen);
  CHECK_EQ(ended_count, MEMBERS);
  CHECK(objects_ok(heap));
}

TEST(a_full_collection_replaces_a_cycle_in_progress) {
  open_heap();
  for (int slices = 1; slices < 200; slices += 7) {
    ouro_unref(make_pairs_ring(ending, 1, 50));
    for (int i = 0; i < slices; i++)
      if (ouro_step(heap, 0).finished) break;
    ouro_unref(make_pairs_ring(pairs, 1, 3)); /* garbage that the cycle does not know */
    ouro_collect(heap, 2);
    CHECK_EQ(live_of(heap, pairs) + live_of(heap, ending), 0u);
    CHECK_EQ(ended_count, 50);
    ended_count = 0;
    CHECK(objects_ok(heap));
  }
}

TEST(a_slice_ends_when_its_budget_does) {
  open_heap();
  pair *live = make_chain(pairs, 100000);
  int slices = 1;
  while (!ouro_step(heap, 20000).finished) slices++;
  CHECK_LT(10, slices);
  CHECK(ouro_step(heap, UINT64_MAX).finished);
  ouro_unref(live);
}

static void find_chain(void *ctx, ouro_visit_fn visit, void *arg) { visit(OURO_OBJECT(ctx), arg); }

/* What roots reach is not looked at again; wrong roots cost time only. */
TEST(roots_save_work) {
  open_heap();
  pair *live = make_chain(pairs, 5000), *other = make_chain(pairs, 10);
  ouro_unref(make_pairs_ring(pairs, 1, 7));
  ouro_gc_set_roots(heap, find_chain, live);
  CHECK_EQ(ouro_collect(heap, 2), 7);
  CHECK_EQ(live_of(heap, pairs), 5010u);
  ouro_gc_set_roots(heap, NULL, NULL);
  CHECK_EQ(ouro_collect(heap, 2), 0);
  ouro_unref(live);
  ouro_unref(other);
}

/* --- debug flags --- */

TEST(statistics_are_a_line_per_collection) {
  open_heap();
  ouro_gc_set_debug(heap, OURO_DEBUG_STATS);
  CHECK_EQ(ouro_gc_debug(heap), (unsigned)OURO_DEBUG_STATS);
  ouro_unref(make_pairs_ring(pairs, 1, 2));
  ouro_collect(heap, 1);
  CHECK_EQ(news.lines, 1);
  CHECK(strstr(news.line, "generation 1: 2 unreachable, 0 uncollectable"));
}

TEST(collectable_objects_are_named) {
  open_heap();
  ouro_gc_set_debug(heap, OURO_DEBUG_COLLECTABLE);
  pair *p = make_pairs_ring(pairs, 1, 2);
  char expected[64];
  snprintf(expected, sizeof expected, "collectable <pair %p>", (void *)p->a);
  ouro_unref(p);
  ouro_collect(heap, 2);
  CHECK_EQ(news.lines, 2);
  CHECK_STR(news.line, expected);
}

TEST(uncollectable_objects_are_named_and_kept) {
  open_heap();
  ouro_gc_set_debug(heap, OURO_DEBUG_UNCOLLECTABLE);
  pair *u = make_pair(kept, 9, NULL, NULL);
  u->a = ouro_ref(u);
  ouro_unref(u);
  for (int g = 0; g < 2; g++) CHECK_EQ(ouro_collect(heap, g), g == 0);
  CHECK_EQ(news.lines, 1);
  CHECK(!strncmp(news.line, "uncollectable <kept pair ", 25));
  CHECK_EQ(news.last[OURO_GC_STOP].uncollectable, 0u);
  CHECK_EQ(ouro_garbage_length(heap), 1u);
  CHECK(ouro_garbage(heap, 0) == OURO_OBJECT(u) && ouro_garbage(heap, 1) == NULL);
  CHECK_EQ(ouro_count(u), 2u);
  drop_field(&u->a);
  ouro_garbage_clear(heap);
  CHECK_EQ(live_of(heap, kept), 0u);
}

/* One whose count falls to 0 dies as any other. */
TEST(uncollectable_objects_die_by_their_counts) {
  open_heap();
  ouro_unref(make_pair(kept, 1, NULL, NULL));
  CHECK_EQ(live_of(heap, kept), 0u);
}

TEST(save_all_keeps_what_is_unreachable) {
  open_heap();
  ouro_gc_set_debug(heap, OURO_DEBUG_SAVEALL);
  pair *ring = make_pairs_ring(ending, 1, 3);
  ouro_unref(ring);
  CHECK_EQ(ouro_collect(heap, 2), 3);
  CHECK(ENDED(1, 2, 3)); /* finalizers have run */
  CHECK_EQ(ouro_garbage_length(heap), 3u);
  CHECK_EQ(ouro_count(ring), 2u);
  CHECK(objects_ok(heap));
  CHECK_EQ(ouro_collect(heap, 2), 0);
  ouro_gc_set_debug(heap, 0);
  ouro_garbage_clear(heap);
  CHECK_EQ(ouro_collect(heap, 2), 3);
  CHECK(NONE_ENDED());
  CHECK_EQ(live_of(heap, ending), 0u);
}

TEST(leak_is_all_but_statistics) {
  CHECK_EQ(OURO_DEBUG_LEAK, OURO_DEBUG_COLLECTABLE | OURO_DEBUG_UNCOLLECTABLE | OURO_DEBUG_SAVEALL);
}

/* The flag changes while a giant component dies in slices: what was saved stays whole, what was
 * condemned is destroyed. */
TEST(save_all_may_change_between_slices) {
  for (unsigned when = 0; when < 60; when++) {
    open_heap();
    pair *ring = make_pairs_ring(pairs, 1, 9000);
    pair *probe = ring->a;
    ouro_unref(ring);
    bool done = false;
    unsigned slices = 0;
    for (; !done; slices++) {
      ouro_gc_set_debug(heap, slices < when * 4 ? OURO_DEBUG_SAVEALL : 0);
      done = ouro_step(heap, 0).finished;
    }
    size_t saved = ouro_garbage_length(heap);
    CHECK(saved == 0 || saved == 9000);
    CHECK_EQ(live_of(heap, pairs), saved);
    if (saved) CHECK_EQ(ouro_count(probe), 2u);
    CHECK(objects_ok(heap));
    ouro_heap_destroy(heap);
    if (slices < when * 4) break;
  }
}

TEST(save_all_may_begin_between_slices) {
  for (unsigned when = 0; when < 60; when++) {
    open_heap();
    ouro_unref(make_pairs_ring(pairs, 1, 9000));
    unsigned slices = 0;
    for (bool done = false; !done; slices++) {
      ouro_gc_set_debug(heap, slices < when * 4 ? 0 : OURO_DEBUG_SAVEALL);
      done = ouro_step(heap, 0).finished;
    }
    CHECK_EQ(live_of(heap, pairs), ouro_garbage_length(heap));
    CHECK(objects_ok(heap));
    ouro_heap_destroy(heap);
    if (slices < when * 4) break;
  }
}

/* --- memory refused --- */

TEST(a_collection_without_memory_is_given_up_and_nothing_is_lost) {
  open_heap();
  pair *live = make_chain(pairs, 100);
  ouro_unref(make_pairs_ring(ending, 1, 5));
  struct rlimit whole, none;
  if (under_sanitizer() || under_valgrind()) SKIP("no limit on address space here");
  getrlimit(RLIMIT_AS, &whole);
  none = (struct rlimit){0, whole.rlim_max};
  setrlimit(RLIMIT_AS, &none);
  int64_t old = ouro_collect(heap, 2), young = ouro_collect(heap, 0);
  ouro_step_report r = ouro_step(heap, 1000);
  setrlimit(RLIMIT_AS, &whole);
  CHECK_EQ(old, -1);
  CHECK_EQ(young, -1);
  CHECK(r.finished && r.out_of_memory);
  CHECK_STR(ouro_heap_error(heap), "out of memory for the collector's tables");
  CHECK_LE(3, news.events[OURO_GC_GIVEN_UP]);
  CHECK_EQ(stats_now().given_up, 3u);
  CHECK(NONE_ENDED());
  CHECK(objects_ok(heap));
  CHECK_EQ(ouro_collect(heap, 2), 5);
  ouro_unref(live);
}
