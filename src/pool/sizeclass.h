/* SPDX-License-Identifier: MIT */
/* Size classes: class c holds blocks of 16 c bytes, c in [1, OURO_CLASSES]; 0 bytes count as 1. */
#ifndef OURO_SRC_POOL_SIZECLASS_H
#define OURO_SRC_POOL_SIZECLASS_H

#include "tune.h"

static inline unsigned class_of(size_t size) {
  return size ? (unsigned)((size + OURO_CLASS_BYTES - 1) / OURO_CLASS_BYTES) : 1;
}

static inline size_t class_size(unsigned class) { return (size_t) class * OURO_CLASS_BYTES; }

/* ceil(2^32 / size): for any offset in a pool, offset * reciprocal >> 32 is offset / size exactly,
 * as the error, offset * (reciprocal * size - 2^32) / (size * 2^32), stays below 1 / size. */
static inline uint32_t class_reciprocal(size_t size) {
  return (uint32_t)((((uint64_t)1 << 32) + size - 1) / size);
}

#endif
