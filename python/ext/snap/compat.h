/* SPDX-License-Identifier: MIT */
/*
 * What differs between CPython versions in what objects own. Names are taken from here, and only
 * given to references that a type's own tp_traverse shows; so a wrong guess costs a name, never the
 * truth of a count. What is an edge without tp_traverse showing it is said here, too.
 */
#ifndef OURO_EXT_SNAP_COMPAT_H
#define OURO_EXT_SNAP_COMPAT_H

#include "../compat.h"
#include "../gc/frames.h"

#include <structmember.h>
#if PY_VERSION_HEX < 0x030B0000
#include <longintrepr.h>
#endif

/* A reference at a place of its own in each object of a type. */
typedef struct snapfield {
  const char *name;
  size_t offset;
  bool owned; /* an edge that tp_traverse does not show */
} snapfield;

#define SNAPFIELD(type, member, name)                                                              \
  { name, offsetof(type, member), false }
#define SNAPFIELD_OWNED(type, member, name)                                                        \
  { name, offsetof(type, member), true }

/* --- Counts ----------------------------------------------------------------------------------- */

#if PY_VERSION_HEX >= 0x030C0000
static inline bool snapcompat_immortal(PyObject *o) { return _Py_IsImmortal(o); }
#else
/* 3.11 gives objects that are part of the program such a count. */
static inline bool snapcompat_immortal(const PyObject *o) { return o->ob_refcnt > 900000000; }
#endif

/* --- Ints ------------------------------------------------------------------------------------- */

#if PY_VERSION_HEX >= 0x030C0000
static inline size_t snapcompat_digit_count(PyObject *o) {
  return ((PyLongObject *)o)->long_value.lv_tag >> 3;
}
static inline bool snapcompat_is_negative(PyObject *o) {
  return (((PyLongObject *)o)->long_value.lv_tag & 3) == 2;
}
static inline const digit *snapcompat_digits(PyObject *o) {
  return ((PyLongObject *)o)->long_value.ob_digit;
}
#else
static inline size_t snapcompat_digit_count(PyObject *o) { return (size_t)Py_ABS(Py_SIZE(o)); }
static inline bool snapcompat_is_negative(PyObject *o) { return Py_SIZE(o) < 0; }
static inline const digit *snapcompat_digits(PyObject *o) { return ((PyLongObject *)o)->ob_digit; }
#endif

/* --- Dictionaries ----------------------------------------------------------------------------- */

/* 3.10: the lookup of a dictionary with keys that are no strings; found by snapknown_find. */
extern const void *snapcompat_general_lookup;

#if PY_VERSION_HEX >= 0x030B0000

typedef struct snapkeys {
  Py_ssize_t references;
  uint8_t log2_size, log2_index_bytes, kind;
  uint32_t version;
  Py_ssize_t usable, entries;
  char indices[];
} snapkeys;

/* The n-th key of a table that instances share. */
static inline PyObject *snapcompat_key(const snapkeys *keys, Py_ssize_t n) {
  const char *entries = keys->indices + ((size_t)1 << keys->log2_index_bytes);
  return ((PyObject *const *)(const void *)entries)[2 * n];
}

/* Whether tp_traverse shows the keys, too. */
static inline bool snapcompat_shows_keys(const PyDictObject *dict) {
  return ((const snapkeys *)(const void *)dict->ma_keys)->kind == 0;
}

#else

typedef struct snapkeys {
  Py_ssize_t references, size;
  void *lookup;
  Py_ssize_t usable, entries;
  char indices[];
} snapkeys;

static inline PyObject *snapcompat_key(const snapkeys *keys, Py_ssize_t n) {
  size_t width = keys->size <= 0xff ? 1 : keys->size <= 0xffff ? 2 : 4;
  const char *entries = keys->indices + (size_t)keys->size * width;
  return ((PyObject *const *)(const void *)entries)[3 * n + 1];
}

