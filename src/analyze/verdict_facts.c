/* SPDX-License-Identifier: MIT */
#include "verdict_facts.h"

#include <stdio.h>
#include <string.h>

#define FACTS_LEAST ((int64_t)256 << 10) /* bytes: less is noise in any process */
#define FACTS_NOISE_BYTES ((int64_t)1 << 20)
#define FACTS_NOISE_PART 50 /* of the resident memory */

const verdict_row verdict_outside_rows[FACTS_ROWS] = {
    {"malloc.used", "system allocator, in its arenas"},
    {"malloc.mapped", "system allocator, mapped one by one"},
    {"heap.requested", "Ouro's heap, live blocks"},
    {"python.arenas", "the interpreter's arenas from before Ouro"},
    {"python.frames", "frame stacks"},
    {"libraries.mapped", "mapped by libraries themselves"},
    {"unknown", "not attributed"},
    {"shared", "shared memory"},
    {"stacks.threads", "stacks of threads"},
};

const verdict_row verdict_kept_rows[FACTS_ROWS] = {
    {"heap.pinned", "Ouro's heap: free, on pages that live blocks keep"},
    {"heap.purgeable", "Ouro's heap: free pages"},
    {"heap.held", "Ouro's heap: free, claimed for the next requests"},
    {"heap.ahead", "Ouro's heap: touched ahead by huge pages"},
    {"malloc.free", "system allocator: free and kept"},
};

static uint64_t facts_ledger(const snapshot *s, const char *key) {
  char whole[64];
  snprintf(whole, sizeof whole, "ledger.%s", key);
  return snapshot_number(s, whole, 0);
}

static int64_t facts_sum(const snapshot *s, const verdict_row *rows, uint64_t *values) {
  uint64_t sum = 0;
  for (size_t i = 0; i < FACTS_ROWS && rows[i].key; i++)
    sum += values[i] = facts_ledger(s, rows[i].key);
  return (int64_t)sum;
}

static bool facts_has(const snapshot *s, const char *key) {
  return snapshot_fact(s, key).length > 0;
}

static bool facts_is(const snapshot *s, const char *key, const char *value) {
  snapshot_text text = snapshot_fact(s, key);
  return text.length == strlen(value) && memcmp(text.text, value, text.length) == 0;
}

/* Never called by itself: switched off, or a first threshold of 0, which CPython takes for it. */
static bool facts_collector_off(const snapshot *s) {
  if (facts_is(s, "gc.enabled", "0")) return true;
  return facts_is(s, "gc.collector", "python") && facts_is(s, "gc.threshold0", "0");
}

void verdict_facts_read(verdict_facts *f, const reach *r) {
  const snapshot *s = r->of->from;
  *f = (verdict_facts){.ledger = facts_has(s, "ledger.resident")};
  f->resident = snapshot_number(s, "rss", facts_ledger(s, "resident"));
  f->resident_known = f->resident > 0;
  f->live = r->bytes[REACH_ROOT] + r->bytes[REACH_UNSEEN];
  f->garbage = r->bytes[REACH_GARBAGE];
  f->objects = f->live + f->garbage;
  f->live_objects = r->objects[REACH_ROOT] + r->objects[REACH_UNSEEN];
  f->all_objects = f->live_objects + r->objects[REACH_GARBAGE];
  f->used = facts_sum(s, verdict_outside_rows, f->outside_rows);
  f->outside = f->used - (int64_t)f->objects;
  f->kept = facts_sum(s, verdict_kept_rows, f->kept_rows);
  f->ready = (int64_t)(facts_ledger(s, "heap.purgeable") + facts_ledger(s, "heap.ahead"));
  f->unknown = facts_ledger(s, "unknown");
  f->blocks_known = facts_has(s, "alloc.total");
  f->blocks = snapshot_number(s, "alloc.total", 0);
  f->time = snapshot_number(s, "time", 0);
  f->collector_off = facts_collector_off(s);
}

uint64_t verdict_base(const verdict_facts *f) {
  return f->resident_known ? f->resident : f->objects;
}

bool verdict_is_noise(const verdict_facts *f, int64_t bytes) {
  int64_t part = (int64_t)(verdict_base(f) / FACTS_NOISE_PART);
  return bytes < FACTS_LEAST || (bytes < FACTS_NOISE_BYTES && bytes < part);
}

bool verdict_is_quiet(const verdict_facts *f, int64_t bytes) {
  int64_t part = (int64_t)(verdict_base(f) / FACTS_NOISE_PART);
  return bytes < FACTS_NOISE_BYTES || bytes < part;
}
