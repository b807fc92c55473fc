/* SPDX-License-Identifier: MIT */
/*
 * The layout part alone in an extension of its own, for test_gc_layout.py. What it finds can be
 * bent before it is proved: find("generations", 8) moves that place by 8 bytes, and
 * find("version", 0, "3.9.1") pretends to be that.
 */
#include "gc/compat.h"

static const char *bent, *bend_to;
static long bend_by;

static void starve(void);

void *gclayout_bend(const char *what, void *place) {
  if (bent && !strcmp(bent, "starved") && !strcmp(what, "window")) starve();
  if (!bent || strcmp(what, bent) != 0) return place;
  return bend_to ? (void *)(uintptr_t)bend_to : (char *)place + bend_by;
}

/* --- Memory that is refused ------------------------------------------------------------------- */

static PyMemAllocatorEx before[3];
static long until_refused; /* the request with this number is refused */

static bool refused(void) { return --until_refused == 0; }

static void *starved_malloc(void *context, size_t size) {
  PyMemAllocatorEx *real = context;
  return refused() ? NULL : real->malloc(real->ctx, size);
}

static void *starved_calloc(void *context, size_t count, size_t size) {
  PyMemAllocatorEx *real = context;
  return refused() ? NULL : real->calloc(real->ctx, count, size);
}

static void *starved_realloc(void *context, void *block, size_t size) {
  PyMemAllocatorEx *real = context;
  return refused() ? NULL : real->realloc(real->ctx, block, size);
}

static void starved_free(void *context, void *block) {
  PyMemAllocatorEx *real = context;
  real->free(real->ctx, block);
}

static void starve(void) {
  for (int d = 0; d < 3; d++) {
    PyMem_GetAllocator((PyMemAllocatorDomain)d, &before[d]);
    PyMemAllocatorEx starved = {&before[d], starved_malloc, starved_calloc, starved_realloc,
                                starved_free};
    PyMem_SetAllocator((PyMemAllocatorDomain)d, &starved);
  }
}

static void feed(void) {
  for (int d = 0; d < 3; d++) PyMem_SetAllocator((PyMemAllocatorDomain)d, &before[d]);
}

/* Why nothing was found when the n-th request after the preparations was refused; None: it was. */
static PyObject *find_starved(PyObject *self, PyObject *number) {
  (void)self;
  gclayout at;
  char why[GCLAYOUT_WHY];
  until_refused = PyLong_AsLong(number);
  bent = "starved";
  bool found = gclayout_find(&at, why);
  feed();
  return found ? Py_NewRef(Py_None) : PyUnicode_FromString(why);
}

/* --- What the test calls ---------------------------------------------------------------------- */

static PyObject *find(PyObject *self, PyObject *arguments) {
  (void)self;
  bent = bend_to = NULL;
  if (!PyArg_ParseTuple(arguments, "|sls", &bent, &bend_by, &bend_to)) return NULL;
  return gclayout_describe();
}

/* How long it takes, in nanoseconds. */
static PyObject *measure(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  gclayout at;
  char why[GCLAYOUT_WHY];
  struct timespec before, after;
  bent = NULL;
  clock_gettime(CLOCK_MONOTONIC, &before);
  if (!gclayout_find(&at, why)) return PyUnicode_FromString(why);
  clock_gettime(CLOCK_MONOTONIC, &after);
  return PyLong_FromLong((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec -
                         before.tv_nsec);
}

/* What was found, as the program sees it: counts of the generations' lists, and the counters. */
static PyObject *look(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  gclayout at;
  char why[GCLAYOUT_WHY];
  bent = NULL;
  if (!gclayout_find(&at, why)) return PyUnicode_FromString(why);
  Py_ssize_t size[4] = {0};
  for (int g = 0; g < 4; g++) {
    const gclink *head = g < 3 ? &at.generation[g]->head : at.permanent;
    for (const gclink *l = gclink_next(head); l != head; l = gclink_next(l)) size[g]++;
  }
  gcstats old = gclayout_stats(&at, 2);
  return Py_BuildValue("{s(nnnn)snsnsOsOsnsnsn}", "sizes", size[0], size[1], size[2], size[3],
                       "total", *at.long_lived_total, "pending", *at.long_lived_pending, "garbage",
                       *at.garbage, "callbacks", *at.callbacks, "collections", *old.collections,
                       "collected", *old.collected, "uncollectable", *old.uncollectable);
}

static PyMethodDef methods[] = {{"find", find, METH_VARARGS, NULL},
                                {"find_starved", find_starved, METH_O, NULL},
                                {"measure", measure, METH_NOARGS, NULL},
                                {"look", look, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "gclayout_try", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_gclayout_try(void) { return PyModule_Create(&module); }
