/* SPDX-License-Identifier: MIT */
/* Random graphs of 100 to 1,000,000 nodes and a program that changes them between slices, with
 * young collections and finalizers. OURO_SEED=n replays a run. Stress builds make ten million
 * changes. */
#include "cycle/world.h"

typedef struct world {
  graph g;
  cycle c;
  finalizing f;
  uint32_t size; /* nodes, about */
  uint64_t cycles, found;
} world;

static void world_begin(world *w, uint32_t size, uint32_t stride) {
  *w = (world){.size = size};
  graph_init(&w->g, stride);
  finalizing_begin(&w->g, &w->f, &w->c);
  world_grow(&w->g, size);
}

/* Other limits in each cycle: batches and giants, objects in pieces and whole. */
static void choose_limits(cycle_limits *l) {
  *l = (cycle_limits){.units = 1 + world_below(world_below(2) ? 3 : 500),
                      .piece = 1 + world_below(4),
                      .batch = 1 + world_below(world_below(2) ? 10 : 4000),
                      .clear = 1 + world_below(20)};
}

static void begin_cycle(world *w) {
  choose_limits(&w->c.limits);
  w->g.rootless = world_below(2);
  graph_doom(&w->g);
  CHECK(collector_start(&w->c, &w->g));
}

static void end_cycle(world *w) {
  CHECK_EQ(graph_survivors(&w->g), 0);
  if (w->size <= 1000 || world_below(20) == 0) graph_check(&w->g);
  w->cycles++;
}

static void one_slice(world *w) {
  cycle_report r = collector_step(&w->c, &w->g, world_below(50 + w->size / 100));
  CHECK(!r.out_of_memory);
  w->found += r.found;
  if (r.finished) end_cycle(w);
}

/* Now and then a young collection, which costs the oracle time, a cycle given up, a full one. */
static void something_rare(world *w) {
  switch (world_below(4)) {
  case 0: world_collect_young(&w->c, &w->g); break;
  case 1: world_collect_young(&w->c, &w->g), world_promote(&w->g); break;
  case 2: collector_abort(&w->c, &w->g); break;
  case 3:
    collector_abort(&w->c, &w->g);
    begin_cycle(w);
    w->found += collector_step(&w->c, &w->g, UINT64_MAX).found;
    CHECK(collector_idle(&w->c));
    end_cycle(w);
    break;
  }
  w->f.rescued.n = 0; /* held from outside as any other */
}

static void world_run(uint32_t size, uint32_t stride, uint64_t changes) {
  world w;
  world_begin(&w, size, stride);
  for (uint64_t i = 0, next = 0; i < changes; i++) {
    world_change(&w.g, size);
    if (world_below(4 * size) == 0) something_rare(&w);
    if (i < next) continue;
    if (collector_idle(&w.c)) begin_cycle(&w);
    one_slice(&w);
    next = i + world_below(world_below(3) ? 3 : size / 200 + 2);
  }
  collector_abort(&w.c, &w.g);
  graph_check(&w.g);
  CHECK(w.cycles > 0 && w.found > 0);
  finalizing_end(&w.g);
  collector_finish(&w.c);
  graph_finish(&w.g);
}

/* A twentieth in other builds. */
static uint64_t times(uint64_t changes) { return OURO_CHECK_LEVEL >= 3 ? changes : changes / 20; }

TEST(nodes_100) { world_run(100, 1, times(2000000)); }
TEST(nodes_100_far_apart) { world_run(100, 1000, times(1000000)); }
TEST(nodes_1000) { world_run(1000, 3, times(3000000)); }
TEST(nodes_10000) { world_run(10000, 1, times(2500000)); }
TEST(nodes_100000) { world_run(100000, 1, times(1400000)); }
TEST(nodes_1000000) {
  if (OURO_CHECK_LEVEL < 3) SKIP("stress builds only");
  world_run(1000000, 1, 400000);
}
