/* SPDX-License-Identifier: MIT */
/*
 * Numbers of the snapshot file: seven bits a byte, low ones first, the high bit says that more
 * follow; signed ones zigzag. And those of fixed size, low byte first on every machine.
 */
#ifndef OURO_SRC_SNAPSHOT_VARINT_H
#define OURO_SRC_SNAPSHOT_VARINT_H

#include <ouro/base.h>

#define VARINT_MAX 10 /* bytes of the longest */

static inline uint64_t varint_fold(int64_t value) {
  return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline uint64_t varint_unfold(uint64_t value) { return value >> 1 ^ (0 - (value & 1)); }

/* Writes it and returns where it ends. */
static inline uint8_t *varint_put(uint8_t *at, uint64_t value) {
  for (; value > 127; value >>= 7) *at++ = (uint8_t)(value | 128);
  *at++ = (uint8_t)value;
  return at;
}

static inline uint8_t *varint_put_fixed(uint8_t *at, uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; i++) *at++ = (uint8_t)(value >> 8 * i);
  return at;
}

static inline uint32_t varint_fixed32(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t varint_fixed64(const uint8_t *at) {
  return varint_fixed32(at) | (uint64_t)varint_fixed32(at + 4) << 32;
}

/* Byte by byte: near the end, and for the longest. */
static inline bool varint_get_slowly(const uint8_t **at, const uint8_t *end, uint64_t *value) {
  const uint8_t *p = *at;
  *value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (p == end) return false;
    uint8_t byte = *p++;
    if (shift == 63 && byte > 1) return false; /* more than 64 bits */
    *value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return *at = p, true;
  }
  return false;
}

/* Closes the gaps of one bit between eight groups of seven: first pairs, then fours, then all. */
static inline uint64_t varint_close_gaps(uint64_t groups) {
  groups = (groups & 0x7F007F007F007F00u) >> 1 | (groups & 0x007F007F007F007Fu);
  groups = (groups & 0x3FFF00003FFF0000u) >> 2 | (groups & 0x00003FFF00003FFFu);
  return (groups & 0x0FFFFFFF00000000u) >> 4 | (groups & 0x000000000FFFFFFFu);
}

/* Reads one and moves on. False: the bytes end within it, or it has more than 64 bits. Lengths of
 * neighbours differ at random, so from two bytes on eight are taken at once, without branches. */
static inline bool varint_get(const uint8_t **at, const uint8_t *end, uint64_t *value) {
  const uint8_t *p = *at;
  if (OURO_UNLIKELY(end - p < 8)) return varint_get_slowly(at, end, value);
  if (*p < 128) return *value = *p, *at = p + 1, true;
  uint64_t bytes = varint_fixed64(p), last = ~bytes & 0x8080808080808080u;
  if (OURO_UNLIKELY(last == 0)) return varint_get_slowly(at, end, value);
  *at = p + (ouro_lowest_bit(last) >> 3) + 1;
  *value = varint_close_gaps(bytes & (last ^ (last - 1)) & 0x7F7F7F7F7F7F7F7Fu);
  return true;
}

#endif
