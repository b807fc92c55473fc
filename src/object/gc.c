/* SPDX-License-Identifier: MIT */
/* Collections: young ones in one go, old ones as cycles, and what the program may ask for. */
#include <inttypes.h>

#include "native.h"

#include "../cycle/template.h"

bool gc_open(runtime *rt) {
  collector *g = os_map(os_whole_pages(sizeof *g));
  if (!g) return false;
  g->threshold[0] = TUNE_THRESHOLD_0;
  g->threshold[1] = TUNE_THRESHOLD_1;
  g->threshold[2] = TUNE_THRESHOLD_2;
  g->pause_ns = TUNE_PAUSE_NS;
  g->garbage_limit = TUNE_GARBAGE_LIMIT;
  g->passes = TUNE_PASSES;
  rt->gc = g;
  return true;
}

void gc_close(runtime *rt) {
  cycle_forget(&rt->gc->cycle); /* not native_abort: nothing is destroyed at a heap's end */
  native_finish(&rt->gc->cycle);
  object_list_free(&rt->gc->garbage);
  os_release(rt->gc, os_whole_pages(sizeof *rt->gc));
}

/* --- telling --- */

static void tell_start(runtime *rt, int generation) {
  rt->gc->found = rt->gc->uncollectable = 0;
  report_event(rt, &(ouro_gc_event){.kind = OURO_GC_START, .generation = generation});
}

static void note_longest(ouro_gc_stats *s, uint64_t ns, const char *what) {
  if (ns <= s->longest_atomic_ns) return;
  s->longest_atomic_ns = ns;
  s->longest_atomic = what;
}

static void tell_stop(runtime *rt, int generation, uint64_t elapsed_ns) {
  collector *g = rt->gc;
  ouro_generation_stats *s = &g->stats.generation[generation];
  s->collections++;
  s->collected += g->found - g->uncollectable;
  s->uncollectable += g->uncollectable;
  s->elapsed_ns += elapsed_ns;
  if (g->debug & OURO_DEBUG_STATS)
    report_line(rt, "generation %d: %" PRIu64 " unreachable, %" PRIu64 " uncollectable, %.3f ms",
                generation, g->found, g->uncollectable, (double)elapsed_ns / 1e6);
  report_event(rt, &(ouro_gc_event){.kind = OURO_GC_STOP,
                                    .generation = generation,
                                    .found = g->found,
                                    .uncollectable = g->uncollectable,
                                    .elapsed_ns = elapsed_ns});
}

static void give_up(runtime *rt) {
  rt->gc->stats.given_up++;
  rt->error = "out of memory for the collector's tables";
  report_event(rt,
               &(ouro_gc_event){.kind = OURO_GC_GIVEN_UP, .generation = 2, .reason = rt->error});
}

/* --- young collections --- */

static bool measure_word(void *members, uint64_t word, uint64_t bits) {
  (void)word;
  *(size_t *)members += bits_count(bits);
  return true;
}

static bool add_word(void *cycle, uint64_t word, uint64_t bits) {
  return native_batch_add(cycle, word, bits);
}

/* Finds and destroys garbage among generations 0 to `generation`. False: no memory for it. */
static bool test_young(runtime *rt, int generation) {
  collector *g = rt->gc;
  size_t members = 0, destroyed;
  uint64_t released = g->released, promoted = 0;
  generations_each(rt, generation, measure_word, &members);
  g->stats.generation[generation].candidates += members;
  if (!native_batch_begin(&g->cycle, rt, members)) return false;
  generations_each(rt, generation, add_word, &g->cycle);
  if (generation == 0) generations_age_begin(rt);
  else promoted = generations_merge(rt);
  g->found = native_batch_run(&g->cycle, rt, &destroyed);
  if (generation == 0) generations_age_end(rt);
  else g->pending += promoted - (g->released - released);
  return true;
}

static void count_collection(collector *g, int generation) {
  for (int k = 0; k <= generation; k++) g->since[k] = 0;
  if (generation < 2) g->since[generation + 1]++;
}

