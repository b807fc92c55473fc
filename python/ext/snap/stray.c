/* SPDX-License-Identifier: MIT */
#include "stray.h"

#include <string.h>

#include "os/os.h"

#define STRAY_HEADER (2 * sizeof(uintptr_t))  /* before an object that the collector can track */
#define STRAY_COUNT_MOST ((uintptr_t)1 << 20) /* what more references were lost to is no object */
#define STRAY_BLOCKS 1024

/* Attributes or weak references before the object: later interpreters' flags. */
#define STRAY_LONGER_HEADER ((unsigned long)3 << 3)

typedef struct strays {
  snapwalk *walk;
  uint64_t found;
} strays;

static uintptr_t word_at(const char *block, size_t offset) {
  uintptr_t word;
  memcpy(&word, block + offset, sizeof word);
  return word;
}

/* Whether an object could be there. */
static bool is_address(uintptr_t at) { return at && at % sizeof(void *) == 0 && at >> 47 == 0; }

/* Whether memory can be read there: blocks of the heap's, or else a page that is mapped. */
static bool readable(snapwalk *w, const void *at) {
  uintptr_t address = (uintptr_t)at, page = os_page_size();
  if (!is_address(address)) return false;
  return (w->heap && ouro_owns(w->heap, at)) ||
         os_resident((const void *)(address & ~(page - 1)), page) > 0;
}

bool snapstray_mapped(snapwalk *w, const void *at, size_t size) {
  const uintptr_t word = ~(uintptr_t)(sizeof(void *) - 1), first = (uintptr_t)at;
  return readable(w, (const void *)(first & word)) &&
         readable(w, (const void *)((first + size - 1) & word));
}

/* A text whose characters are behind it. */
static bool str_fits(PyObject *o, size_t room) {
  const PyASCIIObject *text = (PyASCIIObject *)o;
  if (!PyUnicode_CheckExact(o) || !text->state.compact) return false;
  size_t head = text->state.ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject);
  size_t length = (size_t)text->length, each = text->state.kind;
  return each > 0 && length < room && head + (length + 1) * each <= room;
}

static bool list_fits(snapwalk *w, PyObject *o) {
  const PyListObject *list = (PyListObject *)o;
  Py_ssize_t length = Py_SIZE(o);
  if (length < 0 || length > list->allocated || list->allocated >> 40) return false;
  return list->allocated ? readable(w, list->ob_item) : !list->ob_item;
}

static bool dict_fits(snapwalk *w, PyObject *o) {
  const PyDictObject *dict = (PyDictObject *)o;
  return dict->ma_used >= 0 && !(dict->ma_used >> 40) && readable(w, dict->ma_keys);
}

static bool set_fits(snapwalk *w, PyObject *o) {
  const PySetObject *set = (PySetObject *)o;
  return set->used >= 0 && set->used <= set->mask && readable(w, set->table);
}

/* As many items as are said to be there, or digits: a word says how many, in its own way. */
static bool items_fit(PyObject *o, const PyTypeObject *type, size_t room) {
  if (PyLong_Check(o)) return word_at((const char *)o, sizeof(PyObject)) + 8 * room <= 16 * room;
  size_t length = (size_t)Py_SIZE(o);
  return length <= room && (size_t)type->tp_basicsize + length * (size_t)type->tp_itemsize <= room;
}

/* What a block still holds of a dead object is no object: all that is read later must be there. */
static bool fits(snapwalk *w, PyObject *o, size_t room) {
  bool fresh;
  PyTypeObject *type = Py_TYPE(o);
  const snaptype *t = snaptypes_find(&w->types, type, &fresh);
  if (!t) return false;
  if (fresh && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE))
    writer_root(w->out, SNAPSHOT_ROOT_TYPE, (uintptr_t)type, type->tp_name);
  switch (t->shape) {
  case SNAPSHAPE_LIST: return list_fits(w, o);
  case SNAPSHAPE_DICT: return dict_fits(w, o);
  case SNAPSHAPE_SET: return set_fits(w, o);
  case SNAPSHAPE_FIELDS:
    if (PyType_IS_GC(type) || t->place_count || t->aware) return false;
    break;
  case SNAPSHAPE_LEAF:
  case SNAPSHAPE_TUPLE: break;
  default: return false;
  }
  return PyUnicode_Check(o) ? str_fits(o, room) : !type->tp_itemsize || items_fit(o, type, room);
}

