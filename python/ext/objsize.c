/* SPDX-License-Identifier: MIT */
#include "objsize.h"

/* Size of the block at or around `address` in the heap's first window (16 GiB); 0: not there. */
static size_t pool_block(const ouro_heap *heap, const void *address) {
  uintptr_t offset = (uintptr_t)address ^ (uintptr_t)heap;
  if (!heap || offset >> OURO_WINDOW_SHIFT) return 0;
  return ((const ouro_pool *)(const void *)heap)[offset >> OURO_POOL_SHIFT].size;
}

/* What a request of `size` bytes takes elsewhere: 16-byte classes, or glibc's chunks with their
 * header. */
static size_t foreign_block(size_t size) {
  size_t header = size > OURO_SMALL_MAX ? sizeof(size_t) : 0;
  return (size + header + 15) / 16 * 16;
}

/* The block at `start`, of which `size` bytes were asked for. */
static size_t block(const ouro_heap *heap, const void *start, size_t size) {
  size_t known = start ? pool_block(heap, start) : 0;
  return known ? known : foreign_block(size);
}

/* --- Types ---------------------------------------------------------------------------------- */

static bool is_immutable(const PyTypeObject *type) {
  return !(type->tp_flags & Py_TPFLAGS_HEAPTYPE) || (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE);
}

/* Whether a type's C code is known to do nothing but add up: the interpreter's own types, whose
 * names have no dot, and these. */
static bool is_trusted(const PyTypeObject *type) {
  static const char *const names[] = {"array.array",       "collections.OrderedDict",
                                      "collections.deque", "_io.BytesIO",
                                      "_io.StringIO",      "mmap.mmap",
                                      "numpy.ndarray",     "_io.BufferedReader",
                                      "_io.BufferedWriter"};
  if (!strchr(type->tp_name, '.')) return true;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(type->tp_name, names[i]) == 0) return true;
  return false;
}

/* What the type itself has in C under the name __sizeof__. */
static const PyMethodDef *own_sizeof(const PyTypeObject *type) {
  for (const PyMethodDef *m = type->tp_methods; m && m->ml_name; m++)
    if (strcmp(m->ml_name, "__sizeof__") == 0) return m;
  return NULL;
}

/* The __sizeof__ that the type or its nearest built-in base has in C. A class statement can put
 * anything under that name, so only types that cannot be changed are looked at. Their tables are
 * read, as a lookup would take a string, and memory may be refused when a snapshot is written. */
static PyCFunction builtin_sizeof(const PyTypeObject *type) {
  const PyMethodDef *found = NULL;
  while (type && !is_immutable(type)) type = type->tp_base;
  while (type && type != &PyBaseObject_Type && !(found = own_sizeof(type))) type = type->tp_base;
  if (!found || !is_immutable(type) || !is_trusted(type)) return NULL;
  return (found->ml_flags & ~METH_COEXIST) == METH_NOARGS ? found->ml_meth : NULL;
}

static bool items_say_all(PyTypeObject *type) {
  return PyType_HasFeature(type, Py_TPFLAGS_TUPLE_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS);
}

static objsize_kind kind_of(PyTypeObject *type, bool ask) {
  if (PyType_HasFeature(type, Py_TPFLAGS_LIST_SUBCLASS)) return OBJSIZE_LIST;
  if (PyType_HasFeature(type, Py_TPFLAGS_UNICODE_SUBCLASS)) return OBJSIZE_STR;
  if (PyType_IsSubtype(type, &PySet_Type) || PyType_IsSubtype(type, &PyFrozenSet_Type))
    return OBJSIZE_SET;
  PyTypeObject *builtin = type;
  while (builtin && !is_immutable(builtin)) builtin = builtin->tp_base;
  if (builtin == &PyDict_Type || (PyType_HasFeature(type, Py_TPFLAGS_DICT_SUBCLASS) && !ask))
    return OBJSIZE_DICT;
  return ask ? OBJSIZE_ASK : OBJSIZE_PLAIN;
}

objsize_type objsize_of_type(PyTypeObject *type) {
  PyCFunction ask = items_say_all(type) ? NULL : builtin_sizeof(type);
  return (objsize_type){.kind = kind_of(type, ask != NULL),
                        .before = compat_bytes_before(type),
                        .instance_values = compat_has_instance_values(type),
                        .ask = ask};
}

/* --- Objects -------------------------------------------------------------------------------- */