/* A cycle may be in progress, whose counts go on afterwards. */
static int64_t collect_young(runtime *rt, int generation) {
  collector *g = rt->gc;
  uint64_t began = os_clock_ns(), found = g->found, uncollectable = g->uncollectable;
  g->running = true;
  tell_start(rt, generation);
  generations_rest(rt);
  bool tested = test_young(rt, generation);
  uint64_t elapsed = os_clock_ns() - began;
  if (tested) count_collection(g, generation);
  else give_up(rt);
  note_longest(&g->stats, elapsed, "young");
  g->young_ns = elapsed;
  tell_stop(rt, generation, elapsed);
  int64_t result = tested ? (int64_t)g->found : -1;
  g->found = found;
  g->uncollectable = uncollectable;
  g->running = false;
  return result;
}

/* --- cycles of generation 2 --- */

static bool old_begin(runtime *rt) {
  collector *g = rt->gc;
  g->pending += generations_merge(rt);
  if (!native_start(&g->cycle, rt)) {
    give_up(rt);
    return false;
  }
  tell_start(rt, 2);
  g->expected = (uint64_t)((double)page_sum(rt).tracked * g->passes) + 1;
  g->examined = 0;
  g->elapsed_ns = 0;
  g->pending_at_start = g->pending;
  g->died_at_start = g->died;
  g->released_at_start = g->released;
  count_collection(g, 2);
  return true;
}

static void old_end(runtime *rt) {
  collector *g = rt->gc;
  g->stats.floating_bytes = g->released - g->released_at_start;
  uint64_t began = g->pending_at_start;
  page_sums sums = page_sum(rt);
  g->live = sums.bytes + rt->heap->large_bytes + g->external;
  g->pending -= began < g->pending ? began : g->pending;
  g->died -= g->died_at_start;
  g->passes = (double)g->examined / (double)(sums.tracked + g->found + 1);
  if (g->passes < 1) g->passes = 1;
  g->stats.generation[2].candidates += sums.tracked + g->found - g->uncollectable;
  g->stats.live_bytes = g->live;
  pool_flush_all(rt->heap);
  tell_stop(rt, 2, g->elapsed_ns);
}

static cycle_report old_slice(runtime *rt, uint64_t budget_ns) {
  collector *g = rt->gc;
  g->running = true;
  cycle_report r = native_step(&g->cycle, rt, budget_ns);
  g->examined += r.examined;
  g->found += r.found;
  g->elapsed_ns += r.elapsed_ns;
  g->stats.slices++;
  ouro_generation_stats *s = &g->stats.generation[2];
  if (r.elapsed_ns > s->longest_ns) s->longest_ns = r.elapsed_ns;
  note_longest(&g->stats, r.longest_ns, cycle_phase_name(r.longest));
  report_event(
      rt, &(ouro_gc_event){.kind = OURO_GC_SLICE, .generation = 2, .elapsed_ns = r.elapsed_ns});
  if (r.out_of_memory) give_up(rt);
  if (r.finished && !r.out_of_memory) old_end(rt);
  g->slice_ended = os_clock_ns();
  g->running = false;
  return r;
}

/* --- when --- */

/* What may be promoted while garbage floats. */
static double allowance(const collector *g) {
  double live = (double)(g->live > TUNE_LEAST_OLD_BYTES ? g->live : TUNE_LEAST_OLD_BYTES);
  return g->garbage_limit * live;
}

/* How much the old generation has grown by what was promoted: who died by the count floats no
 * more. Who died may have been old long before, so that a part of what was promoted counts in any
 * case. */
static double growth(uint64_t promoted, uint64_t died) {
  double net = (double)promoted - (double)died, least = (double)promoted * TUNE_GROSS;
  return net > least ? net : least;
}

static bool old_is_due(const collector *g) {
  double grown = growth(g->pending, g->died);
  if (grown > allowance(g)) return true;
  return g->since[2] > g->threshold[2] && grown > TUNE_START_SHARE * allowance(g);
}

static void escalate(runtime *rt) {
  static const char reason[] = "garbage may not exceed its share of the heap: finished in one go";
  collector *g = rt->gc;
  cycle_report r = old_slice(rt, UINT64_MAX);
  g->stats.escalations++;
  report_event(rt, &(ouro_gc_event){.kind = OURO_GC_ESCALATION,
                                    .generation = 2,
                                    .elapsed_ns = r.elapsed_ns,
                                    .reason = reason});
}

/* What may still be promoted while the cycle goes on. One that began late has little left: at least
 * a part, so that it can go on in slices at all. */
static double left_to_grow(const collector *g) {
  double least = TUNE_LATE * allowance(g);
  double left = allowance(g) - growth(g->pending_at_start, g->died_at_start);
  return left > least ? left : least;
}

