/* SPDX-License-Identifier: MIT */
/*
 * Hardened heaps. Free lists lie outside the blocks already, so there are none to encode; what a
 * block can damage is its neighbour, and what a program can do wrong is to end it twice, too late
 * or elsewhere.
 *
 *     | requested bytes | 0xFD ... | requested, seal |   a live block, trailer last
 *     | 0xDD ....................  | requested, seal |      a freed one, while it is in quarantine
 *
 * The seal is a keyed mix of address, size and state: an overrun that reaches it is seen at the
 * free, as is one that stops in the 0xFD bytes. Freed blocks are withheld from reuse until
 * `quarantine` bytes of later ones are; a write in the meantime is seen when they leave.
 */
#ifndef OURO_SRC_POOL_HARD_H
#define OURO_SRC_POOL_HARD_H

#include "heap.h"

#define HARD_TRAILER_BYTES 8u
#define HARD_UNSET 0xCD /* in new blocks */
#define HARD_DEAD 0xDD  /* in freed ones */
#define HARD_FENCE 0xFD /* between the requested bytes and the trailer */

/* Reports a misuse to the heap's handler, or prints it and aborts. */
void hard_report(const heap *h, ouro_misuse_kind kind, const void *p, const ouro_pool *pool,
                 size_t requested);

/* Reports and returns false where the caller may not use the heap: it is not the owner. */
bool hard_owner(const heap *h, const void *p);

/* Makes a block that was just taken from `pool` a live one. */
void hard_seal(heap *h, ouro_pool *pool, void *block, size_t requested, bool zeroed);

/* Whether a block of the pool starts at p; false where the pool was never in use. */
bool hard_is_start(const ouro_pool *pool, const void *p);

/* Bytes asked for in a live block; SIZE_MAX, after a report, where p is not the start of one. */
size_t hard_check(const heap *h, const ouro_pool *pool, const void *p);

/* Whether the block is live: not in quarantine. Damaged trailers count as live. */
bool hard_is_live(const heap *h, const ouro_pool *pool, const void *block);

/* Ends a block: checks it, poisons it and puts it into quarantine. */
void hard_free(heap *h, ouro_pool *pool, void *p);

/* Checks and releases everything that is withheld. */
void hard_flush(heap *h);

/* Where a large block's usable bytes end and its trailer begins: aligned ones may be short. */
static inline size_t hard_large_end(size_t size) {
  return size < sizeof(void *) ? sizeof(void *) : size;
}

void hard_seal_large(const heap *h, void *p, size_t size);
void hard_check_large(const heap *h, const void *p, size_t size);

#endif
