/* SPDX-License-Identifier: MIT */
/* The collector's promises one by one: budgets, reports, immortal objects, lies of a traverse,
 * young batches. */
#include "cycle/world.h"

static void ring(graph *g, uint32_t n, bool old) {
  uint32_t first = graph_new(g, old), last = first;
  for (uint32_t i = 1; i < n; i++) {
    uint32_t o = graph_new(g, old);
    graph_link(g, last, o);
    graph_drop(g, o);
    last = o;
  }
  graph_link(g, last, first);
  graph_drop(g, first);
}

/* A list of n nodes that the first of them holds. */
static uint32_t wide(graph *g, uint32_t n) {
  uint32_t list = graph_new(g, true);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t o = graph_new(g, true);
    graph_link(g, list, o);
    graph_drop(g, o);
  }
  return list;
}

TEST(an_idle_collector_does_nothing) {
  graph g;
  cycle c = {0};
  graph_init(&g, 1);
  CHECK(collector_idle(&c));
  cycle_report r = collector_step(&c, &g, 100);
  CHECK(r.finished);
  CHECK_EQ(r.examined, 0);
  CHECK_EQ(r.longest, CYCLE_IDLE);
  collector_abort(&c, &g);
  CHECK(collector_idle(&c));
  collector_finish(&c);
}

TEST(an_empty_heap) {
  graph g;
  cycle c = {0};
  graph_init(&g, 1);
  CHECK_EQ(collect(&c, &g).examined, 0);
  collector_finish(&c);
  graph_finish(&g);
}

TEST(one_cycle_at_a_time) {
  graph g;
  cycle c = {0};
  graph_init(&g, 1);
  CHECK(collector_start(&c, &g));
  CHECK(!collector_start(&c, &g));
  collector_abort(&c, &g);
  CHECK(collector_start(&c, &g));
  collector_abort(&c, &g);
  graph_finish(&g);
}

/* The clock of these tests ticks once per look, and a look comes after each unit of work; so a
 * slice takes its budget and what cannot be divided. */
TEST(a_slice_keeps_its_budget) {
  graph g;
  cycle c = {.limits = {1, 1, 1, 1}};
  graph_init(&g, 100);
  uint32_t list = wide(&g, 2000);
  for (int i = 0; i < 300; i++) ring(&g, 1, true);
  CHECK(collector_start(&c, &g));
  uint64_t slices = 0, examined = 0, found = 0;
  for (bool finished = false; !finished; slices++) {
    cycle_report r = collector_step(&c, &g, 10);
    CHECK_LE(r.elapsed_ns, 13);
    finished = r.finished;
    examined += r.examined;
    found += r.found;
  }
  CHECK(slices > 500);
  CHECK(examined >= 2301);
  CHECK_EQ(found, 300);
  CHECK_EQ(g.live, 2001);
  graph_drop(&g, list);
  CHECK_EQ(g.live, 0);
  graph_finish(&g);
}

TEST(the_longest_part_is_named) {
  graph g;
  cycle c = {.limits = {.units = 1000000, .batch = 10}};
  graph_init(&g, 1);
  ring(&g, 100, true);
  CHECK(collector_start(&c, &g));
  cycle_report r = collector_step(&c, &g, UINT64_MAX);
  CHECK(r.longest_ns > 0);
  CHECK(r.longest <= CYCLE_CLEAN);
  CHECK_EQ(r.found, 100);
  graph_finish(&g);
}

/* The list is live, then garbage with what it refers to: pieces in every phase. */
TEST(large_objects_are_divided) {
  graph g;
  cycle c = {.limits = {.units = 4, .piece = 4}};
  graph_init(&g, 1);
  uint32_t list = wide(&g, 1000);
  graph_link(&g, list, list);
  CHECK(collector_start(&c, &g));
  while (!collector_step(&c, &g, 1).finished) {}
  CHECK_EQ(g.live, 1001);
  graph_drop(&g, list);
  CHECK_EQ(g.live, 1001);
  CHECK(collector_start(&c, &g));
  for (cycle_report r = {0}; !r.finished;) {
    r = collector_step(&c, &g, 1);
    if (c.phase > CYCLE_ROOTS && c.phase < CYCLE_BATCHES) CHECK_LE(r.elapsed_ns, 3);
  }
  CHECK_EQ(g.live, 0);
  graph_finish(&g);
}

