/* SPDX-License-Identifier: MIT */
#include "hash.h"

#include <string.h>

/* The names v0 to v3, m and b are those of the paper. */
typedef struct sip_state {
  uint64_t v0, v1, v2, v3;
} sip_state;

static uint64_t rotated(uint64_t word, unsigned by) { return word << by | word >> (64 - by); }

static void sip_round(sip_state *s) {
  s->v0 += s->v1;
  s->v1 = rotated(s->v1, 13) ^ s->v0;
  s->v0 = rotated(s->v0, 32);
  s->v2 += s->v3;
  s->v3 = rotated(s->v3, 16) ^ s->v2;
  s->v0 += s->v3;
  s->v3 = rotated(s->v3, 21) ^ s->v0;
  s->v2 += s->v1;
  s->v1 = rotated(s->v1, 17) ^ s->v2;
  s->v2 = rotated(s->v2, 32);
}

/* One round for each word: the 1 of SipHash-1-3. */
static void sip_word(sip_state *s, uint64_t m) {
  s->v3 ^= m;
  sip_round(s);
  s->v0 ^= m;
}

static uint64_t sip_end(sip_state *s) {
  s->v2 ^= 0xFF;
  for (int i = 0; i < 3; i++) sip_round(s);
  return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash_bytes(const hash_secret *secret, const void *bytes, size_t length) {
  const char *at = bytes, *end = at + (length & ~(size_t)7);
  uint64_t m, b = 0;
  sip_state s = {
      .v0 = secret->k0 ^ 0x736F6D6570736575u,
      .v1 = secret->k1 ^ 0x646F72616E646F6Du,
      .v2 = secret->k0 ^ 0x6C7967656E657261u,
      .v3 = secret->k1 ^ 0x7465646279746573u,
  };
  for (; at < end; at += sizeof m) {
    memcpy(&m, at, sizeof m);
    sip_word(&s, m);
  }
  if (length & 7) memcpy(&b, at, length & 7);
  sip_word(&s, b | (uint64_t)length << 56);
  return sip_end(&s);
}
