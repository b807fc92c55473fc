/* SPDX-License-Identifier: MIT */
/* The collector's talk with Python code: gc.callbacks, gc.collect's arguments, who wants to hear of
 * pauses. Nothing here raises: what a callback raises goes to sys.unraisablehook. */
#ifndef OURO_EXT_GC_NOTIFY_H
#define OURO_EXT_GC_NOTIFY_H

#include "../compat.h"

/* Reads a gc callback's arguments, the generation only at a stop. False: they are not what CPython
 * passes. */
bool notify_parse(PyObject *const *args, Py_ssize_t count, bool *stop, int *generation);

/* Whether gc.collect() is asked for a full collection. False also for wrong arguments. */
bool notify_asks_for_all(PyObject *const *args, Py_ssize_t count, PyObject *names);

/* What gc.callbacks are told of a full collection. */
typedef struct notify_info {
  uint64_t collected, uncollectable;
  uint64_t candidates; /* objects looked at */
  double duration;     /* seconds of work */
  bool more;           /* the last two are part of it (3.15) */
} notify_info;

/* Calls gc.callbacks, with what CPython has passed to our own; or for one phase of a full
 * collection. NULL: there are none. */
void notify_all(PyObject *callbacks, PyObject *const *args, size_t count);
void notify_full(PyObject *callbacks, const char *phase, notify_info info);

/* The same when a cycle has ended, both phases one after the other: whoever measures the time
 * between measures no pause, as there was none. */
void notify_cycle(PyObject *callbacks, notify_info info);

/* Who is told of pauses: callable(seconds, kind, phase). NULL: nobody. Takes a reference. */
void notify_on_pause(PyObject *callable);
bool notify_pauses_heard(void);
void notify_pause(uint64_t ns, const char *kind, const char *phase);
void notify_forget(void);

#endif
