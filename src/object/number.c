/* SPDX-License-Identifier: MIT */
#include "number.h"

#include "hash.h"
#include "retry.h"

#include <string.h>

/* --- Types ------------------------------------------------------------------------------------ */

/* Numbers of different types are different keys, also where their values are the same. */
static bool number_types_equal(const void *a, const void *b) {
  return OURO_OBJECT(a)->type == OURO_OBJECT(b)->type;
}

static uint64_t int_hash(const void *self) {
  return hash_integer((uint64_t)((const ouro_int *)self)->value);
}

static int int_equal(const void *self, const void *other) {
  return number_types_equal(self, other) &&
         ((const ouro_int *)self)->value == ((const ouro_int *)other)->value;
}

/* Adding 0 makes 0 of -0, which is equal to it. */
static uint64_t float_hash(const void *self) {
  double value = ((const ouro_float *)self)->value + 0.0;
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return hash_number(bits);
}

/* A NaN is equal to none, not even to one of the same bits; as a key it is found by identity. */
static int float_equal(const void *self, const void *other) {
  return number_types_equal(self, other) &&
         ((const ouro_float *)self)->value == ((const ouro_float *)other)->value;
}

static const ouro_type_spec int_spec = {
    .name = "int",
    .size = sizeof(ouro_int),
    .flags = OURO_ACYCLIC,
    .hash = int_hash,
    .equal = int_equal,
};

static const ouro_type_spec float_spec = {
    .name = "float",
    .size = sizeof(ouro_float),
    .flags = OURO_ACYCLIC,
    .hash = float_hash,
    .equal = float_equal,
};

ouro_type *ouro_int_type(ouro_heap *heap) { return runtime_type(heap, BUILTIN_INT, &int_spec); }

ouro_type *ouro_float_type(ouro_heap *heap) {
  return runtime_type(heap, BUILTIN_FLOAT, &float_spec);
}

bool ouro_is_int(const void *object) { return runtime_is(object, BUILTIN_INT); }
bool ouro_is_float(const void *object) { return runtime_is(object, BUILTIN_FLOAT); }

/* --- Numbers ---------------------------------------------------------------------------------- */

static ouro_int *int_make(ouro_heap *heap, int64_t value) {
  ouro_type *type = ouro_int_type(heap);
  ouro_int *number = type ? OURO_MAKE(ouro_int, type) : NULL;
  if (number) number->value = value;
  return number;
}

/* The heap's table of small integers, made where it is missing. */
static small_ints *small_ints_of(ouro_heap *heap) {
  if (!ouro_int_type(heap)) return NULL;
  void **slot = runtime_slot(heap, PART_INTS);
  bool tried = false;
  while (!*slot)
    if (!(*slot = ouro_calloc(heap, 1, sizeof(small_ints))) &&
        !retry_after_collection(heap, &tried))
      return NULL;
  return *slot;
}

/* Making a number may collect, and a finalizer ask for the same one: whoever comes first wins. */
static ouro_int *int_small(ouro_heap *heap, int64_t value) {
  small_ints *table = small_ints_of(heap);
  if (!table) return NULL;
  ouro_int **made = &table->made[value - INT_SMALL_MIN];
  if (OURO_LIKELY(*made != NULL)) return *made;
  ouro_int *number = int_make(heap, value);
  if (!number || *made) return ouro_unref(number), *made;
  ouro_immortalize(number);
  return *made = number;
}

ouro_int *ouro_int_new(ouro_heap *heap, int64_t value) {
  bool small = value >= INT_SMALL_MIN && value <= INT_SMALL_MAX;
  return small ? int_small(heap, value) : int_make(heap, value);
}

ouro_float *ouro_float_new(ouro_heap *heap, double value) {
  ouro_type *type = ouro_float_type(heap);
  ouro_float *number = type ? OURO_MAKE(ouro_float, type) : NULL;
  if (number) number->value = value;
  return number;
}
