/* SPDX-License-Identifier: MIT */
/* What a page of slots holds. */
#include "state.h"
#include "../pool/hard.h"

uint64_t page_used_big(const runtime *rt, uint64_t word, unsigned kind) {
  const big_page *page = rt->big[word / 64];
  if (!page) return 0;
  uint64_t used = 0;
  for (uint64_t live = page->live[word % 64]; live; live &= live - 1) {
    unsigned i = ouro_lowest_bit(live);
    const type *t = type_of(rt, page->at[word % 64 * 64 + i]);
    if (t->tracked == (kind == KIND_TRACKED)) used |= (uint64_t)1 << i;
  }
  return used;
}

bool slot_withheld(const runtime *rt, const ouro_object *o) {
  return !hard_is_live(rt->heap, heap_slot_of(o), o);
}

uint64_t page_count(const runtime *rt) {
  uint64_t last = rt->heap->window_count - 1;
  return (last << WINDOW_PAGES_SHIFT) + rt->heap->windows[last]->committed * OURO_ARENA_POOLS;
}

page_sums page_sum(const runtime *rt) {
  page_sums sums = {0};
  uint64_t pages = page_count(rt);
  for (uint64_t number = 0; number < pages; number++) {
    if (!page_is_pool(rt, number)) continue;
    const ouro_pool *pool = page_pool(rt, number);
    if (pool->kind == KIND_TRACKED) sums.tracked += pool->used;
    if (pool->kind != KIND_LEAF) sums.bytes += (uint64_t)pool->used * pool->size;
  }
  return sums;
}

/* New room is at least twice the old: pages move, but rarely. */
static bool page_grow(runtime *rt, uint64_t window, uint64_t index) {
  uint32_t old = rt->page_room[window], room = old ? old * 2 : TUNE_FIRST_PAGES;
  while (room <= index) room *= 2;
  size_t had = os_whole_pages(old * sizeof(page)), size = os_whole_pages(room * sizeof(page));
  page *pages = old ? os_remap(rt->pages[window], had, size) : runtime_map(rt, size);
  if (!pages) return false;
  rt->pages[window] = pages;
  rt->page_room[window] = room;
  return true;
}

bool page_ready(runtime *rt, uint64_t number) {
  return page_known(rt, number) || page_grow(rt, page_window(number), page_index(number));
}

void page_add_young(runtime *rt, uint64_t word, uint64_t bits) {
  page *p = page_at(rt, word / 64);
  if (!p->listed) {
    p->listed = true;
    p->next = rt->young_first;
    rt->young_first = (uint32_t)(word / 64) + 1;
  }
  p->young_words |= (uint64_t)1 << (word % 64);
  p->word[word % 64].young |= bits;
}
