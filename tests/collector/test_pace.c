/* SPDX-License-Identifier: MIT */
/* The pacer's two promises, kept together by a made-up program whose collector takes as long as it
 * is told: C3's bound on garbage, and the budget of a slice. */
#include "test.h"

#include "gc/pace.h"

typedef struct world {
  pace pace;
  uint64_t old;       /* objects, garbage included */
  uint64_t object_ns; /* what one takes a cycle */
  uint64_t work;      /* left of the cycle in progress */
  uint64_t garbage;   /* that the cycle in progress will find */
  uint64_t cycles, over, longest, worst;
  uint64_t young_ns; /* what a young collection takes */
} world;

#define BUDGET 1000000u

static world world_of(uint64_t live, uint64_t object_ns) {
  world w = {.old = live, .object_ns = object_ns};
  pace_init(&w.pace, BUDGET, 250, live);
  return w;
}

static void end_cycle(world *w) {
  uint64_t found = w->garbage;
  w->old -= found;
  w->garbage = 0;
  pace_end(&w->pace, w->old, found);
  w->cycles++;
}

static void work(world *w, uint64_t ns) {
  if (ns == UINT64_MAX) {
    w->over++;
    ns = w->work;
  } else {
    if (ns > w->longest) w->longest = ns;
  }
  uint64_t done = ns < w->work ? ns : w->work;
  w->work -= done;
  pace_worked(&w->pace, done, done / w->object_ns);
  if (w->work == 0) end_cycle(w);
}

/* A young collection that promotes so many objects, of which `dead` of 8 are garbage by the next
 * cycle. */
static void promote(world *w, uint64_t objects, unsigned dead, bool slices) {
  w->old += objects;
  pace_promoted(&w->pace, objects, 0);
  if (pace_wants_cycle(&w->pace)) {
    w->garbage = pace_floating(&w->pace) * dead / 8;
    w->work = w->old * w->object_ns;
    pace_begin(&w->pace, w->old);
  }
  uint64_t ns = pace_slice(&w->pace);
  if (ns) ns = pace_rest(&w->pace, ns, w->young_ns);
  if (slices && ns) work(w, ns);
  uint64_t allowed = pace_allowed(&w->pace);
  if (pace_floating(&w->pace) * 1000 / allowed > w->worst)
    w->worst = pace_floating(&w->pace) * 1000 / allowed;
}

/* A collection of generation 1 that promotes so many, and nine of generation 0. */
static void promote_in_ten(world *w, uint64_t objects, unsigned dead) {
  promote(w, objects, dead, true);
  for (int k = 0; k < 9; k++) promote(w, 0, dead, true);
}

TEST(c3_a_program_that_promotes_nothing_pays_nothing) {
  world w = world_of(1000000, 50);
  for (int i = 0; i < 1000; i++) promote(&w, 0, 0, true);
  CHECK_EQ(w.cycles, 0);
  CHECK_EQ(w.longest, 0);
}

TEST(c3_garbage_stays_below_its_bound_and_slices_within_the_budget) {
  for (uint64_t live = 20000; live <= 20000000; live *= 10)
    for (unsigned dead = 0; dead <= 8; dead++) {
      world w = world_of(live, 50);
      for (int i = 0; i < 4000; i++) promote_in_ten(&w, 5000, dead);
      CHECK_EQ(w.cycles > 0, true);
      CHECK_EQ(w.longest <= BUDGET, true);
      CHECK_EQ(w.over, 0);
      if (live > 100000) CHECK_EQ(w.worst <= 1100, true);
    }
}

TEST(c3_a_collector_slower_than_expected_still_ends_its_cycles) {
  world w = world_of(1000000, 400);
  for (int i = 0; i < 20000; i++) promote_in_ten(&w, 3000, 4);
  CHECK_EQ(w.cycles > 10, true);
  CHECK_EQ(w.worst <= 1300, true);
}

/* A cycle takes 400 ms, 325 fit into the slices there are until it would be ended at once. */
TEST(c3_slices_get_longer_before_a_cycle_is_ended_at_once) {
  world w = world_of(1000000, 400);
  for (int i = 0; i < 400; i++) promote_in_ten(&w, 5000, 8);
  CHECK_EQ(w.cycles > 5, true);
  CHECK_EQ(w.over, 0);
  CHECK_EQ(w.longest > BUDGET, true);
  CHECK_EQ(w.longest <= 5 * BUDGET, true);
}

/* Before the first cycle an object is taken to cost seven times as much. */
TEST(c3_a_wrong_guess_makes_no_slice_longer) {
  world w = world_of(1000, 20);
  promote(&w, 1000000, 0, true);
  for (int i = 0; i < 100; i++) promote_in_ten(&w, 10000, 4);
  CHECK_EQ(w.over, 0);
  CHECK_EQ(w.longest <= BUDGET, true);
}

