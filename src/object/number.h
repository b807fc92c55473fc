/* SPDX-License-Identifier: MIT */
#ifndef OURO_SRC_OBJECT_NUMBER_H
#define OURO_SRC_OBJECT_NUMBER_H

#include "runtime.h"
#include <ouro/number.h>

/* The integers that a heap makes once, as CPython's: small counts, indexes, exit codes and all
 * values of a byte. */
#define INT_SMALL_MIN (-5)
#define INT_SMALL_MAX 256

/* The state of PART_INTS: [value - INT_SMALL_MIN], NULL until the value is first asked for. */
typedef struct small_ints {
  ouro_int *made[INT_SMALL_MAX - INT_SMALL_MIN + 1];
} small_ints;

#endif
