/* SPDX-License-Identifier: MIT */
/* What differs between CPython versions: the only `#if` on versions in the extension. */
#ifndef OURO_EXT_COMPAT_H
#define OURO_EXT_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <ouro/base.h>

#ifdef Py_GIL_DISABLED
#error "Ouro does not support free-threaded CPython: use the default build of 3.10 to 3.15"
#endif

#if PY_VERSION_HEX < 0x030A0000 || PY_VERSION_HEX >= 0x03100000
#error "Ouro supports CPython 3.10 to 3.15"
#endif

/* Whether the interpreter has started and not begun to end. Any thread. */
static inline bool compat_running(void) {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsInitialized() && !Py_IsFinalizing();
#else
  return Py_IsInitialized() && !_Py_IsFinalizing();
#endif
}

/* Whether some thread is there that runs Python. In a forked child the last one may have ended; up
 * to 3.11 there can be no other first one, and asking for the GIL would end the process. */
static inline bool compat_has_threads(void) {
  PyInterpreterState *interpreter = PyInterpreterState_Main();
  return interpreter && PyInterpreterState_ThreadHead(interpreter);
}

/* Whether the main interpreter runs. Its GIL, or that of whoever runs, is held. */
static inline bool compat_is_main(void) {
  return PyInterpreterState_Get() == PyInterpreterState_Main();
}

/* --- Interpreters with a GIL of their own (3.12) ---------------------------------------------- */

/* The runtime's list of interpreters, newest first: while its head is the main interpreter, that is
 * the only one and whoever runs holds the one GIL. A slot that never equals it costs speed, not
 * safety. */
typedef struct compat_interpreters {
  PyInterpreterState *const *newest;
  PyInterpreterState *main;
} compat_interpreters;

#if PY_VERSION_HEX >= 0x030C0000

#define COMPAT_ONE_GIL false

#if PY_VERSION_HEX >= 0x030D0000
/* From 3.13 on _PyRuntime begins with offsets published for debuggers: cookie, version,
 * free-threaded, size of the runtime, finalizing, head of the interpreters. */
static inline size_t compat_newest_offset(const char *runtime) {
  const uint64_t *published = (const uint64_t *)(const void *)runtime;
  bool known = !memcmp(runtime, "xdebugpy", 8) && published[5] < published[3];
  return known ? published[5] : 0;
}

static inline PyThreadState *compat_thread_state(void) { return PyThreadState_GetUnchecked(); }
#else
/* 3.12: five ints, the finalizing thread, the list's lock. */
static inline size_t compat_newest_offset(const char *runtime) {
  (void)runtime;
  return 40;
}

static inline PyThreadState *compat_thread_state(void) { return _PyThreadState_UncheckedGet(); }
#endif

static inline compat_interpreters compat_find_interpreters(void) {
  static PyInterpreterState *const unknown = NULL;
  compat_interpreters found = {&unknown, PyInterpreterState_Main()};
  const char *runtime = dlsym(RTLD_DEFAULT, "_PyRuntime");
  size_t offset = runtime ? compat_newest_offset(runtime) : 0;
  if (offset == 0 || offset % sizeof(void *) != 0) return found;
  PyInterpreterState *const *slot = (PyInterpreterState *const *)(const void *)(runtime + offset);
  if (*slot == PyInterpreterState_Head()) found.newest = slot;
  return found;
}

/* Whether there is no interpreter but the main one. */
static inline bool compat_alone(const compat_interpreters *all) {
  return *all->newest == all->main;
}

/* Whether the calling thread runs the main interpreter, or none at all, as late in finalization. */
static inline bool compat_in_main(const compat_interpreters *all) {
  PyThreadState *state = compat_thread_state();
  return state == NULL || PyThreadState_GetInterpreter(state) == all->main;
}

static inline bool compat_main_gil(const compat_interpreters *all) {
  return OURO_LIKELY(compat_alone(all)) || compat_in_main(all);
}

#define COMPAT_SLOTS                                                                               \
  { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }

#else /* 3.10, 3.11: all interpreters share one GIL */

#define COMPAT_ONE_GIL true

static inline compat_interpreters compat_find_interpreters(void) {
  return (compat_interpreters){NULL, PyInterpreterState_Main()};
}

static inline bool compat_alone(const compat_interpreters *all) {
  (void)all;
  return true;
}

static inline bool compat_main_gil(const compat_interpreters *all) { return compat_alone(all); }

#define COMPAT_SLOTS                                                                               \
  { 0, NULL }

#endif

/* --- Objects --------------------------------------------------------------------------------- */

/* Bytes in front of an object in its block: the collector's two words, and from 3.11 on two more
 * for the attribute dictionary and the weak references of instances. */
static inline size_t compat_bytes_before(const PyTypeObject *type) {
  size_t bytes = type->tp_flags & Py_TPFLAGS_HAVE_GC ? 2 * sizeof(void *) : 0;
#if PY_VERSION_HEX >= 0x030C0000
  if (type->tp_flags & Py_TPFLAGS_PREHEADER) bytes += 2 * sizeof(void *);
#elif PY_VERSION_HEX >= 0x030B0000
  if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) bytes += 2 * sizeof(void *);
#endif
  return bytes;
}

