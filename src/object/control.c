/* SPDX-License-Identifier: MIT */
/* The collector's settings and numbers. */
#include "collector.h"

/* The collector of a heap, which is made where there is none; NULL: out of memory. */
static collector *collector_of(ouro_heap *heap) {
  runtime *rt = runtime_ensure(heap);
  return rt ? rt->gc : NULL;
}

void ouro_gc_enable(ouro_heap *heap, bool enabled) {
  collector *g = collector_of(heap);
  if (g) g->disabled = !enabled;
}

bool ouro_gc_is_enabled(const ouro_heap *heap) {
  const runtime *rt = runtime_in(heap);
  return !rt || !rt->gc->disabled;
}

void ouro_gc_set_thresholds(ouro_heap *heap, const uint32_t threshold[OURO_GENERATIONS]) {
  collector *g = collector_of(heap);
  for (int k = 0; g && k < OURO_GENERATIONS; k++) g->threshold[k] = threshold[k];
}

void ouro_gc_thresholds(const ouro_heap *heap, uint32_t threshold[OURO_GENERATIONS]) {
  static const uint32_t standard[] = {TUNE_THRESHOLD_0, TUNE_THRESHOLD_1, TUNE_THRESHOLD_2};
  const runtime *rt = runtime_in(heap);
  for (int k = 0; k < OURO_GENERATIONS; k++) threshold[k] = rt ? rt->gc->threshold[k] : standard[k];
}

void ouro_gc_counts(const ouro_heap *heap, uint64_t count[OURO_GENERATIONS]) {
  const runtime *rt = runtime_in(heap);
  for (int k = 0; k < OURO_GENERATIONS; k++) count[k] = rt && k ? rt->gc->since[k] : 0;
  if (rt) count[0] = generations_young(rt);
}

void ouro_gc_set_pause(ouro_heap *heap, uint64_t budget_ns) {
  collector *g = collector_of(heap);
  if (g) g->pause_ns = budget_ns;
}

void ouro_gc_set_garbage_limit(ouro_heap *heap, double share) {
  collector *g = collector_of(heap);
  if (g && share > 0) g->garbage_limit = share;
}

void ouro_gc_external(ouro_heap *heap, int64_t delta) {
  collector *g = collector_of(heap);
  if (!g) return;
  uint64_t less = delta < 0 ? 0 - (uint64_t)delta : 0;
  if (delta > 0) g->pending += (uint64_t)delta, g->external += (uint64_t)delta;
  g->pending -= less < g->pending ? less : g->pending;
  g->external -= less < g->external ? less : g->external;
}

void ouro_gc_set_roots(ouro_heap *heap, ouro_roots_fn roots, void *ctx) {
  collector *g = collector_of(heap);
  if (!g) return;
  g->roots = roots;
  g->roots_ctx = ctx;
}

void ouro_gc_listen(ouro_heap *heap, const ouro_listener *listener) {
  collector *g = collector_of(heap);
  if (g) g->listener = listener ? *listener : (ouro_listener){0};
}

void ouro_gc_set_debug(ouro_heap *heap, unsigned flags) {
  collector *g = collector_of(heap);
  if (g) g->debug = flags;
}

unsigned ouro_gc_debug(const ouro_heap *heap) {
  const runtime *rt = runtime_in(heap);
  return rt ? rt->gc->debug : 0;
}

/* Every allocation must be seen, so the bins keep nothing at hand. */
void ouro_gc_set_stress(ouro_heap *heap, uint32_t n) {
  runtime *rt = runtime_ensure(heap);
  if (!rt) return;
  rt->gc->stress = rt->gc->stress_left = n;
  heap_watch(rt->heap, n != 0);
}

void ouro_gc_stats_read(const ouro_heap *heap, ouro_gc_stats *out) {
  const runtime *rt = runtime_in(heap);
  *out = rt ? rt->gc->stats : (ouro_gc_stats){0};
  if (!rt) return;
  out->pending_bytes = rt->gc->pending;
  out->tracked = generations_tracked(rt);
}

/* --- single objects --- */

bool ouro_is_tracked(const void *object) {
  const ouro_object *o = object;
  return type_of(runtime_of(o), o)->tracked && !(o->flags & OURO_FLAG_UNTRACKED);
}

int ouro_generation_of(const void *object) {
  const ouro_object *o = object;
  if (!ouro_is_tracked(o)) return -1;
  const runtime *rt = runtime_of(o);
  return rt->frozen_count && frozen_is(rt, slot_of(o)) ? 3 : (int)generation_of(o);
}

void ouro_untrack(void *object) {
  OURO_OBJECT(object)->flags |= OURO_FLAG_UNTRACKED;
  runtime_of(object)->untracked = true;
}

void ouro_track(void *object) { OURO_OBJECT(object)->flags &= (uint8_t)~OURO_FLAG_UNTRACKED; }
