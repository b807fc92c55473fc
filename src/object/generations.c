/* SPDX-License-Identifier: MIT */
/* Who is of which generation: headers and the bitmaps of pages, kept in step. */
#include "collector.h"

#define FOR_EACH_BIT(bits, i)                                                                      \
  for (unsigned i; (bits) && (i = ouro_lowest_bit(bits), true); (bits) &= (bits)-1)

static void rest(heap *h, ouro_bin *bin) {
  pool_flush(h, bin);
  if (!bin->bits) return;
  unsigned word = pool_index_of(bin->pool, bin->base) / 64;
  uint64_t bits = bin->bits;
  bin->bits = 0;
  pool_free_bits(h, bin->pool, word, bits);
}

void generations_rest(runtime *rt) {
  heap *h = rt->heap;
  for (ouro_bin *bin = heap_bins(h); bin; bin = heap_next_bin(h, bin))
    if (bin->kind == KIND_TRACKED) rest(h, bin);
}

uint64_t generations_live(const runtime *rt, uint64_t word, uint64_t bits) {
  uint64_t live = 0, used = bits & page_used(rt, word, KIND_TRACKED);
  FOR_EACH_BIT(used, i) {
    const ouro_object *o = slot_alive(rt, word * 64 + i);
    if (o && !(o->flags & OURO_FLAG_UNTRACKED)) live |= (uint64_t)1 << i;
  }
  return live;
}

uint64_t object_bytes(const type *t, const ouro_object *o) {
  uint64_t bytes = object_is_big(o) ? t->open.size : heap_slot_of(o)->size;
  if (t->spec.items.kind == OURO_NO_ITEMS) return bytes;
  uint64_t array = type_items(t, o) / t->per_item * t->stride;
  bool apart = t->spec.items.kind == OURO_ITEMS_POINTED || object_is_big(o);
  return apart ? bytes + array : bytes;
}

bool generations_each(runtime *rt, int generation, generations_word_fn visit, void *ctx) {
  bool exact = generations_exact(rt);
  for (uint64_t number = rt->young_first; number; number = page_at(rt, number - 1)->next) {
    const page *p = page_at(rt, number - 1);
    uint64_t words = p->young_words | (generation ? p->middle_words : 0);
    FOR_EACH_BIT(words, w) {
      uint64_t word = (number - 1) * 64 + w;
      uint64_t bits = p->word[w].young | (generation ? p->word[w].middle : 0);
      bits = exact ? bits & page_used(rt, word, KIND_TRACKED) : generations_live(rt, word, bits);
      if (bits && !visit(ctx, word, bits)) return false;
    }
  }
  return true;
}

/* Slots among them that an object lies in, be it at its end. What a hardened heap withholds from
 * reuse counts as used too, and may not be written to. */
static uint64_t occupied(const runtime *rt, uint64_t word, uint64_t bits) {
  uint64_t used = bits & page_used(rt, word, KIND_TRACKED), withheld = 0;
  if (OURO_LIKELY(!rt->heap->hardened) || page_is_big(word / 64)) return used;
  bits = used;
  FOR_EACH_BIT(bits, i) {
    if (slot_withheld(rt, slot_object(rt, word * 64 + i))) withheld |= (uint64_t)1 << i;
  }
  return used & ~withheld;
}

void generations_age_begin(runtime *rt) {
  for (uint64_t number = rt->young_first; number; number = page_at(rt, number - 1)->next) {
    page *p = page_at(rt, number - 1);
    uint64_t words = p->aging_words = p->young_words;
    p->middle_words |= words;
    p->young_words = 0;
    FOR_EACH_BIT(words, w) {
      p->word[w].middle |= occupied(rt, (number - 1) * 64 + w, p->word[w].young);
      p->word[w].young = 0;
    }
  }
  rt->young_count = 0;
}

static void age_words(runtime *rt, uint64_t number, page *p) {
  uint64_t words = p->aging_words;
  p->aging_words = 0;
  FOR_EACH_BIT(words, w) {
    uint64_t bits = p->word[w].middle = occupied(rt, number * 64 + w, p->word[w].middle);
    bits &= ~p->word[w].young;
    if (!p->word[w].middle) p->middle_words &= ~((uint64_t)1 << w);
    FOR_EACH_BIT(bits, i) set_generation(slot_object(rt, (number * 64 + w) * 64 + i), 1);
  }
}

