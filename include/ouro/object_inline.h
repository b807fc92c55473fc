/* SPDX-License-Identifier: MIT */
/*
 * The part of the objects that callers inline. Included by <ouro/object.h>; names here that it does
 * not document may change in any release.
 *
 * An object's memory, from the bin of its type to the bin of its type:
 *
 *     count == 0 <=> nobody holds it: the block is free, or its object is being destroyed (DYING)
 *     a block of an object pool whose bit says "held" has a valid header, or one of count 0
 */
#ifndef OURO_OBJECT_INLINE_H
#define OURO_OBJECT_INLINE_H

#include <string.h>

/* ouro_object.flags. */
#define OURO_FLAG_GENERATION 3u /* 0: young ... 2: old */
#define OURO_FLAG_FINALIZED 4u  /* its finalizer has run */
#define OURO_FLAG_WEAK 8u       /* weak references to it exist */
#define OURO_FLAG_DYING 16u     /* it is being destroyed: nobody may see it */
#define OURO_FLAG_LARGE 32u     /* not in a pool: a prefix lies before it */
#define OURO_FLAG_UNTRACKED 64u /* taken out of the collector's care */
#define OURO_FLAG_OWN 128u      /* of its type: interned strings, pooled objects */

/* The head of a type; the rest is in src/object/type.h. */
struct ouro_type {
  ouro_bin bin;       /* where its objects come from; empty where they have no bin of their own */
  ouro_object header; /* of a new object */
  uint32_t size;
  ouro_heap *heap;
};

OURO_API void *ouro_new_slow(ouro_type *type, size_t size);
OURO_API void ouro_destroy(ouro_object *object);
OURO_API OURO_COLD void ouro_unref_dead(ouro_object *object);
OURO_API OURO_COLD void ouro_ref_dead(ouro_object *object);

static inline void *ouro_new_sized(ouro_type *type, size_t size) {
  char *block = (char *)ouro_bin_take(&type->bin);
  if (OURO_UNLIKELY(block == NULL)) return ouro_new_slow(type, size);
  memset(block + sizeof(ouro_object), 0, size - sizeof(ouro_object));
  *(ouro_object *)(void *)block = type->header;
  return block;
}

static inline void *ouro_new(ouro_type *type) { return ouro_new_sized(type, type->size); }

/* A count that climbs to the border of the immortal band is put into its middle, so that no number
 * of references can bring it back. */
#define OURO_COUNT_IMMORTAL (OURO_IMMORTAL + OURO_IMMORTAL / 2)

/* What a hardened heap leaves in the header of a dead object. */
#define OURO_COUNT_FREED 0xDDDDDDDDu

static inline void *ouro_ref(void *object) {
  ouro_object *o = OURO_OBJECT(object);
  if (!o) return object;
  if (OURO_CHECK_LEVEL >= 2 && (o->count == 0 || o->count == OURO_COUNT_FREED)) ouro_ref_dead(o);
  int32_t more = (int32_t)(o->count + 1);
  if (OURO_LIKELY(more > 0)) o->count = (uint32_t)more;
  else if (more == INT32_MIN) o->count = OURO_COUNT_IMMORTAL;
  return object;
}

/* One subtraction and, for most calls, one branch: `left` is above zero unless this was the last
 * reference, the object is immortal, or it is dead. */
static inline void ouro_unref(void *object) {
  ouro_object *o = OURO_OBJECT(object);
  if (!o) return;
  int32_t left = (int32_t)(o->count - 1);
  if (OURO_LIKELY(left > 0)) {
    o->count = (uint32_t)left;
  } else if (left == 0) {
    o->count = 0;
    ouro_destroy(o);
  } else if (OURO_UNLIKELY(left == -1 || o->count == OURO_COUNT_FREED)) {
    ouro_unref_dead(o);
  }
}

static inline uint32_t ouro_count(const void *object) {
  return ((const ouro_object *)object)->count;
}

static inline void ouro_assign_new(void *field, OURO_STOLEN void *value) {
  void *old;
  memcpy(&old, field, sizeof old);
  memcpy(field, &value, sizeof value);
  ouro_unref(old);
}

static inline void ouro_assign(void *field, void *value) {
  ouro_ref(value);
  ouro_assign_new(field, value);
}

#endif
