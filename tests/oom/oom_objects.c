/* SPDX-License-Identifier: MIT */
/*
 * Memory for objects is refused: each n-th allocation of a script that uses everything, the limit
 * of a heap, address space. Whatever fails, nothing is lost, and all of it can be dropped.
 */
#include "test.h"

#include <sys/resource.h>

#include <ouro/ouro.h>

#include "support/pairs.h"
#include "support/tools.h"

typedef struct row {
  ouro_object object;
  size_t length;
  ouro_object *items[];
} row;

typedef struct script {
  ouro_heap *heap;
  ouro_type *pairs, *rows;
  ouro_reuse *pool;
  ouro_object *held[64];
  int count, refused;
} script;

static script s;

static void *keep(void *object) {
  if (!object) s.refused++;
  else s.held[s.count++] = object;
  return object;
}

static bool make_types(void) {
  ouro_type_spec spec = pair_spec("pair");
  const ouro_items items = {
      .kind = OURO_ITEMS_INLINE, .at = offsetof(row, items), .length = offsetof(row, length)};
  spec.finalize = pair_end;
  if (!s.pairs) s.pairs = ouro_type_new(s.heap, &spec);
  if (!s.rows)
    s.rows = ouro_type_new(s.heap, &(ouro_type_spec){.name = "row",
                                                     .size = sizeof(row),
                                                     .item_size = sizeof(ouro_object *),
                                                     .items = items});
  return s.pairs && s.rows;
}

static void make_row(size_t length) {
  row *r = keep(ouro_new_items(s.rows, length));
  if (!r) return;
  r->length = length;
  for (size_t i = 0; i < length; i++) r->items[i] = ouro_new(s.pairs);
}

static void make_garbage(void) {
  pair *p = ouro_new(s.pairs);
  if (!p) {
    s.refused++;
    return;
  }
  p->a = ouro_ref(p);
  p->b = ouro_new(s.pairs);
  ouro_unref(p);
}

static void make_containers(void) {
  ouro_list *list = keep(ouro_list_new(s.heap));
  ouro_dict *dict = keep(ouro_dict_new(s.heap));
  for (int i = 0; i < 20; i++) {
    ouro_int *number = ouro_int_new(s.heap, 100000 + i);
    if (list && number && !ouro_list_append(list, number)) s.refused++;
    if (dict && number && !ouro_dict_put(dict, number, list)) s.refused++;
    ouro_unref(number);
  }
  if (list) keep(ouro_weak_new(list, NULL, NULL));
}

static void collect_all(void) {
  for (int g = 0; g <= 2; g++)
    if (ouro_collect(s.heap, g) < 0) s.refused++;
  while (!ouro_step(s.heap, 0).finished) {}
}

/* Every call that may ask for memory. */
static void play(void) {
  for (int tries = 0; !make_types(); tries++) {
    s.refused++;
    if (tries == 20) return;
  }
  if (!s.pool) s.pool = ouro_reuse_new(s.pairs, 4, NULL, NULL);
  for (int i = 0; i < 3; i++) make_row(10), make_garbage();
  make_row(400); /* too large for a pool */
  collect_all();
  if (s.pool) keep(ouro_reuse_take(s.pool));
  make_containers();
  ouro_gc_freeze(s.heap);
  make_garbage();
  ouro_gc_unfreeze(s.heap);
  collect_all();
  ouro_path_step path[4];
  if (s.count) ouro_path_to_root(s.held[0], path, 4);
}

static void drop_all(void) {
  while (s.count) ouro_unref(s.held[--s.count]);
  ouro_reuse_free(s.pool);
}

static void check_clean_end(void) {
  CHECK(!s.pairs || objects_ok(s.heap));
  drop_all();
  if (!s.pairs) return;
  CHECK_LE(0, ouro_collect(s.heap, 2));
  CHECK_EQ(ouro_gc_frozen_count(s.heap), 0u);
  CHECK_EQ(live_of(s.heap, s.pairs), 0u);
  if (s.rows) CHECK_EQ(live_of(s.heap, s.rows), 0u);
  CHECK(objects_ok(s.heap));
}

