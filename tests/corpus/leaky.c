/* SPDX-License-Identifier: MIT */
/* Mistakes of C extensions, one function or type each, for the programs beside it. Built by run.py.
 * Some are mistakes that well-known extensions had; nothing here is their code. What `ouro refs`
 * must say of them: as many references more as there were calls, to objects of the type that is
 * named, and none where the function is the right one. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <string.h>

/* The last item of a list: PySequence_GetItem has given us a reference, and Py_BuildValue's O makes
 * another one. The right way is N, or to drop ours.
 * As in ujson 2.0.0 to 2.0.2 (its issue 392): PyIter_Next gave it a reference to each key that it
 * wrote, and it never dropped that. Mended in 2.0.3. The audit: the type of the items. */
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

/* rows(count, right): a list of pairs. PyList_Append takes a reference of its own, ours must go.
 * As in the contours of matplotlib 1.5.1 (its issue 6940): each line's array stayed. Mended in
 * 2.0.0. The audit: tuple, `count` for each call. */
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
 * dictionary that it has made so far.
 * As in msgpack 0.4.6 for Python (its issue 152): the containers of malformed input stayed. Mended
 * in 0.4.7 for the outermost one, in 1.2.0 for those inside (its pull request 671). The audit:
 * dict. */
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

/* Handle, and HandleRight: objects of types that are made at run time. From Python 3.8 on such an
 * object holds its type, and what destroys it has to let go of that. Classes that extend Handle
 * leave it to Handle: each object of theirs leaves a reference to its class, which never dies.
 * As in pybind11 2.4.2 on Python 3.8 (its issue 1946). Mended in 2.4.3. The audit: type, with the
 * class as the example. */
static void handle_end(PyObject *self) { Py_TYPE(self)->tp_free(self); }

static void handle_end_right(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

static PyObject *make_handle_type(const char *name, void (*end)(PyObject *)) {
  PyType_Slot slots[] = {{Py_tp_dealloc, (void *)end}, {0, NULL}};
  PyType_Spec spec = {.name = name,
                      .basicsize = sizeof(PyObject),
                      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                      .slots = slots};
  return PyType_FromSpec(&spec);
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

static int add_type(PyObject *module, PyObject *type) {
  int status = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
  Py_XDECREF(type);
  return status;
}

PyMODINIT_FUNC PyInit_leaky(void) {
  PyObject *module = PyModule_Create(&definition);
  if (!module) return NULL;
  if (add_type(module, make_handle_type("leaky.Handle", handle_end)) < 0 ||
      add_type(module, make_handle_type("leaky.HandleRight", handle_end_right)) < 0)
    Py_CLEAR(module);
  return module;
}