static inline bool snapcompat_shows_keys(const PyDictObject *dict) {
  const snapkeys *keys = (const snapkeys *)(const void *)dict->ma_keys;
  return keys->lookup == snapcompat_general_lookup;
}

#endif

static inline const snapkeys *snapcompat_shared_keys(const PyTypeObject *type) {
  if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return NULL;
  return (const snapkeys *)(const void *)((const PyHeapTypeObject *)type)->ht_cached_keys;
}

/* Whether the values are those of an instance, which owns them. */
static inline bool snapcompat_is_view(const PyDictObject *dict) {
  return dict->ma_values && !compat_separate_values(dict);
}

/* --- Instances -------------------------------------------------------------------------------- */

/* Where the pointer to an instance's dictionary is, if that is one place for all of the type. */
static inline PyObject *snapcompat_dict_at(PyObject *o) {
  const PyTypeObject *type = Py_TYPE(o);
  Py_ssize_t offset = type->tp_dictoffset;
  if (offset < 0) {
    size_t items = (size_t)Py_ABS(Py_SIZE(o)) * (size_t)type->tp_itemsize;
    size_t size = ((size_t)type->tp_basicsize + items + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
    offset += (Py_ssize_t)size;
  }
  return offset > 0 ? *(PyObject **)(void *)((char *)o + offset) : NULL;
}

/* Whether instances have attributes besides their slots. */
static inline bool snapcompat_has_attributes(const PyTypeObject *type) {
#if PY_VERSION_HEX >= 0x030B0000
  if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) return true;
#endif
  return type->tp_dictoffset != 0;
}

/* The attributes' values that an instance has without a dictionary, in the order of the type's
 * shared keys; NULL: it has none. */
#if PY_VERSION_HEX >= 0x030D0000

static inline PyObject *snapcompat_instance_dict(PyObject *o) {
  if (!(Py_TYPE(o)->tp_flags & Py_TPFLAGS_MANAGED_DICT)) return snapcompat_dict_at(o);
  return ((PyObject **)(void *)o)[-3];
}

static inline PyObject *const *snapcompat_instance_values(PyObject *o, Py_ssize_t *room) {
  const PyTypeObject *type = Py_TYPE(o);
  if (!(type->tp_flags & Py_TPFLAGS_INLINE_VALUES)) return NULL;
  const uint8_t *values =
      (const uint8_t *)o + type->tp_basicsize; /* capacity, size, embedded, valid */
  *room = values[0];
  return values[3] ? (PyObject *const *)(const void *)(values + 8) : NULL;
}

#elif PY_VERSION_HEX >= 0x030B0000

static inline PyObject *const *snapcompat_instance_values(PyObject *o, Py_ssize_t *room) {
  const PyTypeObject *type = Py_TYPE(o);
  *room = PY_SSIZE_T_MAX;
  if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT)) return NULL;
  return (PyObject *const *)(const void *)compat_instance_values(o);
}

static inline PyObject *snapcompat_instance_dict(PyObject *o) {
  if (!(Py_TYPE(o)->tp_flags & Py_TPFLAGS_MANAGED_DICT)) return snapcompat_dict_at(o);
  Py_ssize_t room;
  return snapcompat_instance_values(o, &room) ? NULL : ((PyObject **)(void *)o)[-3];
}

#else

static inline PyObject *snapcompat_instance_dict(PyObject *o) { return snapcompat_dict_at(o); }

static inline PyObject *const *snapcompat_instance_values(PyObject *o, Py_ssize_t *room) {
  (void)o;
  *room = 0;
  return NULL;
}

#endif

/* --- Types ------------------------------------------------------------------------------------ */

/* A type's dictionary, borrowed: something else owns it. */
static inline PyObject *snapcompat_type_dict(PyTypeObject *type) {
  if (type->tp_dict) return type->tp_dict;
  PyObject *dict = compat_type_dict(type);
  Py_XDECREF(dict);
  return dict;
}

