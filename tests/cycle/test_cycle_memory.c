/* SPDX-License-Identifier: MIT */
/* Every table that is refused in turn: the cycle is given up, nothing is lost, the next one is
 * whole. */
#include "cycle/world.h"
#include "os/os.h"

static uint64_t calls, refused; /* the refused call, counted from 1; 0: none */
static size_t mapped;           /* bytes of address space that the tables have */

static bool refuse(void) { return ++calls == refused; }

static void *taken(void *p, size_t size) {
  if (p) mapped += size;
  return p;
}

void *__real_os_map(size_t size);
void *__wrap_os_map(size_t size) { return refuse() ? NULL : taken(__real_os_map(size), size); }
void *__real_os_reserve(size_t size, size_t alignment);
void *__wrap_os_reserve(size_t size, size_t alignment) {
  return refuse() ? NULL : taken(__real_os_reserve(size, alignment), size);
}
bool __real_os_commit(void *address, size_t size);
bool __wrap_os_commit(void *address, size_t size) {
  return !refuse() && __real_os_commit(address, size);
}
void __real_os_release(void *address, size_t size);
void __wrap_os_release(void *address, size_t size) {
  mapped -= size;
  __real_os_release(address, size);
}

static void refuse_nth(uint64_t n) {
  calls = 0;
  refused = n;
}

/* Whether the cycle came to its end. */
static bool cycle_with_refusal(cycle *c, graph *g, uint64_t n, uint64_t budget) {
  refuse_nth(n);
  if (!collector_start(c, g)) return false;
  cycle_report r;
  do r = collector_step(c, g, budget);
  while (!r.finished);
  CHECK(collector_idle(c));
  CHECK_EQ(r.out_of_memory, n <= calls);
  return !r.out_of_memory;
}

static void every_table(uint64_t budget) {
  cycle c = {.limits = {.batch = 8}};
  uint64_t n = 0;
  bool whole;
  do {
    graph g;
    graph_init(&g, 100);
    world_grow(&g, 3000);
    graph_doom(&g);
    whole = cycle_with_refusal(&c, &g, ++n, budget);
    CHECK(whole || !mapped);
    graph_check(&g);
    refuse_nth(0);
    collect(&c, &g);
    CHECK_EQ(graph_survivors(&g), 0);
    graph_check(&g);
    graph_finish(&g);
    collector_finish(&c);
    CHECK_EQ(mapped, 0);
  } while (!whole);
  CHECK(n > 4);
}

TEST(every_table_in_one_go) { every_table(UINT64_MAX); }
TEST(every_table_in_one_slice) { every_table(UINT64_MAX - 1); }
TEST(every_table_in_slices) { every_table(3); }

/* Tables of some megabytes are given back piece by piece. */
TEST(large_tables_are_given_back) {
  cycle c = {.limits = {.units = 1}};
  graph g;
  graph_init(&g, 5000);
  world_grow(&g, 5000);
  CHECK(collector_start(&c, &g));
  while (c.phase != CYCLE_CLEAN) CHECK(!collector_step(&c, &g, 2).finished);
  CHECK(mapped > 6 * TUNE_CYCLE_TABLE_PIECE);
  uint64_t slices = 0;
  for (size_t before = mapped; !collector_idle(&c); slices++, before = mapped) {
    collector_step(&c, &g, 1);
    CHECK(mapped <= before);
  }
  CHECK(slices > 4);
  CHECK_EQ(mapped, 0);
  graph_finish(&g);
}

/* A later cycle has them for a heap that has grown or not, in one go or in slices. */
TEST(small_tables_are_kept) {
  cycle c = {0};
  for (uint32_t objects = 300; objects < 100000; objects *= 3) {
    for (uint64_t budget = 3; budget; budget = budget == 3 ? UINT64_MAX : 0) {
      graph g;
      graph_init(&g, 1);
      world_grow(&g, objects);
      collect(&c, &g);
      size_t kept = mapped;
      graph_doom(&g);
      CHECK(cycle_with_refusal(&c, &g, UINT64_MAX, budget));
      CHECK_EQ(graph_survivors(&g), 0);
      graph_check(&g);
      graph_finish(&g);
      if (budget == 3) CHECK_EQ(mapped, 0);
      else CHECK(objects > 1000 || (kept && mapped >= kept));
    }
  }
  CHECK_EQ(mapped, 0); /* the last one's are too large */
  collector_finish(&c);
}

static void make_ring(graph *g, uint32_t nodes) {
  uint32_t first = graph_new(g, true), last = first;
  for (uint32_t i = 1; i < nodes; i++, last = g->used - 1) {
    graph_link(g, last, graph_new(g, true));
    graph_drop(g, g->used - 1);
  }
  graph_link(g, last, first);
  graph_drop(g, first);
}

/* What was gathered is not in the tables that are kept. */
TEST(a_giant_is_given_up_while_it_is_gathered) {
  cycle c = {.limits = {.units = 1, .batch = 4}};
  graph g;
  graph_init(&g, 1);
  make_ring(&g, 300);
  graph_doom(&g);
  CHECK(collector_start(&c, &g));
  while (c.phase != CYCLE_GATHER || !c.batch.set.used) CHECK(!collector_step(&c, &g, 1).finished);
  collector_abort(&c, &g);
  CHECK(mapped > 0);
  CHECK(cycle_with_refusal(&c, &g, UINT64_MAX, 1));
  CHECK_EQ(graph_survivors(&g), 0);
  CHECK_EQ(mapped, 0);
  graph_finish(&g);
}

TEST(young_tables) {
  cycle c = {0};
  graph g;
  graph_init(&g, 100);
  world_grow(&g, 3000);
  uint64_t n = 0;
  do refuse_nth(++n);
  while (!collector_batch_begin(&c, &g, 3000));
  CHECK(n > 3);
  graph_check(&g);
  collector_finish(&c);
  CHECK_EQ(mapped, 0);
  graph_finish(&g);
}
