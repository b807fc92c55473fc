/* SPDX-License-Identifier: MIT */
/* The measured allocator: CPython's own, as extensions call it. Built into a shared library that a
 * running interpreter loads with ctypes.PyDLL, so its symbols resolve there and the GIL is held. */
#ifndef ALLOCATOR_CPYTHON_H
#define ALLOCATOR_CPYTHON_H

#include <stddef.h>

typedef struct allocator allocator;

void *PyObject_Malloc(size_t size);
void PyObject_Free(void *block);

static inline allocator *allocator_open(void) { return NULL; }

static inline void *take(allocator *a, size_t size) {
  (void)a;
  return PyObject_Malloc(size);
}

static inline void give(allocator *a, void *block) {
  (void)a;
  PyObject_Free(block);
}

#endif
