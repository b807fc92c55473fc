/* SPDX-License-Identifier: MIT */
/*
 * Types, and where the references of an object lie.
 *
 * The references that a type declares are numbered as they are dropped, items from the last to the
 * first, then fields:
 *
 *     [0, items)               item references, the last one first
 *     [items, items + fields)  fields, in the order of the spec
 */
#ifndef OURO_SRC_OBJECT_TYPE_H
#define OURO_SRC_OBJECT_TYPE_H

#include "runtime.h"

typedef struct type {
  ouro_type open; /* must be first */
  runtime *rt;
  ouro_type_spec spec; /* its name is a copy of the type's own */
  uint16_t *fields;    /* offsets of the declared fields */
  uint32_t field_count;
  uint32_t per_item, stride; /* of spec.items, never 0 where there are items */
  bool holds;                /* its objects can hold references */
  bool tracked;              /* ... that can lead back to them */
  bool plain;                /* at death there is nothing to do but to drop declared references */
  bool simple;               /* ... and these are fields only */
  bool special;              /* some of its objects may need more before the collector ends them */
  builtin kind;              /* BUILTINS: not a built-in one */
  ouro_reuse *reuse;
} type;

_Static_assert(offsetof(type, open) == 0, "a type's address is its public part's");
_Static_assert(offsetof(ouro_type, bin) == 0, "so is its bin's");

static inline type *type_in(const ouro_type *t) { return (type *)(uintptr_t)t; }

/* Where dead objects of the type are kept: no part of what it is. */
static inline ouro_bin *type_bin(const type *t) { return (ouro_bin *)(uintptr_t)&t->open.bin; }

static inline size_t type_items(const type *t, const ouro_object *o) {
  if (t->spec.items.kind == OURO_NO_ITEMS) return 0;
  return *(const size_t *)(const void *)((const char *)o + t->spec.items.length) * t->per_item;
}

/* The first item, wherever the array is. */
static inline char *type_array(const type *t, const ouro_object *o) {
  char *at = (char *)(uintptr_t)o + t->spec.items.at;
  return t->spec.items.kind == OURO_ITEMS_INLINE ? at : *(char **)(void *)at;
}

/* The place of item reference i, counted from the first. */
static inline ouro_object **type_item(const type *t, char *array, size_t i) {
  if (t->stride == sizeof(void *)) return (ouro_object **)(void *)array + i;
  size_t item = i / t->per_item, nth = i % t->per_item;
  return (ouro_object **)(void *)(array + item * t->stride + t->spec.items.offset) + nth;
}

static inline ouro_object **type_field(const type *t, const ouro_object *o, size_t i) {
  return (ouro_object **)(void *)((char *)(uintptr_t)o + t->fields[i]);
}

/* The declared reference number i, i < items + field_count. */
static inline ouro_object **type_ref(const type *t, const ouro_object *o, size_t items, size_t i) {
  if (i < items) return type_item(t, type_array(t, o), items - 1 - i);
  return type_field(t, o, i - items);
}

#endif
