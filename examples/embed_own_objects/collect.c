/* SPDX-License-Identifier: MIT */
/* The instance of the collector: the embedder's functions first, then the template. */
#include "embedder.h"

#include "cycle/template.h"

#include "collect.h"

#include <stdio.h>

static cycle_report run_slice(toy_collector *c, uint64_t budget_ns) {
  cycle_report r = toy_step(&c->cycle, c->world, budget_ns);
  c->destroyed += r.destroyed;
  if (r.finished) c->live_after = c->world->live;
  return r;
}

/* A cycle in progress has missed what became garbage since its start. */
int64_t toy_collect(toy_collector *c) {
  toy_abort(&c->cycle, c->world);
  if (!toy_start(&c->cycle, c->world)) return -1;
  cycle_report r = run_slice(c, UINT64_MAX);
  return r.out_of_memory ? -1 : (int64_t)r.found;
}

void toy_tick(toy_collector *c, uint64_t budget_ns) {
  if (toy_idle(&c->cycle) && c->world->live <= 2 * c->live_after) return;
  if (toy_idle(&c->cycle) && !toy_start(&c->cycle, c->world)) return;
  cycle_report r = run_slice(c, budget_ns);
  if (r.elapsed_ns > c->longest_ns) c->longest_ns = r.elapsed_ns;
}

void toy_collector_end(toy_collector *c) {
  toy_abort(&c->cycle, c->world);
  toy_finish(&c->cycle);
}

/* A toy has no channel for such news; its count or its `references` is wrong. */
void toy_broken(const toy_object *o, uint32_t count, uint32_t found) {
  fprintf(stderr, "toy: a %s counts %u references, but %u were found\n", o->kind->name, count,
          found);
}