static size_t fixed_size(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  size_t items = type->tp_itemsize ? (size_t)Py_ABS(Py_SIZE(object)) : 0;
  return (size_t)type->tp_basicsize + items * (size_t)type->tp_itemsize;
}

/* What the built-in __sizeof__ answers; `otherwise` if it does not. */
static size_t asked_size(PyObject *object, const objsize_type *type, size_t otherwise) {
  PyObject *answer = type->ask ? type->ask(object, NULL) : NULL;
  size_t size = answer ? PyLong_AsSize_t(answer) : (size_t)-1;
  Py_XDECREF(answer);
  PyErr_Clear();
  return size == (size_t)-1 ? otherwise : size;
}

static size_t str_size(PyObject *object) {
  size_t length = (size_t)PyUnicode_GET_LENGTH(object);
  if (PyUnicode_IS_COMPACT_ASCII(object)) return sizeof(PyASCIIObject) + length + 1;
  return sizeof(PyCompactUnicodeObject) + (length + 1) * (size_t)PyUnicode_KIND(object);
}

static size_t str_bytes(const ouro_heap *heap, PyObject *object, const objsize_type *type) {
  if (!compat_str_is_compact(object)) {
    size_t fixed = fixed_size(object), all = asked_size(object, type, fixed);
    return block(heap, object, fixed) + (all > fixed ? foreign_block(all - fixed) : 0);
  }
  size_t bytes = block(heap, object, str_size(object));
  size_t utf8 =
      PyUnicode_IS_ASCII(object) ? 0 : (size_t)((PyCompactUnicodeObject *)object)->utf8_length;
  return utf8 ? bytes + foreign_block(utf8 + 1) : bytes;
}

static size_t list_buffer(const ouro_heap *heap, PyObject *object) {
  PyListObject *list = (PyListObject *)object;
  return list->ob_item ? block(heap, list->ob_item, (size_t)list->allocated * sizeof(PyObject *))
                       : 0;
}

static size_t set_buffer(const ouro_heap *heap, PyObject *object) {
  PySetObject *set = (PySetObject *)object;
  if (set->table == set->smalltable) return 0;
  return block(heap, set->table, ((size_t)set->mask + 1) * sizeof *set->table);
}

/* A split table's keys belong to the class, whose __sizeof__ counts them. */
static size_t dict_buffer(const ouro_heap *heap, PyObject *object, const objsize_type *type) {
  PyDictObject *dict = (PyDictObject *)object;
  if (dict->ma_values) {
    const void *values = compat_separate_values(dict);
    return values ? pool_block(heap, values) : 0;
  }
  size_t known = pool_block(heap, dict->ma_keys), fixed = (size_t)Py_TYPE(object)->tp_basicsize;
  if (known) return known;
  size_t all = dict->ma_used ? asked_size(object, type, fixed) : fixed;
  return all > fixed ? foreign_block(all - fixed) : 0;
}

/* Some types of variable size (generators, int) keep something else in ob_size: they are asked. */
static size_t main_block(const ouro_heap *heap, PyObject *object, const objsize_type *type) {
  size_t known = pool_block(heap, object);
  if (known) return known;
  size_t size = (size_t)Py_TYPE(object)->tp_basicsize;
  if (Py_TYPE(object)->tp_itemsize)
    size = type->ask ? asked_size(object, type, size) : fixed_size(object);
  return foreign_block(size + type->before);
}

/* Buffers of a type that only its __sizeof__ knows. Items are part of the block. */
static size_t other_buffers(PyObject *object, const objsize_type *type) {
  PyTypeObject *python = Py_TYPE(object);
  if (python->tp_itemsize) return 0;
  size_t fixed = (size_t)python->tp_basicsize, all = asked_size(object, type, fixed);
  return all > fixed ? foreign_block(all - fixed) : 0;
}

size_t objsize(const ouro_heap *heap, PyObject *object, const objsize_type *type) {
  if (type->kind == OBJSIZE_STR) return str_bytes(heap, object, type);
  size_t bytes = main_block(heap, object, type);
  if (type->instance_values) bytes += pool_block(heap, compat_instance_values(object));
  switch (type->kind) {
  case OBJSIZE_LIST: return bytes + list_buffer(heap, object);
  case OBJSIZE_SET: return bytes + set_buffer(heap, object);
  case OBJSIZE_DICT: return bytes + dict_buffer(heap, object, type);
  case OBJSIZE_ASK: return bytes + other_buffers(object, type);
  default: return bytes;
  }
}
