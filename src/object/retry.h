/* SPDX-License-Identifier: MIT */
/* Side memory that is refused: a full collection may free some, so a call tries twice. */
#ifndef OURO_SRC_OBJECT_RETRY_H
#define OURO_SRC_OBJECT_RETRY_H

#include "state.h"

/* After a refusal: true once, after a full collection; false, with the reason noted, when it is
 * called again or none is possible. The collection runs finalizers, so the caller looks at
 * everything afresh:
 *
 *     bool tried = false;
 *     while (!grow(x))
 *       if (!retry_after_collection(heap, &tried)) return false;
 */
static inline bool retry_after_collection(ouro_heap *heap, bool *tried) {
  if (*tried || !gc_emergency(runtime_in(heap))) return runtime_fail(heap, "out of memory");
  return *tried = true;
}

#endif
