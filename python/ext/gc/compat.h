/* SPDX-License-Identifier: MIT */
/*
 * What differs between CPython versions in the collector's state. Only what cannot be found out at
 * run time; what stands here is checked there.
 */
#ifndef OURO_EXT_GC_COMPAT_H
#define OURO_EXT_GC_COMPAT_H

#include "layout.h"

/* --- Tests ------------------------------------------------------------------------------------ */

/* Each place that was found passes through here before it is proved, and what CPython says of
 * itself before it is used. */
#ifdef GCLAYOUT_TEST
void *gclayout_bend(const char *what, void *place);
#else
static inline void *gclayout_bend(const char *what, void *place) {
  (void)what;
  return place;
}
#endif

/* --- Where to search -------------------------------------------------------------------------- */

/* The part of the interpreter's state in which the collector's is. `collecting`, `statistics` and
 * `frame` are where CPython publishes them for debuggers, from that part's start; 0: nowhere. */
typedef struct gcwindow {
  char *start; /* NULL: what is published does not fit this version */
  size_t size;
  size_t collecting, frame, statistics, statistics_size;
} gcwindow;

#if PY_VERSION_HEX >= 0x030D0000

/* The published offsets are words: a cookie, the version, whether free-threaded, three of the
 * runtime, the size of an interpreter, ... */
#if PY_VERSION_HEX >= 0x030F0000
#define GCWINDOW_PLACE 11
#define GCWINDOW_FIELDS 94
#elif PY_VERSION_HEX >= 0x030E0000
#define GCWINDOW_PLACE 11
#define GCWINDOW_FIELDS 81
#else
#define GCWINDOW_PLACE 10
#define GCWINDOW_FIELDS 71
#endif

static inline gcwindow gcwindow_find(PyInterpreterState *interpreter) {
  const uint64_t *published = gclayout_bend("published", dlsym(RTLD_DEFAULT, "_PyRuntime"));
  if (!published || memcmp(published, "xdebugpy", 8) != 0) return (gcwindow){0};
  bool known = published[1] >> 16 == PY_VERSION_HEX >> 16 && published[2] == 0;
  uint64_t place = published[GCWINDOW_PLACE];
  const uint64_t *fields = published + GCWINDOW_FIELDS;
  if (!known || place % 8 != 0 || fields[0] > 4096 || place + fields[0] > published[6])
    return (gcwindow){0};
  gcwindow window = {(char *)interpreter + place, fields[0], fields[1], 0, 0, 0};
#if PY_VERSION_HEX >= 0x030F0000
  window.frame = fields[2], window.statistics_size = fields[3], window.statistics = fields[4];
#endif
  return window;
}

#else

/* An interpreter's state has over 100,000 bytes; the collector's is among the first thousand. */
static inline gcwindow gcwindow_find(PyInterpreterState *interpreter) {
  return (gcwindow){(char *)interpreter, 4096, 0, 0, 0, 0};
}

#endif

/* --- Statistics ------------------------------------------------------------------------------- */

#if PY_VERSION_HEX >= 0x030F0000

/* Each collection adds up in the next item of its generation's ring; a profiler reads the rings. */
typedef struct gcring_item {
  int64_t started, stopped;
  Py_ssize_t collections, collected, uncollectable, candidates;
  double duration;
  Py_ssize_t heap_size;
} gcring_item;

typedef struct gcrings {
  gcring_item young[11];
  int8_t young_at;
  struct {
    gcring_item item[3];
    int8_t at;
  } old[2];
  uint32_t updates;
} gcrings;

#define GCSTATS_SIZE sizeof(gcrings)
#define GCSTATS_APART true /* the collector's state has a pointer to them */

/* Of one generation. NULL members: the statistics are not what they are taken for. */
static inline gcstats gcstats_of(void *statistics, int generation) {
  gcrings *all = statistics;
  int8_t at = generation ? all->old[generation - 1].at : all->young_at;
  if (at < 0 || at >= (generation ? 3 : 11)) return (gcstats){0};
  gcring_item *item = generation ? &all->old[generation - 1].item[at] : &all->young[at];
  return (gcstats){&item->collections, &item->collected, &item->uncollectable, &item->candidates,
                   &item->duration};
}

#else

typedef struct gctotals {
  Py_ssize_t collections, collected, uncollectable;
} gctotals;

#define GCSTATS_SIZE (3 * sizeof(gctotals))
#define GCSTATS_APART false

static inline gcstats gcstats_of(void *statistics, int generation) {
  gctotals *totals = (gctotals *)statistics + generation;
  return (gcstats){&totals->collections, &totals->collected, &totals->uncollectable, NULL, NULL};
}

#endif

/* --- Trace and profile functions -------------------------------------------------------------- */

/* None is called between the two. */
#if PY_VERSION_HEX >= 0x030B0000
static inline void gctracing_pause(void) { PyThreadState_EnterTracing(PyThreadState_Get()); }
static inline void gctracing_resume(void) { PyThreadState_LeaveTracing(PyThreadState_Get()); }
#else
static inline void gctracing_pause(void) {
  PyThreadState *state = PyThreadState_Get();
  state->tracing++;
  state->cframe->use_tracing = 0;
}

static inline void gctracing_resume(void) {
  PyThreadState *state = PyThreadState_Get();
  state->tracing--;
  state->cframe->use_tracing = state->c_tracefunc || state->c_profilefunc;
}
#endif

#endif
