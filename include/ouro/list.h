/* SPDX-License-Identifier: MIT */
/*
 * Lists: arrays of references that grow. Indexes from 0; a wrong index makes the call fail. Items
 * may be NULL; then the length tells what a NULL result does not. As keys, lists are themselves.
 */
#ifndef OURO_LIST_H
#define OURO_LIST_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

typedef struct ouro_list {
  ouro_object object;
  size_t length;
  ouro_object **items; /* NULL or a block of the heap with room for `room` references */
  size_t room;
} ouro_list;

OURO_API OURO_NEW ouro_list *ouro_list_new(ouro_heap *heap);
OURO_API bool ouro_is_list(const void *object);

static inline size_t ouro_list_length(const ouro_list *list) { return list->length; }

/* The item, or NULL behind the end. */
static inline OURO_BORROWED ouro_object *ouro_list_get(const ouro_list *list, size_t index) {
  return index < list->length ? list->items[index] : NULL;
}

/* The list takes a reference of its own to `item`. False: out of memory (append, insert), no such
 * index (set; insert accepts the length). */
OURO_API bool ouro_list_append(ouro_list *list, void *item);
OURO_API bool ouro_list_insert(ouro_list *list, size_t index, void *item);
OURO_API bool ouro_list_set(ouro_list *list, size_t index, void *item);

/* As append; the caller's reference becomes the list's, and is dropped on failure. */
OURO_API bool ouro_list_append_new(ouro_list *list, OURO_STOLEN void *item);

/* Takes the item out. NULL: no such index. pop takes the last one. */
OURO_API OURO_NEW ouro_object *ouro_list_remove(ouro_list *list, size_t index);
OURO_API OURO_NEW ouro_object *ouro_list_pop(ouro_list *list);

/* Empties the list; items are dropped last to first, when the list is already empty. */
OURO_API void ouro_list_clear(ouro_list *list);

/* Makes room for `room` items in all, so that appending up to it cannot fail. */
OURO_API bool ouro_list_reserve(ouro_list *list, size_t room);

OURO_API void ouro_list_reverse(ouro_list *list);
/* Stable, in place; `before` is called with two items and says whether the first one must stand
 * before the second. Merge sort; false: out of memory for its n/2 references. Meanwhile the list is
 * empty; what `before` puts into it is dropped, and the call returns false, the list sorted. */
OURO_API bool ouro_list_sort(ouro_list *list, bool (*before)(const void *, const void *, void *),
                             void *ctx);

OURO_END_DECLS

#endif
