/* SPDX-License-Identifier: MIT */
/* Ouro's objects as an embedder of the collector (see cycle/embedder.h). */
#ifndef OURO_SRC_OBJECT_NATIVE_H
#define OURO_SRC_OBJECT_NATIVE_H

#define CYCLE_PREFIX native
#define CYCLE_EMBEDDER runtime
#define CYCLE_OBJECT ouro_object *
#define CYCLE_NONE NULL

#include "object/collector.h"
#include "object/weak.h"

/* --- where objects lie --- */

static inline size_t embed_pages(const runtime *rt) { return page_count(rt); }

static bool slot_elsewhere(const runtime *rt, ouro_object *o, uint64_t *slot) {
  if (heap_has_window(rt->heap, o)) {
    const ouro_pool *pool = heap_slot_of(o);
    *slot = pooled_slot(pool, o);
    return pool->kind == KIND_TRACKED;
  }
  if (!object_is_big(o) || big_prefix_of(o)->rt != rt) {
    runtime_misuse(o, "C7: an object refers to one of another heap, or to no object at all");
    return false;
  }
  *slot = big_prefix_of(o)->slot;
  return type_of(rt, o)->tracked;
}

/* Nearly all objects lie in the first window, which begins with the heap: their descriptor says
 * whether they are tracked, so that leaves are never touched. */
CYCLE_INLINE bool embed_slot(const runtime *rt, ouro_object *o, uint64_t *slot) {
  uintptr_t offset = (uintptr_t)o ^ (uintptr_t)rt->heap;
  if (OURO_UNLIKELY(offset >> OURO_WINDOW_SHIFT)) return slot_elsewhere(rt, o, slot);
  const ouro_pool *pool = (const ouro_pool *)(const void *)rt->heap + (offset >> OURO_POOL_SHIFT);
  if (pool->kind != KIND_TRACKED) return false;
  *slot = offset >> OURO_POOL_SHIFT << PAGE_SHIFT | pool_index_of(pool, o);
  return true;
}

static inline ouro_object *embed_object(const runtime *rt, uint64_t slot) {
  return slot_object(rt, slot);
}

static inline bool is_used(const runtime *rt, uint64_t slot) {
  return page_used(rt, slot / 64, KIND_TRACKED) >> (slot % 64) & 1;
}

static inline bool embed_alive(const runtime *rt, uint64_t slot) {
  return is_used(rt, slot) && slot_alive(rt, slot);
}

static inline ouro_object *embed_at(const runtime *rt, uint64_t slot) {
  if (!is_used(rt, slot)) return NULL;
  ouro_object *o = slot_alive(rt, slot);
  if (!o || generation_of(o) < 2 || o->flags & OURO_FLAG_UNTRACKED) return NULL;
  return OURO_UNLIKELY(rt->frozen_count) && frozen_is(rt, slot) ? NULL : o;
}

static inline uint64_t embed_live(const runtime *rt, uint64_t word) {
  uint64_t used = page_used(rt, word, KIND_TRACKED);
  if (!used) return 0;
  const page *p = page_at(rt, word / 64);
  used &= ~(p->word[word % 64].young | p->word[word % 64].middle);
  return OURO_UNLIKELY(rt->frozen_count) ? used & ~frozen_word(rt, word) : used;
}

static inline void embed_prefetch(const runtime *rt, uint64_t slot) {
  if (!page_is_big(slot >> PAGE_SHIFT)) __builtin_prefetch(slot_object(rt, slot));
}

/* --- what they hold --- */

static inline uint32_t embed_count(const runtime *rt, const ouro_object *o) {
  (void)rt;
  return o->count >= OURO_IMMORTAL ? UINT32_MAX : o->count;
}

static inline size_t hidden_length(const type *t, const ouro_object *o) {
  if (!t->spec.traverse) return 0;
  return t->spec.length ? t->spec.length(o) : 1;
}

/* References are numbered fields first, then items, then those of `traverse`. */
static inline size_t embed_length(const runtime *rt, const ouro_object *o) {
  const type *t = type_of(rt, o);
  return t->field_count + type_items(t, o) + hidden_length(t, o);
}

