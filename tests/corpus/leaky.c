/* SPDX-License-Identifier: MIT */
/* Mistakes of C extensions, one function each, for the programs beside it. Built by run.py. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <string.h>

/* The last item of a list: PyObject_GetItem has given us a reference, and Py_BuildValue's O makes
 * another one. The right way is N, or to drop ours. */
static PyObject *latest(PyObject *module, PyObject *list) {
  (void)module;
  PyObject *last = PySequence_GetItem(list, -1);
  return last ? Py_BuildValue("O", last) : NULL;
}

static PyObject *latest_right(PyObject *module, PyObject *list) {
  (void)module;
  PyObject *last = PySequence_GetItem(list, -1);
  return last ? Py_BuildValue("N", last) : NULL;
}

/* A list that nobody but this file knows of. */
static PyObject *remembered;

static PyObject *remember(PyObject *module, PyObject *object) {
  (void)module;
  if (!remembered && !(remembered = PyList_New(0))) return NULL;
  return PyList_Append(remembered, object) == 0 ? Py_NewRef(Py_None) : NULL;
}

static PyObject *forget(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  Py_CLEAR(remembered);
  Py_RETURN_NONE;
}

/* scratch(bytes, right): memory that is only given back where `right`. */
static PyObject *scratch(PyObject *module, PyObject *args) {
  (void)module;
  Py_ssize_t size;
  int right;
  if (!PyArg_ParseTuple(args, "np", &size, &right)) return NULL;
  void *volatile memory = malloc((size_t)size);
  if (!memory) return PyErr_NoMemory();
  memset(memory, 1, (size_t)size);
  if (right) free(memory);
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"latest", latest, METH_O, NULL},         {"latest_right", latest_right, METH_O, NULL},
    {"remember", remember, METH_O, NULL},     {"forget", forget, METH_NOARGS, NULL},
    {"scratch", scratch, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "leaky", .m_size = -1,
                                 .m_methods = methods};

PyMODINIT_FUNC PyInit_leaky(void) { return PyModule_Create(&definition); }
