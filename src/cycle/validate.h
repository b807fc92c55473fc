/* SPDX-License-Identifier: MIT */
/*
 * Part of template.h: what holds at the end of each phase, in checked builds. What the program can
 * change is checked where it has not run since the cycle began (c->undisturbed).
 */
#ifndef OURO_SRC_CYCLE_VALIDATE_H
#define OURO_SRC_CYCLE_VALIDATE_H

#include "../base/assert.h"
#include "components.h"

/* No mark remains to be scanned. */
static bool cycle_all_scanned(const cycle *c) {
  for (uint64_t page = 0; page < c->marks.pages; page++)
    if (c->marks.grey[page]) return false;
  for (uint64_t word = 0; word < c->residual.words; word++)
    if (c->marks.marked[word] != c->marks.scanned[word]) return false;
  return true;
}

/* Chunks and words name each other. */
static bool cycle_set_holds(const cycle_set *s) {
  uint64_t taken = 0;
  for (uint64_t word = 0; word < s->words; word++) taken += s->chunk_of[word] != 0;
  for (uint32_t k = 1; k <= s->used; k++)
    if (s->chunk_of[s->chunks[k].word] != k) return false;
  return taken == s->used && !s->chunks[0].members;
}

static bool cycle_none_marked(const cycle *c) {
  for (uint32_t k = 1; k <= c->residual.used; k++) {
    const cycle_chunk *chunk = &c->residual.chunks[k];
    if (chunk->members & c->marks.marked[chunk->word]) return false;
  }
  return true;
}

static bool cycle_counters_are_zero(const cycle *c) {
  for (uint32_t k = 1; k <= c->residual.used; k++)
    if (cycle_nonzero(&c->residual.chunks[k])) return false;
  return true;
}

/* References found by looking once more at what a phase has looked at. */
typedef struct cycle_audit {
  CYCLE_EMBEDDER *e;
  const cycle *c;
  uint32_t root;   /* of the referring member's component; 0: it is marked */
  uint32_t within; /* to members of the residual */
  uint32_t stray;  /* to candidates of another component */
} cycle_audit;

static inline CYCLE_VISITED cycle_visit_audit(CYCLE_OBJECT referent, void *arg) {
  cycle_audit *a = arg;
  const cycle_set *s = &a->c->residual;
  uint64_t slot;
  if (!embed_slot(a->e, referent, &slot)) return CYCLE_GO_ON;
  const cycle_chunk *chunk = cycle_chunk_of(s, slot);
  if (!cycle_has(chunk, slot)) return CYCLE_GO_ON;
  a->within++;
  if (a->c->marks.marked[chunk->word] >> slot % 64 & 1) return CYCLE_GO_ON;
  a->stray += cycle_find(s, cycle_rank(s, chunk, slot)) != a->root;
  return CYCLE_GO_ON;
}

/* Looks at all members that are still there, or at all that are marked or are not. Returns the sum
 * of counts less counters. */
static uint32_t cycle_audit_members(cycle *c, CYCLE_EMBEDDER *e, bool marked, bool unmarked,
                                    cycle_audit *a) {
  uint32_t sum = 0;
  for (c->at = c->rest = 0; cycle_next(c, false); c->rest &= c->rest - 1) {
    uint32_t rank = cycle_here(c);
    uint64_t slot = cycle_slot_of(&c->residual, rank);
    bool is_marked = c->marks.marked[slot / 64] >> slot % 64 & 1;
    if (!(is_marked ? marked : unmarked) || !embed_live(e, slot / 64, 1ull << slot % 64, true))
      continue;
    CYCLE_GROUP group = embed_group(e, slot / 64);
    CYCLE_OBJECT o = embed_object(e, &group, slot);
    a->root = is_marked ? 0 : cycle_find(&c->residual, rank);
    uint32_t count = embed_count(e, o);
    sum += (count == UINT32_MAX ? 0 : count) - *cycle_counter_of(&c->residual, rank);
    embed_traverse(e, &group, o, 0, embed_length(e, &group, o), cycle_visit_audit, a);
  }
  c->at = c->rest = 0;
  return sum;
}

/* Counts less counters are the references within the residual. */
static bool cycle_sums_hold(cycle *c, CYCLE_EMBEDDER *e) {
  cycle_audit a = {.e = e, .c = c};
  return cycle_audit_members(c, e, true, true, &a) == a.within;
}

/* What is held refers to no candidate. */
static bool cycle_held_is_closed(cycle *c, CYCLE_EMBEDDER *e) {
  cycle_audit a = {.e = e, .c = c};
  return cycle_audit_members(c, e, true, false, &a), !a.stray;
}

/* Candidates refer to those of their component only. */
static bool cycle_components_are_closed(cycle *c, CYCLE_EMBEDDER *e) {
  cycle_audit a = {.e = e, .c = c};
  return cycle_audit_members(c, e, false, true, &a), !a.stray;
}

/* The order holds each candidate once, components side by side. */
static bool cycle_order_holds(const cycle *c) {
  const uint32_t *order = c->order.at;
  size_t members = 0;
  for (size_t at = 0, end; at < c->candidates; at = end) {
    end = cycle_component_end(c, at);
    if (end <= at || end > c->candidates) return false;
    uint32_t root = cycle_find(&c->residual, order[at]);
    for (size_t i = at; i < end; i++) members += cycle_find(&c->residual, order[i]) == root;
    for (size_t i = at + 1; i < end; i++) members -= order[i] <= order[i - 1];
  }
  return members == c->candidates;
}

static void cycle_validate(cycle *c, CYCLE_EMBEDDER *e) {
  switch (c->phase) {
  case CYCLE_MARK: OURO_SLOW(cycle_all_scanned(c)); break;
  case CYCLE_WALK: OURO_SLOW(cycle_set_holds(&c->residual) && cycle_none_marked(c)); break;
  case CYCLE_SUBTRACT: OURO_SLOW(!c->undisturbed || cycle_sums_hold(c, e)); break;
  case CYCLE_WEIGH: OURO_SLOW(cycle_counters_are_zero(c)); break;
  case CYCLE_HELD:
    OURO_SLOW(cycle_all_scanned(c) && (!c->undisturbed || cycle_held_is_closed(c, e)));
    break;
  case CYCLE_UNION: OURO_SLOW(!c->undisturbed || cycle_components_are_closed(c, e)); break;
  case CYCLE_ASSIGN:
    OURO_CHECK(c->end == c->candidates);
    OURO_SLOW(cycle_order_holds(c));
    break;
  case CYCLE_BATCHES: OURO_CHECK(!c->batch.set.used); break;
  case CYCLE_HOLD:
  case CYCLE_CLEAR: OURO_CHECK(c->position == c->batch.set.used); break;
  case CYCLE_RELEASE: OURO_SLOW(cycle_set_holds(&c->batch.set)); break;
  default: OURO_CHECK(!c->position); break;
  }
}

#endif
