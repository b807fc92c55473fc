/* SPDX-License-Identifier: MIT */
#include "kinds.h"

#include "known.h"

#define MODULE_AMONG 64 /* where in a class's dictionary its __module__ is looked for */

/* --- Names ------------------------------------------------------------------------------------ */

/* A class's __module__, borrowed, or NULL. Keys are compared only if they are plain. */
static PyObject *module_of(PyTypeObject *type) {
  PyObject *key, *value, *dict = snapcompat_type_dict(type);
  Py_ssize_t at = 0;
  for (int i = 0; dict && i < MODULE_AMONG && PyDict_Next(dict, &at, &key, &value); i++)
    if (snaptext_equals(key, "__module__")) return snaptext_readable(value) ? value : NULL;
  return NULL;
}

void snaptype_put_name(snaptext *to, PyTypeObject *type) {
  bool heap = type->tp_flags & Py_TPFLAGS_HEAPTYPE;
  if (!heap || strchr(type->tp_name, '.')) {
    snaptext_put(to, type->tp_name);
    return;
  }
  PyObject *module = module_of(type), *name = ((PyHeapTypeObject *)type)->ht_qualname;
  if (module && !snaptext_equals(module, "builtins")) {
    snaptext_put_str(to, module);
    snaptext_put(to, ".");
  }
  snaptext_put_str(to, name);
}

/* --- Kinds ------------------------------------------------------------------------------------ */

/* Whether a class statement made it: those are called by the str they have as a name. */
static bool of_statement(const PyTypeObject *type) {
  if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return false;
  PyObject *name = ((const PyHeapTypeObject *)type)->ht_name;
  if (!snaptext_readable(name)) return false;
  if (PyUnicode_IS_ASCII(name)) return type->tp_name == (const char *)PyUnicode_DATA(name);
  return type->tp_name == ((PyCompactUnicodeObject *)name)->utf8;
}

static bool is_or_extends(PyTypeObject *type, const char *name) {
  for (; type; type = type->tp_base)
    if (strcmp(type->tp_name, name) == 0) return true;
  return false;
}

