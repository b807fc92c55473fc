/* SPDX-License-Identifier: MIT */
/* Tuples: a fixed number of references, set once. */
#ifndef OURO_TUPLE_H
#define OURO_TUPLE_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

OURO_FLEXIBLE typedef struct ouro_tuple {
  ouro_object object;
  size_t length;
  ouro_object *items[];
} ouro_tuple;

/* A tuple of `length` items, all NULL: store each with ouro_tuple_init before anyone else sees the
 * tuple. Tuples are equal as keys if their items are, nested to a depth of 200. */
OURO_API OURO_NEW ouro_tuple *ouro_tuple_new(ouro_heap *heap, size_t length);
/* A tuple of references of its own to the given items. */
OURO_API OURO_NEW ouro_tuple *ouro_tuple_of(ouro_heap *heap, size_t length,
                                            ouro_object *const *items);
OURO_API bool ouro_is_tuple(const void *object);

static inline size_t ouro_tuple_length(const ouro_tuple *tuple) { return tuple->length; }
static inline OURO_BORROWED ouro_object *ouro_tuple_get(const ouro_tuple *tuple, size_t index) {
  return index < tuple->length ? tuple->items[index] : NULL;
}
static inline void ouro_tuple_init(ouro_tuple *tuple, size_t index, OURO_STOLEN void *item) {
  tuple->items[index] = OURO_OBJECT(item);
}

OURO_END_DECLS

#endif
