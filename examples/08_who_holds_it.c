/* SPDX-License-Identifier: MIT */
/* Why is this object still alive? What lives, by type; who refers to it; the path from a root. */
#include <inttypes.h>
#include <ouro/ouro.h>
#include <stdio.h>

/* A session should be gone after logout; something still holds it. */
static ouro_record *log_in(ouro_type *type, ouro_dict *app, const char *who) {
  ouro_str *name = ouro_str_text(ouro_type_heap(type), who);
  ouro_record *session = name ? ouro_record_new(type) : NULL;
  if (session) ouro_record_set(session, 0, name);
  ouro_unref(name);
  ouro_object *handlers = NULL;
  if (session && ouro_dict_get_text(app, "handlers", &handlers) == 1 &&
      ouro_list_append((ouro_list *)handlers, session)) /* the mistake: nobody takes it out */
    return session;
  ouro_unref(session);
  return NULL;
}

static bool print_referrer(void *ctx, ouro_object *other, const char *name) {
  ++*(int *)ctx;
  printf("  a %s holds it as %s\n", ouro_type_name(ouro_type_of(other)), name);
  return true; /* go on */
}

/* The first step is held from outside the heap's objects: here by a variable of this program. */
static int64_t print_path(const void *object) {
  ouro_path_step path[8];
  int64_t length = ouro_path_to_root(object, path, 8);
  for (int64_t i = 0; i < length; i++)
    printf("%s%s%s%s", i ? " -> " : "  ", ouro_type_name(ouro_type_of(path[i].object)),
           path[i].name[0] ? "." : "\n", path[i].name);
  return length;
}

static bool find_leak(ouro_heap *heap, ouro_type *type) {
  ouro_type_count row[16];
  size_t rows = ouro_census(heap, row, 16);
  uint64_t sessions = 0;
  for (size_t i = 0; i < rows && i < 16; i++)
    if (row[i].type == type) sessions = row[i].objects;
  printf("sessions alive after logout: %" PRIu64 "\n", sessions);
  return sessions == 1;
}

static bool run(ouro_heap *heap) {
  static const char *const fields[] = {"user"};
  ouro_type *type = ouro_record_type(heap, "session", 1, fields, NULL);
  ouro_dict *app = ouro_dict_new(heap);
  ouro_list *handlers = ouro_list_new(heap);
  if (!type || !app || !handlers || !ouro_dict_put_text(app, "handlers", handlers)) return false;
  ouro_unref(handlers);
  ouro_record *session = log_in(type, app, "eve");
  if (!session) return false;
  ouro_weak *watch = ouro_weak_new(session, NULL, NULL);
  ouro_unref(session); /* logout: our reference is gone, and yet */
  if (!watch || !find_leak(heap, type)) return false;
  session = ouro_weak_get(watch);
  int holders = 0;
  ouro_each_referrer(session, print_referrer, &holders);
  ouro_unref(session); /* else the shortest path would be from our own variable */
  int64_t steps = print_path(session);
  ouro_list_clear(handlers);
  printf("handlers cleared: %s\n", ouro_weak_is_gone(watch) ? "gone" : "still there");
  return holders == 1 && steps == 3 && ouro_weak_is_gone(watch);
}

int main(void) {
  ouro_heap *heap = ouro_heap_new(NULL);
  bool right = heap && run(heap);
  ouro_heap_destroy(heap);
  return !right;
}
