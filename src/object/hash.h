/* SPDX-License-Identifier: MIT */
/*
 * Hash functions of the built-in types.
 *
 * Bytes: SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, with the
 * rounds that CPython, Rust and Ruby chose for their tables), keyed with a secret of the heap: who
 * sends a program its texts cannot choose them so that all fall into one slot.
 *
 * Numbers: the finalizer of splitmix64 (Steele, Lea and Flood, 2014; constants of David Stafford's
 * "mix 13"), a bijection. It has no secret: who chooses a program's numbers can make them collide.
 */
#ifndef OURO_SRC_OBJECT_HASH_H
#define OURO_SRC_OBJECT_HASH_H

#include <ouro/base.h>

typedef struct hash_secret {
  uint64_t k0, k1;
} hash_secret;

uint64_t hash_bytes(const hash_secret *secret, const void *bytes, size_t length);

static inline uint64_t hash_number(uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

/* Integers that follow each other mostly have hashes that do, so that a table of a million of them
 * is read in the order of its index; runs of 256 start anywhere, so that no stride shares slots. */
#define HASH_RUN_BITS 8
static inline uint64_t hash_integer(uint64_t x) { return x + hash_number(x >> HASH_RUN_BITS); }

/* A sequence of hashes as one: the rounds of XXH64 (Yann Collet), as CPython's tuples use them
 * since 3.8. Start with hash_sequence_start, add each, end with the number of them. */
static inline uint64_t hash_sequence_start(void) { return 0x27D4EB2F165667C5u; }

static inline uint64_t hash_sequence_add(uint64_t sum, uint64_t hash) {
  sum += hash * 0xC2B2AE3D27D4EB4Fu;
  sum = sum << 31 | sum >> 33;
  return sum * 0x9E3779B185EBCA87u;
}

static inline uint64_t hash_sequence_end(uint64_t sum, size_t length) {
  return sum + (length ^ hash_sequence_start() ^ 3527539u);
}

#endif
