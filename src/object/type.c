/* SPDX-License-Identifier: MIT */
#include "type.h"

#include <string.h>

#include "state.h"

/* --- checking a spec --- */

static bool refs_fit(const ouro_type_spec *spec) {
  for (const uint16_t *at = spec->refs; at && *at; at++)
    if (*at < sizeof(ouro_object) || *at + sizeof(void *) > spec->size || *at % sizeof(void *))
      return false;
  return true;
}

static bool items_fit(const ouro_type_spec *spec) {
  const ouro_items *items = &spec->items;
  if (items->kind == OURO_NO_ITEMS) return true;
  if (items->kind > OURO_ITEMS_POINTED) return false;
  if (items->length % sizeof(size_t) || items->length + sizeof(size_t) > spec->size) return false;
  if (items->at % sizeof(void *)) return false;
  if (items->length < sizeof(ouro_object) || items->at < sizeof(ouro_object)) return false;
  size_t end = items->at + (items->kind == OURO_ITEMS_POINTED ? sizeof(void *) : 0);
  size_t stride = items->stride ? items->stride : sizeof(void *);
  size_t per_item = items->per_item ? items->per_item : 1;
  return end <= spec->size && items->offset + per_item * sizeof(void *) <= stride &&
         stride % sizeof(void *) == 0 && items->offset % sizeof(void *) == 0;
}

static const char *wrong_with(const ouro_type_spec *spec) {
  if (!spec->name || !*spec->name) return "a type has a name";
  if (spec->size < sizeof(ouro_object)) return "a type's size includes its ouro_object";
  if (spec->item_size == 0 && spec->size > OURO_SMALL_MAX * 128) return "a type's size is too big";
  if (!refs_fit(spec)) return "a type's refs lie aligned within its size";
  if (!items_fit(spec)) return "a type's items lie aligned within its size";
  if (spec->length && !spec->traverse) return "a type with a length has a traverse";
  if (spec->flags & ~(OURO_ACYCLIC | OURO_NO_WEAKREF | OURO_UNCOLLECTABLE))
    return "a type has unknown flags";
  if (!spec->hash != !spec->equal) return "a type has both hash and equal, or neither";
  return NULL;
}

/* --- making one --- */

static bool copy_refs(ouro_heap *heap, type *t) {
  while (t->spec.refs && t->spec.refs[t->field_count]) t->field_count++;
  if (t->field_count == 0) return true;
  t->fields = ouro_alloc(heap, t->field_count * sizeof *t->fields);
  if (!t->fields) return false;
  memcpy(t->fields, t->spec.refs, t->field_count * sizeof *t->fields);
  return true;
}

static const char *copy_name(ouro_heap *heap, const char *name) {
  size_t size = strlen(name) + 1;
  char *copy = ouro_alloc(heap, size);
  return copy ? memcpy(copy, name, size) : NULL;
}

static void describe(type *t) {
  const ouro_type_spec *spec = &t->spec;
  t->stride = spec->items.stride ? spec->items.stride : sizeof(void *);
  t->per_item = spec->items.per_item ? spec->items.per_item : 1;
  t->holds = t->field_count || spec->items.kind != OURO_NO_ITEMS || spec->traverse;
  t->tracked = t->holds && !(spec->flags & OURO_ACYCLIC);
  t->plain = !spec->finalize && !spec->clear;
  t->special = spec->finalize || spec->flags & OURO_UNCOLLECTABLE;
  t->simple =
      t->plain && !spec->traverse && spec->items.kind == OURO_NO_ITEMS && spec->item_size == 0;
  t->kind = BUILTINS;
}

static void open_type(runtime *rt, type *t) {
  unsigned kind = t->tracked ? KIND_TRACKED : KIND_LEAF;
  t->rt = rt;
  t->open.heap = &rt->heap->open;
  t->open.size = t->spec.size;
  t->open.header = (ouro_object){.count = 1, .type = (uint16_t)rt->type_count};
  if (t->spec.item_size == 0) {
    bin_add(rt->heap, &t->open.bin, t->spec.size, kind, t->spec.free_list);
    t->open.bin.typed = true;
  }
  rt->types[rt->type_count++] = t;
}

static type *new_type(ouro_heap *heap, const ouro_type_spec *spec) {
  type *t = ouro_calloc(heap, 1, sizeof *t);
  if (!t) return NULL;
  t->spec = *spec;
  t->spec.name = copy_name(heap, spec->name);
  if (t->spec.name && copy_refs(heap, t)) return t;
  ouro_free(heap, (void *)(uintptr_t)t->spec.name);
  ouro_free(heap, t);
  return NULL;
}

ouro_type *ouro_type_new(ouro_heap *heap, const ouro_type_spec *spec) {
  runtime *rt = runtime_ensure(heap);
  if (!rt) return NULL;
  rt->error = wrong_with(spec);
  if (!rt->error && rt->type_count >= UINT16_MAX) rt->error = "a heap has at most 65,535 types";
  if (rt->error) return NULL;
  type *t = new_type(heap, spec);
  if (!t) return NULL;
  describe(t);
  open_type(rt, t);
  return &t->open;
}

const char *ouro_type_name(const ouro_type *t) { return type_in(t)->spec.name; }

ouro_heap *ouro_type_heap(const ouro_type *t) { return t->heap; }

size_t ouro_free_list_length(const ouro_type *t) { return t->bin.count; }

size_t ouro_free_list_cap(const ouro_type *t) { return t->bin.cap; }
