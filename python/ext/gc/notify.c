/* SPDX-License-Identifier: MIT */
#include "notify.h"

/* Per process, as the collector is. */
static struct {
  PyObject *on_pause;
  bool telling;
  PyObject *generation, *stop; /* interned, made at the first use */
} notify;

/* --- Arguments -------------------------------------------------------------------------------- */

static bool make_names(void) {
  if (!notify.generation) notify.generation = PyUnicode_InternFromString("generation");
  if (!notify.stop) notify.stop = PyUnicode_InternFromString("stop");
  if (notify.generation && notify.stop) return true;
  PyErr_Clear();
  return false;
}

static bool is_stop(PyObject *phase) {
  return PyUnicode_GET_LENGTH(phase) == PyUnicode_GET_LENGTH(notify.stop) &&
         PyUnicode_Compare(phase, notify.stop) == 0;
}

bool notify_parse(PyObject *const *args, Py_ssize_t count, bool *stop, int *generation) {
  if (count != 2 || !PyUnicode_CheckExact(args[0]) || !PyDict_CheckExact(args[1])) return false;
  if (!make_names()) return false;
  *stop = is_stop(args[0]);
  if (!*stop) return true;
  PyObject *number = PyDict_GetItemWithError(args[1], notify.generation);
  long value = number && PyLong_CheckExact(number) ? PyLong_AsLong(number) : -1;
  if (value < 0 || value > 2) return false;
  *generation = (int)value;
  return true;
}

static bool is_two(PyObject *number) {
  if (!PyLong_CheckExact(number)) return false;
  int overflow;
  return PyLong_AsLongAndOverflow(number, &overflow) == 2 && !overflow;
}

bool notify_asks_for_all(PyObject *const *args, Py_ssize_t count, PyObject *names) {
  if (names && PyTuple_GET_SIZE(names) > 0) {
    PyObject *name = PyTuple_GET_ITEM(names, 0);
    return count == 0 && PyTuple_GET_SIZE(names) == 1 && is_two(args[0]) &&
           PyUnicode_CompareWithASCIIString(name, "generation") == 0;
  }
  return count == 0 || (count == 1 && is_two(args[0]));
}

/* --- gc.callbacks ----------------------------------------------------------------------------- */

/* As CPython does it: the list may change meanwhile. */
void notify_all(PyObject *callbacks, PyObject *const *args, size_t count) {
  Py_XINCREF(callbacks); /* the collector may be stopped by another thread */
  for (Py_ssize_t i = 0; callbacks && i < PyList_GET_SIZE(callbacks); i++) {
    PyObject *callback = Py_NewRef(PyList_GET_ITEM(callbacks, i));
    PyObject *result = PyObject_Vectorcall(callback, args, count, NULL);
    if (!result) PyErr_WriteUnraisable(callback);
    Py_XDECREF(result);
    Py_DECREF(callback);
  }
  Py_XDECREF(callbacks);
}

static PyObject *info_dict(notify_info i) {
  unsigned long long collected = i.collected, failed = i.uncollectable, looked = i.candidates;
  if (!i.more)
    return Py_BuildValue("{sisKsK}", "generation", 2, "collected", collected, "uncollectable",
                         failed);
  return Py_BuildValue("{sisKsKsKsd}", "generation", 2, "collected", collected, "uncollectable",
                       failed, "candidates", looked, "duration", i.duration);
}

void notify_full(PyObject *callbacks, const char *phase, notify_info i) {
  if (!callbacks || PyList_GET_SIZE(callbacks) == 0) return;
  PyObject *name = PyUnicode_FromString(phase), *info = info_dict(i), *args[] = {name, info};
  if (name && info) notify_all(callbacks, args, 2);
  else PyErr_WriteUnraisable(NULL);
  Py_XDECREF(name);
  Py_XDECREF(info);
}

void notify_cycle(PyObject *callbacks, notify_info i) {
  notify_full(callbacks, "start", (notify_info){.more = i.more});
  notify_full(callbacks, "stop", i);
}

/* --- Pauses ----------------------------------------------------------------------------------- */

void notify_on_pause(PyObject *callable) {
  Py_XINCREF(callable);
  Py_XSETREF(notify.on_pause, callable);
}

bool notify_pauses_heard(void) { return notify.on_pause != NULL; }

void notify_forget(void) {
  notify_on_pause(NULL);
  Py_CLEAR(notify.generation);
  Py_CLEAR(notify.stop);
}

void notify_pause(uint64_t ns, const char *kind, const char *phase) {
  if (!notify.on_pause || notify.telling) return;
  notify.telling = true;
  PyObject *callable = Py_NewRef(notify.on_pause);
  PyObject *result = PyObject_CallFunction(callable, "dss", (double)ns / 1e9, kind, phase);
  if (!result) PyErr_WriteUnraisable(callable);
  Py_XDECREF(result);
  Py_DECREF(callable);
  notify.telling = false;
}
