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
#include "native.h"

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

/* The objects in slots `word * 64 + bit` of a group, for each bit. */
#define FOR_EACH_GARBAGE(rt, g, word, bits, o)                                                     \
  for (uint64_t rest_ = bits; rest_; rest_ &= rest_ - 1)                                           \
    for (ouro_object *o = embed_object(rt, g, (word)*64 + ouro_lowest_bit(rest_)); o; o = NULL)

static void tell_collectable(runtime *rt, const native_group *g, uint64_t word, uint64_t bits) {
  FOR_EACH_GARBAGE(rt, g, word, bits, o) report_object(rt, "collectable", o);
}

/* Returns who is not to be saved. What is saved is no garbage any more: a giant is destroyed over
 * slices, between which the program may drop what was saved, or the flag. */
uint64_t garbage_condemn(runtime *rt, const native_group *g, uint64_t word, uint64_t bits) {
  if (OURO_UNLIKELY(rt->gc->debug & OURO_DEBUG_COLLECTABLE)) tell_collectable(rt, g, word, bits);
  if (OURO_UNLIKELY(rt->gc->debug & OURO_DEBUG_SAVEALL)) {
    FOR_EACH_GARBAGE(rt, g, word, bits, o) garbage_add(rt, o);
    return 0;
  }
  FOR_EACH_GARBAGE(rt, g, word, bits, o) {
    o->count = OURO_COUNT_IMMORTAL;
    o->flags |= OURO_FLAG_DYING;
  }
  return bits;
}

static inline void drop_fields(const type *t, ouro_object *o) {
  for (size_t i = 0; i < t->field_count; i++) ouro_unref(*type_field(t, o, i));
}

static void drop_all(const type *t, ouro_object *o) {
  if (t->spec.clear) t->spec.clear(o);
  size_t items = type_items(t, o);
  char *array = items ? type_array(t, o) : NULL;
  while (items-- > 0) ouro_unref(*type_item(t, array, items));
  drop_fields(t, o);
}

void garbage_drop(runtime *rt, const native_group *g, uint64_t word, uint64_t bits) {
  if (OURO_LIKELY(g->type && g->type->simple)) {
    FOR_EACH_GARBAGE(rt, g, word, bits, o) drop_fields(g->type, o);
    return;
  }
  FOR_EACH_GARBAGE(rt, g, word, bits, o) drop_all(native_type(rt, g, o), o);
}

static void free_arrays(runtime *rt, const native_group *g, uint64_t word, uint64_t bits) {
  FOR_EACH_GARBAGE(rt, g, word, bits, o) {
    const type *t = type_of(rt, o);
    if (t->spec.items.kind != OURO_ITEMS_POINTED) continue;
    rt->gc->released += object_bytes(t, o) - g->size;
    ouro_free(&rt->heap->open, type_array(t, o));
  }
}

static void free_word(runtime *rt, const native_group *g, uint64_t word, uint64_t bits) {
  ouro_pool *pool = page_pool(rt, word / 64);
  page *p = page_at(rt, word / 64);
  unsigned w = word % 64;
  rt->gc->released += bits_count(bits) * g->size;
  p->word[w].middle &= ~bits;
  p->word[w].young &= ~bits;
  if (OURO_UNLIKELY(rt->frozen_count)) frozen_forget(rt, word, bits);
  pool_free_bits(rt->heap, pool, w, bits);
}

/* Blocks of one word of a pool are freed together. */
void garbage_free(runtime *rt, const native_group *g, uint64_t word, uint64_t bits) {
  if (OURO_UNLIKELY(rt->heap->slow_frees || !g->base)) {
    FOR_EACH_GARBAGE(rt, g, word, bits, o) {
      rt->gc->released += object_bytes(type_of(rt, o), o);
      object_release(rt, type_of(rt, o), o);
    }
    return;
  }
  if (!g->type || g->type->spec.items.kind == OURO_ITEMS_POINTED) free_arrays(rt, g, word, bits);
  free_word(rt, g, word, bits);
}