/* Blocks of objects that died meanwhile come to rest first: at hand they would be of generation 1,
 * and what they become next would not. */
void generations_age_end(runtime *rt) {
  generations_rest(rt);
  uint32_t *link = &rt->young_first;
  while (*link) {
    uint64_t number = *link - 1;
    page *p = page_at(rt, number);
    age_words(rt, number, p);
    if (p->young_words | p->middle_words) {
      link = &p->next;
      continue;
    }
    p->listed = false;
    *link = p->next;
  }
}

/* Objects of a type of fixed size need no look but for their header. */
static uint64_t age_word(runtime *rt, uint64_t word, uint64_t bits) {
  bits = occupied(rt, word, bits);
  const ouro_pool *pool = page_is_big(word / 64) ? NULL : page_pool(rt, word / 64);
  bool alike = pool && pool->typed;
  alike = alike && pooled_type(pool)->spec.items.kind == OURO_NO_ITEMS;
  uint64_t bytes = alike ? (uint64_t)bits_count(bits) * pool->size : 0;
  FOR_EACH_BIT(bits, i) {
    ouro_object *o = slot_object(rt, word * 64 + i);
    set_generation(o, 2);
    if (!alike) bytes += object_bytes(type_of(rt, o), o);
  }
  return bytes;
}

static uint64_t merge_page(runtime *rt, uint64_t number, page *p) {
  uint64_t bytes = 0, words = p->young_words | p->middle_words;
  p->young_words = p->middle_words = 0;
  p->listed = false;
  FOR_EACH_BIT(words, w) {
    bytes += age_word(rt, number * 64 + w, p->word[w].young | p->word[w].middle);
    p->word[w].young = p->word[w].middle = 0;
  }
  return bytes;
}

uint64_t generations_merge(runtime *rt) {
  uint64_t bytes = 0;
  generations_rest(rt);
  while (rt->young_first) {
    uint64_t number = rt->young_first - 1;
    page *p = page_at(rt, number);
    rt->young_first = p->next;
    bytes += merge_page(rt, number, p);
  }
  rt->young_count = 0;
  return bytes;
}

/* The slot of an old object that dies is reused like any other, so it becomes young now. */
void gc_note_death(runtime *rt, const ouro_object *o) {
  uint64_t slot = slot_of(o);
  if (type_of(rt, o)->tracked == false) return;
  page_at(rt, slot >> PAGE_SHIFT)->word[slot / 64 % 64].middle &= ~((uint64_t)1 << (slot % 64));
  page_add_young(rt, slot / 64, (uint64_t)1 << (slot % 64));
  if (generation_of(o) == 2 && !object_is_big(o)) rt->gc->died += heap_slot_of(o)->size;
  if (rt->frozen_count) frozen_forget(rt, slot / 64, (uint64_t)1 << (slot % 64));
}

/* Blocks that the bins have at hand are used but nobody's. */
static uint64_t at_hand(const runtime *rt) {
  uint64_t count = 0;
  for (const ouro_bin *b = heap_bins(rt->heap); b; b = heap_next_bin(rt->heap, b))
    if (b->kind == KIND_TRACKED) count += b->count + bits_count(b->bits);
  return count;
}

uint64_t generations_young(const runtime *rt) {
  uint64_t count = 0, none = at_hand(rt);
  for (uint64_t number = rt->young_first; number; number = page_at(rt, number - 1)->next) {
    const page *p = page_at(rt, number - 1);
    uint64_t words = p->young_words;
    FOR_EACH_BIT(words, w) {
      count += bits_count(occupied(rt, (number - 1) * 64 + w, p->word[w].young));
    }
  }
  return count > none ? count - none : 0;
}

uint64_t generations_tracked(const runtime *rt) {
  uint64_t count = page_sum(rt).tracked, none = at_hand(rt);
  return count > none ? count - none : 0;
}
