/* SPDX-License-Identifier: MIT */
#include "addrset.h"

#include <stdlib.h>

static size_t slot_of(const addrset *set, uintptr_t number) {
  size_t at = (size_t)(number * 0x9E3779B97F4A7C15u >> 20) & (set->room - 1);
  while (set->slots[at] && set->slots[at]->number != number) at = (at + 1) & (set->room - 1);
  return at;
}

static bool grow(addrset *set) {
  addrset wider = {.room = set->room ? set->room * 2 : 1024, .count = set->count};
  wider.slots = calloc(wider.room, sizeof *wider.slots);
  if (!wider.slots) return false;
  for (size_t i = 0; i < set->room; i++)
    if (set->slots[i]) wider.slots[slot_of(&wider, set->slots[i]->number)] = set->slots[i];
  free(set->slots);
  *set = wider;
  return true;
}

addrset_page *addrset_find(addrset *set, uintptr_t address) {
  uintptr_t number = address >> ADDRSET_SHIFT;
  if (set->count >= set->room / 4 * 3 && !grow(set)) return NULL;
  addrset_page **slot = &set->slots[slot_of(set, number)];
  if (!*slot) {
    *slot = calloc(1, sizeof **slot);
    if (!*slot) return NULL;
    (*slot)->number = number;
    set->count++;
  }
  return set->last = *slot;
}

void addrset_free(addrset *set) {
  for (size_t i = 0; i < set->room; i++) free(set->slots[i]);
  free(set->slots);
}
