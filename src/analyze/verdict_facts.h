/* SPDX-License-Identifier: MIT */
/*
 * What the snapshots say about their process, as numbers that add up:
 *
 *     resident = used + kept + rest               (from the ledger)
 *     used     = objects + outside                (objects: from the graph)
 *
 * `used` is what allocators have given out, `kept` what is free and kept by one, `rest` stacks,
 * libraries, files and what rounding costs. Differences of these between two snapshots are what the
 * verdict is about.
 */
#ifndef OURO_SRC_ANALYZE_VERDICT_FACTS_H
#define OURO_SRC_ANALYZE_VERDICT_FACTS_H

#include "reach.h"

#define FACTS_ROWS 12

typedef struct verdict_row { /* of the ledger */
  const char *key, *label;
} verdict_row;

typedef struct verdict_facts {
  bool ledger, resident_known;
  uint64_t resident;
  uint64_t objects, live, garbage; /* bytes; live: not garbage */
  int64_t used, outside, kept;
  int64_t ready; /* of kept: free pages, which go back by themselves in a while */
  uint64_t outside_rows[FACTS_ROWS], kept_rows[FACTS_ROWS]; /* in the order of the tables */
  uint64_t unknown;
  bool blocks_known;
  uint64_t blocks; /* ever given out */
  uint64_t live_objects, all_objects;
  uint64_t time;
  bool collector_off;
} verdict_facts;

/* Rows of memory outside objects and of free memory; both end with a key of NULL. */
extern const verdict_row verdict_outside_rows[FACTS_ROWS], verdict_kept_rows[FACTS_ROWS];

void verdict_facts_read(verdict_facts *f, const reach *r);

/* The base that shares are of: resident bytes, or the objects' where they are not known. */
uint64_t verdict_base(const verdict_facts *f);

/* Whether so many bytes of objects are within what a quiet program's memory goes up and down: less
 * than a fixed size and a part of all, or very little. */
bool verdict_is_noise(const verdict_facts *f, int64_t bytes);

/* The same of memory beside objects, of which allocators hold some pieces ready. */
bool verdict_is_quiet(const verdict_facts *f, int64_t bytes);

#endif
