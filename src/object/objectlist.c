/* SPDX-License-Identifier: MIT */
#include "objectlist.h"

#include "../os/os.h"

static bool object_list_grow(object_list *list) {
  size_t room = list->room ? list->room * 2 : os_page_size() / sizeof *list->items;
  ouro_object **items =
      list->room ? os_remap(list->items, list->room * sizeof *items, room * sizeof *items)
                 : os_map(room * sizeof *items);
  if (!items) return false;
  list->items = items;
  list->room = room;
  return true;
}

bool object_list_add(object_list *list, ouro_object *o) {
  if (list->length == list->room && !object_list_grow(list)) return false;
  list->items[list->length++] = o;
  return true;
}

void object_list_free(object_list *list) {
  if (list->room) os_release(list->items, list->room * sizeof *list->items);
  *list = (object_list){0};
}
