/* SPDX-License-Identifier: MIT */
#include "pauses.h"

#include <time.h>

enum { GENERATIONS = 3 };

typedef struct pauses_generation {
  unsigned long long collections, total, longest, collected, uncollectable;
} pauses_generation;

static struct {
  bool running;
  unsigned long long started; /* of the collection that is going on; 0: none */
  pauses_generation generations[GENERATIONS];
} pauses;

static unsigned long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (unsigned long long)time.tv_sec * 1000000000u + (unsigned long long)time.tv_nsec;
}

static unsigned long long number(PyObject *info, const char *key) {
  PyObject *value = PyDict_GetItemString(info, key);
  long found = value && PyLong_CheckExact(value) ? PyLong_AsLong(value) : 0;
  return found > 0 ? (unsigned long long)found : 0;
}

static void note_stop(PyObject *info) {
  unsigned long long generation = number(info, "generation");
  if (pauses.started == 0 || generation >= GENERATIONS) return;
  pauses_generation *into = &pauses.generations[generation];
  unsigned long long took = now() - pauses.started;
  pauses.started = 0;
  into->collections++;
  into->total += took;
  if (took > into->longest) into->longest = took;
  into->collected += number(info, "collected");
  into->uncollectable += number(info, "uncollectable");
}

/* callback(phase, info): phase is "start" or "stop". */
static PyObject *note_phase(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count == 2 && PyUnicode_CheckExact(args[0]) && PyDict_CheckExact(args[1])) {
    if (PyUnicode_CompareWithASCIIString(args[0], "stop") == 0) note_stop(args[1]);
    else pauses.started = now();
  }
  Py_RETURN_NONE;
}

static PyMethodDef callback = {"ouro_pauses", (PyCFunction)(void (*)(void))note_phase,
                               METH_FASTCALL, "Measures collections for Ouro's report."};

int pauses_start(void) {
  if (pauses.running) return 0;
  PyObject *gc = PyImport_ImportModule("gc");
  PyObject *list = gc ? PyObject_GetAttrString(gc, "callbacks") : NULL;
  PyObject *function = list ? PyCFunction_New(&callback, NULL) : NULL;
  /* In front of the callback in which slices of full collections take place. */
  int status = function && PyList_CheckExact(list) ? PyList_Insert(list, 0, function) : -1;
  pauses.running = status == 0;
  Py_XDECREF(function);
  Py_XDECREF(list);
  Py_XDECREF(gc);
  return status;
}

PyObject *pauses_read(void) {
  PyObject *result = PyTuple_New(GENERATIONS);
  for (int i = 0; result && i < GENERATIONS; i++) {
    const pauses_generation *from = &pauses.generations[i];
    PyObject *row = Py_BuildValue("KKKKK", from->collections, from->total, from->longest,
                                  from->collected, from->uncollectable);
    if (!row) {
      Py_CLEAR(result);
      break;
    }
    PyTuple_SET_ITEM(result, i, row);
  }
  return result;
}
