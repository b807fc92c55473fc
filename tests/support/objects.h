/* SPDX-License-Identifier: MIT */
/* What must hold of a heap with objects at any time, and how many of them live. */
#ifndef OURO_TESTS_OBJECTS_H
#define OURO_TESTS_OBJECTS_H

#include <stdio.h>
#include <string.h>

#include <ouro/gc.h>

#include "heaps.h"

/* Every invariant the heap and its objects know of; prints what does not hold. */
static inline bool objects_ok(ouro_heap *heap) {
  const char *broken = ouro_objects_check(heap);
  if (broken) fprintf(stderr, "objects check: %s\n", broken);
  return !broken && heap_ok(heap);
}

/* Live objects of a type, or, where that is NULL, of all with a name. */
static inline uint64_t live_among(ouro_heap *heap, const ouro_type *type, const char *name) {
  ouro_type_count rows[64];
  size_t n = ouro_census(heap, rows, 64);
  uint64_t objects = 0;
  for (size_t i = 0; i < n && i < 64; i++)
    if (type ? rows[i].type == type : name && !strcmp(ouro_type_name(rows[i].type), name))
      objects += rows[i].objects;
  return objects;
}

static inline uint64_t live_of(ouro_heap *heap, const ouro_type *type) {
  return live_among(heap, type, NULL);
}

static inline uint64_t objects_of(ouro_heap *heap, const char *name) {
  return live_among(heap, NULL, name);
}

#endif