CYCLE_INLINE void visit_fields(const type *t, ouro_object *o, size_t from, size_t to,
                               ouro_visit_fn visit, void *arg) {
  for (size_t i = from; i < to; i++) {
    ouro_object *referent = *type_field(t, o, i);
    if (referent) visit(referent, arg);
  }
}

CYCLE_INLINE void visit_items(const type *t, ouro_object *o, size_t from, size_t to,
                              ouro_visit_fn visit, void *arg) {
  char *array = type_array(t, o);
  for (size_t i = from; i < to; i++) {
    ouro_object *referent = *type_item(t, array, i);
    if (referent) visit(referent, arg);
  }
}

static inline void visit_hidden(const type *t, ouro_object *o, size_t from, size_t to,
                                ouro_visit_fn visit, void *arg) {
  if (!t->spec.length) to = SIZE_MAX;
  t->spec.traverse(o, from, to, visit, arg);
}

CYCLE_INLINE void embed_traverse(runtime *rt, ouro_object *o, size_t from, size_t to,
                                 ouro_visit_fn visit, void *arg) {
  const type *t = type_of(rt, o);
  size_t fields = t->field_count, all = fields;
  if (from < fields) visit_fields(t, o, from, to < fields ? to : fields, visit, arg);
  if (OURO_LIKELY(to <= fields)) return;
  if (t->spec.items.kind != OURO_NO_ITEMS) {
    size_t items = type_items(t, o), first = from > fields ? from - fields : 0;
    if (first < items)
      visit_items(t, o, first, to - fields < items ? to - fields : items, visit, arg);
    all += items;
  }
  if (t->spec.traverse && to > all)
    visit_hidden(t, o, from > all ? from - all : 0, to - all, visit, arg);
}

static inline void embed_roots(runtime *rt, ouro_visit_fn visit, void *arg) {
  if (rt->gc->roots) rt->gc->roots(rt->gc->roots_ctx, visit, arg);
}

static inline void embed_weak(runtime *rt, ouro_object *o, ouro_visit_fn visit, void *arg) {
  (void)rt;
  if (o->flags & OURO_FLAG_WEAK) weak_each(o, visit, arg);
}

/* --- the end of garbage --- */

static inline bool embed_special(const runtime *rt, const ouro_object *o) {
  const type *t = type_of(rt, o);
  if (OURO_UNLIKELY(o->flags & OURO_FLAG_WEAK)) return true;
  return (t->spec.finalize && !(o->flags & OURO_FLAG_FINALIZED)) ||
         t->spec.flags & OURO_UNCOLLECTABLE;
}

/* Implemented in garbage.c. */
bool garbage_keep(runtime *rt, ouro_object *const *garbage, size_t n);
bool garbage_finalize(runtime *rt, ouro_object *const *garbage, size_t n);
void garbage_condemn(runtime *rt, ouro_object *const *garbage, size_t n);
void garbage_clear(runtime *rt, ouro_object *const *garbage, size_t n);
void garbage_release(runtime *rt, ouro_object *const *garbage, size_t n);

static inline bool embed_prepare(runtime *rt, ouro_object **garbage, size_t n, int stage) {
  return stage == 0 ? garbage_keep(rt, garbage, n) : garbage_finalize(rt, garbage, n);
}

static inline void embed_condemn(runtime *rt, ouro_object **garbage, size_t n) {
  garbage_condemn(rt, garbage, n);
}

static inline void embed_clear(runtime *rt, ouro_object **garbage, size_t n) {
  garbage_clear(rt, garbage, n);
}

static inline void embed_release(runtime *rt, ouro_object **garbage, size_t n) {
  garbage_release(rt, garbage, n);
}

static inline uint64_t embed_clock(const runtime *rt) {
  (void)rt;
  return os_clock_ns();
}

static inline void embed_broken(runtime *rt, const ouro_object *o, uint32_t count,
                                uint32_t found) {
  (void)rt, (void)count, (void)found;
  runtime_misuse(o, "C7: more references to it were found than it counts: its count was dropped "
                    "too often, or a traverse visits a reference that is not owned");
}

#endif
