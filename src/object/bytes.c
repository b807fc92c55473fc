/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include "str.h"

#include <string.h>

static uint64_t bytes_hash(const void *self) {
  const ouro_bytes *bytes = self;
  return texts_hash(ouro_heap_of(bytes), bytes->bytes, bytes->length);
}

static int bytes_equal(const void *self, const void *other) {
  const ouro_bytes *a = self, *b = other;
  return a->object.type == b->object.type && a->length == b->length &&
         memcmp(a->bytes, b->bytes, a->length) == 0;
}

static const ouro_type_spec bytes_spec = {
    .name = "bytes",
    .size = sizeof(ouro_bytes),
    .item_size = 1,
    .flags = OURO_ACYCLIC,
    .hash = bytes_hash,
    .equal = bytes_equal,
};

ouro_type *bytes_type(ouro_heap *heap) {
  ouro_type *type = runtime_type(heap, BUILTIN_BYTES, &bytes_spec);
  return type && texts_ensure(heap) ? type : NULL;
}

ouro_bytes *ouro_bytes_new(ouro_heap *heap, const void *bytes, size_t length) {
  ouro_type *type = bytes_type(heap);
  ouro_bytes *made = type ? ouro_new_items(type, length) : NULL;
  if (!made) return NULL;
  made->length = length;
  if (bytes && length) memcpy(made->bytes, bytes, length);
  return made;
}

bool ouro_is_bytes(const void *object) { return runtime_is(object, BUILTIN_BYTES); }
