/* SPDX-License-Identifier: MIT */
/*
 * Memory of the collector's own: arrays that read as zero until written, take memory only where
 * they are touched, never move and are never copied.
 *
 *     committed <= reserved, both whole pages
 */
#ifndef OURO_SRC_CYCLE_TABLES_H
#define OURO_SRC_CYCLE_TABLES_H

#include <ouro/base.h>

typedef struct cycle_table {
  void *at; /* NULL: none */
  size_t reserved, committed;
} cycle_table;

/* Reserves address space for `bytes` in an empty table (all zero). False: refused. */
bool cycle_table_reserve(cycle_table *table, size_t bytes);

/* Makes the first `bytes`, of those reserved, usable. False: out of memory, nothing lost. */
bool cycle_table_commit(cycle_table *table, size_t bytes);

/* Both at once. False: out of memory, the table is empty. */
bool cycle_table_make(cycle_table *table, size_t bytes);

/* Gives back a piece from the end. True: nothing is left and the table is empty. */
bool cycle_table_trim(cycle_table *table);

/* Gives back everything. */
void cycle_table_free(cycle_table *table);

#endif
