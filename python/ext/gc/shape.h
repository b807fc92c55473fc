/* SPDX-License-Identifier: MIT */
/*
 * What an object refers to, the large ones in pieces.
 *
 * Everything is visited by its type's tp_traverse, which is the one that knows; but a list of ten
 * million would be visited in one go. Lists, tuples, dicts and sets that are large are therefore
 * visited by position, through what CPython publishes of them: only objects of exactly these types,
 * as a subclass may refer to more, but for dicts. A dict's subclass has a last position for all
 * that is not its entries: its tp_traverse is called while it looks empty. Between two pieces the
 * program may change the object, so each piece asks for its size again.
 */
#ifndef OURO_EXT_GC_SHAPE_H
#define OURO_EXT_GC_SHAPE_H

#include "../compat.h"

/* From how many entries on a dict or set is visited in pieces. */
#define SHAPE_LARGE 512

/* Positions of a set's table; unused ones hold NULL or no key of a referent. */
static inline size_t shape_set_length(const PyObject *o) {
  return (size_t)((const PySetObject *)o)->mask + 1;
}

/* Positions that PyDict_Next counts, and one more of a subclass; 1 where it is not known where
 * CPython keeps that number. */
size_t shape_dict_length(PyObject *o);

/* Finds out whether dicts can be divided. Once, before the first look at one; needs the GIL. */
void shape_start(void);

static inline bool shape_is_set(const PyTypeObject *t) {
  return t == &PySet_Type || t == &PyFrozenSet_Type;
}

/* How many positions the object has: 1 if it is visited in one go. */
static inline size_t shape_length(PyObject *o) {
  const PyTypeObject *t = Py_TYPE(o);
  if (t == &PyList_Type || t == &PyTuple_Type) return (size_t)Py_SIZE(o) + 1;
  if (PyDict_Check(o) && PyDict_GET_SIZE(o) > SHAPE_LARGE) return shape_dict_length(o);
  if (shape_is_set(t) && PySet_GET_SIZE(o) > SHAPE_LARGE) return shape_set_length(o);
  return 1;
}

static inline void shape_visit_array(PyObject *const *items, size_t from, size_t to,
                                     visitproc visit, void *arg) {
  for (size_t i = from; i < to; i++)
    if (items[i]) visit(items[i], arg);
}

/* Entry i is visited in the piece that holds i, if it is used. */
void shape_visit_dict(PyObject *o, size_t from, size_t to, visitproc visit, void *arg);
void shape_visit_set(PyObject *o, size_t from, size_t to, visitproc visit, void *arg);

static inline size_t shape_least(size_t a, size_t b) { return a < b ? a : b; }

/* Visits what is at the positions [from, to). Always inline, so that `visit` is. */
static inline __attribute__((always_inline)) void
shape_traverse(PyObject *o, size_t from, size_t to, visitproc visit, void *arg) {
  PyTypeObject *t = Py_TYPE(o);
  if (t == &PyList_Type) {
    if (((PyListObject *)o)->ob_item)
      shape_visit_array(((PyListObject *)o)->ob_item, from, shape_least(to, (size_t)Py_SIZE(o)),
                        visit, arg);
  } else if (t == &PyTuple_Type) {
    shape_visit_array(((PyTupleObject *)o)->ob_item, from, shape_least(to, (size_t)Py_SIZE(o)),
                      visit, arg);
  } else if (to == 1) {
    if (t->tp_traverse) t->tp_traverse(o, visit, arg);
  } else if (PyDict_Check(o)) {
    shape_visit_dict(o, from, to, visit, arg);
  } else {
    shape_visit_set(o, from, to, visit, arg);
  }
}

/* Untracks a tuple or dict none of whose references can be part of a cycle. Whether it did. */
bool shape_untrack(PyObject *o);

/* The weak references to an object, or NULL; those that are not tracked are shown too. */
static inline PyObject *shape_first_weak(PyObject *o) {
  Py_ssize_t at = Py_TYPE(o)->tp_weaklistoffset;
  return at ? *(PyObject **)(void *)((char *)o + at) : NULL;
}

static inline PyObject *shape_next_weak(PyObject *weak) {
  return (PyObject *)((PyWeakReference *)weak)->wr_next;
}

#endif
