/* SPDX-License-Identifier: MIT */
#include "census.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "addrset.h"
#include "objsize.h"

typedef struct census_type {
  PyTypeObject *type; /* held while counting; NULL: free slot */
  objsize_type size;
  uint64_t objects, bytes;
} census_type;

typedef struct census {
  const ouro_heap *heap;
  census_type *types; /* hash table by address, at most half full */
  size_t type_room, type_count;
  census_type *last;
  addrset seen;     /* objects that the collector's lists do not name exactly once */
  PyObject **stack; /* seen, and still to be counted and followed */
  size_t depth, stack_room;
  bool frozen; /* some tracked objects are in no list: follow references to tracked ones too */
  bool failed; /* out of memory */
  uint64_t objects, bytes;
  double started, shown;
} census;

/* --- Types ---------------------------------------------------------------------------------- */

static census_type *type_slot(const census *c, const PyTypeObject *type) {
  size_t at = (size_t)((uintptr_t)type * 0x9E3779B97F4A7C15u >> 20) & (c->type_room - 1);
  while (c->types[at].type && c->types[at].type != type) at = (at + 1) & (c->type_room - 1);
  return &c->types[at];
}

static bool grow_types(census *c) {
  census wider = {.type_room = c->type_room ? c->type_room * 2 : 1024};
  wider.types = calloc(wider.type_room, sizeof *wider.types);
  if (!wider.types) return false;
  for (size_t i = 0; i < c->type_room; i++)
    if (c->types[i].type) *type_slot(&wider, c->types[i].type) = c->types[i];
  free(c->types);
  c->types = wider.types;
  c->type_room = wider.type_room;
  c->last = NULL;
  return true;
}

static census_type *find_type(census *c, PyTypeObject *type) {
  if (c->last && c->last->type == type) return c->last;
  if (c->type_count >= c->type_room / 2 && !grow_types(c)) return NULL;
  census_type *slot = type_slot(c, type);
  if (!slot->type) {
    Py_INCREF(type);
    slot->type = type;
    slot->size = objsize_of_type(type);
    c->type_count++;
  }
  return c->last = slot;
}

/* --- Progress ------------------------------------------------------------------------------- */

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void write_all(const char *text, int length) {
  if (length > 0 && write(STDERR_FILENO, text, (size_t)length) < 0) return; /* only progress */
}

static void show_progress(census *c) {
  char line[80];
  double time = now();
  if (time - c->started < 2 || time - c->shown < 0.2 || !isatty(STDERR_FILENO)) return;
  c->shown = time;
  write_all(line, snprintf(line, sizeof line, "\rouro: counting live objects: %llu million ",
                           (unsigned long long)(c->objects / 1000000)));
}

static void clear_progress(const census *c) {
  static const char blank[] = "\r\033[K";
  if (c->shown > 0) write_all(blank, sizeof blank - 1);
}

/* --- Counting ------------------------------------------------------------------------------- */

static void count(census *c, PyObject *object) {
  census_type *type = find_type(c, Py_TYPE(object));
  if (!type) {
    c->failed = true;
    return;
  }
  size_t bytes = objsize(c->heap, object, &type->size);
  type->objects++;
  type->bytes += bytes;
  c->bytes += bytes;
  if (++c->objects % (1 << 18) == 0) show_progress(c);
}

static void push(census *c, PyObject *object) {
  if (c->depth == c->stack_room) {
    size_t room = c->stack_room ? c->stack_room * 2 : 4096;
    PyObject **wider = realloc(c->stack, room * sizeof *wider);
    if (!wider) {
      c->failed = true;
      return;
    }
    c->stack = wider;
    c->stack_room = room;
  }
  c->stack[c->depth++] = object;
}

/* A reference found by tp_traverse. Tracked objects come by themselves. */
static int visit_reference(PyObject *object, void *context) {
  census *c = context;
  bool container = PyObject_IS_GC(object);
  if (container && !c->frozen && PyObject_GC_IsTracked(object)) return 0;
  if (!addrset_add(&c->seen, object)) return 0;
  if (container) push(c, object);
  else count(c, object);
  return 0;
}

