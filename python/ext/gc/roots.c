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

typedef enum roots_state { ROOTS_UNKNOWN, ROOTS_PROVED, ROOTS_REFUSED } roots_state;

static struct { roots_state frames; } roots;

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
