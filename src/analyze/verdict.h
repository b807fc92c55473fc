/* SPDX-License-Identifier: MIT */
/*
 * Why memory grows: the findings of one or several snapshots of one process, oldest first, most
 * bytes first. A wrong "leak" is worse than "I cannot tell", which is a class with what was not
 * seen.
 */
#ifndef OURO_SRC_ANALYZE_VERDICT_H
#define OURO_SRC_ANALYZE_VERDICT_H

#include "cycles.h"
#include "diff.h"
#include "path.h"
#include "waste.h"

typedef enum verdict_class {
  VERDICT_GROWTH,        /* reachable objects grow; `holder` says what kind of holder */
  VERDICT_LATE,          /* cycles that the collector has not come to yet */
  VERDICT_COLLECTOR_OFF, /* the same, and it never will */
  VERDICT_UNCOLLECTABLE,
  VERDICT_UNSEEN,   /* references held by C code */
  VERDICT_NATIVE,   /* memory outside Python's objects */
  VERDICT_RETAINED, /* free, kept by an allocator */
  VERDICT_CHURN,    /* objects made again and again; the heap does not grow */
  VERDICT_WASTE,    /* could be smaller; no growth */
  VERDICT_NO_GROWTH,
  VERDICT_CANNOT_TELL,
  VERDICT_CLASSES
} verdict_class;

typedef enum verdict_holder {
  HOLDER_NONE,
  HOLDER_GLOBAL, /* a module's */
  HOLDER_CLASS,  /* a class's attribute */
  HOLDER_CACHE,  /* lru_cache, or a dictionary that only grows and is asked by key */
  HOLDER_CLOSURE,
  HOLDER_HANDLER, /* listeners, callbacks, logging handlers */
  HOLDER_FRAME,
  HOLDER_TRACEBACK,
  HOLDER_TASK,     /* tasks, futures, generators, contexts */
  HOLDER_THREAD,   /* thread-locals */
  HOLDER_REGISTRY, /* weak-key mappings whose values hold their keys; atexit and the like */
  HOLDER_KINDS
} verdict_holder;

#define VERDICT_LINES 16
#define VERDICT_LINE 160

typedef struct finding {
  verdict_class class;
  verdict_holder holder;
  uint64_t bytes, objects;  /* that it explains, in the last snapshot; of growth: what was added */
  double share;             /* of the growth, or else of the resident memory; 0: not known */
  bool of_growth;           /* which of the two */
  char title[VERDICT_LINE]; /* one sentence */
  char evidence[VERDICT_LINES][VERDICT_LINE]; /* a root path one reference per line, numbers */
  size_t lines;
  char advice[VERDICT_LINE]; /* what to change */
  char next[VERDICT_LINE];   /* a command without "ouro", %s stands for the file's name; or "" */
} finding;

typedef struct verdict {
  finding *findings;
  size_t count;
  char unseen[VERDICT_LINE];              /* what could not be looked at; "" */
  uint64_t resident[2], objects_bytes[2]; /* first and last snapshot */
  double seconds;                         /* between them, 0: one snapshot */
} verdict;

/* `heaps`: 1 to 8 graphs, oldest first, that reach_build has been through. Always at least one
 * finding. False: out of memory. verdict_finish frees. */
bool verdict_find(verdict *v, const reach *const *heaps, size_t count,
                  const graph_progress *progress);
void verdict_finish(verdict *v);

/* Words for reports and --json: "reachable growth", "module global". */
const char *verdict_class_name(verdict_class c);
const char *verdict_holder_name(verdict_holder h);

#endif
