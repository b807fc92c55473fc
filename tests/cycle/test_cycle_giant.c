/* SPDX-License-Identifier: MIT */
/* A component with more members than a batch: tested in one go, destroyed in slices, during which
 * the program runs, young objects are collected and freed slots are taken again. */
#include "cycle/world.h"

enum { GIANT = 3000 };

typedef struct scene {
  graph g;
  cycle c;
  finalizing f;
} scene;

static void scene_begin(scene *s, uint32_t batch) {
  *s = (scene){.c = {.limits = {.units = 1, .piece = 1, .batch = batch, .clear = 1}}};
  graph_init(&s->g, 7);
  finalizing_begin(&s->g, &s->f, &s->c);
}

static void scene_end(scene *s) {
  graph_check(&s->g);
  collector_abort(&s->c, &s->g);
  collector_finish(&s->c);
  finalizing_end(&s->g);
  graph_finish(&s->g);
}

/* A ring, each of whose nodes also refers to one outside it that lives, and to one that dies with
 * it and has a finalizer. The first node of the ring is returned, held. */
static uint32_t make_giant(graph *g, uint32_t n, uint32_t outside) {
  uint32_t first = graph_new(g, true), last = first;
  for (uint32_t i = 1; i < n; i++) {
    uint32_t o = graph_new(g, true), dependent = graph_new(g, false);
    g->nodes[dependent].finalizer = i % 3 ? RECURSE : PLAIN;
    graph_link(g, last, o);
    graph_link(g, o, outside);
    graph_link(g, o, dependent);
    graph_drop(g, o);
    graph_drop(g, dependent);
    last = o;
  }
  graph_link(g, last, first);
  return first;
}

/* Steps until the phase; returns what the steps found. */
static uint64_t step_to(scene *s, cycle_phase phase) {
  uint64_t found = 0;
  while (s->c.phase != phase && !collector_idle(&s->c))
    found += collector_step(&s->c, &s->g, 1).found;
  return found;
}

static scene *giant_at(scene *s, cycle_phase phase) {
  scene_begin(s, 100);
  uint32_t outside = graph_new(&s->g, true);
  graph_drop(&s->g, make_giant(&s->g, GIANT, outside));
  graph_doom(&s->g);
  CHECK(collector_start(&s->c, &s->g));
  step_to(s, phase);
  CHECK_EQ(s->c.phase, phase);
  return s;
}

TEST(a_giant_dies_in_slices) {
  scene s;
  giant_at(&s, CYCLE_TEST);
  CHECK_EQ(s.g.live, 1 + GIANT + GIANT - 1);
  CHECK_EQ(s.g.gathered, GIANT);
  uint64_t found = step_to(&s, CYCLE_HOLD), slices = 0;
  CHECK_EQ(found, GIANT);
  CHECK_EQ(s.g.hidden, GIANT);
  for (; !collector_idle(&s.c); slices++) {
    cycle_report r = collector_step(&s.c, &s.g, 1);
    CHECK_LE(r.elapsed_ns, 3);
    graph_check(&s.g);
  }
  CHECK(slices > GIANT / 64);
  CHECK_EQ(s.f.refused, GIANT - 1 - (GIANT - 1) / 3);
  CHECK_EQ(s.g.live, 1);
  scene_end(&s);
}

/* The embedder's word about the last member counts for all: what was counted until then is
 * forgotten, and the test is as exact as any. */
TEST(a_giant_that_is_not_ours) {
  scene s;
  giant_at(&s, CYCLE_TEST);
  uint32_t last = NOBODY;
  for (uint32_t o = 0; o < s.g.used; o++)
    if (s.g.nodes[o].doomed) last = o;
  s.g.nodes[last].foreign = true;
  CHECK_EQ(step_to(&s, CYCLE_HOLD), GIANT);
  CHECK_EQ(s.g.refused, 1);
  CHECK_EQ(s.g.hidden, 0);
  CHECK_EQ(s.g.condemned, GIANT);
  step_to(&s, CYCLE_IDLE);
  CHECK_EQ(s.g.live, 1);
  scene_end(&s);
}

