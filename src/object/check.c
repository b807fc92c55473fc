/* SPDX-License-Identifier: MIT */
/* Every invariant of the objects that a comment states, as code. */
#include "inspect.h"
#include "native.h"

#define MUST(condition, text)                                                                      \
  if (!(condition)) return text

typedef struct object_check {
  runtime *rt;
  const char *wrong;
} object_check;

static const char *object_wrong(runtime *rt, ouro_object *o) {
  MUST(o->type < rt->type_count, "an object is of no type");
  MUST(runtime_of(o) == rt, "an object is of another heap");
  const type *t = type_of(rt, o);
  if (!t->tracked) return NULL;
  uint64_t slot = slot_of(o), bit = (uint64_t)1 << (slot % 64);
  MUST(slot_object(rt, slot) == o, "an object does not lie in its slot");
  const page *p = page_at(rt, slot >> PAGE_SHIFT);
  bool young = p->word[slot / 64 % 64].young & bit, middle = p->word[slot / 64 % 64].middle & bit;
  switch (generation_of(o)) {
  case 0: MUST(young, "a new object is in no young bitmap"); break;
  case 1: MUST(middle && !young, "an object of generation 1 is not in the middle bitmap"); break;
  case 2: MUST(!middle && !young, "an old object is in a young bitmap"); break;
  default: return "an object has no generation";
  }
  unsigned w = slot / 64 % 64;
  MUST(!young || p->young_words >> w & 1, "a young word is in no summary");
  MUST(!middle || p->middle_words >> w & 1, "a middle word is in no summary");
  MUST(p->listed || !(young || middle), "a page with young objects is on no list");
  return NULL;
}

static bool check_one(void *ctx, ouro_object *o) {
  object_check *c = ctx;
  c->wrong = object_wrong(c->rt, o);
  return !c->wrong;
}

static void check_referent(ouro_object *referent, void *arg) {
  object_check *c = arg;
  if (!heap_has_window(c->rt->heap, referent) && !object_is_big(referent))
    c->wrong = "an object refers to something outside its heap";
  else if (!header_alive(referent)) c->wrong = "an object refers to a dead one";
}

static bool check_references(void *ctx, ouro_object *o) {
  object_check *c = ctx;
  native_traverse(c->rt, o, check_referent, c);
  return !c->wrong;
}

const char *ouro_objects_check(ouro_heap *heap) {
  object_check c = {.rt = runtime_in(heap)};
  const char *wrong = ouro_heap_check(heap);
  if (wrong || !c.rt) return wrong;
  if (inspect_each(c.rt, KIND_TRACKED, check_one, &c) &&
      inspect_each(c.rt, KIND_LEAF, check_one, &c) &&
      inspect_each(c.rt, KIND_TRACKED, check_references, &c))
    inspect_each(c.rt, KIND_LEAF, check_references, &c);
  return c.wrong;
}
