/* SPDX-License-Identifier: MIT */
/* The permanent generation: a bit for each slot that held an object when it was frozen. Headers are
 * not written, so that a child of fork shares their pages. */
#include "collector.h"

#define PAGE_WORDS (CYCLE_PAGE_SLOTS / 64)
#define WINDOW_WORDS (WINDOW_PAGES * PAGE_WORDS)

uint64_t frozen_word(const runtime *rt, uint64_t word) {
  uint64_t window = word / WINDOW_WORDS, index = word % WINDOW_WORDS;
  return index < rt->frozen_words[window] ? rt->frozen[window][index] : 0;
}

bool frozen_is(const runtime *rt, uint64_t slot) {
  return frozen_word(rt, slot / 64) >> (slot % 64) & 1;
}

void frozen_forget(runtime *rt, uint64_t word, uint64_t bits) {
  bits &= frozen_word(rt, word);
  if (!bits) return;
  rt->frozen[word / WINDOW_WORDS][word % WINDOW_WORDS] &= ~bits;
  rt->frozen_count -= bits_count(bits);
}

static size_t map_bytes(uint64_t words) { return os_whole_pages(words * sizeof(uint64_t)); }

static void forget_bits(runtime *rt, uint64_t window) {
  if (rt->frozen[window]) os_release(rt->frozen[window], map_bytes(rt->frozen_words[window]));
  rt->frozen[window] = NULL;
  rt->frozen_words[window] = 0;
}

/* New bits hold what was frozen before as well. False: out of memory, nothing changed. */
static bool remap(runtime *rt, uint64_t window, uint64_t words) {
  if (words <= rt->frozen_words[window]) return true;
  uint64_t *bits =
      rt->frozen[window]
          ? os_remap(rt->frozen[window], map_bytes(rt->frozen_words[window]), map_bytes(words))
          : runtime_map(rt, map_bytes(words));
  if (!bits) return false;
  rt->frozen[window] = bits;
  rt->frozen_words[window] = words;
  return true;
}

static void freeze_word(runtime *rt, uint64_t word) {
  uint64_t used = page_used(rt, word, KIND_TRACKED);
  if (!used) return;
  used = generations_live(rt, word, used); /* without a giant that dies in slices */
  uint64_t *bits = &rt->frozen[word / WINDOW_WORDS][word % WINDOW_WORDS];
  rt->frozen_count += bits_count(used & ~*bits);
  *bits |= used;
}

static void freeze_page(runtime *rt, uint64_t number) {
  if (!page_is_big(number) && !page_is_pool(rt, number)) return;
  for (uint64_t w = 0; w < PAGE_WORDS; w++) freeze_word(rt, number * PAGE_WORDS + w);
}

void ouro_gc_freeze(ouro_heap *heap) {
  runtime *rt = runtime_ensure(heap);
  if (!rt) return;
  rt->gc->pending += generations_merge(rt);
  for (uint64_t k = 0; k < rt->heap->window_count; k++) {
    uint64_t pages = rt->heap->windows[k]->committed * OURO_ARENA_POOLS;
    if (!remap(rt, k, pages * PAGE_WORDS)) return;
    for (uint64_t p = 0; p < pages; p++) freeze_page(rt, k * WINDOW_PAGES + p);
  }
}

void ouro_gc_unfreeze(ouro_heap *heap) {
  runtime *rt = runtime_in(heap);
  if (!rt) return;
  for (uint64_t k = 0; k < HEAP_WINDOWS_MAX; k++) forget_bits(rt, k);
  rt->frozen_count = 0;
}

size_t ouro_gc_frozen_count(const ouro_heap *heap) {
  const runtime *rt = runtime_in(heap);
  return rt ? rt->frozen_count : 0;
}