/* Who died after it was gathered is not asked about, and the rest is all of it. */
TEST(a_member_dies_before_the_test) {
  scene s;
  scene_begin(&s, 100);
  uint32_t outside = graph_new(&s.g, true), first = make_giant(&s.g, GIANT, outside);
  uint32_t leaf = graph_new(&s.g, true), weak = graph_weak(&s.g, first, true);
  graph_link(&s.g, first, leaf);
  graph_drop(&s.g, leaf);
  graph_drop(&s.g, first);
  CHECK(collector_start(&s.c, &s.g));
  step_to(&s, CYCLE_TEST);
  world_read_weak(&s.g, weak);
  graph_unlink(&s.g, first, s.g.nodes[first].length - 1);
  CHECK_EQ(s.g.nodes[leaf].state, FREE);
  graph_drop(&s.g, weak);
  graph_drop(&s.g, first);
  s.f.rescued.n = 0;
  CHECK_EQ(step_to(&s, CYCLE_HOLD), GIANT);
  CHECK_EQ(s.g.gathered, GIANT + 1);
  CHECK_EQ(s.g.hidden, GIANT);
  step_to(&s, CYCLE_IDLE);
  CHECK_EQ(s.g.live, 1);
  scene_end(&s);
}

/* The program goes on: it takes freed slots, makes garbage, has young collections. */
static void busy_program(scene *s) {
  for (int i = 0; i < 5; i++) world_change(&s->g, 2 * GIANT);
  if (world_below(50) == 0) world_collect_young(&s->c, &s->g), world_promote(&s->g);
  s->f.rescued.n = 0;
}

TEST(the_program_goes_on_while_a_giant_dies) {
  scene s;
  giant_at(&s, CYCLE_CLEAR);
  while (!collector_idle(&s.c)) {
    collector_step(&s.c, &s.g, 1 + world_below(4));
    busy_program(&s);
    if (world_below(50) == 0) graph_check(&s.g);
  }
  CHECK_EQ(graph_survivors(&s.g), 0);
  scene_end(&s);
}

/* Whatever nobody can see any more is gone when abort returns. */
static void abort_in(cycle_phase phase, uint32_t steps) {
  scene s;
  giant_at(&s, phase);
  for (; steps; steps--) collector_step(&s.c, &s.g, 1);
  collector_abort(&s.c, &s.g);
  CHECK(collector_idle(&s.c));
  graph_check(&s.g);
  CHECK_EQ(graph_survivors(&s.g), phase < CYCLE_HOLD ? GIANT : 0);
  collect(&s.c, &s.g);
  CHECK_EQ(s.g.live, 1);
  scene_end(&s);
}

TEST(abort_before_the_test) { abort_in(CYCLE_TEST, 0); }
TEST(abort_while_gathering) { abort_in(CYCLE_GATHER, 10); }
TEST(abort_while_holding) { abort_in(CYCLE_HOLD, 20); }
TEST(abort_while_clearing) { abort_in(CYCLE_CLEAR, 20); }
TEST(abort_while_releasing) { abort_in(CYCLE_RELEASE, 20); }

TEST(a_member_resurrects_a_giant) {
  scene s;
  scene_begin(&s, 10);
  uint32_t outside = graph_new(&s.g, true), first = make_giant(&s.g, GIANT, outside);
  s.g.nodes[first].finalizer = RESCUE_SELF;
  graph_drop(&s.g, first);
  cycle_report r = collect(&s.c, &s.g);
  CHECK_EQ(r.found, GIANT);
  CHECK_EQ(r.destroyed, 0);
  CHECK_EQ(s.g.live, 2 * GIANT);
  finalizing_let_go(&s.g);
  CHECK_EQ(collect(&s.c, &s.g).destroyed, GIANT);
  CHECK_EQ(s.g.live, 1);
  scene_end(&s);
}

/* Giants, batches and live objects, and a reference taken back just before the test. */
TEST(a_giant_that_is_held_again_before_its_test) {
  scene s;
  scene_begin(&s, 10);
  uint32_t outside = graph_new(&s.g, true), first = make_giant(&s.g, GIANT, outside);
  uint32_t weak = graph_weak(&s.g, first, true);
  graph_drop(&s.g, first);
  CHECK(collector_start(&s.c, &s.g));
  step_to(&s, CYCLE_TEST);
  world_read_weak(&s.g, weak);
  CHECK_EQ(step_to(&s, CYCLE_CLEAN), 0);
  CHECK_EQ(s.g.live, 2 * GIANT + 1);
  scene_end(&s);
}
