/* SPDX-License-Identifier: MIT */
/* Random operations against a naive model, in every mode of a heap. OURO_SEED=n replays a run. */
#include "test.h"

#include "model/ops.h"
#include "support/tools.h"

static uint64_t next_random(chooser *from) {
  (void)from;
  return test_random();
}

enum { EVERY_STEP = 2500, SPARSE = 40000 };

static void report_and_fail(const model *m, const char *when, int step) {
  ouro_heap_stats s = stats_of(m->heap);
  sums_hold(&s);
  TEST_FAIL("%s, step %d, %zu blocks: does not hold: %s", when, step, m->live.count, m->broken);
}

/* `every`: steps from one whole-heap check to the next. */
static void run(const ouro_heap_options *options, int steps, int every, bool injection) {
  chooser from = {.next = next_random};
  model m;
  model_start(&m, options, &from);
  for (int i = 1; i <= steps && !m.broken; i++) {
    model_step(&m, injection, i % every == 0);
    if (m.broken) report_and_fail(&m, "model", i);
  }
  ouro_heap_fail(m.heap, 0, 0);
  if (!shadow_all_intact(&m.live)) TEST_FAIL("a live block was written into");
  step_walk(&m);
  while (m.live.count) step_free(&m);
  ouro_heap_give_back(m.heap);
  model_compare_numbers(&m);
  if (m.broken) report_and_fail(&m, "after the last free", steps);
  CHECK_EQ(stats_of(m.heap).live, 0u);
  CHECK(heap_ok(m.heap));
  model_stop(&m);
}

static void run_both(const ouro_heap_options *options, bool injection) {
  int part = under_tsan() ? 20 : 1; /* one thread: tsan has nothing to find here */
  run(options, EVERY_STEP / part, 1, injection);
  run(options, SPARSE / part, 200, injection);
}

TEST(plain) {
  ouro_heap_options o = quiet_options("model");
  run_both(&o, false);
}

TEST(plain_with_faults) {
  ouro_heap_options o = quiet_options("model");
  run_both(&o, true);
}

TEST(hardened) {
  ouro_heap_options o = quiet_options("model");
  o.hardened = true;
  run_both(&o, false);
}

TEST(hardened_with_faults_and_a_tiny_quarantine) {
  ouro_heap_options o = quiet_options("model");
  o.hardened = true;
  o.quarantine = 4096;
  run_both(&o, true);
}

TEST(limited) {
  ouro_heap_options o = quiet_options("model");
  o.limit = 2 * MIB + 12345;
  run_both(&o, false);
}

TEST(limited_and_hardened) {
  ouro_heap_options o = quiet_options("model");
  o.limit = 3 * MIB;
  o.hardened = true;
  run_both(&o, false);
}

TEST(decaying_at_once) {
  ouro_heap_options o = quiet_options("model");
  o.decay_ms = 1;
  o.keep = 0;
  run_both(&o, false);
}

TEST(huge_pages) {
  ouro_heap_options o = quiet_options("model");
  o.huge = OURO_HUGE_ALWAYS;
  o.decay_ms = 1;
  run_both(&o, false);
}

TEST(locked_by_caller) {
  ouro_heap_options o = quiet_options("model");
  o.locked_by_caller = true;
  o.hardened = true;
  run_both(&o, false);
}

TEST(many_short_lives_of_a_heap) {
  for (int life = 0; life < 60; life++) {
    ouro_heap_options o = quiet_options("model");
    o.hardened = test_random() % 2;
    o.decay_ms = (uint32_t)(test_random() % 2);
    o.limit = test_random() % 2 ? 0 : MIB;
    run(&o, 300, 7, test_random() % 2);
  }
}