#define SNAPCOMPAT_TYPE_FIELDS                                                                     \
  SNAPFIELD(PyTypeObject, tp_dict, "__dict__"), SNAPFIELD(PyTypeObject, tp_bases, "__bases__"),    \
      SNAPFIELD(PyTypeObject, tp_mro, "__mro__"), SNAPFIELD(PyTypeObject, tp_base, "__base__"),    \
      SNAPFIELD(PyHeapTypeObject, ht_module, "__module__"),                                        \
      SNAPFIELD_OWNED(PyHeapTypeObject, ht_name, "__name__"),                                      \
      SNAPFIELD_OWNED(PyHeapTypeObject, ht_qualname, "__qualname__"),                              \
      SNAPFIELD_OWNED(PyHeapTypeObject, ht_slots, "__slots__"),                                    \
      SNAPFIELD_OWNED(PyTypeObject, tp_subclasses, "__subclasses__")

/* From 3.12 on those of built-in types are kept elsewhere. */
#define SNAPCOMPAT_SUBCLASSES_ARE_OBJECTS (PY_VERSION_HEX < 0x030C0000)

/* --- Code ------------------------------------------------------------------------------------- */

#if PY_VERSION_HEX >= 0x030B0000
#define SNAPCOMPAT_CODE_COMMON                                                                     \
  SNAPFIELD_OWNED(PyCodeObject, co_consts, "co_consts"),                                           \
      SNAPFIELD_OWNED(PyCodeObject, co_names, "co_names"),                                         \
      SNAPFIELD_OWNED(PyCodeObject, co_exceptiontable, "co_exceptiontable"),                       \
      SNAPFIELD_OWNED(PyCodeObject, co_localsplusnames, "co_localsplusnames"),                     \
      SNAPFIELD_OWNED(PyCodeObject, co_localspluskinds, "co_localspluskinds"),                     \
      SNAPFIELD_OWNED(PyCodeObject, co_filename, "co_filename"),                                   \
      SNAPFIELD_OWNED(PyCodeObject, co_name, "co_name"),                                           \
      SNAPFIELD_OWNED(PyCodeObject, co_qualname, "co_qualname"),                                   \
      SNAPFIELD_OWNED(PyCodeObject, co_linetable, "co_linetable")
#if PY_VERSION_HEX >= 0x030C0000
#define SNAPCOMPAT_CODE_FIELDS SNAPCOMPAT_CODE_COMMON
#else
#define SNAPCOMPAT_CODE_FIELDS                                                                     \
  SNAPCOMPAT_CODE_COMMON, SNAPFIELD_OWNED(PyCodeObject, _co_code, "co_code")
#endif
#else
#define SNAPCOMPAT_CODE_FIELDS                                                                     \
  SNAPFIELD_OWNED(PyCodeObject, co_code, "co_code"),                                               \
      SNAPFIELD_OWNED(PyCodeObject, co_consts, "co_consts"),                                       \
      SNAPFIELD_OWNED(PyCodeObject, co_names, "co_names"),                                         \
      SNAPFIELD_OWNED(PyCodeObject, co_varnames, "co_varnames"),                                   \
      SNAPFIELD_OWNED(PyCodeObject, co_freevars, "co_freevars"),                                   \
      SNAPFIELD_OWNED(PyCodeObject, co_cellvars, "co_cellvars"),                                   \
      SNAPFIELD_OWNED(PyCodeObject, co_filename, "co_filename"),                                   \
      SNAPFIELD_OWNED(PyCodeObject, co_name, "co_name"),                                           \
      SNAPFIELD_OWNED(PyCodeObject, co_linetable, "co_linetable")
#endif

#define SNAPCOMPAT_CODE_CACHED 4

