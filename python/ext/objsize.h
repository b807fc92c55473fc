/* SPDX-License-Identifier: MIT */
/*
 * How many bytes an object keeps from other uses: its block, rounding included, and the buffers
 * that only it can reach. Found from structs that CPython publishes, and from the __sizeof__ of
 * built-in types, which is C code of the interpreter. No code of the program is called.
 */
#ifndef OURO_EXT_OBJSIZE_H
#define OURO_EXT_OBJSIZE_H

#include "compat.h"

#include <ouro/pool.h>

typedef enum objsize_kind {
  OBJSIZE_PLAIN, /* one block */
  OBJSIZE_STR,
  OBJSIZE_LIST,
  OBJSIZE_DICT,
  OBJSIZE_SET,
  OBJSIZE_ASK /* the type's __sizeof__ knows the buffers */
} objsize_kind;

/* What holds for all objects of one type. */
typedef struct objsize_type {
  objsize_kind kind;
  size_t before;        /* bytes in front of the object in its block */
  bool instance_values; /* attribute values may lie in a block of their own */
  PyCFunction ask;      /* built-in __sizeof__, of a type that cannot change; or NULL */
} objsize_type;

/* Takes no memory, leaves no exception. */
objsize_type objsize_of_type(PyTypeObject *type);

/* A type's __sizeof__ answers with an int, which is freed again; io.BytesIO's makes a bound method
 * besides. Where memory for that is refused, only what the type says is counted. No exception is
 * left. */
size_t objsize(const ouro_heap *heap, PyObject *object, const objsize_type *type);

#endif
