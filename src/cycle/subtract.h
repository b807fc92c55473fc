/* SPDX-License-Identifier: MIT */
/*
 * Part of template.h: SUBTRACT and WEIGH, which find out who in the residual is held from outside.
 *
 *     counter = count - references found within the residual, modulo 2^32
 *
 * Of garbage it is exactly 0, as nobody could change the garbage meanwhile. Above 0 there is a
 * reference from outside. Below 0 the program has moved references since they were found, or a
 * traverse is wrong: the exact test tells which.
 */
#ifndef OURO_SRC_CYCLE_SUBTRACT_H
#define OURO_SRC_CYCLE_SUBTRACT_H

#include "scan.h"

typedef struct cycle_subtracter {
  CYCLE_EMBEDDER *e;
  const cycle_set *residual;
  cycle_found *found;
  uint64_t near; /* a slot of the page that is looked at */
} cycle_subtracter;

static inline CYCLE_VISITED cycle_visit_subtract(CYCLE_OBJECT referent, void *arg) {
  const cycle_subtracter *v = arg;
  uint64_t slot;
  if (embed_slot(v->e, referent, &slot)) cycle_count_soon(v->found, v->residual, slot, v->near);
  return CYCLE_GO_ON;
}

/* Immortal objects are held whatever refers to them. */
static inline void cycle_add_count(cycle *c, CYCLE_EMBEDDER *e, CYCLE_OBJECT o) {
  cycle_chunk *chunk = &c->residual.chunks[c->at];
  unsigned bit = ouro_lowest_bit(c->rest);
  uint32_t count = embed_count(e, o);
  if (OURO_UNLIKELY(count == UINT32_MAX)) cycle_mark(&c->marks, chunk->word * 64 + bit);
  else chunk->counter[bit] += count;
}

/* Members that WALK took for objects and are none, or have died since, are members no more. */
CYCLE_FLAT bool cycle_subtract_some(cycle *c, CYCLE_EMBEDDER *e, cycle_found *found) {
  cycle_subtracter v = {e, &c->residual, found, 0};
  cycle_members m = {.live = 0};
  if (c->rest) cycle_open(c, e, &m);
  for (uint64_t spent = 0; !c->over && cycle_next_open(c, e, &m, false);
       cycle_go_on(c, e, &spent)) {
    if (!cycle_lives_here(c, &m)) {
      m.chunk->members &= ~(c->rest & -c->rest);
      continue;
    }
    CYCLE_OBJECT o = cycle_object_here(c, e, &m);
    v.near = m.chunk->word * 64;
    if (!c->position) cycle_add_count(c, e, o);
    if (!cycle_scan(c, e, &m.group, o, &spent, cycle_visit_subtract, &v)) return false;
  }
  return !cycle_next(c, false);
}

static bool cycle_subtract(cycle *c, CYCLE_EMBEDDER *e) {
  cycle_found found = {.at = 0};
  bool done = cycle_subtract_some(c, e, &found);
  cycle_count_waiting(&found);
  return done;
}

/* Marks who is held from outside, and sets the counters to 0 for UNION. */
static void cycle_weigh_chunk(cycle *c, cycle_chunk *chunk) {
  uint64_t odd = cycle_nonzero(chunk), held = 0;
  for (uint64_t rest = odd; rest; rest &= rest - 1)
    if ((int32_t)chunk->counter[ouro_lowest_bit(rest)] > 0) held |= rest & -rest;
  if (odd != held) c->undisturbed = false; /* below 0: the exact test has to tell why */
  memset(chunk->counter, 0, sizeof chunk->counter);
  cycle_mark_word(&c->marks, chunk->word, held & chunk->members);
}

static bool cycle_weigh(cycle *c, CYCLE_EMBEDDER *e) {
  while (c->at < c->residual.used && !c->over) {
    cycle_weigh_chunk(c, &c->residual.chunks[++c->at]);
    cycle_spend(c, e, 8);
  }
  return c->at == c->residual.used;
}

#endif