/* What it refers to lies around it, is marked while it is half done, and is scanned after it, not
 * instead of it: each reference is visited once. */
static void large_objects(uint32_t large, uint32_t apart) {
  enum { NODES = 150 };
  graph g;
  cycle c = {.limits = {.units = 1, .piece = 3}};
  graph_init(&g, 1);
  for (uint32_t o = 0; o < NODES; o++) graph_new(&g, true); /* the first is the root */
  for (uint32_t o = 1; o <= large; o++) graph_link(&g, 0, o * apart);
  for (uint32_t o = 1; o <= large; o++)
    for (uint32_t to = 1; to < NODES; to++) graph_link(&g, o * apart, to);
  for (uint32_t o = 1; o < NODES; o++) graph_drop(&g, o);
  CHECK(collector_start(&c, &g));
  while (c.phase <= CYCLE_MARK) collector_step(&c, &g, 1);
  CHECK_EQ(g.visited, large + large * (NODES - 1));
  collector_abort(&c, &g);
  graph_finish(&g);
}

TEST(a_large_object_is_gone_on_with) { large_objects(1, 100); }
TEST(several_large_objects_are_gone_on_with) { large_objects(5, 25); }

/* What roots lead to is not looked at again, in whichever page it lies. */
TEST(live_objects_are_examined_once) {
  graph g;
  cycle c = {0};
  graph_init(&g, 100);
  uint32_t list = wide(&g, 500);
  cycle_report r = collect(&c, &g);
  CHECK_EQ(r.examined, 501);
  CHECK_EQ(r.candidates, 0);
  CHECK_EQ(g.visited, 500);
  graph_drop(&g, list);
  graph_finish(&g);
}

TEST(immortal_objects_stay) {
  graph g;
  cycle c = {0};
  graph_init(&g, 1);
  uint32_t a = graph_new(&g, true), b = graph_new(&g, true);
  graph_link(&g, a, b);
  graph_link(&g, b, a);
  g.nodes[a].immortal = true;
  graph_drop(&g, a);
  graph_drop(&g, b);
  ring(&g, 5, true);
  graph_link(&g, 2, a);
  cycle_report r = collect(&c, &g);
  CHECK_EQ(r.found, 5);
  CHECK_EQ(r.candidates, 5);
  CHECK_EQ(g.live, 2);
  uint64_t slot[] = {a, b};
  CHECK(collector_batch_begin(&c, &g, 2));
  for (int i = 0; i < 2; i++) collector_batch_add(&c, slot[i] / 64, (uint64_t)1 << slot[i] % 64);
  size_t destroyed;
  CHECK_EQ(collector_batch_run(&c, &g, &destroyed), 0);
  CHECK_EQ(destroyed, 0);
  collector_finish(&c);
  graph_finish(&g);
}

/* A traverse that reports a reference twice makes its referent look unheld: it must stay, and what
 * it reaches, and the embedder hears of it. */
TEST(a_traverse_that_reports_too_much) {
  graph g;
  cycle c = {0};
  graph_init(&g, 1);
  uint32_t a = graph_new(&g, true), b = graph_new(&g, true), d = graph_new(&g, true);
  graph_link(&g, a, b);
  graph_link(&g, b, a);
  graph_link(&g, b, d);
  graph_drop(&g, a);
  graph_drop(&g, d);
  g.rootless = g.lie = true; /* b is held from outside once, and a reports it twice */
  cycle_report r = collect(&c, &g);
  CHECK_EQ(r.destroyed, 0);
  CHECK(g.broken > 0);
  graph_check(&g);
  g.lie = false;
  graph_drop(&g, b);
  CHECK_EQ(collect(&c, &g).destroyed, 3);
  CHECK_EQ(g.live, 0);
  graph_finish(&g);
}

/* --- Young batches ---------------------------------------------------------------------------- */

TEST(young_collections_alone) {
  graph g;
  cycle c = {0};
  finalizing f;
  graph_init(&g, 3);
  finalizing_begin(&g, &f, &c);
  uint64_t young = 0;
  for (int round = 0; round < 200; round++) {
    for (int i = 0; i < 300; i++) world_change(&g, 2000);
    uint64_t before = g.condemned;
    world_collect_young(&c, &g);
    young += g.condemned - before;
    graph_check(&g);
    if (round % 3 == 0) world_promote(&g);
    if (round % 10 == 0) collect(&c, &g); /* old garbage would fill the world */
    f.rescued.n = 0;
  }
  CHECK(young > 100);
  collector_finish(&c);
  finalizing_end(&g);
  graph_finish(&g);
}

