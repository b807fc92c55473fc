/* SPDX-License-Identifier: MIT */
/* Byte strings that do not change. Equal as keys if their bytes are. */
#ifndef OURO_BYTES_H
#define OURO_BYTES_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

OURO_FLEXIBLE typedef struct ouro_bytes {
  ouro_object object;
  size_t length;
  uint8_t bytes[];
} ouro_bytes;

/* `bytes` is copied; NULL: zeros, to be filled before anyone else sees them. */
OURO_API OURO_NEW ouro_bytes *ouro_bytes_new(ouro_heap *heap, const void *bytes, size_t length);
OURO_API bool ouro_is_bytes(const void *object);

OURO_END_DECLS

#endif
