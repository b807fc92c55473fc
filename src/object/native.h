/* SPDX-License-Identifier: MIT */
/* Ouro's objects as an embedder of the collector (see cycle/embedder.h). */
#ifndef OURO_SRC_OBJECT_NATIVE_H
#define OURO_SRC_OBJECT_NATIVE_H

#define CYCLE_PREFIX native
#define CYCLE_EMBEDDER runtime
#define CYCLE_OBJECT ouro_object *
#define CYCLE_GROUP native_group
#define CYCLE_CLOCK(rt) ((void)(rt), os_clock_ns())
#define CYCLE_PREFETCH(o) __builtin_prefetch(o)
#define CYCLE_EXPECT(o) __builtin_prefetch(o)
#define CYCLE_PLACE(e, o, slot) false
#define CYCLE_LEAVES(o) false
#define CYCLE_SCANNED(e, o) (void)(o)
#define CYCLE_VISITED void
#define CYCLE_GO_ON
#define CYCLE_SWEEPS(e, g, word, bits) (!embed_special(e, g, word, bits))
#define CYCLE_JUDGE(e, members, destroyed) CYCLE_NOT_JUDGED
#define CYCLE_GATHERED(e, set) (void)(set)
#define CYCLE_DECIDES(e, g, word, bits, first)                                                     \
  ((void)(g), (void)(first), *(bits) = embed_live(e, word, *(bits), true), true)
#define CYCLE_HIDE(e, n) false

#include "collector.h"
#include "inspect.h"
#include "weak.h"

/* What the objects of one word have in common. */
typedef struct native_group {
  const type *type; /* NULL: they may differ */
  char *base;       /* where slot 0 of the page is; NULL: each lies elsewhere */
  size_t size;      /* from one to the next */
} native_group;

/* --- where objects lie --- */

static inline size_t embed_pages(const runtime *rt) { return page_count(rt); }

/* Checked builds ask the heap; others look at memory that may be anything. */
static inline bool big_is_known(const runtime *rt, const ouro_object *o) {
  if (OURO_CHECK_LEVEL >= 2 && !ouro_owns(&rt->heap->open, big_prefix_of(o))) return false;
  return object_is_big(o) && big_prefix_of(o)->rt == rt;
}