/* Attribute values without a dictionary: a block of their own in 3.11 and 3.12, part of the
 * object's later on. The address may lie inside the block; NULL: there is none. */
#if PY_VERSION_HEX >= 0x030D0000 || PY_VERSION_HEX < 0x030B0000
static inline bool compat_has_instance_values(const PyTypeObject *type) {
  (void)type;
  return false;
}

static inline const void *compat_instance_values(PyObject *object) {
  (void)object;
  return NULL;
}
#else
static inline bool compat_has_instance_values(const PyTypeObject *type) {
  return type->tp_flags & Py_TPFLAGS_MANAGED_DICT;
}

static inline const void *compat_instance_values(PyObject *object) {
#if PY_VERSION_HEX >= 0x030C0000
  uintptr_t tagged =
      ((const uintptr_t *)(const void *)object)[-3]; /* odd: values - 1; even: the dict */
  return tagged & 1 ? (const void *)(tagged + 1) : NULL;
#else
  return ((const void *const *)(const void *)object)[-4];
#endif
}
#endif

/* The values of a dictionary that shares its keys, if they have a block of their own: from 3.13 on
 * they may be part of the instance, which their third byte says. */
static inline const void *compat_separate_values(const PyDictObject *dict) {
  const void *values = dict->ma_values;
#if PY_VERSION_HEX >= 0x030D0000
  if (values && ((const uint8_t *)values)[2]) values = NULL;
#endif
  return values;
}

/* How many positions PyDict_Next has to look at, holes left by deletions included. CPython does not
 * publish it: the caller checks on a dictionary of its own that it is where it was. */
static inline size_t compat_dict_positions(PyObject *dict) {
#if PY_VERSION_HEX >= 0x030B0000
  enum { ENTRIES = 3 }; /* references, sizes and version, usable, entries */
#else
  enum { ENTRIES = 4 }; /* references, size, lookup, usable, entries */
#endif
  return (size_t)((const Py_ssize_t *)(const void *)((PyDictObject *)dict)->ma_keys)[ENTRIES];
}

/* Whether every reference that a traverse visits is counted: from 3.14 on stacks of frames hold
 * some that are not. */
#define COMPAT_COUNTS_ALL (PY_VERSION_HEX < 0x030E0000)

/* Whether full collections untrack dicts that cannot be part of a cycle. */
#define COMPAT_UNTRACKS_DICTS (PY_VERSION_HEX < 0x030E0000)

/* Whether the characters follow the header in one block. */
static inline bool compat_str_is_compact(PyObject *text) {
#if PY_VERSION_HEX < 0x030C0000
  return PyUnicode_IS_READY(text) && PyUnicode_IS_COMPACT(text);
#else
  return PyUnicode_IS_COMPACT(text);
#endif
}

static inline PyObject *compat_type_dict(PyTypeObject *type) {
#if PY_VERSION_HEX >= 0x030C0000
  return PyType_GetDict(type);
#else
  Py_XINCREF(type->tp_dict);
  return type->tp_dict;
#endif
}

typedef int (*compat_visitor)(PyObject *object, void *context); /* 1: go on */

/* Calls `visit` for every object the collector tracks, but for frozen ones. false: out of memory.
 * The collector must be disabled. */
static inline bool compat_visit_tracked(compat_visitor visit, void *context) {
#if PY_VERSION_HEX >= 0x030C0000
  PyUnstable_GC_VisitObjects(visit, context);
  return true;
#else
  PyObject *gc = PyImport_ImportModule("gc");
  PyObject *list = gc ? PyObject_CallMethod(gc, "get_objects", NULL) : NULL;
  Py_ssize_t count = list ? PyList_GET_SIZE(list) : 0;
  for (Py_ssize_t i = 0; i < count && visit(PyList_GET_ITEM(list, i), context); i++) continue;
  bool done = list != NULL;
  Py_XDECREF(list);
  Py_XDECREF(gc);
  return done;
#endif
}

/* --- What a fork's hooks need to know (3.12) -------------------------------------------------- */

/* A call that Python code is making. */
typedef struct compat_call {
  const void *frame;
  int at;
} compat_call;

#if PY_VERSION_HEX >= 0x030C0000

#define COMPAT_HOOK_FRAMES 8

static inline compat_call compat_calling(void) {
  PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
  compat_call call = {frame, frame ? PyFrame_GetLasti(frame) : -1};
  Py_XDECREF(frame);
  return call;
}

/* Whether Python code runs inside that call. A bounded look: what is far below is no hook. */
static inline bool compat_inside(compat_call call) {
  PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
  bool inside = false;
  for (int depth = 0; frame != NULL && depth < COMPAT_HOOK_FRAMES; depth++) {
    bool same = frame == call.frame;
    inside = same && depth > 0 && PyFrame_GetLasti(frame) == call.at;
    PyFrameObject *back = same ? NULL : PyFrame_GetBack(frame);
    Py_DECREF(frame);
    frame = back;
  }
  Py_XDECREF(frame);
  return inside;
}

#else /* nobody counts threads at a fork */

static inline compat_call compat_calling(void) { return (compat_call){NULL, -1}; }

static inline bool compat_inside(compat_call call) {
  (void)call;
  return false;
}

#endif

#endif
