/* SPDX-License-Identifier: MIT */
/* Looking at objects: who lives, who refers to whom, by which name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "native.h"

/* --- all live objects --- */

static bool each_in_word(runtime *rt, uint64_t word, unsigned kind, inspect_fn visit, void *ctx) {
  for (uint64_t used = page_used(rt, word, kind); used; used &= used - 1) {
    ouro_object *o = slot_alive(rt, word * 64 + ouro_lowest_bit(used));
    if (o && !visit(ctx, o)) return false;
  }
  return true;
}

uint64_t inspect_words(const runtime *rt, uint64_t number) {
  if (page_is_big(number)) return rt->big[number] ? CYCLE_PAGE_SLOTS / 64 : 0;
  if (!page_is_pool(rt, number)) return 0;
  const ouro_pool *pool = page_pool(rt, number);
  return pool->kind == KIND_RAW ? 0 : pool_word_count(pool);
}

/* Blocks at hand have headers that say "nobody's", so nothing needs to come to rest. */
bool inspect_each(runtime *rt, unsigned kind, inspect_fn visit, void *ctx) {
  uint64_t pages = page_count(rt);
  for (uint64_t number = 0; number < pages; number++) {
    uint64_t words = inspect_words(rt, number);
    for (uint64_t w = 0; w < words; w++)
      if (!each_in_word(rt, number * 64 + w, kind, visit, ctx)) return false;
  }
  return true;
}

typedef struct of_generation {
  int generation;
  ouro_object_fn visit;
  void *ctx;
} of_generation;

static bool visit_of_generation(void *ctx, ouro_object *o) {
  const of_generation *want = ctx;
  int generation = ouro_generation_of(o);
  if (generation < 0 || (want->generation >= 0 && generation != want->generation)) return true;
  return want->visit(want->ctx, o);
}

void ouro_each_object(ouro_heap *heap, int generation, ouro_object_fn visit, void *ctx) {
  runtime *rt = runtime_in(heap);
  of_generation want = {generation, visit, ctx};
  if (rt) inspect_each(rt, KIND_TRACKED, visit_of_generation, &want);
}

/* --- references and their names --- */

static void name_item(const type *t, size_t i, char *out, size_t room) {
  if (t->spec.name_ref) t->spec.name_ref(NULL, i, out, room);
  else snprintf(out, room, "[%zu]", i / t->per_item);
}

void inspect_name(const runtime *rt, const ouro_object *o, size_t i, char *out, size_t room) {
  const type *t = type_of(rt, o);
  size_t items = type_items(t, o);
  out[0] = 0;
  if (i < t->field_count) {
    if (t->spec.ref_names) snprintf(out, room, "%s", t->spec.ref_names[i]);
    else snprintf(out, room, "+%u", t->fields[i]);
  } else if (t->spec.name_ref) {
    t->spec.name_ref(o, i - t->field_count, out, room);
  } else if (i - t->field_count < items) {
    name_item(t, i - t->field_count, out, room);
  } else {
    snprintf(out, room, "reference %zu", i - t->field_count - items);
  }
}

typedef struct named_visit {
  const runtime *rt;
  const ouro_object *from;
  size_t i; /* reference at hand */
  ouro_reference_fn visit;
  void *ctx;
  bool ended;
} named_visit;

static void visit_named(ouro_object *referent, void *arg) {
  named_visit *v = arg;
  char name[32];
  if (v->ended) return;
  inspect_name(v->rt, v->from, v->i, name, sizeof name);
  v->ended = !v->visit(v->ctx, referent, name);
}

/* One reference at a time, so that each knows its number; those that cannot be divided all have the
 * number of the first. */
void ouro_each_referent(const void *object, ouro_reference_fn visit, void *ctx) {
  runtime *rt = runtime_of(object);
  ouro_object *o = OURO_OBJECT((uintptr_t)object);
  named_visit v = {.rt = rt, .from = o, .visit = visit, .ctx = ctx};
  native_group unknown = {0};
  size_t length = embed_length(rt, &unknown, o);
  for (; v.i < length && !v.ended; v.i++)
    embed_traverse(rt, &unknown, o, v.i, v.i + 1, visit_named, &v);
}

typedef struct wanted_referent {
  const ouro_object *wanted;
  ouro_object *referrer;
  ouro_reference_fn visit;
  void *ctx;
  bool found, ended;
} wanted_referent;

static void note_wanted(ouro_object *referent, void *arg) {
  wanted_referent *w = arg;
  w->found |= referent == w->wanted;
}

