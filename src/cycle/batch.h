/* SPDX-License-Identifier: MIT */
/* Part of template.h: BATCHES, whole components that are tested and destroyed in one go, and the
 * batches of young collections, which are nothing else. */
#ifndef OURO_SRC_CYCLE_BATCH_H
#define OURO_SRC_CYCLE_BATCH_H

#include "components.h"
#include "exact.h"

/* Makes a table, unused now, hold so many bytes. */
static bool cycle_fit(cycle_table *table, size_t bytes) {
  if (bytes <= table->reserved) return cycle_table_commit(table, bytes);
  cycle_table_free(table);
  return cycle_table_reserve(table, bytes * TUNE_CYCLE_HEADROOM) &&
         cycle_table_commit(table, bytes);
}

/* Room for so many members in so many words, at most, of `words` words. The batch is empty. */
static bool cycle_batch_fit(cycle_batch *b, uint64_t words, uint64_t used, size_t members) {
  uint64_t chunks = used < members ? used : members;
  if (chunks > TUNE_CYCLE_CHUNKS - 2) chunks = TUNE_CYCLE_CHUNKS - 2;
  b->set.words = 0;
  if (!cycle_fit(&b->words, words * sizeof(uint32_t))) return false;
  if (!cycle_fit(&b->set.table, (chunks + 1) * sizeof(cycle_chunk))) return false;
  if (!cycle_fit(&b->garbage, members * sizeof(CYCLE_OBJECT))) return false;
  b->set.chunk_of = b->words.at;
  b->set.chunks = b->set.table.at;
  b->set.room = (uint32_t)chunks + 1;
  b->set.words = words;
  return true;
}

static void cycle_batch_free(cycle_batch *b) {
  cycle_table_free(&b->words);
  cycle_table_free(&b->set.table);
  cycle_table_free(&b->garbage);
  *b = (cycle_batch){0};
}

/* Leaves in the batch what is to be destroyed: nothing, where the embedder has judged. Returns how
 * many members were unreachable. */
static size_t cycle_judge(CYCLE_EMBEDDER *e, cycle_batch *b) {
  size_t found = CYCLE_JUDGE(e, &b->set, &b->found);
  if (found == CYCLE_NOT_JUDGED) return cycle_test_and_condemn(e, b);
  cycle_clear_set(&b->set);
  return found;
}

static size_t cycle_batch_destroy(CYCLE_EMBEDDER *e, cycle_batch *b) {
  size_t found = cycle_judge(e, b);
  cycle_destroy_all(e, &b->set, CYCLE_KEEP);
  cycle_destroy_all(e, &b->set, CYCLE_DROP);
  cycle_destroy_all(e, &b->set, CYCLE_FREE);
  cycle_clear_set(&b->set);
  return found;
}

/* Who has died since is no member. */
static void cycle_keep_live(CYCLE_EMBEDDER *e, cycle_set *s) {
  for (uint32_t k = 1; k <= s->used; k++)
    s->chunks[k].members = embed_live(e, s->chunks[k].word, s->chunks[k].members, true);
}

/* Adds the order's members from c->at to `end` that still live. */
static void cycle_gather_live(cycle *c, CYCLE_EMBEDDER *e, size_t end) {
  const uint32_t *order = c->order.at;
  for (; c->at < end; c->at++) {
    uint64_t slot = cycle_slot_of(&c->residual, order[c->at]);
    cycle_add(&c->batch.set, slot / 64, (uint64_t)1 << slot % 64);
  }
  cycle_keep_live(e, &c->batch.set);
}

/* How many members fit into a share of the budget, going by the last batches. */
static size_t cycle_batch_members(const cycle *c) {
  uint64_t fit = c->budget / TUNE_CYCLE_BATCH_SHARE / (c->batch_ns / 16 + 1);
  if (fit < TUNE_CYCLE_BATCH_LEAST) fit = TUNE_CYCLE_BATCH_LEAST;
  return fit < c->limits.batch ? fit : c->limits.batch;
}

/* Where whole components end, from c->at on, of about `members` members together. */
static size_t cycle_batch_end(const cycle *c, size_t members) {
  size_t end = cycle_component_end(c, c->at);
  while (end < c->candidates && end - c->at < members) {
    size_t next = cycle_component_end(c, end);
    if (next - c->at > members) break;
    end = next;
  }
  return end;
}

/* Whether a batch of this size is to wait for the next slice: it would end too late, and this slice
 * has done something already. */
static bool cycle_batch_waits(const cycle *c, size_t members) {
  uint64_t elapsed = c->looked - c->began, takes = members * c->batch_ns / 16;
  return elapsed > c->budget / 16 && takes > c->budget - elapsed;
}

static void cycle_one_batch(cycle *c, CYCLE_EMBEDDER *e, size_t end) {
  size_t members = end - c->at;
  uint64_t from = c->looked;
  cycle_gather_live(c, e, end);
  c->report.found += cycle_batch_destroy(e, &c->batch);
  c->report.destroyed += c->batch.found;
  cycle_look(c, e);
  c->batch_ns = (3 * c->batch_ns + (c->looked - from) * 16 / members) / 4;
}

static bool cycle_batch_begin(cycle *c, size_t members) {
  return cycle_batch_fit(&c->batch, c->residual.words, c->residual.used, members) || cycle_fail(c);
}

/* True: the order is done, or what follows up to c->end is a giant. */
static bool cycle_batches(cycle *c, CYCLE_EMBEDDER *e) {
  for (c->end = 0; c->at < c->candidates;) {
    if (c->over) return false;
    size_t end = cycle_batch_end(c, cycle_batch_members(c)), members = end - c->at;
    if (cycle_batch_waits(c, members) && members <= c->limits.batch) return c->over = true, false;
    if (!cycle_batch_begin(c, members)) return false;
    if (members > c->limits.batch) return c->end = end, true;
    cycle_one_batch(c, e, end);
  }
  return true;
}

#endif
