/* SPDX-License-Identifier: MIT */
/*
 * What happens to objects that a collection found unreachable, in the order of PEP 442: those that
 * must be kept go to the garbage list; weak references are cleared and their callbacks called;
 * finalizers run; what is still unreachable then is destroyed.
 *
 * Members of a batch refer to each other, so destruction makes all counts immortal first: then each
 * member's references can be dropped without any member dying on the way, and all memory is freed
 * at the end.
 */
#include "object/collector.h"
#include "object/weak.h"

bool garbage_keep(runtime *rt, ouro_object *const *garbage, size_t n) {
  size_t kept = rt->gc->uncollectable;
  for (size_t i = 0; i < n; i++) {
    if (!(type_of(rt, garbage[i])->spec.flags & OURO_UNCOLLECTABLE)) continue;
    if (rt->gc->debug & OURO_DEBUG_UNCOLLECTABLE) report_object(rt, "uncollectable", garbage[i]);
    garbage_add(rt, garbage[i]);
    rt->gc->uncollectable++;
  }
  return rt->gc->uncollectable > kept;
}

static bool finalize_one(const type *t, ouro_object *o) {
  if (!t->spec.finalize || o->flags & OURO_FLAG_FINALIZED) return false;
  o->flags |= OURO_FLAG_FINALIZED;
  t->spec.finalize(o);
  return true;
}

/* The batch holds its members meanwhile; those whose last other reference a finalizer dropped die
 * when it lets go. */
bool garbage_finalize(runtime *rt, ouro_object *const *garbage, size_t n) {
  bool ran = false;
  for (size_t i = 0; i < n; i++) ouro_ref(garbage[i]);
  ran |= weak_clear_batch(garbage, n);
  for (size_t i = 0; i < n; i++) ran |= finalize_one(type_of(rt, garbage[i]), garbage[i]);
  for (size_t i = 0; i < n; i++) ouro_unref(garbage[i]);
  return ran;
}

static bool save_all(runtime *rt, ouro_object *const *garbage, size_t n) {
  if (OURO_LIKELY(!(rt->gc->debug & OURO_DEBUG_SAVEALL))) return false;
  for (size_t i = 0; i < n; i++) garbage_add(rt, garbage[i]);
  return true;
}

void garbage_condemn(runtime *rt, ouro_object *const *garbage, size_t n) {
  if (rt->gc->debug & OURO_DEBUG_COLLECTABLE)
    for (size_t i = 0; i < n; i++) report_object(rt, "collectable", garbage[i]);
  if (save_all(rt, garbage, n)) return;
  for (size_t i = 0; i < n; i++) {
    garbage[i]->count = OURO_COUNT_IMMORTAL;
    garbage[i]->flags |= OURO_FLAG_DYING;
  }
}

static inline void drop_all(const type *t, ouro_object *o) {
  if (OURO_UNLIKELY(t->spec.clear)) t->spec.clear(o);
  size_t items = type_items(t, o);
  if (items) {
    char *array = type_array(t, o);
    while (items-- > 0) ouro_unref(*type_item(t, array, items));
  }
  for (size_t i = 0; i < t->field_count; i++) ouro_unref(*type_field(t, o, i));
}

void garbage_clear(runtime *rt, ouro_object *const *garbage, size_t n) {
  if (rt->gc->debug & OURO_DEBUG_SAVEALL) return;
  for (size_t i = 0; i < n; i++) drop_all(type_of(rt, garbage[i]), garbage[i]);
}

/* Blocks of one word of a pool that are freed together. */
typedef struct freed_word {
  ouro_pool *pool;
  uint64_t bits;
  unsigned word;
} freed_word;

static void free_word(runtime *rt, freed_word *f) {
  if (!f->bits) return;
  rt->gc->released += bits_count(f->bits) * f->pool->size;
  uint64_t number = pooled_slot(f->pool, pool_block(f->pool, 0)) >> PAGE_SHIFT;
  page *p = page_at(rt, number);
  p->word[f->word].middle &= ~f->bits;
  p->word[f->word].young &= ~f->bits;
  if (OURO_UNLIKELY(rt->frozen_count)) frozen_forget(rt, number * 64 + f->word, f->bits);
  pool_free_bits(rt->heap, f->pool, f->word, f->bits);
  f->bits = 0;
}

static void free_pooled(runtime *rt, freed_word *f, ouro_object *o) {
  ouro_pool *pool = heap_slot_of(o);
  unsigned index = pool_index_of(pool, o);
  if (pool != f->pool || index / 64 != f->word) {
    free_word(rt, f);
    f->pool = pool;
    f->word = index / 64;
  }
  f->bits |= (uint64_t)1 << (index % 64);
}

void garbage_release(runtime *rt, ouro_object *const *garbage, size_t n) {
  if (rt->gc->debug & OURO_DEBUG_SAVEALL) return;
  freed_word f = {0};
  for (size_t i = 0; i < n; i++) {
    ouro_object *o = garbage[i];
    const type *t = type_of(rt, o);
    if (OURO_UNLIKELY(rt->heap->slow_frees || object_is_big(o))) {
      object_release(rt, t, o);
      continue;
    }
    if (t->spec.items.kind == OURO_ITEMS_POINTED) ouro_free(&rt->heap->open, type_array(t, o));
    free_pooled(rt, &f, o);
  }
  free_word(rt, &f);
}
