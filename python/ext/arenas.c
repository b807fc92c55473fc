/* SPDX-License-Identifier: MIT */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "arenas.h"

#include <stdlib.h>

#include "glibc.h"
#include "ledger.h"
#include "procfs.h"

/* pymalloc since 3.10: arenas of 1 MiB, page-aligned, cut into pools of 16 KiB, aligned to their
 * size and carved upwards. So an arena has 63 or 64 pools, and the first ones are the longest in
 * use. */
enum {
  POOL = 16 * 1024,
  ARENA = 64 * POOL,
  NEAR = 7 * POOL, /* pools this close share an arena: glibc maps nothing shorter than 128 KiB */
  OBJECT_MAX =
      512 - 48 /* small enough for pymalloc with anything that lies in front of an object */
};

/* Written once, before anything reads it. */
static arenas_range noted[ARENAS_RANGES];
static size_t noted_count;

size_t arenas_noted(arenas_range out[ARENAS_RANGES]) {
  for (size_t i = 0; i < noted_count; i++) out[i] = noted[i];
  return noted_count;
}

static int by_address(const void *left, const void *right) {
  uintptr_t a = *(const uintptr_t *)left, b = *(const uintptr_t *)right;
  return (a > b) - (a < b);
}

/* Whether the object is certain to be a small block. Only tuples say their length in a way all
 * versions share; the other types of variable size are too few to matter. */
static bool is_small(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  Py_ssize_t size = type->tp_basicsize;
  if (PyTuple_CheckExact(object)) size += PyTuple_GET_SIZE(object) * (Py_ssize_t)sizeof(PyObject *);
  return size <= OBJECT_MAX && (type->tp_itemsize == 0 || PyTuple_CheckExact(object));
}

/* Addresses of the pools that hold small objects of `list`, in order; `pools` has room for all. */
static size_t collect_pools(PyObject *list, uintptr_t *pools) {
  size_t count = 0;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
    PyObject *object = PyList_GET_ITEM(list, i);
    uintptr_t pool = (uintptr_t)object / POOL * POOL;
    if (is_small(object) && (count == 0 || pools[count - 1] != pool)) pools[count++] = pool;
  }
  qsort(pools, count, sizeof *pools, by_address);
  return count;
}

static void note(uintptr_t start, uintptr_t end) {
  if (noted_count < ARENAS_RANGES) noted[noted_count++] = (arenas_range){start, end};
}

/* Where memory stops being an arena's for certain: at the mapping's end, or where glibc has put a
 * large request right behind the arena. */
static uintptr_t stop_at_chunk(const procfs_memory *memory, uintptr_t at, uintptr_t end,
                               uintptr_t limit) {
  uint64_t header[2];
  for (; at < end && at < limit; at += memory->page)
    if (procfs_memory_read(memory, at, header, sizeof header) &&
        glibc_mapped_chunk(header, limit - at, memory->page))
      return at;
  return end < limit ? end : limit;
}

/* Notes the arenas of a mapping from its pools. A pool begins an arena, and those within its length
 * belong to it; a pool right behind begins the next one. Whole arenas are noted but for the last
 * pool, which may not be there. */
static void note_runs(const procfs_memory *memory, const mapping *where, const uintptr_t *pools,
                      size_t count) {
  for (size_t first = 0, i = 1; i <= count; i++) {
    uintptr_t used = pools[i - 1] + POOL - pools[first];
    uintptr_t end = pools[first] + (used + ARENA - 1) / ARENA * ARENA - POOL;
    if (i < count && (pools[i] < end || pools[i] - pools[i - 1] <= NEAR + POOL)) continue;
    uintptr_t start = pools[first] > where->start ? pools[first] : where->start;
    note(start, stop_at_chunk(memory, pools[i - 1] + POOL, end, where->end));
    first = i;
  }
}

static void note_mappings(const uintptr_t *pools, size_t count) {
  procfs_memory memory;
  procfs_text text;
  size_t at = 0;
  if (!procfs_open(&text, "/proc/self/maps")) return;
  procfs_memory_open(&memory);
  for (char *line; (line = procfs_line(&text));) {
    mapping where;
    if (!procfs_parse_mapping(line, &where)) continue;
    while (at < count && pools[at] + POOL <= where.start) at++;
    size_t first = at;
    while (at < count && pools[at] < where.end) at++;
    bool anonymous = where.inode == 0 && where.name[0] == '\0' && where.permissions[3] == 'p';
    if (at > first && anonymous) note_runs(&memory, &where, pools + first, at - first);
  }
  procfs_memory_close(&memory);
  procfs_close(&text);
}

void ledger_note_interpreter(void) {
  PyObject *gc = PyImport_ImportModule("gc");
  PyObject *list = gc ? PyObject_CallMethod(gc, "get_objects", NULL) : NULL;
  size_t room = list ? (size_t)PyList_GET_SIZE(list) : 0;
  uintptr_t *pools = room ? PyMem_RawMalloc(room * sizeof *pools) : NULL;
  noted_count = 0;
  if (pools) note_mappings(pools, collect_pools(list, pools));
  PyMem_RawFree(pools);
  Py_XDECREF(list);
  Py_XDECREF(gc);
  PyErr_Clear(); /* a ledger with less detail is no reason to fail */
}
