/* SPDX-License-Identifier: MIT */
/* A module for test_gc_roots.py: what the collector would mark from, shown to Python. */
#include "roots.h"

#include <stdlib.h>
#include <time.h>

typedef struct found {
  PyObject **objects;
  size_t count, room;
  bool keep;
} found;

static struct { Py_ssize_t calls, objects; } seen;

/* An object that is gone has another's memory, or the debug allocator's filling, where its type and
 * its count should be. */
static void check(PyObject *object) {
  if (Py_REFCNT(object) <= 0 || !PyType_Check(Py_TYPE(object))) {
    fprintf(stderr, "visited %p, which is no object\n", (void *)object);
    abort();
  }
}

static int find(PyObject *object, void *arg) {
  found *all = arg;
  check(object);
  if (all->keep && all->count == all->room) {
    all->room = all->room ? 2 * all->room : 4096;
    all->objects = realloc(all->objects, all->room * sizeof *all->objects);
    if (!all->objects) abort();
  }
  if (all->keep) all->objects[all->count] = Py_NewRef(object);
  all->count++;
  return 0;
}

static PyObject *visited(PyObject *module, PyObject *nothing) {
  (void)module, (void)nothing;
  found all = {.keep = true};
  gcroots_visit(find, &all);
  PyObject *list = PyList_New((Py_ssize_t)all.count);
  for (size_t i = 0; list && i < all.count; i++) {
    PyList_SET_ITEM(list, (Py_ssize_t)i, all.objects[i]);
  }
  free(all.objects);
  return list;
}

static PyObject *seconds(PyObject *module, PyObject *nothing) {
  (void)module, (void)nothing;
  found all = {.keep = false};
  struct timespec from, to;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
  gcroots_visit(find, &all);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
  double took = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
  return Py_BuildValue("dn", took, (Py_ssize_t)all.count);
}

/* A callback for gc.callbacks: visits and checks them all, then and there. */
static PyObject *watch(PyObject *module, PyObject *event) {
  (void)module, (void)event;
  found all = {.keep = false};
  gcroots_visit(find, &all);
  seen.calls++;
  seen.objects += (Py_ssize_t)all.count;
  Py_RETURN_NONE;
}

static PyObject *watched(PyObject *module, PyObject *nothing) {
  (void)module, (void)nothing;
  return Py_BuildValue("nn", seen.calls, seen.objects);
}

/* Whether watch() was called by a collection that a visit has started. */
static PyObject *collected(PyObject *module, PyObject *nothing) {
  (void)module, (void)nothing;
  found all = {.keep = false};
  Py_ssize_t before = seen.calls;
  gcroots_visit(find, &all);
  return PyBool_FromLong(seen.calls != before);
}

static PyMethodDef functions[] = {
    {"visited", visited, METH_NOARGS, "The objects, some of them twice."},
    {"seconds", seconds, METH_NOARGS, "CPU time of a visit, and how many objects it found."},
    {"watch", watch, METH_VARARGS, "For gc.callbacks."},
    {"collected", collected, METH_NOARGS, "Whether a visit has started a collection."},
    {"watched", watched, METH_NOARGS, "How often watch() was called and what it found."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "gcroots_try",
                                        .m_size = -1, .m_methods = functions};

PyMODINIT_FUNC PyInit_gcroots_try(void) { return PyModule_Create(&definition); }