static snapshot_type_kind kind_by_flags(const PyTypeObject *type) {
  static const struct {
    unsigned long flag;
    snapshot_type_kind kind;
  } rows[] = {
      {Py_TPFLAGS_DICT_SUBCLASS, SNAPSHOT_DICT},
      {Py_TPFLAGS_LIST_SUBCLASS, SNAPSHOT_LIST},
      {Py_TPFLAGS_TUPLE_SUBCLASS, SNAPSHOT_TUPLE},
      {Py_TPFLAGS_UNICODE_SUBCLASS, SNAPSHOT_STR},
      {Py_TPFLAGS_BYTES_SUBCLASS, SNAPSHOT_BYTES},
      {Py_TPFLAGS_LONG_SUBCLASS, SNAPSHOT_NUMBER},
      {Py_TPFLAGS_TYPE_SUBCLASS, SNAPSHOT_TYPE},
      {Py_TPFLAGS_BASE_EXC_SUBCLASS, SNAPSHOT_EXCEPTION},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (type->tp_flags & rows[i].flag) return rows[i].kind;
  return SNAPSHOT_OTHER;
}

/* The interpreter's own types, as they call themselves; and what extends them. */
static snapshot_type_kind kind_by_name(PyTypeObject *type) {
  static const struct {
    const char *name;
    snapshot_type_kind kind;
  } rows[] = {
      {"set", SNAPSHOT_SET},
      {"frozenset", SNAPSHOT_SET},
      {"float", SNAPSHOT_NUMBER},
      {"complex", SNAPSHOT_NUMBER},
      {"decimal.Decimal", SNAPSHOT_NUMBER},
      {"bytearray", SNAPSHOT_BYTES},
      {"module", SNAPSHOT_MODULE},
      {"function", SNAPSHOT_FUNCTION},
      {"builtin_function_or_method", SNAPSHOT_FUNCTION},
      {"method", SNAPSHOT_METHOD},
      {"method-wrapper", SNAPSHOT_METHOD},
      {"code", SNAPSHOT_CODE},
      {"cell", SNAPSHOT_CELL},
      {"frame", SNAPSHOT_FRAME},
      {"traceback", SNAPSHOT_TRACEBACK},
      {"generator", SNAPSHOT_GENERATOR},
      {"coroutine", SNAPSHOT_GENERATOR},
      {"async_generator", SNAPSHOT_GENERATOR},
      {"_asyncio.Task", SNAPSHOT_TASK},
      {"_asyncio.Future", SNAPSHOT_TASK},
      {"Context", SNAPSHOT_CONTEXT},
      {"_contextvars.Context", SNAPSHOT_CONTEXT},
      {"_contextvars.ContextVar", SNAPSHOT_CONTEXT},
      {"_contextvars.Token", SNAPSHOT_CONTEXT},
      {"ContextVar", SNAPSHOT_CONTEXT},
      {"Token", SNAPSHOT_CONTEXT},
      {"hamt", SNAPSHOT_CONTEXT},
      {"hamt_bitmap_node", SNAPSHOT_CONTEXT},
      {"hamt_array_node", SNAPSHOT_CONTEXT},
      {"hamt_collision_node", SNAPSHOT_CONTEXT},
      {"weakref", SNAPSHOT_WEAKREF},
      {"weakref.ReferenceType", SNAPSHOT_WEAKREF},
      {"weakproxy", SNAPSHOT_WEAKREF},
      {"weakref.ProxyType", SNAPSHOT_WEAKREF},
      {"weakcallableproxy", SNAPSHOT_WEAKREF},
      {"weakref.CallableProxyType", SNAPSHOT_WEAKREF},
      {"functools._lru_cache_wrapper", SNAPSHOT_LRU_CACHE},
      {"functools.partial", SNAPSHOT_PARTIAL},
      {"_thread._local", SNAPSHOT_THREAD_LOCAL},
      {"_thread._localdummy", SNAPSHOT_THREAD_LOCAL},
      {"PyCapsule", SNAPSHOT_CAPSULE},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (is_or_extends(type, rows[i].name)) return rows[i].kind;
  return SNAPSHOT_OTHER;
}

static snapshot_type_kind kind_of(PyTypeObject *type) {
  snapshot_type_kind kind = kind_by_flags(type);
  if (kind == SNAPSHOT_OTHER) {
    PyTypeObject *builtin = type; /* a class may call itself anything */
    while (builtin && of_statement(builtin)) builtin = builtin->tp_base;
    kind = builtin ? kind_by_name(builtin) : SNAPSHOT_OTHER;
  }
  if (kind == SNAPSHOT_OTHER && of_statement(type)) return SNAPSHOT_INSTANCE;
  return kind;
}

static snapshape shape_of_exact(const PyTypeObject *type) {
  if (type == &PyList_Type) return SNAPSHAPE_LIST;
  if (type == &PyTuple_Type) return SNAPSHAPE_TUPLE;
  if (type == &PyDict_Type) return SNAPSHAPE_DICT;
  if (type == &PySet_Type || type == &PyFrozenSet_Type) return SNAPSHAPE_SET;
  if (type == &PyFunction_Type) return SNAPSHAPE_FUNCTION;
  if (type == &PyCode_Type) return SNAPSHAPE_CODE;
  if (type == &PyFrame_Type) return SNAPSHAPE_FRAME;
  bool generator = type == &PyGen_Type || type == &PyCoro_Type || type == &PyAsyncGen_Type;
  return generator ? SNAPSHAPE_GENERATOR : SNAPSHAPE_LEAF;
}

static snapshape shape_of(const snaptype *t) {
  const PyTypeObject *type = t->type;
  snapshape exact = shape_of_exact(type);
  if (exact != SNAPSHAPE_LEAF) return exact;
  if (type->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS) return SNAPSHAPE_TYPE;
  if (type->tp_flags & Py_TPFLAGS_DICT_SUBCLASS) return SNAPSHAPE_MAPPING;
  if (type->tp_flags & (Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS))
    return SNAPSHAPE_SEQUENCE;
  if (strcmp(type->tp_name, "collections.deque") == 0) return SNAPSHAPE_DEQUE;
  if (strcmp(type->tp_name, SNAPCOMPAT_CACHE) == 0) return SNAPSHAPE_CACHE;
  if (!(type->tp_flags & (Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HEAPTYPE)) && !t->place_count &&
      !t->aware)
    return SNAPSHAPE_LEAF;
  return t->managed_dict ? SNAPSHAPE_INSTANCE : SNAPSHAPE_FIELDS;
}

/* A type of an extension that shows nothing of what it may hold. */
static bool is_opaque(const PyTypeObject *type, snapshape shape) {
  bool plain = type->tp_flags & Py_TPFLAGS_HAVE_GC || !strchr(type->tp_name, '.');
  return !plain && shape != SNAPSHAPE_TYPE && type->tp_basicsize > (Py_ssize_t)sizeof(PyObject);
}

static uint32_t flags_of(const PyTypeObject *type, snapshape shape) {
  uint32_t flags = 0;
  if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) flags |= SNAPSHOT_TYPE_HEAP;
  if (type->tp_flags & Py_TPFLAGS_HAVE_GC) flags |= SNAPSHOT_TYPE_GC;
  if (type->tp_finalize || type->tp_del) flags |= SNAPSHOT_TYPE_FINALIZER;
  if (is_opaque(type, shape)) flags |= SNAPSHOT_TYPE_OPAQUE;
  return flags;
}

/* --- Places of references --------------------------------------------------------------------- */

static const snapfield type_fields[] = {SNAPCOMPAT_TYPE_FIELDS, {NULL, 0, false}};
static const snapfield code_fields[] = {SNAPCOMPAT_CODE_FIELDS, {NULL, 0, false}};
static const snapfield generator_fields[] = {SNAPCOMPAT_GENERATOR_FIELDS, {NULL, 0, false}};
static const snapfield frame_fields[] = {SNAPCOMPAT_FRAME_FIELDS, {NULL, 0, false}};

static const snapfield function_fields[] = {
    SNAPFIELD(PyFunctionObject, func_code, "__code__"),
    SNAPFIELD(PyFunctionObject, func_globals, "__globals__"),
    SNAPFIELD(PyFunctionObject, func_builtins, "__builtins__"),
    SNAPFIELD(PyFunctionObject, func_name, "__name__"),
    SNAPFIELD(PyFunctionObject, func_qualname, "__qualname__"),
    SNAPFIELD(PyFunctionObject, func_defaults, "__defaults__"),
    SNAPFIELD(PyFunctionObject, func_kwdefaults, "__kwdefaults__"),
    SNAPFIELD(PyFunctionObject, func_closure, "__closure__"),
    SNAPFIELD(PyFunctionObject, func_doc, "__doc__"),
    SNAPFIELD(PyFunctionObject, func_dict, "__dict__"),
    SNAPFIELD(PyFunctionObject, func_module, "__module__"),
    SNAPFIELD(PyFunctionObject, func_annotations, "__annotations__"),
    {NULL, 0, false}};

static const snapfield cell_fields[] = {SNAPFIELD(PyCellObject, ob_ref, "cell_contents"),
                                        {NULL, 0, false}};
static const snapfield builtin_fields[] = {SNAPFIELD(PyCFunctionObject, m_self, "__self__"),
                                           SNAPFIELD(PyCFunctionObject, m_module, "__module__"),
                                           {NULL, 0, false}};
static const snapfield weak_fields[] = {SNAPFIELD(PyWeakReference, wr_callback, "__callback__"),
                                        {NULL, 0, false}};
static const snapfield traceback_fields[] = {SNAPFIELD(PyTracebackObject, tb_next, "tb_next"),
                                             SNAPFIELD(PyTracebackObject, tb_frame, "tb_frame"),
                                             {NULL, 0, false}};
static const snapfield exception_fields[] = {
    SNAPFIELD(PyBaseExceptionObject, args, "args"),
    SNAPFIELD(PyBaseExceptionObject, traceback, "__traceback__"),
    SNAPFIELD(PyBaseExceptionObject, context, "__context__"),
    SNAPFIELD(PyBaseExceptionObject, cause, "__cause__"),
    SNAPFIELD(PyBaseExceptionObject, dict, "__dict__"),
    {NULL, 0, false}};

/* Words that begin behind the object's head, of types whose structures are not public. */
#define WORD(n) (sizeof(PyObject) + (n) * sizeof(PyObject *))
static const snapfield module_fields[] = {SNAPFIELD(snapmodule, dict, "__dict__"),
                                          SNAPFIELD_OWNED(snapmodule, name, "__name__"),
                                          {NULL, 0, false}};
static const snapfield range_fields[] = {{"start", WORD(0), true},
                                         {"stop", WORD(1), true},
                                         {"step", WORD(2), true},
                                         {"length", WORD(3), true},
                                         {NULL, 0, false}};
static const snapfield timezone_fields[] = {
    {"offset", WORD(0), true}, {"name", WORD(1), true}, {NULL, 0, false}};
static const snapfield cache_fields[] = {SNAPFIELD(snapcache, cache, "cache"),
                                         SNAPFIELD(snapcache, function, "__wrapped__"),
                                         {NULL, 0, false}};
static const snapfield wrapper_fields[] = {{"__func__", WORD(0), false}, {NULL, 0, false}};
static const snapfield descriptor_fields[] = {
    SNAPFIELD(PyDescrObject, d_type, "__objclass__"),
    SNAPFIELD_OWNED(PyDescrObject, d_name, "__name__"),
    SNAPFIELD_OWNED(PyDescrObject, d_qualname, "__qualname__"),
    {NULL, 0, false}};

/* By the name of a built-in type, for what extends it too. */
static const snapfield *fields_of(PyTypeObject *type) {
  static const struct {
    const char *name;
    const snapfield *fields;
  } rows[] = {
      {"code", code_fields},
      {SNAPCOMPAT_CACHE, cache_fields},
      {"generator", generator_fields},
      {"coroutine", generator_fields},
      {"async_generator", generator_fields},
      {"frame", frame_fields},
      {"function", function_fields},
      {"cell", cell_fields},
      {"builtin_function_or_method", builtin_fields},
      {"weakref", weak_fields},
      {"weakref.ReferenceType", weak_fields},
      {"weakproxy", weak_fields},
      {"weakref.ProxyType", weak_fields},
      {"traceback", traceback_fields},
      {"BaseException", exception_fields},
      {"module", module_fields},
      {"range", range_fields},
      {"datetime.timezone", timezone_fields},
      {"classmethod", wrapper_fields},
      {"staticmethod", wrapper_fields},
      {"type", type_fields},
      {"method_descriptor", descriptor_fields},
      {"classmethod_descriptor", descriptor_fields},
      {"member_descriptor", descriptor_fields},
      {"getset_descriptor", descriptor_fields},
      {"wrapper_descriptor", descriptor_fields},
  };
  while (type && of_statement(type)) type = type->tp_base;
  for (; type; type = type->tp_base)
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
      if (strcmp(type->tp_name, rows[i].name) == 0) return rows[i].fields;
  return NULL;
}

static bool is_reference(const PyMemberDef *member, const PyTypeObject *type) {
  bool object = member->type == T_OBJECT || member->type == T_OBJECT_EX;
  Py_ssize_t end = member->offset + (Py_ssize_t)sizeof(PyObject *);
  return object && member->offset >= (Py_ssize_t)sizeof(PyObject) && end <= type->tp_basicsize;
}

static size_t count_members(PyTypeObject *type) {
  size_t count = 0;
  for (PyTypeObject *base = type; base; base = base->tp_base)
    for (const PyMemberDef *m = base->tp_members; m && m->name; m++) count += is_reference(m, type);
  return count;
}

static size_t count_fields(const snapfield *fields) {
  size_t count = 0;
  while (fields && fields[count].name) count++;
  return count;
}

static void add_place(snaptypes *types, snaptype *t, size_t offset, const char *name, bool owned) {
  t->places[t->place_count++] = (snapplace){offset, snapnames_text(types->names, name), owned};
}

/* Slots, and what C types publish as members; then what is known of built-in types. */
static void add_places(snaptypes *types, snaptype *t) {
  const snapfield *fields = fields_of(t->type);
  if (fields == module_fields && !snapknown_all.modules) fields = NULL;
  size_t most = count_members(t->type) + count_fields(fields) + 1;
  t->places = snappages_take(types->pages, most * sizeof *t->places);
  if (!t->places) return;
  for (PyTypeObject *base = t->type; base; base = base->tp_base)
    for (const PyMemberDef *m = base->tp_members; m && m->name; m++)
      if (is_reference(m, t->type)) add_place(types, t, (size_t)m->offset, m->name, false);
  for (; fields && fields->name; fields++)
    if (fields->offset + sizeof(PyObject *) <= (size_t)t->type->tp_basicsize)
      add_place(types, t, fields->offset, fields->name, fields->owned);
}

/* Where a datetime or a time has its tzinfo, if its head says that it has one. */
static void find_tzinfo(snaptype *t) {
  for (PyTypeObject *base = t->type; base; base = base->tp_base) {
    bool full = strcmp(base->tp_name, "datetime.datetime") == 0;
    if (!full && strcmp(base->tp_name, "datetime.time") != 0) continue;
    t->tzinfo = full ? 40 : 32;
    t->aware = base->tp_basicsize >= (Py_ssize_t)(t->tzinfo + sizeof(PyObject *));
  }
}

/* --- The table -------------------------------------------------------------------------------- */

static snaptype *slot_of(const snaptypes *types, const PyTypeObject *type) {
  size_t at = (size_t)((uintptr_t)type * 0x9E3779B97F4A7C15u >> 20) & (types->room - 1);
  while (types->slots[at].type && types->slots[at].type != type) at = (at + 1) & (types->room - 1);
  return &types->slots[at];
}

static bool widen(snaptypes *types) {
  snaptypes wider = *types;
  wider.room = types->room ? types->room * 2 : 1024;
  wider.slots = snappages_take(types->pages, wider.room * sizeof *wider.slots);
  if (!wider.slots) return false;
  for (size_t i = 0; i < types->room; i++)
    if (types->slots[i].type) *slot_of(&wider, types->slots[i].type) = types->slots[i];
  wider.last = NULL;
  *types = wider;
  return true;
}

static void enter(snaptypes *types, snaptype *t, PyTypeObject *type) {
  snaptext name = {0};
  t->type = type;
  t->size = objsize_of_type(type);
  t->kind = kind_of(type);
  t->holds_type = type->tp_flags & Py_TPFLAGS_HEAPTYPE;
  t->managed_dict = snapcompat_has_attributes(type);
  find_tzinfo(t);
  add_places(types, t);
  t->shape = shape_of(t);
  snaptype_put_name(&name, type);
  t->id = writer_type(types->out, t->kind, flags_of(type, t->shape), (uintptr_t)type,
                      (uint64_t)type->tp_basicsize, snaptext_end(&name));
}

snaptype *snaptypes_find(snaptypes *types, PyTypeObject *type, bool *fresh) {
  *fresh = false;
  if (types->last && types->last->type == type) return types->last;
  if (types->count >= types->room / 2 && !widen(types)) return NULL;
  snaptype *slot = slot_of(types, type);
  if (!slot->type) {
    enter(types, slot, type);
    types->count++;
    *fresh = true;
  }
  return types->last = slot;
}

Py_ssize_t snaptypes_shared(snaptypes *types, snaptype *t, const snapkeys *keys) {
  Py_ssize_t count = keys->entries;
  if (t->shared == keys && t->shared_count == count) return count;
  uint32_t *names = snappages_take(types->pages, (size_t)count * sizeof *names);
  if (!names) return 0;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject *key = snapcompat_key(keys, i);
    names[i] = key ? snapnames_str(types->names, key) : 0;
  }
  t->shared = keys;
  t->shared_count = count;
  t->shared_names = names;
  return count;
}
