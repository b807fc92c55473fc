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

/* rows(count, right): a list of pairs. PyList_Append takes a reference of its own, ours must go. */
static PyObject *rows(PyObject *module, PyObject *args) {
  (void)module;
  Py_ssize_t count;
  int right;
  if (!PyArg_ParseTuple(args, "np", &count, &right)) return NULL;
  PyObject *list = PyList_New(0);
  for (Py_ssize_t i = 0; list && i < count; i++) {
    PyObject *pair = Py_BuildValue("(nd)", i + 1000, (double)i);
    if (!pair || PyList_Append(list, pair) < 0) Py_CLEAR(list);
    if (right || !list) Py_XDECREF(pair);
  }
  return list;
}

/* parse(text, right): the words of a text as keys. Where a word is empty it fails, and forgets the
 * dictionary that it has made so far. */
static PyObject *parse(PyObject *module, PyObject *args) {
  (void)module;
  const char *text;
  int right;
  if (!PyArg_ParseTuple(args, "sp", &text, &right)) return NULL;
  PyObject *words = PyDict_New();
  for (size_t length; words && *text; text += length + (text[length] != 0)) {
    length = strcspn(text, " ");
    PyObject *word = length ? PyUnicode_FromStringAndSize(text, (Py_ssize_t)length) : NULL;
    if (!word) {
      PyErr_SetString(PyExc_ValueError, "two spaces");
      if (right) Py_DECREF(words);
      return NULL;
    }
    if (PyDict_SetItem(words, word, Py_None) < 0) Py_CLEAR(words);
    Py_DECREF(word);
  }
  return words;
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
    {"rows", rows, METH_VARARGS, NULL},       {"parse", parse, METH_VARARGS, NULL},
    {"scratch", scratch, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "leaky", .m_size = -1,
                                 .m_methods = methods};

PyMODINIT_FUNC PyInit_leaky(void) { return PyModule_Create(&definition); }
