/* SPDX-License-Identifier: MIT */
/*
 * What a heap knows about its objects. Made with the heap's first type, freed with the heap.
 *
 * Parts that need state of their own keep it in blocks of the heap, behind a slot of `part`: so it
 * ends with the heap and counts against its limit.
 */
#ifndef OURO_SRC_OBJECT_RUNTIME_H
#define OURO_SRC_OBJECT_RUNTIME_H

#include <ouro/gc.h>
#include <ouro/object.h>

typedef struct runtime runtime;

typedef enum builtin {
  BUILTIN_WEAK,
  BUILTIN_LIST,
  BUILTIN_TUPLE,
  BUILTIN_DICT,
  BUILTIN_SET,
  BUILTIN_STR,
  BUILTIN_BYTES,
  BUILTIN_INT,
  BUILTIN_FLOAT,
  BUILTIN_WEAKVALUEDICT,
  BUILTIN_WEAKKEYDICT,
  BUILTIN_WEAKSET,
  BUILTINS
} builtin;

typedef enum runtime_part { PART_WEAK, PART_INTERNED, PART_INTS, PART_RECORDS, PARTS } runtime_part;

/* The type of a built-in kind in this heap, made from the spec where it is asked for first. NULL:
 * out of memory. */
ouro_type *runtime_type(ouro_heap *heap, builtin kind, const ouro_type_spec *spec);

/* Whether the object is of the built-in kind. */
bool runtime_is(const void *object, builtin kind);

/* The slot of a part's state; NULL inside at first. */
void **runtime_slot(ouro_heap *heap, runtime_part part);

/* Remembers why a call fails, a static text, for ouro_heap_error. Returns false. */
bool runtime_fail(ouro_heap *heap, const char *reason);

/* Ends in OURO_GC_MISUSE: names the object, its type and the rule that was broken. */
void runtime_misuse(const void *object, const char *rule);

#endif
