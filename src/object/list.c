/* SPDX-License-Identifier: MIT */
#include "list.h"

#include "retry.h"

#include <string.h>

static const ouro_type_spec list_spec = {
    .name = "list",
    .size = sizeof(ouro_list),
    .items = {.kind = OURO_ITEMS_POINTED,
              .at = offsetof(ouro_list, items),
              .length = offsetof(ouro_list, length)},
};

ouro_type *list_type(ouro_heap *heap) { return runtime_type(heap, BUILTIN_LIST, &list_spec); }

ouro_list *ouro_list_new(ouro_heap *heap) {
  ouro_type *type = list_type(heap);
  return type ? OURO_MAKE(ouro_list, type) : NULL;
}

bool ouro_is_list(const void *object) { return runtime_is(object, BUILTIN_LIST); }

/* --- Room ------------------------------------------------------------------------------------- */

/* Room for a list that grows to `length`: an eighth more, as CPython's list_resize (0, 4, 8, 16,
 * 24, 32, 40, 52, ...), so that appending costs constant time on average. */
static size_t list_generous(size_t length) { return (length + (length >> 3) + 6) & ~(size_t)3; }

static bool list_set_room(ouro_list *list, size_t room) {
  if (room > SIZE_MAX / sizeof *list->items) return false;
  ouro_object **items = ouro_realloc(ouro_heap_of(list), list->items, room * sizeof *items);
  if (!items) return false;
  list->items = items;
  list->room = room;
  return true;
}

static bool list_make_room(ouro_list *list) {
  bool tried = false;
  while (list->length == list->room)
    if (!list_set_room(list, list_generous(list->length + 1)) &&
        !retry_after_collection(ouro_heap_of(list), &tried))
      return false;
  return true;
}

/* Gives room back when less than half is used. A refusal does no harm. */
static void list_shrink(ouro_list *list) {
  if (list->length < list->room / 2) list_set_room(list, list_generous(list->length));
}

bool ouro_list_reserve(ouro_list *list, size_t room) {
  bool tried = false;
  while (list->room < room)
    if (!list_set_room(list, room) && !retry_after_collection(ouro_heap_of(list), &tried))
      return false;
  return true;
}

/* --- Items ------------------------------------------------------------------------------------ */

static bool list_no_index(const ouro_list *list) {
  return runtime_fail(ouro_heap_of(list), "no such index in the list");
}

bool ouro_list_append(ouro_list *list, void *item) {
  if (list->length == list->room && !list_make_room(list)) return false;
  list->items[list->length++] = ouro_ref(item);
  return true;
}

bool ouro_list_append_new(ouro_list *list, void *item) {
  bool appended = ouro_list_append(list, item);
  ouro_unref(item);
  return appended;
}

/* Growing may run finalizers, which may shorten the list: the index is looked at after it. */
bool ouro_list_insert(ouro_list *list, size_t index, void *item) {
  if (index > list->length) return list_no_index(list);
  if (!list_make_room(list)) return false;
  if (index > list->length) return list_no_index(list);
  ouro_object **at = list->items + index;
  memmove(at + 1, at, (list->length - index) * sizeof *at);
  *at = ouro_ref(item);
  list->length++;
  return true;
}

bool ouro_list_set(ouro_list *list, size_t index, void *item) {
  if (index >= list->length) return list_no_index(list);
  ouro_assign(&list->items[index], item);
  return true;
}

ouro_object *ouro_list_remove(ouro_list *list, size_t index) {
  if (index >= list->length) return list_no_index(list), NULL;
  ouro_object **at = list->items + index, *item = *at;
  list->length--;
  memmove(at, at + 1, (list->length - index) * sizeof *at);
  list_shrink(list);
  return item;
}

ouro_object *ouro_list_pop(ouro_list *list) { return ouro_list_remove(list, list->length - 1); }

/* Takes the array out of the list, which is empty then. */
static ouro_list list_detach(ouro_list *list) {
  ouro_list detached = *list;
  list->items = NULL;
  list->length = list->room = 0;
  return detached;
}

static void list_drop(ouro_heap *heap, ouro_list *detached) {
  while (detached->length) ouro_unref(detached->items[--detached->length]);
  ouro_free(heap, detached->items);
}

void ouro_list_clear(ouro_list *list) {
  ouro_heap *heap = ouro_heap_of(list);
  ouro_list detached = list_detach(list);
  list_drop(heap, &detached);
}

void ouro_list_reverse(ouro_list *list) {
  for (size_t low = 0, high = list->length; low + 1 < high; low++) {
    ouro_object *item = list->items[low];
    list->items[low] = list->items[--high];
    list->items[high] = item;
  }
}

/* --- Sorting ---------------------------------------------------------------------------------- */

/* Below this length inserting is faster than merging. */
#define LIST_INSERTION 12u

typedef struct list_order {
  bool (*before)(const void *, const void *, void *);
  void *ctx;
  ouro_object **spare; /* room for half of the items */
} list_order;

static bool list_before(const list_order *order, const ouro_object *a, const ouro_object *b) {
  return order->before(a, b, order->ctx);
}

static void list_insertion_sort(const list_order *order, ouro_object **items, size_t n) {
  for (size_t i = 1; i < n; i++) {
    ouro_object *item = items[i];
    size_t at = i;
    for (; at > 0 && list_before(order, item, items[at - 1]); at--) items[at] = items[at - 1];
    items[at] = item;
  }
}

/* Merges the sorted items[0, left) and items[left, n). An item of the right half goes first only if
 * it is before the left one: equal items keep their order. */
static void list_merge(const list_order *order, ouro_object **items, size_t left, size_t n) {
  size_t from_left = 0, from_right = left, to = 0;
  memcpy(order->spare, items, left * sizeof *items);
  while (from_left < left && from_right < n) {
    bool right = list_before(order, items[from_right], order->spare[from_left]);
    items[to++] = right ? items[from_right++] : order->spare[from_left++];
  }
  memcpy(items + to, order->spare + from_left, (left - from_left) * sizeof *items);
}

static void list_merge_sort(const list_order *order, ouro_object **items, size_t n) {
  if (n <= LIST_INSERTION) {
    list_insertion_sort(order, items, n);
    return;
  }
  size_t left = n / 2;
  list_merge_sort(order, items, left);
  list_merge_sort(order, items + left, n - left);
  if (list_before(order, items[left], items[left - 1])) list_merge(order, items, left, n);
}

/* Puts the sorted array back. What the program has put into the list meanwhile is dropped. */
static bool list_attach(ouro_list *list, const ouro_list *sorted) {
  ouro_heap *heap = ouro_heap_of(list);
  ouro_list meanwhile = list_detach(list);
  list->items = sorted->items;
  list->length = sorted->length;
  list->room = sorted->room;
  if (!meanwhile.items) return true;
  list_drop(heap, &meanwhile);
  return runtime_fail(heap, "the list was changed while it was sorted");
}

/* While it is sorted the list is empty, as in CPython: `before` may change it, or allocate, so that
 * a collection looks at it, which relies on finding each reference once. */
bool ouro_list_sort(ouro_list *list, bool (*before)(const void *, const void *, void *),
                    void *ctx) {
  ouro_heap *heap = ouro_heap_of(list);
  list_order order = {.before = before, .ctx = ctx};
  bool tried = false;
  while (!(order.spare = ouro_alloc(heap, list->length / 2 * sizeof *list->items)))
    if (!retry_after_collection(heap, &tried)) return false;
  ouro_list sorted = list_detach(list);
  list_merge_sort(&order, sorted.items, sorted.length);
  ouro_free(heap, order.spare);
  return list_attach(list, &sorted);
}
