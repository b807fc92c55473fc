/* SPDX-License-Identifier: MIT */
/*
 * Where CPython keeps the state of its collector, found and proved when Ouro's is installed.
 *
 * None of it is public. Offsets changed within minor versions (3.13.0 and 3.13.5) and with build
 * flags, so none is taken for granted: each is found at run time by what public calls say, and a
 * stock collection of some objects of ours proves that the collector does what ours relies on.
 */
#ifndef OURO_EXT_GC_LAYOUT_H
#define OURO_EXT_GC_LAYOUT_H

#include "list.h"

/* One of CPython's generations: struct gc_generation. */
typedef struct gcgeneration {
  gclink head;
  int threshold, count;
} gcgeneration;

/* The counters behind one generation's gc.get_stats(), wherever they are at this moment. */
typedef struct gcstats {
  Py_ssize_t *collections, *collected, *uncollectable;
  Py_ssize_t *candidates; /* 3.15; NULL before */
  double *duration;       /* 3.15, seconds; NULL before */
} gcstats;

typedef struct gclayout {
  gcgeneration *generation[3];
  gclink *permanent; /* where gc.freeze() puts them */
  int *enabled, *debug, *collecting;
  PyObject **garbage, **callbacks;
  Py_ssize_t *long_lived_total, *long_lived_pending;
  void
      *statistics; /* what a collection changes for gc.get_stats(): saved and put back by copying */
  size_t statistics_size;
  void **frame; /* 3.15: the frame that started the collection; NULL before */
  /* stock's gc.collect(): its builtin function object and what that calls */
  PyCFunctionObject *collect;
  _PyCFunctionFastWithKeywords collect_stock;
} gclayout;

#define GCLAYOUT_WHY 200

/* Fills `out` for the interpreter that runs. False, with a line that says what does not match: the
 * collector must stay CPython's. No exception is set, and in either case all is as before. 0.1 to
 * 0.2 ms. Needs the GIL, no collection running, and no exception set. Begins with a few lines of
 * Python, so other threads may run before anything is changed; none can from then on. */
bool gclayout_find(gclayout *out, char why[GCLAYOUT_WHY]);

/* The counters of a generation; NULL members: they are not where they are thought to be. */
gcstats gclayout_stats(const gclayout *layout, int generation);

/* For tests: a new dict with the offset of each place from the interpreter's state, and `why`:
 * None, or why nothing was found, which then is all there is. NULL: no memory (MemoryError). */
PyObject *gclayout_describe(void);

#endif
