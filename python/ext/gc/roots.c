/* SPDX-License-Identifier: MIT */
#include "roots.h"

#include "frames.h"

/* A visit has no pauses: threads are looked at, newest first, until it has cost about half a
 * millisecond, and of each thread the newest frames. */
#define VISITS_AT_MOST 50000
#define FRAMES_PER_THREAD 256

/* References followed from one local: a container that has more of them, and matters for that, is
 * old, and the collector goes through it by itself. */
#define REFERENCES_PER_LOCAL 32

/* Frames that are compared with the interpreter's own account, and how many in a row may be none of
 * its business: those that C makes, and calls that are being prepared. */
#define FRAMES_PROVED 16
#define FRAMES_BETWEEN 8

/* Types that no class made by Python code: CPython's some 220 and those of extensions. Beyond, what
 * they hold is found by its count. */
#define TYPES_AT_MOST 1024

typedef enum roots_state { ROOTS_UNKNOWN, ROOTS_PROVED, ROOTS_REFUSED } roots_state;

static struct {
  roots_state frames;
  size_t types;                      /* so many of: */
  PyTypeObject *type[TYPES_AT_MOST]; /* static ones, `object` first */
  PyObject *dict[TYPES_AT_MOST];     /* what each holds; borrowed */
  Py_ssize_t modules;                /* that there were when the types were looked for */
} roots;

typedef struct roots_walk {
  visitproc visit;
  void *arg;
  int visits_left, references_left;
} roots_walk;

/* --- Proof of the layout ---------------------------------------------------------------------- */

/* The frame that the interpreter shows as `shown`, from `frame` on; NULL: there is none. */
static const frames_frame *find_frame(const frames_frame *frame, PyFrameObject *shown) {
  for (int i = 0; frame && i < FRAMES_BETWEEN; i++, frame = frames_previous(frame)) {
    if (frames_same(frame, shown)) return frame;
  }
  return NULL;
}

/* Whether this thread's frames are those the interpreter shows. */
static bool compare_frames(PyThreadState *state, PyFrameObject *shown) {
  const frames_frame *frame = frames_newest(state);
  bool same = true;
  for (int i = 0; shown && same && i < FRAMES_PROVED; i++) {
    frame = find_frame(frame, shown);
    same = frame != NULL;
    if (same) frame = frames_previous(frame);
    PyFrameObject *older = PyFrame_GetBack(shown);
    Py_DECREF(shown);
    shown = older;
  }
  Py_XDECREF(shown);
  return same;
}

/* Once, and only where Python code has called. Frames become objects by being shown. */
static void prove_frames(void) {
  if (!frames_as_published()) {
    roots.frames = ROOTS_REFUSED;
    return;
  }
  PyThreadState *state = PyThreadState_Get();
  PyFrameObject *shown = PyThreadState_GetFrame(state);
  if (shown) roots.frames = compare_frames(state, shown) ? ROOTS_PROVED : ROOTS_REFUSED;
}

/* --- Frames ----------------------------------------------------------------------------------- */

static void visit_object(roots_walk *walk, PyObject *object) {
  walk->visit(object, walk->arg);
  walk->visits_left--;
}

static int visit_reference(PyObject *object, void *arg) {
  roots_walk *walk = arg;
  visit_object(walk, object);
  return --walk->references_left <= 0; /* a traverse ends when it is told so */
}

/* An object, and what it refers to: it may be too young for the collector to know. */
static void visit_local(roots_walk *walk, PyObject *object) {
  if (!object) return;
  visit_object(walk, object);
  if (!PyObject_GC_IsTracked(object)) return;
  walk->references_left = REFERENCES_PER_LOCAL;
  Py_TYPE(object)->tp_traverse(object, visit_reference, walk);
}

static void visit_frame(roots_walk *walk, const frames_frame *frame) {
  const frames_slot *slots = frames_locals(frame);
  Py_ssize_t locals = frames_local_count(frame);
  visit_local(walk, frames_scope(frame));
  visit_local(walk, frames_namespace(frame));
  for (Py_ssize_t i = 0; i < locals; i++) visit_local(walk, frames_object(slots[i]));
  Py_ssize_t end = locals + frames_stack_count(frame);
  for (Py_ssize_t i = locals; i < end; i++) {
    PyObject *object = frames_object(slots[i]);
    if (object) visit_object(walk, object);
  }
}

