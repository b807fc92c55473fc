/* SPDX-License-Identifier: MIT */
/* What dictionaries and sets do with keys before and after they look them up. */
#ifndef OURO_SRC_OBJECT_KEYS_H
#define OURO_SRC_OBJECT_KEYS_H

#include "runtime.h"

/* The hash of a key. False, with a reason: NULL is none. */
static inline bool key_hash(ouro_heap *heap, const void *key, uint64_t *hash) {
  *hash = key ? ouro_hash(key) : 0;
  return key || runtime_fail(heap, "NULL is no key");
}

/* Notes why a lookup failed. Returns false. */
static inline bool key_failed(ouro_heap *heap) {
  return runtime_fail(heap, "comparing keys failed, or changed the container each time");
}

#endif
