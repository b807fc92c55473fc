/* SPDX-License-Identifier: MIT */
/* Bins that layers above add to a heap: blocks of one size, in pools that hold nothing else. */
#ifndef OURO_SRC_POOL_BIN_H
#define OURO_SRC_POOL_BIN_H

#include "heap.h"

/* Makes `bin` (the caller's, zero or not; it must live as long as the heap) a bin of the heap for
 * blocks of `size` bytes, aligned to 16 if that is a multiple of 16 and to 8 if not. Its pools get
 * `kind`. At most `cap` freed blocks are kept at hand (0: the pools' own choice). False: `size` is
 * too big for pools. */
bool bin_add(heap *h, ouro_bin *bin, size_t size, unsigned kind, uint32_t cap);

/* A block of the bin's for a request of `size` bytes, contents undefined, when nothing is at hand.
 * NULL: out of memory. */
void *bin_take(heap *h, ouro_bin *bin, size_t size);

/* Claims blocks for an empty bin. False: out of memory. */
bool bin_refill(heap *h, ouro_bin *bin);

#endif