/* The cached attributes of a code object, a block of references; NULL: there is none. */
#if PY_VERSION_HEX >= 0x030C0000
static inline PyObject *const *snapcompat_code_cache(const PyCodeObject *code) {
  return (PyObject *const *)(const void *)code->_co_cached;
}
#else
static inline PyObject *const *snapcompat_code_cache(const PyCodeObject *code) {
  (void)code;
  return NULL;
}
#endif

/* Name of the n-th local, cell or free variable; NULL: not known. Borrowed. */
static inline PyObject *snapcompat_local_name(const PyCodeObject *code, Py_ssize_t n) {
#if PY_VERSION_HEX >= 0x030B0000
  PyObject *names = code->co_localsplusnames;
#else
  PyObject *names = code->co_varnames;
  Py_ssize_t cells = PyTuple_GET_SIZE(code->co_cellvars);
  if (n >= code->co_nlocals) {
    n -= code->co_nlocals;
    names = n < cells ? code->co_cellvars : code->co_freevars;
    if (n >= cells) n -= cells;
  }
#endif
  return n < PyTuple_GET_SIZE(names) ? PyTuple_GET_ITEM(names, n) : NULL;
}

/* The number among the locals of the n-th variable of the closure. */
static inline Py_ssize_t snapcompat_free_variable(const PyCodeObject *code, Py_ssize_t n) {
#if PY_VERSION_HEX >= 0x030B0000
  return code->co_nlocalsplus - code->co_nfreevars + n;
#else
  return code->co_nlocals + PyTuple_GET_SIZE(code->co_cellvars) + n;
#endif
}

/* Only while the qualified name is kept: before 3.11 code has but a name. */
static inline PyObject *snapcompat_code_name(const PyCodeObject *code) {
#if PY_VERSION_HEX >= 0x030B0000
  return code->co_qualname;
#else
  return code->co_name;
#endif
}

/* The line that a frame is at. */
static inline int snapcompat_line(const frames_frame *frame) {
#if PY_VERSION_HEX >= 0x030B0000
  PyCodeObject *code = (PyCodeObject *)frames_executable(frame);
  return PyCode_Addr2Line(code, (int)((const char *)frame->instruction - code->co_code_adaptive));
#else
  return PyFrame_GetLineNumber((PyFrameObject *)(uintptr_t)frame);
#endif
}

/* --- Frames and generators -------------------------------------------------------------------- */

typedef struct snapgenerator {
  PyObject ob_base;
#if PY_VERSION_HEX < 0x030B0000
  PyObject *frame;
#endif
#if PY_VERSION_HEX < 0x030C0000
  PyObject *code;
#endif
  PyObject *weak, *name, *qualname;
  _PyErr_StackItem exc_state;
#if PY_VERSION_HEX >= 0x030B0000
  PyObject *origin;
  char flags[3];
  int8_t state;
  frames_frame frame;
#endif
} snapgenerator;

#define SNAPCOMPAT_GENERATOR_FIELDS                                                                \
  SNAPFIELD_OWNED(snapgenerator, name, "__name__"),                                                \
      SNAPFIELD_OWNED(snapgenerator, qualname, "__qualname__")

#if PY_VERSION_HEX >= 0x030B0000

#define SNAPCOMPAT_FRAMES_ARE_OBJECTS false

typedef struct snapframe {
  PyObject ob_base;
  PyObject *back;
  const frames_frame *frame;
  PyObject *trace;
} snapframe;

#define SNAPCOMPAT_FRAME_FIELDS                                                                    \
  SNAPFIELD(snapframe, back, "f_back"), SNAPFIELD(snapframe, trace, "f_trace")

static inline const frames_frame *snapcompat_frame_of_generator(PyObject *o) {
  return &((const snapgenerator *)(const void *)o)->frame;
}

/* A frame's part that a frame object may be the owner of. */
static inline const frames_frame *snapcompat_frame_of_object(PyObject *o) {
  return ((const snapframe *)(const void *)o)->frame;
}