TEST(a_young_batch_is_a_subset) {
  graph g;
  cycle c = {0};
  graph_init(&g, 64); /* a word for each node */
  ring(&g, 10, false);
  CHECK(collector_batch_begin(&c, &g, 4));
  for (uint64_t o = 0; o < 4; o++) CHECK(collector_batch_add(&c, o, 1));
  CHECK(!collector_batch_add(&c, 4, 1)); /* more than was announced */
  CHECK(!collector_batch_add(&c, (uint64_t)1 << 40, 1));
  size_t destroyed;
  CHECK_EQ(collector_batch_run(&c, &g, &destroyed),
           0); /* the ring is held from outside the batch */
  CHECK_EQ(g.live, 10);
  CHECK(collector_batch_begin(&c, &g, 10));
  for (uint64_t o = 0; o < 10; o++) CHECK(collector_batch_add(&c, o, 1));
  CHECK_EQ(collector_batch_run(&c, &g, &destroyed), 10);
  CHECK_EQ(destroyed, 10);
  CHECK_EQ(g.live, 0);
  collector_finish(&c);
  graph_finish(&g);
}

/* Members that are kept, and a new one in a dead member's place. */
TEST(a_new_object_in_a_dead_members_slot_waits) {
  graph g;
  cycle c = {0};
  finalizing f;
  graph_init(&g, 1);
  finalizing_begin(&g, &f, &c);
  uint32_t a = graph_new(&g, false), b = graph_new(&g, false), d = graph_new(&g, true);
  graph_link(&g, a, a);
  graph_link(&g, a, b);
  graph_link(&g, b, d); /* dies with b and then makes two rings, the first in b's slot */
  g.nodes[a].finalizer = DROP_REFERENCE;
  g.nodes[d].finalizer = ALLOCATE;
  g.nodes[a].edges[0] = b, g.nodes[a].edges[1] = a; /* the reference to b is the first */
  graph_drop(&g, a);
  graph_drop(&g, b);
  graph_drop(&g, d);
  CHECK(collector_batch_begin(&c, &g, 2));
  CHECK(collector_batch_add(&c, 0, 3));
  size_t destroyed;
  CHECK_EQ(collector_batch_run(&c, &g, &destroyed), 2);
  graph_check(&g);
  CHECK_EQ(g.live, 4);
  CHECK_EQ(g.finalizers, 2); /* not those of the new rings: nobody has looked at them */
  world_promote(&g);
  collect(&c, &g);
  CHECK_EQ(g.finalizers, 4);
  CHECK_EQ(g.live, 0);
  collector_finish(&c);
  finalizing_end(&g);
  graph_finish(&g);
}

/* A bird lets go of itself when its end is near, so that it dies before the batch is tested again;
 * the egg that dies with it makes the next bird, in the old one's slot, with an egg of its own. */
static void lay(graph *g) {
  uint32_t bird = graph_new(g, false), egg = graph_new(g, false);
  g->nodes[bird].finalizer = g->nodes[egg].finalizer = PLAIN;
  graph_link(g, bird, bird);
  graph_link(g, bird, egg);
  graph_drop(g, bird);
  graph_drop(g, egg);
}

static void phoenix(graph *g, uint32_t o) {
  if (g->nodes[o].length) graph_unlink(g, o, 0);
  else lay(g);
}

TEST(finalizers_that_always_make_more_have_to_wait) {
  graph g;
  cycle c = {0};
  graph_init(&g, 1);
  g.finalize = phoenix;
  lay(&g);
  CHECK(collector_batch_begin(&c, &g, 1));
  CHECK(collector_batch_add(&c, 0, 1));
  size_t destroyed;
  CHECK_EQ(collector_batch_run(&c, &g, &destroyed), 1);
  CHECK_EQ(destroyed, 0);
  CHECK_EQ(g.finalizers, 2 * TUNE_CYCLE_ROUNDS);
  CHECK_EQ(g.live, 2);
  graph_check(&g);
  collector_finish(&c);
  graph_finish(&g);
}
