/* SPDX-License-Identifier: MIT */
/* Three objects that hold each other in a ring. Their names are deleted; counting alone never frees
 * them; the collector destroys exactly these three. */
#include <inttypes.h>
#include <ouro/ouro.h>
#include <stdio.h>

typedef struct thing {
  ouro_object object;
  char name;
  struct thing *next;
} thing;

static int finalized;

static void finalize_thing(void *self) {
  const thing *t = self;
  printf("  %c is destroyed, its next was %c\n", t->name, t->next->name);
  finalized++;
}

static ouro_type *thing_type(ouro_heap *heap) {
  static const uint16_t refs[] = {offsetof(thing, next), 0};
  static const ouro_type_spec spec = {
      .name = "thing", .size = sizeof(thing), .refs = refs, .finalize = finalize_thing};
  return ouro_type_new(heap, &spec);
}

static thing *make_thing(ouro_type *type, char name) {
  thing *t = OURO_MAKE(thing, type);
  if (!t) return NULL;
  t->name = name;
  t->next = ouro_ref(t); /* until it is linked: an object's finalizer may rely on its fields */
  printf("  %c is created\n", name);
  return t;
}

static bool run(ouro_heap *heap) {
  ouro_type *type = thing_type(heap);
  if (!type) return false;
  ouro_gc_enable(heap, false); /* so that nothing happens by itself (rule C4) */
  thing *a = make_thing(type, 'A'), *b = make_thing(type, 'B'), *c = make_thing(type, 'C');
  if (!a || !b || !c) return false;
  ouro_assign(&a->next, b);
  ouro_assign(&b->next, c);
  ouro_assign(&c->next, a);
  printf("counts: A %u, B %u, C %u\n", ouro_count(a), ouro_count(b), ouro_count(c));

  puts("delete the names");
  ouro_unref(a);
  ouro_unref(b);
  ouro_unref(c);
  printf("destroyed so far: %d\n", finalized);
  bool nothing_yet = finalized == 0;

  puts("collect");
  int64_t found = ouro_collect(heap, 2); /* -1: no memory to find out, nothing lost */
  printf("unreachable objects found: %" PRId64 "\n", found);
  int64_t again = ouro_collect(heap, 2);
  printf("and once more: %" PRId64 "\n", again);
  return nothing_yet && found == 3 && finalized == 3 && again == 0;
}

int main(void) {
  ouro_heap *heap = ouro_heap_new(NULL);
  bool right = heap && run(heap);
  ouro_heap_destroy(heap); /* runs no finalizers; ouro_finalize_all does */
  return !right;
}
