/* SPDX-License-Identifier: MIT */
/* Integers of 64 bits and floats. Each type has a free list of its own (rule P4). */
#ifndef OURO_NUMBER_H
#define OURO_NUMBER_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

typedef struct ouro_int {
  ouro_object object;
  int64_t value;
} ouro_int;

typedef struct ouro_float {
  ouro_object object;
  double value;
} ouro_float;

/* Integers from -5 to 256 are made once per heap and immortal. As keys, equal values of the same
 * type are equal; an integer and a float never are. */
OURO_API OURO_NEW ouro_int *ouro_int_new(ouro_heap *heap, int64_t value);
OURO_API OURO_NEW ouro_float *ouro_float_new(ouro_heap *heap, double value);
OURO_API bool ouro_is_int(const void *object);
OURO_API bool ouro_is_float(const void *object);
static inline int64_t ouro_int_value(const ouro_int *number) { return number->value; }
static inline double ouro_float_value(const ouro_float *number) { return number->value; }

/* The types, for ouro_free_list_length and the census. NULL: out of memory. */
OURO_API ouro_type *ouro_int_type(ouro_heap *heap);
OURO_API ouro_type *ouro_float_type(ouro_heap *heap);

OURO_END_DECLS

#endif
