/* SPDX-License-Identifier: MIT */
/* An object and its reference count: what raises it, what lowers it, and what happens at zero. */
#include <ouro/ouro.h>
#include <stdio.h>

static void show(const char *when, const void *object) {
  printf("%-24s %u\n", when, ouro_count(object));
}

/* An argument is borrowed: the caller's reference keeps it alive for the time of the call, so the
 * count needs no change. */
static size_t shout(const ouro_str *name) {
  show("as an argument", name);
  return ouro_str_length(name);
}

static bool run(ouro_heap *heap) {
  ouro_str *name = ouro_str_text(heap, "ouroboros"); /* a new reference: ours to drop */
  ouro_list *list = ouro_list_new(heap);
  if (!name || !list) return false;
  show("created", name);

  ouro_str *alias = ouro_ref(name);
  show("a second name", name);
  if (shout(name) != 9) return false;

  if (!ouro_list_append(list, name)) return false; /* the list takes a reference of its own */
  show("in a list", name);
  if (!ouro_list_append_new(list, alias)) return false; /* the list takes ours */
  show("twice, one was ours", name);

  ouro_weak *watch = ouro_weak_new(name, NULL, NULL); /* does not count */
  if (!watch) return false;
  show("watched", name);

  ouro_unref(ouro_list_pop(list)); /* what a container hands out as new is ours again */
  show("popped and dropped", name);
  ouro_unref(name);
  show("our name dropped", ouro_list_get(list, 0)); /* borrowed: the list's reference */

  ouro_unref(list); /* the list dies, and with it the last reference, on this line */
  printf("%-24s %s\n", "the list dropped", ouro_weak_is_gone(watch) ? "gone" : "still there");
  bool gone = ouro_weak_is_gone(watch);
  ouro_unref(watch);
  return gone;
}

int main(void) {
  ouro_heap *heap = ouro_heap_new(NULL); /* a handle; any number per process */
  bool right = heap && run(heap);
  ouro_heap_destroy(heap); /* whatever is left goes at once */
  return !right;
}