static void count_and_follow(census *c, PyObject *object) {
  traverseproc traverse = Py_TYPE(object)->tp_traverse;
  count(c, object);
  if (traverse && PyObject_IS_GC(object)) traverse(object, visit_reference, c);
}

static int visit_tracked(PyObject *object, void *context) {
  census *c = context;
  if (c->frozen && !addrset_add(&c->seen, object)) return 1;
  count_and_follow(c, object);
  while (c->depth > 0 && !c->failed) count_and_follow(c, c->stack[--c->depth]);
  return !c->failed;
}

static bool any_frozen(void) {
  PyObject *gc = PyImport_ImportModule("gc");
  PyObject *answer = gc ? PyObject_CallMethod(gc, "get_freeze_count", NULL) : NULL;
  bool frozen = answer && PyLong_AsLong(answer) != 0;
  Py_XDECREF(answer);
  Py_XDECREF(gc);
  PyErr_Clear();
  return frozen;
}

static void count_all(census *c) {
  bool enabled = PyGC_Disable();
  c->frozen = any_frozen();
  c->started = now();
  if (!compat_visit_tracked(visit_tracked, c)) c->failed = true;
  if (c->frozen) visit_tracked(PyImport_GetModuleDict(), c);
  if (enabled) PyGC_Enable();
  clear_progress(c);
}

/* --- The answer ----------------------------------------------------------------------------- */

/* The class's __module__, found without comparing keys that are not plain str. Borrowed, or NULL.
 */
static PyObject *module_of(PyObject *dict) {
  PyObject *key, *value;
  for (Py_ssize_t at = 0; dict && PyDict_Next(dict, &at, &key, &value);)
    if (PyUnicode_CheckExact(key) && PyUnicode_CompareWithASCIIString(key, "__module__") == 0)
      return PyUnicode_CheckExact(value) ? value : NULL;
  return NULL;
}

/* Classes made by statements are named by module and qualified name, C types as they name
 * themselves. */
static PyObject *name_of(PyTypeObject *type) {
  if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) || strchr(type->tp_name, '.'))
    return PyUnicode_DecodeUTF8(type->tp_name, (Py_ssize_t)strlen(type->tp_name), "replace");
  PyObject *dict = compat_type_dict(type);
  PyObject *module = module_of(dict), *name = ((PyHeapTypeObject *)type)->ht_qualname;
  bool bare = !module || PyUnicode_CompareWithASCIIString(module, "builtins") == 0;
  PyObject *full = bare ? Py_NewRef(name) : PyUnicode_FromFormat("%U.%U", module, name);
  Py_XDECREF(dict);
  return full;
}

static int by_bytes(const void *left, const void *right) {
  const census_type *a = left, *b = right;
  return (a->bytes < b->bytes) - (a->bytes > b->bytes);
}

static PyObject *type_row(const census_type *type) {
  PyObject *name = name_of(type->type);
  return name ? Py_BuildValue("NKK", name, (unsigned long long)type->objects,
                              (unsigned long long)type->bytes)
              : NULL;
}

static PyObject *answer(census *c, Py_ssize_t top) {
  PyObject *list = PyList_New(0);
  if (c->type_room) qsort(c->types, c->type_room, sizeof *c->types, by_bytes);
  for (size_t i = 0; list && i < c->type_room && PyList_GET_SIZE(list) < top; i++) {
    if (c->types[i].objects == 0) continue;
    PyObject *row = type_row(&c->types[i]);
    if (!row || PyList_Append(list, row) < 0) Py_CLEAR(list);
    Py_XDECREF(row);
  }
  return list ? Py_BuildValue("KKN", (unsigned long long)c->objects, (unsigned long long)c->bytes,
                              list)
              : NULL;
}

PyObject *census_types(const ouro_heap *heap, Py_ssize_t top) {
  census c = {.heap = heap};
  count_all(&c);
  PyObject *result = c.failed ? PyErr_NoMemory() : answer(&c, top);
  for (size_t i = 0; i < c.type_room; i++) Py_XDECREF(c.types[i].type);
  free(c.types);
  free(c.stack);
  addrset_free(&c.seen);
  return result;
}
