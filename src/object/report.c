/* SPDX-License-Identifier: MIT */
/* Telling the program: events, debug lines, misuse, the garbage list. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector.h"
#include "../pool/hard.h"

void report_event(runtime *rt, const ouro_gc_event *event) {
  const ouro_listener *l = &rt->gc->listener;
  if (l->event) l->event(l->ctx, event);
}

void report_line(runtime *rt, const char *format, ...) {
  char line[256];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  const ouro_listener *l = &rt->gc->listener;
  if (l->message) l->message(l->ctx, line);
  else fprintf(stderr, "ouro: gc: %s\n", line);
}

void report_object(runtime *rt, const char *what, const ouro_object *o) {
  report_line(rt, "%s <%s %p>", what, type_of(rt, o)->spec.name, (const void *)o);
}

/* A hardened heap has overwritten what is dead, but pools of a bin hold objects of one type. */
static const type *type_by_place(const runtime *rt, const ouro_object *o) {
  if (!heap_has_window(rt->heap, o)) return NULL;
  const ouro_bin *bin = heap_bin_of(heap_slot_of(o));
  for (uint32_t i = 0; i < rt->type_count; i++)
    if (&rt->types[i]->open.bin == bin) return rt->types[i];
  return NULL;
}

_Static_assert(OURO_COUNT_FREED == HARD_DEAD * 0x01010101u, "freed memory is recognised");

/* Types are asked for by index: of a dead object only that may be left. */
static const char *name_of(const runtime *rt, const ouro_object *o) {
  bool overwritten = o->count == OURO_COUNT_FREED;
  const type *t = overwritten                ? type_by_place(rt, o)
                  : o->type < rt->type_count ? rt->types[o->type]
                                             : NULL;
  return t ? t->spec.name : "object of no type";
}

void runtime_misuse(const void *object, const char *rule) {
  runtime *rt = runtime_of(object);
  char text[256];
  snprintf(text, sizeof text, "heap \"%s\": <%s %p>: %s", rt->heap->name, name_of(rt, object),
           object, rule);
  if (!rt->gc->listener.event) {
    fprintf(stderr, "ouro: %s\n", text);
    abort();
  }
  report_event(rt, &(ouro_gc_event){.kind = OURO_GC_MISUSE, .reason = text});
}

/* --- the garbage list --- */

/* Where there is no memory for the list, the object stays alive all the same. */
void garbage_add(runtime *rt, ouro_object *o) {
  ouro_ref(o);
  object_list_add(&rt->gc->garbage, o);
}

size_t ouro_garbage_length(const ouro_heap *heap) {
  const runtime *rt = runtime_in(heap);
  return rt ? rt->gc->garbage.length : 0;
}

ouro_object *ouro_garbage(const ouro_heap *heap, size_t index) {
  return index < ouro_garbage_length(heap) ? runtime_in(heap)->gc->garbage.items[index] : NULL;
}

void ouro_garbage_clear(ouro_heap *heap) {
  runtime *rt = runtime_in(heap);
  while (rt && rt->gc->garbage.length) ouro_unref(rt->gc->garbage.items[--rt->gc->garbage.length]);
}
