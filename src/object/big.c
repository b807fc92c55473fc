/* SPDX-License-Identifier: MIT */
/* Objects too large for a pool: a block of the heap each, with a prefix, listed in big pages. */
#include "state.h"

/* The lowest free slot; UINT64_MAX: out of memory or of slots. */
static uint64_t free_slot(runtime *rt) {
  for (uint64_t word = rt->big_free / 64;; word++) {
    uint64_t number = word / 64;
    if (number >= BIG_PAGES) return UINT64_MAX;
    if (!rt->big[number] && !(rt->big[number] = runtime_map(rt, sizeof(big_page))))
      return UINT64_MAX;
    uint64_t used = rt->big[number]->live[word % 64];
    if (~used) return rt->big_free = word * 64 + ouro_lowest_bit(~used);
  }
}

static void list(runtime *rt, const type *t, ouro_object *o, uint64_t slot) {
  big_page *page = rt->big[slot >> PAGE_SHIFT];
  page->live[slot / 64 % 64] |= (uint64_t)1 << (slot % 64);
  page->at[slot % CYCLE_PAGE_SLOTS] = o;
  if (!t->tracked) return;
  page_add_young(rt, slot / 64, (uint64_t)1 << (slot % 64));
  rt->young_count++;
}

ouro_object *big_allocate(runtime *rt, const type *t, size_t size) {
  uint64_t slot = free_slot(rt);
  if (slot == UINT64_MAX || !page_ready(rt, slot >> PAGE_SHIFT)) return NULL;
  big_prefix *prefix = ouro_alloc(&rt->heap->open, sizeof *prefix + size);
  if (!prefix) return NULL;
  *prefix = (big_prefix){.rt = rt, .slot = slot};
  ouro_object *o = OURO_OBJECT(prefix + 1);
  *o = t->open.header;
  o->flags = OURO_FLAG_LARGE;
  list(rt, t, o, slot);
  return o;
}

void big_release(runtime *rt, ouro_object *o) {
  uint64_t slot = big_prefix_of(o)->slot;
  rt->big[slot >> PAGE_SHIFT]->live[slot / 64 % 64] &= ~((uint64_t)1 << (slot % 64));
  if (slot < rt->big_free) rt->big_free = slot;
  ouro_free(&rt->heap->open, big_prefix_of(o));
}
