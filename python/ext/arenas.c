/* SPDX-License-Identifier: MIT */
#include "compat.h"

#include "arenas.h"

#include <stdlib.h>

#include "addrset.h"
#include "glibc.h"
#include "ledger.h"
#include "procfs.h"

/* pymalloc since 3.10: arenas of 1 MiB, page-aligned, cut into pools of 16 KiB, aligned to their
 * size and carved upwards. So an arena has 63 or 64 pools, and the first ones are the longest in
 * use. */
enum {
  POOL = 16 * 1024,
  ARENA = 64 * POOL,
  NEAR = 7 * POOL,       /* pools this close share an arena: glibc maps nothing below 128 KiB */
  OBJECT_MAX = 512 - 48, /* small for pymalloc, whatever lies in front of the object */
  DEPTH = 3,             /* how far untracked containers are followed */
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

/* Pools in which small objects lie, each once. */
typedef struct pool_list {
  addrset seen; /* by pool number, 16 apart, as the set wants it */
  uintptr_t *pools;
  size_t count, room;
  int depth;
} pool_list;

/* Whether the object is certain to be a small block. Of the types of variable size only these say
 * their length in a way that all versions share. */
static bool is_small(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  Py_ssize_t size = type->tp_basicsize;
  if (PyTuple_CheckExact(object) || PyBytes_CheckExact(object))
    return size + Py_SIZE(object) * type->tp_itemsize <= OBJECT_MAX;
  if (PyUnicode_CheckExact(object)) return size + PyUnicode_GET_LENGTH(object) * 4 <= OBJECT_MAX;
  return size <= OBJECT_MAX && (type->tp_itemsize == 0 || PyLong_CheckExact(object));
}

static bool pool_room(pool_list *list) {
  if (list->count < list->room) return true;
  size_t room = list->room ? list->room * 2 : 1024;
  uintptr_t *wider = realloc(list->pools, room * sizeof *wider);
  if (!wider) return false;
  list->pools = wider;
  list->room = room;
  return true;
}

static void note_object(pool_list *list, PyObject *object) {
  uintptr_t number = (uintptr_t)object / POOL;
  if (!is_small(object) || !pool_room(list)) return;
  if (addrset_add(&list->seen, (const void *)(number * 16)))
    list->pools[list->count++] = number * POOL;
}

static int note_reference(PyObject *object, void *context) {
  pool_list *list = context;
  note_object(list, object);
  traverseproc traverse = Py_TYPE(object)->tp_traverse;
  if (!PyTuple_CheckExact(object) || PyObject_GC_IsTracked(object) || list->depth == DEPTH)
    return 0;
  list->depth++;
  traverse(object, note_reference, list);
  list->depth--;
  return 0;
}

static int note_tracked(PyObject *object, void *context) {
  traverseproc traverse = Py_TYPE(object)->tp_traverse;
  note_object(context, object);
  if (traverse) traverse(object, note_reference, context);
  return 1;
}

static void note(uintptr_t start, uintptr_t end) {
  if (noted_count < ARENAS_RANGES) noted[noted_count++] = (arenas_range){start, end};
}

/* Where memory stops being an arena's for certain: at the mapping's end, or where glibc has put a
 * large request right behind the arena. */
static uintptr_t stop_at_chunk(const procfs_memory *memory, uintptr_t at, uintptr_t end,
                               uintptr_t limit) {
  uint64_t head[GLIBC_HEAD_WORDS];
  for (; at < end && at < limit; at += memory->page)
    if (procfs_memory_read(memory, at, head, sizeof head) &&
        glibc_mapped_at(memory, at, limit, head))
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
  pool_list list = {0};
  bool enabled = PyGC_Disable();
  compat_visit_tracked(note_tracked, &list);
  if (enabled) PyGC_Enable();
  noted_count = 0;
  if (list.pools) {
    qsort(list.pools, list.count, sizeof *list.pools, by_address);
    note_mappings(list.pools, list.count);
  }
  free(list.pools);
  addrset_free(&list.seen);
  PyErr_Clear(); /* a ledger with less detail is no reason to fail */
}
