/* SPDX-License-Identifier: MIT */
/*
 * A set of object addresses: one bit per 16 bytes, in bitmaps for 64 KiB of address space each that
 * are found through a hash table. Objects are at least 16 bytes long, so no two share a bit; about
 * 1 % of the memory they lie in.
 */
#ifndef OURO_EXT_ADDRSET_H
#define OURO_EXT_ADDRSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDRSET_SHIFT = 16, ADDRSET_WORDS = (1 << ADDRSET_SHIFT) / 16 / 64 };

typedef struct addrset_page {
  uintptr_t number; /* address >> ADDRSET_SHIFT */
  uint64_t bits[ADDRSET_WORDS];
} addrset_page;

/* All zero is the empty set. */
typedef struct addrset {
  addrset_page **slots; /* open addressing; room is a power of two, at most three quarters full */
  size_t room, count;
  addrset_page *last;
} addrset;

/* The page for `address`, made if missing; NULL: out of memory. */
addrset_page *addrset_find(addrset *set, uintptr_t address);
void addrset_free(addrset *set);

/* Adds `address`; whether it was new. Out of memory: not new, so that nothing is counted twice. */
static inline bool addrset_add(addrset *set, const void *address) {
  uintptr_t at = (uintptr_t)address;
  addrset_page *page = set->last;
  if (!page || page->number != at >> ADDRSET_SHIFT) page = addrset_find(set, at);
  if (!page) return false;
  uint64_t *word = &page->bits[at / (16 * 64) % ADDRSET_WORDS], bit = (uint64_t)1 << at / 16 % 64;
  bool fresh = !(*word & bit);
  *word |= bit;
  return fresh;
}

#endif
