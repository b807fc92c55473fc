/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the verdict share. Each looks for findings of its classes and adds them; what
 * runs out of memory sets `failed`.
 */
#ifndef OURO_SRC_ANALYZE_VERDICT_PARTS_H
#define OURO_SRC_ANALYZE_VERDICT_PARTS_H

#include "verdict_facts.h"
#include "verdict_path.h"
#include "verdict_text.h"

#define VERDICT_HEAPS DIFF_HEAPS

typedef struct verdict_case {
  verdict *v;
  const reach *const *heaps;
  size_t count;
  const reach *last;
  const graph *g; /* the last one's */
  verdict_facts facts[VERDICT_HEAPS];
  path_finder *finder; /* on the last graph; made when first needed */
  graph_node *holders; /* of each finding in the last graph, GRAPH_NONE: none */
  size_t room;         /* of findings and holders */
  bool failed;
} verdict_case;

/* A new finding, all zero but for its class, at least as long as no other is added. NULL: out of
 * memory. */
finding *verdict_add(verdict_case *c, verdict_class class);

/* Says who holds what the latest finding is about. */
void verdict_hold(verdict_case *c, graph_node holder);

path_finder *verdict_finder(verdict_case *c);

const verdict_facts *verdict_first(const verdict_case *c);
const verdict_facts *verdict_last(const verdict_case *c);

/* Growth between the first and the last snapshot: of resident memory, or of objects where that is
 * not known. */
int64_t verdict_growth_of_all(const verdict_case *c);

/* Sets the share that a finding's bytes are of the growth, or of all resident memory. */
void verdict_say_share(const verdict_case *c, finding *f, bool growth);

/* Whether these values, one per snapshot, grew by more than noise, and between each two: a cache
 * that was filled at the beginning does not grow. */
bool verdict_grew(const verdict_case *c, const uint64_t *values);

void verdict_find_growth(verdict_case *c);        /* GROWTH, UNSEEN */
void verdict_find_unseen(verdict_case *c);        /* UNSEEN of one snapshot, forgotten references */
void verdict_find_garbage(verdict_case *c);       /* LATE, COLLECTOR_OFF */
void verdict_find_uncollectable(verdict_case *c); /* UNCOLLECTABLE */
void verdict_find_memory(verdict_case *c);        /* NATIVE, RETAINED */
void verdict_find_churn(verdict_case *c);
void verdict_find_waste(verdict_case *c);
void verdict_find_rest(verdict_case *c); /* NO_GROWTH, CANNOT_TELL */

/* What to change, by class and holder; `kind`: of the holder, or of what grows if there is none. */
void verdict_advise(finding *f, snapshot_type_kind kind);

/* Lines "name  first → last" of those rows of the ledger that grew most, at most `room`. */
void verdict_ledger_lines(const verdict_case *c, const verdict_row *rows, const uint64_t *first,
                          const uint64_t *last, size_t room, finding *f);

#endif
