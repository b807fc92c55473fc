/* SPDX-License-Identifier: MIT */
#include "shape.h"

#include <structmember.h>

/* Made once, by shape_start. */
static PyObject *no_entries; /* an empty dict; NULL: dicts cannot be divided */

/* For the keys below `end`. */
static bool each_key(PyObject *dict, long end, int (*what)(PyObject *, PyObject *)) {
  bool done = dict != NULL;
  for (long i = 0; done && i < end; i++) {
    PyObject *key = PyLong_FromLong(i);
    done = key && what(dict, key) == 0;
    Py_XDECREF(key);
  }
  return done;
}

static int add_key(PyObject *dict, PyObject *key) { return PyDict_SetItem(dict, key, Py_None); }

/* A dict of which the number of positions is known, with holes in front. */
static PyObject *make_example(long entries, long holes) {
  PyObject *dict = PyDict_New();
  if (!each_key(dict, entries, add_key) || !each_key(dict, holes, PyDict_DelItem)) Py_CLEAR(dict);
  return dict;
}

void shape_start(void) {
  PyObject *few = make_example(5, 2), *many = make_example(700, 40);
  bool known = few && many && compat_dict_positions(few) == 5 && compat_dict_positions(many) == 700;
  if (known && !no_entries) no_entries = PyDict_New();
  Py_XDECREF(few);
  Py_XDECREF(many);
  PyErr_Clear();
}

size_t shape_dict_length(PyObject *o) {
  if (!no_entries || ((PyDictObject *)o)->ma_values) return 1;
  return compat_dict_positions(o) + !PyDict_CheckExact(o);
}

/* What a dict's subclass refers to besides its entries. */
static void visit_rest(PyObject *o, visitproc visit, void *arg) {
  PyDictObject *dict = (PyDictObject *)o;
  PyDictKeysObject *keys = dict->ma_keys;
  dict->ma_keys = ((PyDictObject *)no_entries)->ma_keys;
  Py_TYPE(o)->tp_traverse(o, visit, arg);
  dict->ma_keys = keys;
}

void shape_visit_dict(PyObject *o, size_t from, size_t to, visitproc visit, void *arg) {
  Py_ssize_t at = (Py_ssize_t)from;
  size_t entries = compat_dict_positions(o);
  PyObject *key, *value;
  while (PyDict_Next(o, &at, &key, &value) && (size_t)at <= to) {
    visit(key, arg);
    visit(value, arg);
  }
  if (!PyDict_CheckExact(o) && from <= entries && to > entries) visit_rest(o, visit, arg);
}

/* A key that was removed is replaced by an object of the interpreter's, which is nobody's referent
 * but does no harm: it is not tracked. */
void shape_visit_set(PyObject *o, size_t from, size_t to, visitproc visit, void *arg) {
  const PySetObject *set = (const PySetObject *)o;
  if (to > (size_t)set->mask + 1) to = (size_t)set->mask + 1;
  for (size_t i = from; i < to; i++)
    if (set->table[i].key) visit(set->table[i].key, arg);
}

/* --- Slots --- */

/* The slots that a class adds to its base's. False: too many, or they are not all there is. */
static bool add_slots(shape_slots *s, const PyTypeObject *t) {
  Py_ssize_t members = 0;
  for (const PyMemberDef *m = t->tp_members; m && m->name; m++, members++) {
    if (m->type != T_OBJECT_EX) continue;
    if (s->count == SHAPE_SLOTS) return false;
    s->at[s->count++] = m->offset;
  }
  return members == Py_SIZE(t);
}

typedef struct visits {
  const shape_slots *slots;
  PyObject *o;
  unsigned next; /* slot */
  bool expected;
} visits;

static int visit_expected(PyObject *referent, void *arg) {
  visits *v = arg;
  const shape_slots *s = v->slots;
  while (v->next < s->count && !shape_slot(v->o, s->at[v->next])) v->next++;
  const PyObject *next = NULL;
  if (v->next <= s->count)
    next = v->next < s->count ? shape_slot(v->o, s->at[v->next]) : (PyObject *)Py_TYPE(v->o);
  v->expected &= referent == next;
  v->next++;
  return 0;
}

static bool visits_them(const shape_slots *s, PyObject *o) {
  visits v = {s, o, 0, true};
  Py_TYPE(o)->tp_traverse(o, visit_expected, &v);
  return v.expected && v.next == s->count + 1;
}

shape_slots shape_slots_of(PyObject *o, traverseproc of_instances) {
  const PyTypeObject *t = Py_TYPE(o);
  shape_slots s = {.type = NULL};
  if (t->tp_dictoffset || t->tp_itemsize) return s;
  for (; t->tp_traverse == of_instances; t = t->tp_base)
    if (!add_slots(&s, t)) return s;
  if (t == &PyBaseObject_Type && visits_them(&s, o)) s.type = Py_TYPE(o);
  return s;
}

/* --- Rule C10 --- */

static bool may_be_tracked(PyObject *o) {
  return PyObject_IS_GC(o) && (!PyTuple_CheckExact(o) || PyObject_GC_IsTracked(o));
}

static bool tuple_is_plain(PyObject *o) {
  for (Py_ssize_t i = 0; i < Py_SIZE(o); i++) {
    PyObject *item = PyTuple_GET_ITEM(o, i);
    if (!item || may_be_tracked(item)) return false; /* NULL: it is being filled */
  }
  return true;
}

static bool dict_is_plain(PyObject *o) {
  Py_ssize_t at = 0;
  PyObject *key, *value;
  if (!COMPAT_UNTRACKS_DICTS || ((PyDictObject *)o)->ma_values) return false;
  if (PyDict_GET_SIZE(o) > SHAPE_LARGE) return false;
  while (PyDict_Next(o, &at, &key, &value))
    if (may_be_tracked(key) || may_be_tracked(value)) return false;
  return true;
}

bool shape_untrack(PyObject *o) {
  bool plain = PyTuple_CheckExact(o) ? tuple_is_plain(o) : dict_is_plain(o);
  if (plain) PyObject_GC_UnTrack(o);
  return plain;
}