static void visit_thread(roots_walk *walk, const PyThreadState *state) {
  visit_local(walk, state->dict);
  visit_local(walk, state->context);
  const frames_frame *frame = frames_newest(state);
  for (int i = 0; frame && i < FRAMES_PER_THREAD && walk->visits_left > 0; i++) {
    if (frames_usable(frame)) visit_frame(walk, frame);
    frame = frames_previous(frame);
  }
}

static void visit_threads(roots_walk *walk, PyInterpreterState *interpreter) {
  if (roots.frames == ROOTS_UNKNOWN) prove_frames();
  if (roots.frames != ROOTS_PROVED) return;
  PyThreadState *state = PyInterpreterState_ThreadHead(interpreter);
  for (; state && walk->visits_left > 0; state = PyThreadState_Next(state)) {
    visit_thread(walk, state);
  }
}

/* --- Types ------------------------------------------------------------------------------------ */

/* CPython's own types are no objects of the collector's, but a fifth of what there is in a small
 * program is their methods and slots, which nothing else leads to. They never end, nor does what
 * they hold, so it is looked for once, and again when a module has come. */

static void add_type(PyTypeObject *t) {
  size_t i = 0;
  if (t->tp_flags & Py_TPFLAGS_HEAPTYPE || roots.types == TYPES_AT_MOST) return;
  while (i < roots.types && roots.type[i] != t) i++;
  if (i < roots.types) return;
  roots.type[i] = t;
  roots.dict[i] = compat_type_dict(t);
  Py_XDECREF(roots.dict[i]); /* the type keeps it */
  roots.types++;
}

static void add_subclasses(PyObject *ask, PyTypeObject *t) {
  PyObject *list = PyObject_CallOneArg(ask, (PyObject *)t);
  if (!list) PyErr_Clear();
  for (Py_ssize_t i = 0; list && PyList_Check(list) && i < PyList_GET_SIZE(list); i++) {
    PyObject *subclass = PyList_GET_ITEM(list, i);
    if (PyType_Check(subclass)) add_type((PyTypeObject *)subclass);
  }
  Py_XDECREF(list);
}

static void find_types(void) {
  PyObject *ask = PyObject_GetAttrString((PyObject *)&PyType_Type, "__subclasses__");
  if (!ask) PyErr_Clear();
  roots.types = 0;
  add_type(&PyBaseObject_Type);
  for (size_t i = 0; ask && i < roots.types; i++) add_subclasses(ask, roots.type[i]);
  Py_XDECREF(ask);
}

static void visit_types(roots_walk *walk) {
  PyObject *modules = PyImport_GetModuleDict();
  Py_ssize_t count = PyDict_Check(modules) ? PyDict_GET_SIZE(modules) : 0;
  if (count != roots.modules) find_types();
  roots.modules = count;
  for (size_t i = 0; i < roots.types; i++)
    if (roots.dict[i]) visit_object(walk, roots.dict[i]);
}

/* --- The interpreter -------------------------------------------------------------------------- */

/* Most of what there is hangs on a module: sys and its dictionary, builtins, gc.garbage,
 * gc.callbacks, the codecs' search functions. */
static void visit_modules(roots_walk *walk) {
  PyObject *modules = PyImport_GetModuleDict(), *module;
  visit_local(walk, modules);
  Py_ssize_t at = 0;
  while (PyDict_Check(modules) && PyDict_Next(modules, &at, NULL, &module)) {
    visit_object(walk, module);
  }
}

static void visit_all(roots_walk *walk) {
  PyInterpreterState *interpreter = PyInterpreterState_Get();
  visit_modules(walk);
  visit_types(walk);
  visit_local(walk, PyInterpreterState_GetDict(interpreter)); /* the first time it may be made */
  visit_threads(walk, interpreter);
}

void gcroots_visit(visitproc visit, void *arg) {
  if (!compat_running()) return; /* the interpreter takes itself apart */
  roots_walk walk = {visit, arg, VISITS_AT_MOST, 0};
  int enabled = PyGC_Disable(); /* what is made at the first call must not start a collection */
  visit_all(&walk);
  if (enabled) PyGC_Enable();
}
