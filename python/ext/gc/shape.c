/* SPDX-License-Identifier: MIT */
#include "shape.h"

/* Written once, by shape_start. */
static bool dicts_can_be_divided;

/* A dict of which the number of positions is known, with holes in front. */
static PyObject *make_example(long entries, long holes) {
  PyObject *dict = PyDict_New();
  for (long i = 0; dict && i < entries; i++) {
    PyObject *key = PyLong_FromLong(i);
    if (!key || PyDict_SetItem(dict, key, Py_None) < 0) Py_CLEAR(dict);
    if (dict && i < holes && PyDict_DelItem(dict, key) < 0) Py_CLEAR(dict);
    Py_XDECREF(key);
  }
  return dict;
}

void shape_start(void) {
  PyObject *few = make_example(5, 2), *many = make_example(700, 40);
  dicts_can_be_divided =
      few && many && compat_dict_positions(few) == 5 && compat_dict_positions(many) == 700;
  Py_XDECREF(few);
  Py_XDECREF(many);
  PyErr_Clear();
}

size_t shape_dict_length(PyObject *o) {
  if (!dicts_can_be_divided || ((PyDictObject *)o)->ma_values) return 1;
  return compat_dict_positions(o);
}

void shape_visit_dict(PyObject *o, size_t from, size_t to, visitproc visit, void *arg) {
  Py_ssize_t at = (Py_ssize_t)from;
  PyObject *key, *value;
  while (PyDict_Next(o, &at, &key, &value) && (size_t)at <= to) {
    visit(key, arg);
    visit(value, arg);
  }
}

/* A key that was removed is replaced by an object of the interpreter's, which is nobody's referent but
 * does no harm: it is not tracked. */
void shape_visit_set(PyObject *o, size_t from, size_t to, visitproc visit, void *arg) {
  const PySetObject *set = (const PySetObject *)o;
  if (to > (size_t)set->mask + 1) to = (size_t)set->mask + 1;
  for (size_t i = from; i < to; i++)
    if (set->table[i].key) visit(set->table[i].key, arg);
}
