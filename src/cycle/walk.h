/* SPDX-License-Identifier: MIT */
/* Part of template.h: WALK, which takes old objects without a mark into the residual. */
#ifndef OURO_SRC_CYCLE_WALK_H
#define OURO_SRC_CYCLE_WALK_H

#include "scan.h"

/* The residual's table fills from the start. False: out of memory. */
static bool cycle_grow(cycle_set *s) {
  size_t most = s->table.reserved / sizeof(cycle_chunk);
  if (s->used + 1 < s->room || s->room == most) return true;
  size_t bytes = s->table.committed + TUNE_CYCLE_TABLE_PIECE;
  if (bytes > s->table.reserved) bytes = s->table.reserved;
  if (!cycle_table_commit(&s->table, bytes)) return false;
  s->room = (uint32_t)(s->table.committed / sizeof(cycle_chunk));
  return true;
}

static bool cycle_walk(cycle *c, CYCLE_EMBEDDER *e) {
  uint64_t words = c->residual.words;
  for (; c->at < words && !c->over; c->at++) {
    if (c->at % CYCLE_PAGE_WORDS == 0 && !embed_page(e, c->at / CYCLE_PAGE_WORDS)) {
      c->at += CYCLE_PAGE_WORDS - 1;
      cycle_spend(c, e, 1);
      continue;
    }
    uint64_t live = embed_live(e, c->at, ~c->marks.marked[c->at], true);
    cycle_spend(c, e, 1 + bits_count(live));
    if (!live) continue;
    if (!cycle_grow(&c->residual)) return cycle_fail(c);
    if (cycle_add(&c->residual, c->at, live)) c->report.examined += bits_count(live);
  }
  return c->at == words;
}

#endif