static bool is_known_at(snapwalk *w, uintptr_t at) {
  return is_address(at) && snapset_has(&w->seen, (void *)at);
}

/* Whether a type is there. That the address is known is not enough: it may be eight bytes behind an
 * object's, as sixteen have one bit. */
static bool is_type(snapwalk *w, uintptr_t at) {
  const uintptr_t plain = (uintptr_t)&PyType_Type;
  if (!is_known_at(w, at)) return false;
  uintptr_t meta = word_at((const char *)at, offsetof(PyObject, ob_type));
  if (meta == plain) return true;
  return is_known_at(w, meta) &&
         word_at((const char *)meta, offsetof(PyObject, ob_type)) == plain &&
         PyType_FastSubclass((PyTypeObject *)meta, Py_TPFLAGS_TYPE_SUBCLASS);
}

/* The type of an object that begins at `offset` in the block; NULL: none does. */
static PyTypeObject *type_at(strays *s, const ouro_block *block, size_t offset) {
  if (block->size < offset + sizeof(PyObject)) return NULL;
  uintptr_t count = word_at(block->address, offset);
  if (count == 0 || count >= STRAY_COUNT_MOST) return NULL;
  uintptr_t type = word_at(block->address, offset + offsetof(PyObject, ob_type));
  return is_type(s->walk, type) ? (PyTypeObject *)type : NULL;
}

/* Most texts are shorter than what their type says. */
static size_t least_size(const PyTypeObject *type) {
  return type == &PyUnicode_Type ? sizeof(PyASCIIObject) : (size_t)type->tp_basicsize;
}

static PyObject *stray_in(strays *s, const ouro_block *block) {
  for (size_t offset = 0; offset <= STRAY_HEADER; offset += STRAY_HEADER) {
    PyTypeObject *type = type_at(s, block, offset);
    if (!type || PyType_IS_GC(type) != (offset != 0)) continue;
    if (offset && word_at(block->address, 0) != 0) continue; /* a tracked one would be known */
    if (type->tp_flags & STRAY_LONGER_HEADER) continue;
    if (block->size < offset + least_size(type)) continue;
    PyObject *o = (PyObject *)(void *)((char *)block->address + offset);
    if (fits(s->walk, o, block->size - offset)) return o;
  }
  return NULL;
}

/* Known: an object that begins behind none, one or two pairs of words. */
static bool is_known(snapwalk *w, const ouro_block *block) {
  for (size_t offset = 0; offset <= 2 * STRAY_HEADER; offset += STRAY_HEADER)
    if (offset < block->size && snapset_has(&w->seen, (char *)block->address + offset)) return true;
  return false;
}

static void look_at(strays *s, const ouro_block *block) {
  if (is_known(s->walk, block)) return;
  PyObject *o = stray_in(s, block);
  if (!o) return;
  s->found++;
  snapwalk_reach(s->walk, o);
  snapwalk_drain(s->walk);
}

void snapstray_write(snapwalk *w) {
  ouro_block blocks[STRAY_BLOCKS];
  ouro_walk position = {0};
  strays s = {.walk = w};
  if (!w->heap) return;
  for (size_t n;
       (n = ouro_walk_next((ouro_heap *)(uintptr_t)w->heap, &position, blocks, STRAY_BLOCKS)) > 0;)
    for (size_t i = 0; i < n && !w->pages.failed; i++) look_at(&s, &blocks[i]);
  writer_fact(w->out, "strays", "%llu", (unsigned long long)s.found);
}
