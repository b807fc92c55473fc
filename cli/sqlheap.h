/* SPDX-License-Identifier: MIT */
/* A snapshot as tables of SQLite: object, edge, type, root, finding. Nothing is copied: rows are
 * read where they lie, and what takes work (classes, dominators, the verdict) is worked out for the
 * first query that asks for it. */
#ifndef OURO_CLI_SQLHEAP_H
#define OURO_CLI_SQLHEAP_H

#include <sqlite3.h>

#include "analyze/verdict.h"
#include "heapfile.h"

typedef struct sqlheap {
  heapfile *file;
  uint64_t *of_type; /* objects and bytes of each type, in turns; NULL: not counted yet */
  verdict verdict;
  bool judged;
} sqlheap;

/* The tables by these names in `db`, which sqlheap_finish must outlive. The result is SQLite's. */
int sqlheap_attach(sqlite3 *db, sqlheap *heap);
void sqlheap_finish(sqlheap *heap);

/* The tables' declarations, "object(address, ...)", one after another; NULL beyond the last. */
const char *sqlheap_table(size_t n);

#endif
