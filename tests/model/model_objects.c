/* SPDX-License-Identifier: MIT */
/* Random programs with objects against a model of reachability. OURO_SEED=n replays a run;
 * OURO_ROUNDS=n plays n worlds of each kind instead of a few. */
#include "test.h"

#include "model/object_ops.h"
#include "support/tools.h"

static uint64_t next_random(chooser *from) {
  (void)from;
  return test_random();
}

static int rounds(void) {
  const char *given = getenv("OURO_ROUNDS");
  if (given) return atoi(given);
  return under_tsan() || under_valgrind() ? 2 : 25;
}

static void report_and_fail(const char *when, int step, uint64_t seed) {
  TEST_FAIL("%s, step %d of the world with OURO_SEED=%" PRIu64 ": does not hold: %s", when, step,
            seed, here->broken);
}

static void live_through(const ouro_heap_options *options, bool injection) {
  static world w;
  uint64_t seed = test_seed;
  chooser from = {.next = next_random};
  world_start(&w, options, &from);
  int steps = 100 + (int)(test_random() % 300);
  for (int i = 1; i <= steps; i++) {
    world_step(injection, i % 8 == 0 || i == steps);
    if (w.broken) report_and_fail("model", i, seed);
  }
  world_end();
  if (!w.broken) world_check_end();
  if (w.broken) report_and_fail("at the end", steps, seed);
  world_stop();
}

static void many(const ouro_heap_options *options, bool injection) {
  for (int n = rounds(); n > 0; n--) live_through(options, injection);
}

TEST(plain) {
  ouro_heap_options o = quiet_options("model");
  many(&o, false);
}

TEST(objects_with_faults) {
  ouro_heap_options o = quiet_options("model");
  many(&o, true);
}

TEST(objects_of_a_hardened_heap) {
  ouro_heap_options o = quiet_options("model");
  o.hardened = true;
  many(&o, true);
}

TEST(objects_of_a_hardened_heap_that_reuses_at_once) {
  ouro_heap_options o = quiet_options("model");
  o.hardened = true;
  o.quarantine = 0;
  many(&o, false);
}

TEST(objects_of_a_limited_heap) {
  ouro_heap_options o = quiet_options("model");
  o.limit = 3 * MIB;
  many(&o, false);
}

TEST(objects_of_a_heap_that_gives_back_at_once) {
  ouro_heap_options o = quiet_options("model");
  o.decay_ms = 1;
  o.keep = 0;
  many(&o, true);
}

TEST(objects_on_huge_pages) {
  ouro_heap_options o = quiet_options("model");
  o.huge = OURO_HUGE_ALWAYS;
  many(&o, false);
}
