/* SPDX-License-Identifier: MIT */
#ifndef OURO_SRC_OBJECT_TUPLE_H
#define OURO_SRC_OBJECT_TUPLE_H

#include "runtime.h"
#include <ouro/tuple.h>

/* Tuples in tuples are hashed and compared down to this depth. What lies deeper does not count for
 * the hash, and makes a comparison fail, so that neither overflows the stack. */
#define TUPLE_DEPTH 200u

ouro_type *tuple_type(ouro_heap *heap);

#endif
