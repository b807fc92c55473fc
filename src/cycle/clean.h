/* SPDX-License-Identifier: MIT */
/* Part of template.h: the tables of a cycle, from its start to CLEAN. */
#ifndef OURO_SRC_CYCLE_CLEAN_H
#define OURO_SRC_CYCLE_CLEAN_H

#include "batch.h"

/* Marks and the residual's words lie in one table: pages * (512 + 512 + 8 + 256 + 4) bytes. */
static void cycle_lay_out(cycle *c, uint64_t pages) {
  uint64_t words = pages * CYCLE_PAGE_WORDS, *at = c->tables.at;
  c->marks = (cycle_marks){.marked = at,
                           .scanned = at + words,
                           .grey = at + 2 * words,
                           .slots = pages * CYCLE_PAGE_SLOTS,
                           .pages = (uint32_t)pages};
  memset(c->marks.ring, 0xff, sizeof c->marks.ring);
  c->residual.chunk_of = (uint32_t *)(at + 2 * words + pages);
  c->residual.words = words;
  c->marks.queue = c->residual.chunk_of + words;
}

/* A table that reads as zero, in the place of the one that was kept. */
static bool cycle_table_again(cycle_table *table, size_t bytes) {
  if (bytes <= table->committed) return memset(table->at, 0, bytes), true;
  cycle_table_free(table);
  return cycle_table_make(table, bytes);
}

/* False: out of memory; what was made is in the cycle for cycle_forget. */
static bool cycle_make_tables(cycle *c, uint64_t pages) {
  uint64_t words = pages * CYCLE_PAGE_WORDS, chunks = words + 1;
  cycle_table *table = &c->residual.table;
  if (pages > UINT32_MAX) return false;
  if (!cycle_table_again(&c->tables, words * 20 + pages * 12)) return false;
  if (chunks > TUNE_CYCLE_CHUNKS) chunks = TUNE_CYCLE_CHUNKS;
  cycle_lay_out(c, pages);
  if (table->reserved < chunks * sizeof(cycle_chunk)) cycle_table_free(table);
  if (!table->at && !cycle_table_reserve(table, chunks * sizeof(cycle_chunk))) return false;
  c->residual.chunks = table->at;
  c->residual.room = (uint32_t)(table->committed / sizeof(cycle_chunk));
  return cycle_grow(&c->residual);
}

/* Whether the tables stay for the next cycle. Those of a batch have no more words than the
 * residual. */
static bool cycle_keeps_tables(const cycle *c) {
  return c->budget == UINT64_MAX && !c->failed && c->tables.committed <= TUNE_CYCLE_KEPT &&
         c->residual.used * sizeof(cycle_chunk) <= TUNE_CYCLE_KEPT;
}

/* Gives the tables back, the largest from the end. */
static bool cycle_clean(cycle *c, CYCLE_EMBEDDER *e) {
  cycle_table *tables[] = {&c->order,       &c->batch.garbage,  &c->batch.set.table,
                           &c->batch.words, &c->residual.table, &c->tables};
  if (cycle_keeps_tables(c)) return true;
  for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++)
    while (tables[i]->at) {
      if (c->over) return false;
      cycle_table_trim(tables[i]);
      cycle_spend(c, e, c->limits.units);
    }
  return true;
}

static void cycle_free_tables(cycle *c) {
  cycle_batch_free(&c->batch);
  cycle_table_free(&c->residual.table);
  cycle_table_free(&c->tables);
}

/* Forgets the cycle and what it was about to do. */
static void cycle_forget(cycle *c) {
  cycle_table_free(&c->order);
  if (cycle_keeps_tables(c)) cycle_clear_set(&c->batch.set);
  else cycle_free_tables(c);
  c->marks = (cycle_marks){0};
  c->residual = (cycle_set){.table = c->residual.table};
  c->candidates = 0;
  c->phase = CYCLE_IDLE;
  c->failed = false;
}

#endif
