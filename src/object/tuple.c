/* SPDX-License-Identifier: MIT */
#include "tuple.h"

#include "hash.h"

static bool is_same_type(const void *a, const void *b) {
  return OURO_OBJECT(a)->type == OURO_OBJECT(b)->type;
}

/* --- As a key --------------------------------------------------------------------------------- */

static uint64_t tuple_hash_at(const ouro_tuple *tuple, unsigned depth) {
  uint64_t sum = hash_sequence_start();
  for (size_t i = 0; depth < TUPLE_DEPTH && i < tuple->length; i++) {
    const ouro_object *item = tuple->items[i];
    uint64_t hash = !item                       ? 0
                    : is_same_type(item, tuple) ? tuple_hash_at((const void *)item, depth + 1)
                                                : ouro_hash(item);
    sum = hash_sequence_add(sum, hash);
  }
  return hash_sequence_end(sum, tuple->length);
}

static uint64_t tuple_hash(const void *self) { return tuple_hash_at(self, 0); }

static int tuple_equal_at(const ouro_tuple *a, const ouro_tuple *b, unsigned depth) {
  if (a->length != b->length) return 0;
  if (depth == TUPLE_DEPTH) return runtime_fail(ouro_heap_of(a), "tuples nested too deep"), -1;
  int equal = 1;
  for (size_t i = 0; equal == 1 && i < a->length; i++) {
    const ouro_object *x = a->items[i], *y = b->items[i];
    if (x == y) continue;
    if (!x || !y) return 0;
    bool deeper = is_same_type(x, a) && is_same_type(y, a);
    equal = deeper ? tuple_equal_at((const void *)x, (const void *)y, depth + 1) : ouro_equal(x, y);
  }
  return equal;
}

static int tuple_equal(const void *self, const void *other) {
  return is_same_type(self, other) ? tuple_equal_at(self, other, 0) : 0;
}

/* --- Tuples ----------------------------------------------------------------------------------- */

static const ouro_type_spec tuple_spec = {
    .name = "tuple",
    .size = sizeof(ouro_tuple),
    .item_size = sizeof(ouro_object *),
    .items = {.kind = OURO_ITEMS_INLINE,
              .at = offsetof(ouro_tuple, items),
              .length = offsetof(ouro_tuple, length)},
    .hash = tuple_hash,
    .equal = tuple_equal,
};

ouro_type *tuple_type(ouro_heap *heap) { return runtime_type(heap, BUILTIN_TUPLE, &tuple_spec); }

ouro_tuple *ouro_tuple_new(ouro_heap *heap, size_t length) {
  ouro_type *type = tuple_type(heap);
  ouro_tuple *tuple = type ? ouro_new_items(type, length) : NULL;
  if (tuple) tuple->length = length;
  return tuple;
}

ouro_tuple *ouro_tuple_of(ouro_heap *heap, size_t length, ouro_object *const *items) {
  ouro_tuple *tuple = ouro_tuple_new(heap, length);
  for (size_t i = 0; tuple && i < length; i++) tuple->items[i] = ouro_ref(items[i]);
  return tuple;
}

bool ouro_is_tuple(const void *object) { return runtime_is(object, BUILTIN_TUPLE); }