static inline PyObject *snapcompat_generator_of_frame(const frames_frame *frame) {
  return (PyObject *)(uintptr_t)((const char *)frame - offsetof(snapgenerator, frame));
}

static inline bool snapcompat_of_generator(const frames_frame *frame) {
  return frame->owner == FRAMES_OWNED_BY_GENERATOR;
}

static inline PyObject *snapcompat_frame_object(const frames_frame *frame) { return frame->object; }

#else

#define SNAPCOMPAT_FRAMES_ARE_OBJECTS true
#define SNAPCOMPAT_FRAME_FIELDS                                                                    \
  SNAPFIELD(PyFrameObject, f_back, "f_back"), SNAPFIELD(PyFrameObject, f_code, "f_code"),          \
      SNAPFIELD(PyFrameObject, f_builtins, "f_builtins"),                                          \
      SNAPFIELD(PyFrameObject, f_globals, "f_globals"),                                            \
      SNAPFIELD(PyFrameObject, f_locals, "f_locals"), SNAPFIELD(PyFrameObject, f_trace, "f_trace")

static inline const frames_frame *snapcompat_frame_of_generator(PyObject *o) {
  (void)o;
  return NULL;
}

static inline const frames_frame *snapcompat_frame_of_object(PyObject *o) {
  return (const frames_frame *)(const void *)o;
}

static inline PyObject *snapcompat_generator_of_frame(const frames_frame *frame) {
  return (PyObject *)(uintptr_t)frame;
}

static inline bool snapcompat_of_generator(const frames_frame *frame) {
  (void)frame;
  return false;
}

static inline PyObject *snapcompat_frame_object(const frames_frame *frame) {
  return (PyObject *)(uintptr_t)frame;
}

#endif

/* Whether the call itself holds its frame, where frames are objects. */
#if PY_VERSION_HEX < 0x030B0000
static inline bool snapcompat_call_owns(const frames_frame *frame) { return !frame->f_gen; }
#else
static inline bool snapcompat_call_owns(const frames_frame *frame) {
  (void)frame;
  return false;
}
#endif

/* Whether a slot's reference is one that its object counts. */
#if PY_VERSION_HEX >= 0x030E0000
static inline bool snapcompat_counted(frames_slot slot) { return (slot & 3) == 0; }
#else
static inline bool snapcompat_counted(frames_slot slot) { return slot != NULL; }
#endif

/* Whether the executable's and the function's references are. */
#if PY_VERSION_HEX >= 0x030E0000
static inline bool snapcompat_code_counted(const frames_frame *f) {
  return snapcompat_counted(f->executable);
}
static inline bool snapcompat_scope_counted(const frames_frame *f) {
  return snapcompat_counted(f->function);
}
#else
static inline bool snapcompat_code_counted(const frames_frame *f) { return f != NULL; }
static inline bool snapcompat_scope_counted(const frames_frame *f) { return f != NULL; }
#endif

/* --- Modules ---------------------------------------------------------------------------------- */

/* Their structure is not public: proved by snapknown_find. */
typedef struct snapmodule {
  PyObject ob_base;
  PyObject *dict;
#if PY_VERSION_HEX < 0x030F0000
  PyModuleDef *definition;
#endif
  void *state;
  PyObject *weak, *name;
} snapmodule;

/* --- functools.lru_cache ---------------------------------------------------------------------- */

/* An entry of a bounded cache: an object that the cache's list and its dictionary hold. The cache
 * shows what the entries refer to as its own; it begins like one of them. */
typedef struct snaplink {
  PyObject ob_base;
  struct snaplink *previous, *next;
  Py_hash_t hash;
  PyObject *key, *result;
} snaplink;

typedef struct snapcache {
  snaplink root;
  void *wrapper;
  int typed;
  PyObject *cache;
  Py_ssize_t hits;
  PyObject *function;
} snapcache;

#define SNAPCOMPAT_LINK "functools._lru_list_elem"
#define SNAPCOMPAT_CACHE "functools._lru_cache_wrapper"

