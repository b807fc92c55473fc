/* SPDX-License-Identifier: MIT */
/* The runtime of a heap: made with its first type, ended with the heap. */
#include "runtime.h"

#include "state.h"

void *runtime_map(runtime *rt, size_t size) {
  if (heap_fault(rt->heap)) return NULL;
  return os_map(os_whole_pages(size));
}

static void unmap(void *address, size_t size) {
  if (address) os_release(address, os_whole_pages(size));
}

static void runtime_end(heap *h) {
  runtime *rt = h->above;
  gc_close(rt);
  for (uint32_t k = 0; k < HEAP_WINDOWS_MAX; k++)
    unmap(rt->pages[k], rt->page_room[k] * sizeof(page));
  for (uint32_t k = 0; k < BIG_PAGES; k++) unmap(rt->big[k], sizeof(big_page));
  ouro_gc_unfreeze(&h->open);
  object_list_free(&rt->deferred);
  unmap(rt, sizeof *rt);
}

static void add_shared_bins(runtime *rt) {
  for (unsigned kind = KIND_LEAF; kind <= KIND_TRACKED; kind++)
    for (unsigned c = 1; c <= OURO_CLASSES; c++)
      bin_add(rt->heap, &rt->shared[kind - KIND_LEAF][c], class_size(c), kind, 0);
}

runtime *runtime_ensure(ouro_heap *heap_) {
  heap *h = heap_in(heap_);
  if (h->above) return h->above;
  if (heap_fault(h)) return NULL;
  runtime *rt = os_map(os_whole_pages(sizeof *rt));
  if (!rt) return NULL;
  rt->heap = h;
  if (!gc_open(rt)) {
    unmap(rt, sizeof *rt);
    return NULL;
  }
  add_shared_bins(rt);
  h->above = rt;
  h->ending = runtime_end;
  return rt;
}

bool runtime_fail(ouro_heap *heap, const char *reason) {
  runtime *rt = runtime_in(heap);
  if (rt) rt->error = reason;
  return false;
}

const char *ouro_heap_error(const ouro_heap *heap) {
  const runtime *rt = runtime_in(heap);
  return rt && rt->error ? rt->error : "out of memory";
}

void **runtime_slot(ouro_heap *heap, runtime_part part) { return &runtime_in(heap)->part[part]; }

ouro_type *runtime_type(ouro_heap *heap, builtin kind, const ouro_type_spec *spec) {
  runtime *rt = runtime_ensure(heap);
  if (!rt) return NULL;
  if (!rt->builtin[kind]) {
    type *made = type_in(ouro_type_new(heap, spec));
    if (!made) return NULL;
    made->kind = kind;
    rt->builtin[kind] = made;
  }
  return &rt->builtin[kind]->open;
}

bool runtime_is(const void *object, builtin kind) {
  const ouro_object *o = object;
  return type_of(runtime_of(o), o)->kind == kind;
}

/* --- facts about an object --- */

ouro_heap *ouro_heap_of(const void *object) { return &runtime_of(object)->heap->open; }

ouro_type *ouro_type_of(const void *object) { return &type_of(runtime_of(object), object)->open; }

size_t ouro_object_size(const void *object) {
  const ouro_object *o = object;
  const runtime *rt = runtime_of(o);
  if (object_is_big(o))
    return ouro_usable_size(&rt->heap->open, big_prefix_of(o)) - sizeof(big_prefix);
  return heap_slot_of(o)->size;
}

void ouro_immortalize(void *object) { OURO_OBJECT(object)->count = OURO_COUNT_IMMORTAL; }

bool ouro_is_finalized(const void *object) {
  return ((const ouro_object *)object)->flags & OURO_FLAG_FINALIZED;
}

/* Addresses differ in their low bits least, so that the high ones of a product decide
 * (Knuth's multiplicative hashing). Objects without fields lie 8 bytes apart, so that three bits
 * say nothing and the fourth does. */
static uint64_t identity_hash(const void *object) {
  return ((uintptr_t)object >> 3) * 0x9E3779B97F4A7C15u;
}

uint64_t ouro_hash(const void *object) {
  const type *t = type_of(runtime_of(object), object);
  return t->spec.hash ? t->spec.hash(object) : identity_hash(object);
}

int ouro_equal(const void *a, const void *b) {
  if (a == b) return 1;
  const type *t = type_of(runtime_of(a), a);
  return t->spec.equal ? t->spec.equal(a, b) : 0;
}