TEST(c3_without_slices_the_bound_wins) {
  world w = world_of(1000000, 50);
  int quiet = 0;
  while (pace_slice(&w.pace) != UINT64_MAX && quiet < 100000) promote(&w, 1000, 4, false), quiet++;
  CHECK_EQ(pace_slice(&w.pace) == UINT64_MAX, true);
  CHECK_EQ(pace_floating(&w.pace) <= pace_allowed(&w.pace) * 1300 / 1000, true);
  work(&w, pace_slice(&w.pace));
  CHECK_EQ(w.pace.in_cycle, false);
}

TEST(c3_a_cycle_begins_when_most_of_the_limit_is_used_up) {
  pace p;
  pace_init(&p, BUDGET, 250, 1000000);
  uint64_t steps = TUNE_PACE_BEFORE / 4; /* of 1,000, to TUNE_PACE_BEFORE of 250,000 */
  for (uint64_t i = 0; i < steps; i++) pace_promoted(&p, 1000, 0);
  CHECK_EQ(pace_wants_cycle(&p), false);
  pace_promoted(&p, 1000, 0);
  CHECK_EQ(pace_wants_cycle(&p), true);
}

TEST(c3_a_cycle_that_needs_many_slices_begins_earlier) {
  pace small, large;
  pace_init(&small, BUDGET, 250, 1000000);
  pace_init(&large, BUDGET, 250, 1000000);
  large.object_ns16 = 16 * 2000;
  for (int i = 0; i < 60; i++) pace_promoted(&small, 1000, 0), pace_promoted(&large, 1000, 0);
  CHECK_EQ(pace_wants_cycle(&small), false);
  CHECK_EQ(pace_wants_cycle(&large), true);
}

TEST(c3_a_heap_that_just_grows_is_looked_at_later) {
  world grows = world_of(1000000, 50), dies = world_of(1000000, 50);
  for (int i = 0; i < 400; i++) {
    promote(&grows, 5000, 0, true);
    promote(&dies, 5000, 8, true);
    for (int k = 0; k < 9; k++) promote(&grows, 0, 0, true), promote(&dies, 0, 8, true);
  }
  CHECK_EQ(grows.cycles * 3 < dies.cycles * 2, true);
}

TEST(c3_many_at_once_are_no_reason_to_end_a_cycle_at_once) {
  world w = world_of(10000, 50);
  promote(&w, 5000000, 0, true);
  CHECK_EQ(w.over, 0);
  for (int i = 0; i < 400; i++) promote(&w, 0, 0, true);
  CHECK_EQ(w.cycles, 1);
  CHECK_EQ(w.longest <= BUDGET, true);
  CHECK_EQ(w.over, 0);
}

TEST(c3_what_dies_by_its_count_is_no_garbage_but_a_quarter_is_counted) {
  pace p;
  pace_init(&p, BUDGET, 250, 1000000);
  for (int i = 0; i < 100; i++) pace_promoted(&p, 1000, 1000);
  CHECK_EQ(pace_floating(&p), 25000);
  CHECK_EQ(pace_wants_cycle(&p), false);
  for (int i = 0; i < 1000; i++) pace_promoted(&p, 1000, 1000);
  CHECK_EQ(pace_wants_cycle(&p), true);
}

TEST(c3_a_full_collection_leaves_no_debt) {
  world w = world_of(1000000, 50);
  promote(&w, 200000, 8, false);
  pace_clean(&w.pace, 1000000);
  CHECK_EQ(pace_floating(&w.pace), 0);
  CHECK_EQ(pace_slice(&w.pace), 0);
}

TEST(c3_a_collection_and_its_slice_are_one_pause) {
  pace p;
  pace_init(&p, BUDGET, 250, 1000000);
  CHECK_EQ(pace_rest(&p, BUDGET, 0), BUDGET);
  CHECK_EQ(pace_rest(&p, BUDGET, BUDGET / 10), BUDGET - BUDGET / 10);
  CHECK_EQ(pace_rest(&p, BUDGET / 3, BUDGET / 10), BUDGET / 3);
  CHECK_EQ(pace_rest(&p, BUDGET, BUDGET * 6 / 10), BUDGET - BUDGET * 6 / 10);
  CHECK_EQ(pace_rest(&p, BUDGET, BUDGET / 10), BUDGET - BUDGET / 10);
  CHECK_EQ(pace_rest(&p, 0, BUDGET * 9 / 10), 0);
  CHECK_EQ(pace_rest(&p, BUDGET, BUDGET * 9 / 10), 0);
  CHECK_EQ(pace_rest(&p, BUDGET, BUDGET * 2), BUDGET);
  CHECK_EQ(pace_rest(&p, BUDGET, BUDGET * 2), 0);
}

TEST(c3_cycles_end_where_all_collections_take_long) {
  world w = world_of(1000000, 50);
  w.young_ns = 2 * BUDGET;
  for (int i = 0; i < 4000; i++) promote_in_ten(&w, 5000, 4);
  CHECK_EQ(w.cycles > 10, true);
  CHECK_EQ(w.over, 0);
}
