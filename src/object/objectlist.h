/* SPDX-License-Identifier: MIT */
/* Lists of objects in pages of their own, so that they can grow when the heap is full. */
#ifndef OURO_SRC_OBJECT_OBJECTLIST_H
#define OURO_SRC_OBJECT_OBJECTLIST_H

#include <ouro/object.h>

/* All zero: empty. */
typedef struct object_list {
  ouro_object **items;
  size_t length, room;
} object_list;

/* Puts the object at the end, without a reference. False: out of memory. */
bool object_list_add(object_list *list, ouro_object *o);

/* Gives the pages back: empty again. */
void object_list_free(object_list *list);

#endif