/* --- Threads ---------------------------------------------------------------------------------- */

#define SNAPCOMPAT_THREAD_COMMON                                                                   \
  SNAPFIELD_OWNED(PyThreadState, dict, "dictionary"),                                              \
      SNAPFIELD_OWNED(PyThreadState, context, "context"),                                          \
      SNAPFIELD_OWNED(PyThreadState, async_exc, "asynchronous exception"),                         \
      SNAPFIELD_OWNED(PyThreadState, c_profileobj, "profile function"),                            \
      SNAPFIELD_OWNED(PyThreadState, c_traceobj, "trace function"),                                \
      SNAPFIELD_OWNED(PyThreadState, async_gen_firstiter, "asynchronous generators' hook"),        \
      SNAPFIELD_OWNED(PyThreadState, async_gen_finalizer, "asynchronous generators' finalizer"),   \
      SNAPFIELD_OWNED(PyThreadState, exc_state.exc_value, "handled exception")

#if PY_VERSION_HEX >= 0x030C0000
#define SNAPCOMPAT_THREAD_FIELDS                                                                   \
  SNAPCOMPAT_THREAD_COMMON, SNAPFIELD_OWNED(PyThreadState, current_exception, "raised exception")
#elif PY_VERSION_HEX >= 0x030B0000
#define SNAPCOMPAT_THREAD_FIELDS                                                                   \
  SNAPCOMPAT_THREAD_COMMON, SNAPFIELD_OWNED(PyThreadState, curexc_value, "raised exception"),      \
      SNAPFIELD_OWNED(PyThreadState, curexc_type, "raised exception's type"),                      \
      SNAPFIELD_OWNED(PyThreadState, curexc_traceback, "raised exception's traceback")
#else
#define SNAPCOMPAT_THREAD_FIELDS                                                                   \
  SNAPCOMPAT_THREAD_COMMON, SNAPFIELD_OWNED(PyThreadState, curexc_value, "raised exception"),      \
      SNAPFIELD_OWNED(PyThreadState, curexc_type, "raised exception's type"),                      \
      SNAPFIELD_OWNED(PyThreadState, curexc_traceback, "raised exception's traceback"),            \
      SNAPFIELD_OWNED(PyThreadState, exc_state.exc_type, "handled exception's type"),              \
      SNAPFIELD_OWNED(PyThreadState, exc_state.exc_traceback, "handled exception's traceback")
#endif

/* --- Objects ---------------------------------------------------------------------------------- */

/* Calls visit for all that is tracked, where the lists are not as expected. */
#if PY_VERSION_HEX >= 0x030C0000
static inline bool snapcompat_visit_tracked(compat_visitor visit, void *context) {
  PyUnstable_GC_VisitObjects(visit, context);
  return true;
}
#else
static inline bool snapcompat_visit_tracked(compat_visitor visit, void *context) {
  (void)visit, (void)context;
  return false;
}
#endif

/* 3.14.0 to 3.14.4 have an incremental collector, whose lists are others. */
#if PY_VERSION_HEX >= 0x030E0000
#define SNAPCOMPAT_LISTS_KNOWN (Py_Version >= 0x030E0500)
#else
#define SNAPCOMPAT_LISTS_KNOWN true
#endif

/* Finds out what this version does not tell. */
#if PY_VERSION_HEX < 0x030B0000
static inline void snapcompat_prepare(void) {
  PyObject *dict = PyDict_New(), *number = PyLong_FromLong(1);
  if (dict && number && PyDict_SetItem(dict, number, number) == 0)
    snapcompat_general_lookup =
        ((const snapkeys *)(const void *)((PyDictObject *)dict)->ma_keys)->lookup;
  Py_XDECREF(dict);
  Py_XDECREF(number);
}
#else
static inline void snapcompat_prepare(void) {}
#endif

#endif
