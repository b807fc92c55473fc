/* SPDX-License-Identifier: MIT */
/* Weak references: one that tells when its object is gone, and a cache that keeps nothing alive. */
#include <ouro/ouro.h>
#include <stdio.h>

static int built; /* how often the work was done */

/* Called when the referent has died; `closure` is what was given to ouro_weak_new. */
static void tell(ouro_weak *weak, ouro_object *closure) {
  const ouro_str *name = (const ouro_str *)closure;
  printf("%s has gone, the weak reference reads %s\n", ouro_str_bytes(name),
         ouro_weak_is_gone(weak) ? "gone" : "alive");
}

static bool watch(ouro_heap *heap) {
  ouro_list *page = ouro_list_new(heap);
  ouro_str *name = ouro_str_text(heap, "the page");
  ouro_weak *weak = page && name ? ouro_weak_new(page, tell, name) : NULL;
  ouro_unref(name); /* the weak reference holds its closure */
  if (!weak) return false;
  ouro_list *again = ouro_weak_get(weak); /* a new reference, or NULL */
  ouro_unref(page);
  puts("one name left");
  ouro_unref(again); /* the last one: `tell` is called on this line */
  bool gone = ouro_weak_is_gone(weak);
  ouro_unref(weak);
  return gone;
}

/* What is expensive to make: found in the cache while somebody uses it, made again otherwise. */
static OURO_NEW ouro_str *render(ouro_weakvaluedict *cache, ouro_int *number) {
  ouro_object *found;
  if (ouro_weakvaluedict_get(cache, number, &found) != 0) return (ouro_str *)found;
  ouro_heap *heap = ouro_heap_of(cache);
  ouro_str *made = ouro_str_format(heap, "page %d", (int)ouro_int_value(number));
  if (!made) return NULL;
  if (!ouro_weakvaluedict_put(cache, number, made)) {
    ouro_unref(made);
    return NULL;
  }
  built++;
  return made;
}

static bool use(ouro_weakvaluedict *cache, ouro_int *seven) {
  ouro_str *first = render(cache, seven), *second = first ? render(cache, seven) : NULL;
  if (!second) return false;
  printf("twice at once: built %d, %s\n", built, first == second ? "one object" : "two objects");
  bool shared = first == second && built == 1;
  ouro_unref(first);
  ouro_unref(second); /* nobody uses it now, so its entry disappears */
  bool empty = ouro_weakvaluedict_length(cache) == 0;
  for (int i = 0; i < 3; i++) ouro_unref(render(cache, seven));
  printf("in turn: built %d, the cache has stopped the leak, not the work\n", built);
  return shared && empty;
}

static bool run(ouro_heap *heap) {
  ouro_weakvaluedict *cache = ouro_weakvaluedict_new(heap);
  ouro_int *seven = ouro_int_new(heap, 7);
  return cache && seven && watch(heap) && use(cache, seven) && built == 4;
}

int main(void) {
  ouro_heap *heap = ouro_heap_new(NULL);
  bool right = heap && run(heap);
  ouro_heap_destroy(heap);
  return !right;
}
