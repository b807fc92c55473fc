/* SPDX-License-Identifier: MIT */
#include "attend.h"

#include "os/os.h"

/* Per process, as the collector is. */
static struct {
  const gclayout *layout; /* NULL: not started */
  PyObject *listeners;    /* gc.callbacks */
  PyObject *own;          /* with the callback; nobody else ever sees it */
  PyObject *sentinel;
  bool noticed; /* the sentinel was visited by a collection */
  uint64_t began;
} attended;

/* --- The marker and the sentinel -------------------------------------------------------------- */

/* CPython's list is the program's, which nobody is going through: this is a traverse. */
static void notice(void) {
  attended.noticed = true;
  if (!attended.layout || *attended.layout->callbacks != attended.listeners) return;
  *attended.layout->callbacks = attended.own;
  attended.began = os_clock_ns();
}

/* The flag is set on the objects that a collection looks at, so gc.get_referrers() and the like,
 * which a callback may call, are told apart. */
static int marker_traverse(PyObject *self, visitproc visit, void *arg) {
  if (gclink_of(self)->previous & GCLINK_COLLECTING) notice();
  Py_VISIT(Py_TYPE(self));
  return 0;
}

static void marker_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

PyObject *attend_make_marker(void) {
  static PyType_Slot slots[] = {{Py_tp_traverse, (void *)(uintptr_t)marker_traverse},
                                {Py_tp_dealloc, (void *)(uintptr_t)marker_dealloc},
                                {0, NULL}};
  static PyType_Spec spec = {.name = "ouro._ouro.Marker",
                             .basicsize = sizeof(PyObject),
                             .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                             .slots = slots};
  PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&spec);
  PyObject *marker = type ? (PyObject *)PyObject_GC_New(PyObject, type) : NULL;
  Py_XDECREF(type);
  if (marker) PyObject_GC_Track(marker);
  else PyErr_Clear();
  return marker;
}

bool attend_return(void) {
  if (!attended.layout) return false;
  gclink *sentinel = gclink_of(attended.sentinel);
  bool noticed = attended.noticed;
  attended.noticed = false;
  if (gclink_tracked(sentinel)) gclink_unlink(sentinel);
  gclink_insert_after(gclink_previous(&attended.layout->generation[1]->head), sentinel);
  return noticed;
}

/* --- Who is called ---------------------------------------------------------------------------- */

void attend(void) {
  const gclayout *layout = attended.layout;
  if (!layout || *layout->collecting || *layout->callbacks != attended.listeners) return;
  *layout->callbacks = attended.own;
}

void attend_rest(void) {
  if (attended.layout && PyList_GET_SIZE(attended.listeners) == 0)
    *attended.layout->callbacks = attended.listeners;
}

PyObject *attend_listeners(void) { return attended.listeners; }

void attend_begins(void) { attended.began = os_clock_ns(); }

uint64_t attend_began(void) { return attended.began; }

/* --- On and off ------------------------------------------------------------------------------- */

/* Not tracked: neither is anybody's but ours. */
static PyObject *make_list(PyMethodDef *callback) {
  PyObject *function = PyCFunction_New(callback, NULL), *list = PyList_New(function != NULL);
  if (function && list) {
    PyObject_GC_UnTrack(function);
    PyObject_GC_UnTrack(list);
    PyList_SET_ITEM(list, 0, function);
    return list;
  }
  Py_XDECREF(function);
  Py_XDECREF(list);
  return NULL;
}

static void forget(void) {
  attended.listeners = NULL;
  Py_CLEAR(attended.own);
  Py_CLEAR(attended.sentinel);
}

bool attend_start(const gclayout *layout, PyMethodDef *callback) {
  attended.own = make_list(callback);
  attended.sentinel = attend_make_marker();
  attended.listeners = *layout->callbacks;
  if (!attended.own || !attended.sentinel || !attended.listeners) {
    PyErr_Clear();
    forget();
    return false;
  }
  attended.layout = layout;
  attend_return();
  attend();
  return true;
}

void attend_stop(void) {
  if (*attended.layout->callbacks == attended.own) *attended.layout->callbacks = attended.listeners;
  attended.layout = NULL;
  attended.noticed = false;
  forget();
}
