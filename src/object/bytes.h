/* SPDX-License-Identifier: MIT */
#ifndef OURO_SRC_OBJECT_BYTES_H
#define OURO_SRC_OBJECT_BYTES_H

#include "runtime.h"
#include <ouro/bytes.h>

/* A byte string is a leaf: no references, no state but its bytes. Its hash needs the heap's secret
 * (object/str.h), so the first byte string makes it. */
ouro_type *bytes_type(ouro_heap *heap);

#endif