static double grown_meanwhile(const collector *g) {
  return growth(g->pending - g->pending_at_start, g->died - g->died_at_start);
}

/* Whether less of the work is done than of the growth that is left. Young objects count as if they
 * had been promoted, since they will be before the next look. */
static bool cycle_is_late(const runtime *rt) {
  const collector *g = rt->gc;
  double done = (double)g->examined / (double)g->expected;
  double young = (double)rt->young_count * TUNE_YOUNG_BYTES;
  return (grown_meanwhile(g) + young) * TUNE_PACE > done * left_to_grow(g);
}

/* The pause of a slice began with the young collection before it. */
static uint64_t slice_budget(const collector *g) {
  uint64_t least = g->pause_ns / 4;
  return g->young_ns < g->pause_ns - least ? g->pause_ns - g->young_ns : least;
}

/* Work goes on after each young collection: where the cycle is on time, a share of the time. */
static void pace(runtime *rt) {
  collector *g = rt->gc;
  if (grown_meanwhile(g) > left_to_grow(g)) {
    escalate(rt);
    return;
  }
  uint64_t idle = os_clock_ns() - g->slice_ended;
  if (cycle_is_late(rt) || idle >= g->pause_ns * TUNE_REST) old_slice(rt, slice_budget(g));
}

static void after_young(runtime *rt) {
  collector *g = rt->gc;
  g->next_slice = TUNE_SLICE_OBJECTS;
  if (native_idle(&g->cycle) && !(old_is_due(g) && old_begin(rt))) return;
  if (g->pause_ns == 0) old_slice(rt, UINT64_MAX);
  else pace(rt);
}

/* A cycle that is late gets slices between young collections too, each a pause of its own: so the
 * bound on garbage costs the program time, and seldom a longer pause. */
static void between_young(runtime *rt) {
  collector *g = rt->gc;
  if (rt->young_count < g->next_slice || native_idle(&g->cycle) || g->disabled) return;
  g->next_slice = rt->young_count + TUNE_SLICE_OBJECTS;
  if (cycle_is_late(rt)) old_slice(rt, g->pause_ns);
}

static bool stress_is_due(collector *g) {
  if (g->stress == 0 || --g->stress_left > 0) return false;
  g->stress_left = g->stress;
  return true;
}

void gc_before_allocation(runtime *rt) {
  collector *g = rt->gc;
  if (g->running) return;
  if (OURO_UNLIKELY(stress_is_due(g))) ouro_collect(&rt->heap->open, 2);
  between_young(rt);
  if (rt->young_count <= g->threshold[0] || g->disabled || g->threshold[0] == 0) return;
  rt->young_count = generations_young(rt); /* net of those that have died */
  if (rt->young_count <= g->threshold[0]) return;
  collect_young(rt, g->since[1] >= g->threshold[1]);
  after_young(rt);
}

bool gc_emergency(runtime *rt) {
  if (rt->gc->running || rt->heap->faults != rt->faults_seen) {
    rt->faults_seen = rt->heap->faults;
    return false;
  }
  return ouro_collect(&rt->heap->open, 2) >= 0;
}

/* --- what the program asks for --- */

int64_t ouro_collect(ouro_heap *heap, int generation) {
  runtime *rt = runtime_in(heap);
  if (!rt || rt->gc->running || generation < 0) return 0;
  if (generation < 2) return collect_young(rt, generation);
  native_abort(&rt->gc->cycle, rt);
  if (!old_begin(rt)) return -1;
  return old_slice(rt, UINT64_MAX).out_of_memory ? -1 : (int64_t)rt->gc->found;
}

ouro_step_report ouro_step(ouro_heap *heap, uint64_t budget_ns) {
  runtime *rt = runtime_in(heap);
  if (!rt || rt->gc->running) return (ouro_step_report){.finished = true};
  if (native_idle(&rt->gc->cycle) && !old_begin(rt))
    return (ouro_step_report){.finished = true, .out_of_memory = true};
  cycle_report r = old_slice(rt, budget_ns);
  return (ouro_step_report){.finished = r.finished,
                            .out_of_memory = r.out_of_memory,
                            .examined = r.examined,
                            .found = r.found,
                            .elapsed_ns = r.elapsed_ns,
                            .longest_ns = r.longest_ns,
                            .longest = cycle_phase_name(r.longest)};
}
