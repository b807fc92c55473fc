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

/* Instances of a class that has slots and no dict, nor has any of its bases: where their references
 * are. Their tp_traverse finds that out again for each of them, and visits the class. */
#define SHAPE_SLOTS 8

typedef struct shape_slots {
  const PyTypeObject *type; /* NULL: none */
  unsigned count;
  Py_ssize_t at[SHAPE_SLOTS]; /* offsets, in the order of the visits; the class comes last */
} shape_slots;

/* Of the class of `o`, if it is one, and if tp_traverse visits what is expected of `o`; else none.
 * Valid until the program runs. `of_instances`: the tp_traverse of classes made by `class`. */
shape_slots shape_slots_of(PyObject *o, traverseproc of_instances);

static inline PyObject *shape_slot(const PyObject *o, Py_ssize_t at) {
  return *(PyObject *const *)(const void *)((const char *)o + at);
}

static inline __attribute__((always_inline)) void
shape_visit_slots(const shape_slots *s, const PyObject *o, visitproc visit, void *arg) {
  for (unsigned i = 0; i < s->count; i++) {
    PyObject *referent = shape_slot(o, s->at[i]);
    if (referent) visit(referent, arg);
  }
  visit((PyObject *)Py_TYPE(o), arg);
}

/* Untracks a tuple or dict none of whose references can be part of a cycle. Whether it did. */
bool shape_untrack(PyObject *o);

/* Fetches what a visit reads besides the object. */
static inline void shape_prefetch(const PyObject *o) {
  if (Py_TYPE(o) == &PyList_Type) __builtin_prefetch(((const PyListObject *)o)->ob_item);
}

/* The same, dicts too: worth it where objects lie scattered. */
static inline void shape_expect(const PyObject *o) {
  if (Py_TYPE(o) == &PyDict_Type) __builtin_prefetch(((const PyDictObject *)o)->ma_keys);
  else shape_prefetch(o);
}

/* The weak references to an object, or NULL; those that are not tracked are shown too. */
static inline PyObject *shape_first_weak(PyObject *o) {
  Py_ssize_t at = Py_TYPE(o)->tp_weaklistoffset;
  return at ? *(PyObject **)(void *)((char *)o + at) : NULL;
}

static inline PyObject *shape_next_weak(PyObject *weak) {
  return (PyObject *)((PyWeakReference *)weak)->wr_next;
}

#endif
