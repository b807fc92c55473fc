/* SPDX-License-Identifier: MIT */
/* What holds for all objects of one type: its number in the snapshot, where its references are. */
#ifndef OURO_EXT_SNAP_KINDS_H
#define OURO_EXT_SNAP_KINDS_H

#include "../objsize.h"
#include "compat.h"
#include "names.h"

/* How an object's references are found. */
typedef enum snapshape {
  SNAPSHAPE_LEAF, /* there are none */
  SNAPSHAPE_LIST, /* of exactly this type, as the next three */
  SNAPSHAPE_TUPLE,
  SNAPSHAPE_DICT,
  SNAPSHAPE_SET,      /* or a frozenset */
  SNAPSHAPE_FIELDS,   /* what tp_traverse shows, named by fields, and fields it does not show */
  SNAPSHAPE_INSTANCE, /* likewise, with attributes in a table of values */
  SNAPSHAPE_SEQUENCE, /* of a subclass of list or tuple */
  SNAPSHAPE_DEQUE,
  SNAPSHAPE_MAPPING, /* of a subclass of dict */
  SNAPSHAPE_FUNCTION,
  SNAPSHAPE_CACHE, /* of functools.lru_cache */
  SNAPSHAPE_TYPE,
  SNAPSHAPE_CODE,
  SNAPSHAPE_GENERATOR,
  SNAPSHAPE_FRAME
} snapshape;

typedef struct snapplace {
  size_t offset;
  uint32_t name;
  bool owned; /* an edge that tp_traverse does not show */
} snapplace;

typedef struct snaptype {
  PyTypeObject *type; /* NULL: a free slot */
  uint32_t id;
  snapshape shape;
  snapshot_type_kind kind;
  bool holds_type, managed_dict, aware; /* aware: a datetime or time, which may have a tzinfo */
  size_t tzinfo;
  objsize_type size;
  snapplace *places;
  uint32_t place_count;
  /* names of the shared keys, as far as they were when they were looked at */
  const snapkeys *shared;
  Py_ssize_t shared_count;
  uint32_t *shared_names;
} snaptype;

typedef struct snaptypes {
  snaptype *slots;
  size_t room, count;
  snaptype *last;
  snappages *pages;
  snapnames *names;
  writer *out;
} snaptypes;

/* The type, entered if it is new (then *fresh is set): its address is good until the next call.
 * NULL: no memory. */
snaptype *snaptypes_find(snaptypes *types, PyTypeObject *type, bool *fresh);

/* Names of the keys that instances share: as many as there are. */
Py_ssize_t snaptypes_shared(snaptypes *types, snaptype *type, const snapkeys *keys);

/* Module and qualified name. */
void snaptype_put_name(snaptext *to, PyTypeObject *type);

#endif