static bool slot_elsewhere(const runtime *rt, ouro_object *o, uint64_t *slot) {
  if (heap_has_window(rt->heap, o)) {
    const ouro_pool *pool = heap_slot_of(o);
    *slot = pooled_slot(pool, o);
    return pool->kind == KIND_TRACKED;
  }
  if (!big_is_known(rt, o)) {
    inspect_stray(rt, o);
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

static inline native_group embed_group(const runtime *rt, uint64_t word) {
  if (OURO_UNLIKELY(page_is_big(word / 64))) return (native_group){0};
  const ouro_pool *pool = page_pool(rt, word / 64);
  return (native_group){
      .type = pool->typed ? pooled_type(pool) : NULL, .base = pool_start(pool), .size = pool->size};
}

static inline ouro_object *embed_object(const runtime *rt, const native_group *g, uint64_t slot) {
  if (OURO_UNLIKELY(!g->base)) return slot_object(rt, slot);
  return OURO_OBJECT(g->base + slot % CYCLE_PAGE_SLOTS * g->size);
}

static inline bool embed_page(const runtime *rt, uint64_t number) {
  if (page_is_big(number)) return rt->big[number] != NULL;
  return page_is_pool(rt, number) && page_pool(rt, number)->kind == KIND_TRACKED;
}

/* The slots of blocks at hand, for the next objects, are young: so bitmaps alone say which old
 * objects live, as long as none is being destroyed or was untracked. */
static inline uint64_t embed_live(const runtime *rt, uint64_t word, uint64_t bits, bool old) {
  bits &= page_used(rt, word, KIND_TRACKED);
  if (!bits || OURO_UNLIKELY(!page_known(rt, word / 64))) return 0;
  if (old) {
    const page *p = page_at(rt, word / 64);
    bits &= ~(p->word[word % 64].young | p->word[word % 64].middle);
    if (OURO_UNLIKELY(rt->frozen_count)) bits &= ~frozen_word(rt, word);
    if (OURO_LIKELY(generations_exact(rt))) return bits;
  }
  return generations_live(rt, word, bits);
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

static inline const type *native_type(const runtime *rt, const native_group *g,
                                      const ouro_object *o) {
  return g->type ? g->type : type_of(rt, o);
}

/* References are numbered fields first, then items, then those of `traverse`. */
static inline size_t embed_length(const runtime *rt, const native_group *g, const ouro_object *o) {
  const type *t = native_type(rt, g, o);
  if (OURO_LIKELY(t->simple)) return t->field_count;
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

CYCLE_INLINE void embed_traverse(runtime *rt, const native_group *g, ouro_object *o, size_t from,
                                 size_t to, ouro_visit_fn visit, void *arg) {
  const type *t = native_type(rt, g, o);
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

/* All references of an object of which nothing is known. */
static inline void native_traverse(runtime *rt, ouro_object *o, ouro_visit_fn visit, void *arg) {
  static const native_group unknown;
  embed_traverse(rt, &unknown, o, 0, embed_length(rt, &unknown, o), visit, arg);
}

static inline void embed_roots(runtime *rt, ouro_visit_fn visit, void *arg) {
  if (rt->gc->roots) rt->gc->roots(rt->gc->roots_ctx, visit, arg);
}

static inline void embed_weak(runtime *rt, ouro_object *o, ouro_visit_fn visit, void *arg) {
  (void)rt;
  if (o->flags & OURO_FLAG_WEAK) weak_each(o, visit, arg);
}

/* --- the end of garbage --- */

static inline bool is_special(const type *t, const ouro_object *o) {
  return o->flags & OURO_FLAG_WEAK || (t->spec.finalize && !(o->flags & OURO_FLAG_FINALIZED)) ||
         t->spec.flags & OURO_UNCOLLECTABLE;
}

/* No look at objects of a type of which nothing special is known. */
static inline uint64_t embed_special(const runtime *rt, const native_group *g, uint64_t word,
                                     uint64_t bits) {
  if (OURO_LIKELY(g->type && !g->type->special)) return 0;
  uint64_t special = 0;
  for (uint64_t rest = bits; rest; rest &= rest - 1) {
    const ouro_object *o = embed_object(rt, g, word * 64 + ouro_lowest_bit(rest));
    if (is_special(native_type(rt, g, o), o)) special |= rest & -rest;
  }
  return special;
}

/* Implemented in garbage.c. */
bool garbage_keep(runtime *rt, ouro_object *const *garbage, size_t n);
bool garbage_finalize(runtime *rt, ouro_object *const *garbage, size_t n);
uint64_t garbage_condemn(runtime *rt, const native_group *g, uint64_t word, uint64_t bits);
void garbage_drop(runtime *rt, const native_group *g, uint64_t word, uint64_t bits);
void garbage_free(runtime *rt, const native_group *g, uint64_t word, uint64_t bits);

static inline bool embed_prepare(runtime *rt, ouro_object **garbage, size_t n, int stage) {
  return stage == 0 ? garbage_keep(rt, garbage, n) : garbage_finalize(rt, garbage, n);
}

static inline uint64_t embed_destroy(runtime *rt, const native_group *g, uint64_t word,
                                     uint64_t bits, cycle_part part) {
  switch (part) {
  case CYCLE_CONDEMN: return garbage_condemn(rt, g, word, bits);
  case CYCLE_KEEP: break; /* condemned ones are immortal */
  case CYCLE_DROP: garbage_drop(rt, g, word, bits); break;
  case CYCLE_FREE: garbage_free(rt, g, word, bits); break;
  }
  return 0;
}

static inline void embed_broken(runtime *rt, const ouro_object *o, uint32_t count, uint32_t found) {
  (void)rt, (void)count, (void)found;
  runtime_misuse(o, "C7: more references to it were found than it counts: its count was dropped "
                    "too often, or a traverse visits a reference that is not owned");
}

#endif
