/* SPDX-License-Identifier: MIT */
#include "../base/assert.h"
#include "tables.h"
#include "tune.h"
#include "../os/os.h"

/* At least one page. */
static size_t table_round(size_t bytes) { return os_whole_pages(bytes ? bytes : 1); }

bool cycle_table_reserve(cycle_table *table, size_t bytes) {
  OURO_CHECK(!table->at);
  size_t size = table_round(bytes);
  void *at = os_reserve(size, os_page_size());
  if (!at) return false;
  *table = (cycle_table){.at = at, .reserved = size};
  return true;
}

bool cycle_table_commit(cycle_table *table, size_t bytes) {
  if (bytes <= table->committed) return true;
  OURO_ASSERT(bytes <= table->reserved);
  size_t want = table_round(bytes);
  if (!os_commit((char *)table->at + table->committed, want - table->committed)) return false;
  table->committed = want;
  return true;
}

bool cycle_table_make(cycle_table *table, size_t bytes) {
  OURO_CHECK(!table->at);
  size_t size = table_round(bytes);
  void *at = os_map(size);
  if (at) *table = (cycle_table){.at = at, .reserved = size, .committed = size};
  return at != NULL;
}

/* What was never committed costs nothing to give back and goes with the first piece. */
bool cycle_table_trim(cycle_table *table) {
  if (table->committed <= TUNE_CYCLE_TABLE_PIECE) return cycle_table_free(table), true;
  size_t keep = table->committed - TUNE_CYCLE_TABLE_PIECE;
  os_release((char *)table->at + keep, table->reserved - keep);
  table->reserved = table->committed = keep;
  return false;
}

void cycle_table_free(cycle_table *table) {
  if (table->at) os_release(table->at, table->reserved);
  *table = (cycle_table){0};
}