static bool name_wanted(void *ctx, ouro_object *referent, const char *name) {
  wanted_referent *w = ctx;
  if (referent == w->wanted) w->ended = !w->visit(w->ctx, w->referrer, name);
  return !w->ended;
}

static bool visit_referrer(void *ctx, ouro_object *o) {
  wanted_referent *w = ctx;
  runtime *rt = runtime_of(o);
  w->found = false;
  native_traverse(rt, o, note_wanted, w);
  w->referrer = o;
  if (w->found) ouro_each_referent(o, name_wanted, w);
  return !w->ended;
}

void ouro_each_referrer(const void *object, ouro_reference_fn visit, void *ctx) {
  runtime *rt = runtime_of(object);
  wanted_referent w = {.wanted = object, .visit = visit, .ctx = ctx};
  if (inspect_each(rt, KIND_TRACKED, visit_referrer, &w))
    inspect_each(rt, KIND_LEAF, visit_referrer, &w);
}

/* --- references to nowhere --- */

typedef struct stray_search {
  runtime *rt;
  const ouro_object *stray;
  bool found;
} stray_search;

static void note_stray(ouro_object *referent, void *arg) {
  stray_search *s = arg;
  s->found |= referent == s->stray;
}

static bool report_stray(void *ctx, ouro_object *o) {
  stray_search *s = ctx;
  native_traverse(s->rt, o, note_stray, s);
  if (!s->found) return true;
  char rule[96];
  snprintf(rule, sizeof rule, "C7: it refers to %p, which is no object of this heap",
           (const void *)s->stray);
  runtime_misuse(o, rule);
  return false;
}

/* Off every fast path: all objects are looked at. */
void inspect_stray(const runtime *rt, const ouro_object *stray) {
  stray_search s = {.rt = (runtime *)(uintptr_t)rt, .stray = stray};
  if (inspect_each(s.rt, KIND_TRACKED, report_stray, &s))
    inspect_each(s.rt, KIND_LEAF, report_stray, &s);
}

/* --- the census --- */

static bool count_object(void *ctx, ouro_object *o) {
  ouro_type_count *row = (ouro_type_count *)ctx + o->type;
  row->objects++;
  row->bytes += object_bytes(type_of(runtime_of(o), o), o);
  return true;
}

static int by_bytes(const void *a, const void *b) {
  uint64_t x = ((const ouro_type_count *)a)->bytes, y = ((const ouro_type_count *)b)->bytes;
  return x < y ? 1 : x > y ? -1 : 0;
}

static size_t with_objects(runtime *rt, ouro_type_count *rows) {
  size_t n = 0;
  for (uint32_t i = 0; i < rt->type_count; i++) {
    if (!rows[i].objects) continue;
    rows[i].type = &rt->types[i]->open;
    rows[n++] = rows[i];
  }
  qsort(rows, n, sizeof *rows, by_bytes);
  return n;
}

size_t ouro_census(ouro_heap *heap, ouro_type_count *out, size_t room) {
  runtime *rt = runtime_in(heap);
  if (!rt || rt->type_count == 0) return 0;
  ouro_type_count *rows = calloc(rt->type_count, sizeof *rows);
  if (!rows) return 0;
  inspect_each(rt, KIND_TRACKED, count_object, rows);
  inspect_each(rt, KIND_LEAF, count_object, rows);
  size_t n = with_objects(rt, rows);
  if (room) memcpy(out, rows, (n < room ? n : room) * sizeof *rows);
  free(rows);
  return n;
}

/* --- finalizers at a heap's end --- */

typedef struct pending_finalizers {
  object_list list;
  size_t ran;
} pending_finalizers;

static bool list_unfinalized(void *ctx, ouro_object *o) {
  pending_finalizers *p = ctx;
  const type *t = type_of(runtime_of(o), o);
  if (!t->spec.finalize || o->flags & OURO_FLAG_FINALIZED) return true;
  if (!object_list_add(&p->list, o)) return false;
  ouro_ref(o);
  return true;
}

size_t ouro_finalize_all(ouro_heap *heap) {
  runtime *rt = runtime_in(heap);
  pending_finalizers p = {0};
  if (!rt) return 0;
  inspect_each(rt, KIND_TRACKED, list_unfinalized, &p);
  inspect_each(rt, KIND_LEAF, list_unfinalized, &p);
  for (size_t i = 0; i < p.list.length; i++) {
    ouro_object *o = p.list.items[i];
    if (!(o->flags & OURO_FLAG_FINALIZED)) {
      o->flags |= OURO_FLAG_FINALIZED;
      type_of(rt, o)->spec.finalize(o);
      p.ran++;
    }
    ouro_unref(o);
  }
  object_list_free(&p.list);
  return p.ran;
}
