/* SPDX-License-Identifier: MIT */
/* Memory for objects, off the fast path, and back. */
#include "state.h"

/* The blocks that a bin has claimed, with the one it has just handed out: a header of theirs says
 * "nobody's" until there is an object, whatever the memory was before. */
static void forget_headers(const ouro_bin *bin) {
  for (uint64_t bits = bin->bits; bits; bits &= bits - 1)
    OURO_OBJECT(bin->base + ouro_lowest_bit(bits) * bin->size)->count = 0;
}

static bool note_claim(runtime *rt, ouro_bin *bin, const void *block) {
  const ouro_pool *pool = heap_slot_of(block);
  uint64_t slot = pooled_slot(pool, block);
  forget_headers(bin);
  if (bin->kind != KIND_TRACKED) return true;
  if (!page_ready(rt, slot >> PAGE_SHIFT)) return false;
  uint64_t claimed = bin->bits | (uint64_t)1 << (slot % 64);
  page_add_young(rt, slot / 64, claimed);
  rt->young_count += bits_count(claimed);
  return true;
}

static ouro_object *take_from(runtime *rt, ouro_bin *bin, size_t size) {
  ouro_object *o = bin_take(rt->heap, bin, size);
  if (!o || note_claim(rt, bin, o)) return o;
  ouro_free(&rt->heap->open, o);
  pool_flush(rt->heap, bin); /* at hand it would be handed out next, from a page without a record */
  pool_unclaim(rt->heap, bin);
  return NULL;
}

/* Bins for which blocks are too big, with a hardened heap's trailer perhaps, have size 0. */
static ouro_bin *bin_for(runtime *rt, type *t, size_t size) {
  if (t->open.bin.size) return &t->open.bin;
  ouro_bin *shared = rt->shared[t->tracked ? KIND_TRACKED - KIND_LEAF : 0];
  if (size > OURO_SMALL_MAX || shared[class_of(size)].size == 0) return NULL;
  return &shared[class_of(size)];
}

static ouro_object *take(runtime *rt, type *t, size_t size) {
  ouro_bin *bin = bin_for(rt, t, size);
  if (!bin) return big_allocate(rt, t, size);
  ouro_object *o = ouro_bin_take(bin); /* a collection may have filled it */
  if (!o) o = take_from(rt, bin, size);
  if (o) *o = t->open.header;
  return o;
}

ouro_object *object_allocate(runtime *rt, type *t, size_t size) {
  if (t->tracked) gc_before_allocation(rt);
  ouro_object *o = take(rt, t, size);
  if (!o && gc_emergency(rt)) o = take(rt, t, size);
  if (!o) rt->error = "out of memory";
  return o;
}

void *ouro_new_slow(ouro_type *t, size_t size) {
  ouro_object *o = object_allocate(type_in(t)->rt, type_in(t), size);
  return o ? memset(o + 1, 0, size - sizeof *o), o : NULL;
}

void *ouro_new_items(ouro_type *t_, size_t items) {
  type *t = type_in(t_);
  size_t size;
  if (__builtin_mul_overflow(items, t->spec.item_size, &size) ||
      __builtin_add_overflow(size, t->spec.size, &size) || size > SIZE_MAX / 2) {
    runtime_fail(t_->heap, "an object's size is too big");
    return NULL;
  }
  return ouro_new_slow(t_, size);
}

void object_release(runtime *rt, const type *t, ouro_object *o) {
  if (t->spec.items.kind == OURO_ITEMS_POINTED) ouro_free(&rt->heap->open, type_array(t, o));
  if (o->flags & OURO_FLAG_GENERATION) gc_note_death(rt, o);
  if (object_is_big(o)) {
    big_release(rt, o);
    return;
  }
  o->count = 0;
  if (!ouro_bin_keep(type_bin(t), o)) ouro_free(&rt->heap->open, o);
}
