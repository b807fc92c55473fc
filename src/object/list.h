/* SPDX-License-Identifier: MIT */
#ifndef OURO_SRC_OBJECT_LIST_H
#define OURO_SRC_OBJECT_LIST_H

#include "runtime.h"
#include <ouro/list.h>

/* Lists are one of the engine's declarative types: the collector reads `items` and `length` by
 * themselves, so between two calls that may run code of the program's these hold:
 *
 *     length <= room;  items is NULL or a block of room * 8 bytes;  items[0, length) are counted
 */
ouro_type *list_type(ouro_heap *heap);

#endif