static bool play_with_fault(const ouro_heap_options *options, uint64_t n, uint64_t every) {
  s = (script){.heap = ouro_heap_new(options)};
  ouro_heap_fail(s.heap, n, every);
  play();
  ouro_heap_fail(s.heap, 0, 0);
  bool refused = s.refused > 0;
  check_clean_end();
  ouro_heap_destroy(s.heap);
  return refused;
}

/* Some faults are met by a collection or have no effect on the script's results. */
static void fail_at_every_n(bool hardened, uint64_t every) {
  if (under_tsan()) SKIP("one thread: tsan has nothing to find here");
  ouro_heap_options options = quiet_options("oom");
  options.hardened = hardened;
  int refused = 0;
  for (uint64_t n = 1; n <= 260; n++) refused += play_with_fault(&options, n, every);
  CHECK_LT(10, refused);
  CHECK(!play_with_fault(&options, 100000, every));
}

TEST(every_nth_allocation_of_objects_may_fail) { fail_at_every_n(false, 0); }

TEST(every_nth_allocation_of_a_hardened_heap_of_objects_may_fail) { fail_at_every_n(true, 0); }

TEST(all_allocations_of_objects_from_the_nth_on_may_fail) { fail_at_every_n(false, 1); }

TEST(every_third_allocation_of_objects_may_fail) { fail_at_every_n(false, 3); }

/* --- limits --- */

/* A heap at its limit lives on its garbage: a full collection comes before a refusal. */
TEST(at_the_limit_garbage_is_collected_first) {
  ouro_heap_options options = quiet_options("oom");
  options.limit = 4 * MIB;
  s = (script){.heap = ouro_heap_new(&options)};
  CHECK(make_types());
  ouro_gc_enable(s.heap, false);
  for (int i = 0; i < 300000; i++) {
    pair *ring = ouro_new(s.pairs);
    CHECK(ring);
    ring->a = ouro_ref(ring);
    ouro_unref(ring);
  }
  CHECK_LT(100000, ended_count);
  ouro_heap_stats now = stats_of(s.heap);
  CHECK_LE(now.peak_pools + now.large, options.limit);
}

TEST(a_full_heap_of_live_objects_refuses_and_goes_on) {
  ouro_heap_options options = quiet_options("oom");
  options.limit = 2 * MIB;
  s = (script){.heap = ouro_heap_new(&options)};
  CHECK(make_types());
  pair *head = NULL, *next;
  size_t count = 0;
  while ((next = ouro_new(s.pairs)) != NULL) next->a = head, head = next, count++;
  CHECK_STR(ouro_heap_error(s.heap), "out of memory");
  CHECK_LT(10000u, count);
  CHECK(objects_ok(s.heap));
  for (int i = 0; i < 100; i++) { /* one goes, one comes */
    next = head->a;
    head->a = NULL;
    ouro_unref(head);
    head = next;
  }
  pair *again = ouro_new(s.pairs);
  CHECK(again);
  ouro_unref(again);
  ouro_unref(head);
  CHECK(objects_ok(s.heap));
}

static void set_address_space(size_t bytes) {
  struct rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = bytes ? bytes : limit.rlim_max;
  CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
}

/* The system has no more: records of pages, tables, lists are refused as well as pools. */
TEST(address_space_runs_out) {
  if (under_watch() || under_tsan()) SKIP("the tool needs address space of its own");
  ouro_heap_options options = quiet_options("oom");
  for (size_t room = 40; room <= 200; room += 80) {
    s = (script){.heap = ouro_heap_new(&options)};
    CHECK(make_types());
    set_address_space((size_t)40 * GIB + room * MIB);
    pair *head = NULL, *next;
    size_t most = 1500000;
    while (most-- > 0 && (next = ouro_new(s.pairs)) != NULL) next->a = head, head = next;
    ouro_collect(s.heap, 1);
    ouro_step(s.heap, 1000);
    set_address_space(0);
    CHECK(objects_ok(s.heap));
    ouro_unref(head);
    CHECK_LE(0, ouro_collect(s.heap, 2));
    CHECK_EQ(live_of(s.heap, s.pairs), 0u);
    ouro_heap_destroy(s.heap);
  }
}
