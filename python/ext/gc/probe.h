/* SPDX-License-Identifier: MIT */
/*
 * Proves by experiment that CPython's collector does what Ouro's relies on: given lists of a few
 * objects made for this, with the program's own lists hidden, it must destroy what is garbage among
 * them, and touch and keep all else.
 */
#ifndef OURO_EXT_GC_PROBE_H
#define OURO_EXT_GC_PROBE_H

#include "compat.h"

/* --- The public calls ------------------------------------------------------------------------- */

typedef enum gcpublic_name {
  GCPUBLIC_COLLECT,
  GCPUBLIC_FREEZE,
  GCPUBLIC_GET_COUNT,
  GCPUBLIC_GET_DEBUG,
  GCPUBLIC_GET_STATS,
  GCPUBLIC_GET_THRESHOLD,
  GCPUBLIC_SET_DEBUG,
  GCPUBLIC_SET_THRESHOLD,
  GCPUBLIC_COUNT
} gcpublic_name;

/* Of the module gc, as the interpreter defines them. */
typedef struct gcpublic {
  PyObject *function[GCPUBLIC_COUNT];
  PyObject *garbage, *callbacks;
} gcpublic;

/* NULL, or the name of what is missing or not the interpreter's own. */
const char *gcpublic_open(gcpublic *public);
void gcpublic_close(gcpublic *public);

/* Calls a function with `in_count` numbers; it must return `out_count` numbers (0: whatever).
 * False: it did not; no exception is left. */
bool gcpublic_call(const gcpublic *public, gcpublic_name name, const int *in, int in_count,
                   int *out, int out_count);

/* What a function without arguments returns, as a tuple in any case, and calling another with that
 * tuple, which takes no memory. NULL or false: it raised. */
PyObject *gcpublic_get(const gcpublic *public, gcpublic_name name);
bool gcpublic_set(const gcpublic *public, gcpublic_name name, PyObject *values);

/* --- The experiments -------------------------------------------------------------------------- */

/* Lists that contain themselves and a capsule that logs its end. */
enum {
  GCPROBE_FROZEN,
  GCPROBE_GARBAGE,    /* 4 */
  GCPROBE_HELD = 5,   /* 4 */
  GCPROBE_UNSEEN = 9, /* garbage that the collector is not shown */
  GCPROBE_LISTS = 10
};

/* A generator that is suspended in the middle of (local, pop(), yield), so that objects are held
 * by its stack. */
typedef struct gcprobe_suspended {
  PyObject *generator;
  PyObject *local; /* a list with a capsule: a local variable, and on the stack */
  PyObject *stack; /* likewise; borrowed, as only the stack holds it */
  PyObject *owner; /* likewise; holds the generator and is a local variable of it */
  bool released;   /* `owner` is borrowed */
} gcprobe_suspended;

typedef struct gcprobe {
  PyObject *list[GCPROBE_LISTS];
  bool released[GCPROBE_LISTS]; /* borrowed */
  gcprobe_suspended dying, living;
} gcprobe;

/* Makes the objects. Runs Python code, so nothing may be changed yet. False: no memory. In either
 * case gcprobe_close() ends them. */
bool gcprobe_open(gcprobe *probe);
void gcprobe_close(gcprobe *probe);

/* Finds what `at` lacks: permanent, statistics, collecting, frame, long_lived_total and _pending;
 * NULL, or what does not match. All is as before, but for the objects. Thresholds must be so high
 * that no collection starts by itself. */
const char *gcprobe_run(gcprobe *probe, const gcpublic *public, const gcwindow *window,
                        gclayout *at);

#endif
