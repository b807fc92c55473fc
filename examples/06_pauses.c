/* SPDX-License-Identifier: MIT */
/* A program that must answer in time: the collector works in slices of a budget, in idle moments
 * where there are any, and a listener hears about each. */
#include <ouro/ouro.h>
#include <stdio.h>

enum { USERS = 20000, LEAVING = USERS / 4 };

/* A user and his inbox refer to each other: garbage that only a collection finds. */
typedef struct user {
  ouro_object object;
  struct user *inbox;
} user;

typedef struct pauses {
  uint64_t slices, longest_ns, found, escalations;
} pauses;

/* Must not use the heap. An escalation says that the bound on memory won over the budget. */
static void listen(void *ctx, const ouro_gc_event *event) {
  pauses *p = ctx;
  if (event->kind == OURO_GC_SLICE) p->slices++;
  if (event->kind == OURO_GC_SLICE && event->elapsed_ns > p->longest_ns)
    p->longest_ns = event->elapsed_ns;
  if (event->kind == OURO_GC_STOP) p->found += event->found;
  if (event->kind == OURO_GC_ESCALATION) p->escalations++;
}

static bool add_user(ouro_type *type, ouro_list *users) {
  user *u = OURO_MAKE(user, type), *inbox = u ? OURO_MAKE(user, type) : NULL;
  if (!inbox) return ouro_unref(u), false;
  u->inbox = inbox;
  inbox->inbox = ouro_ref(u);
  return ouro_list_append_new(users, u);
}

static bool run(ouro_heap *heap, pauses *p) {
  static const uint16_t refs[] = {offsetof(user, inbox), 0};
  static const ouro_type_spec spec = {.name = "user", .size = sizeof(user), .refs = refs};
  ouro_type *type = ouro_type_new(heap, &spec);
  ouro_list *users = type ? ouro_list_new(heap) : NULL;
  if (!users) return false;
  ouro_gc_listen(heap, &(ouro_listener){.event = listen, .ctx = p});
  ouro_gc_set_pause(heap, 500000);        /* automatic slices take about 0.5 ms */
  ouro_gc_set_garbage_limit(heap, 0.125); /* garbage floats up to an eighth of what lives */

  for (int i = 0; i < USERS; i++)
    if (!add_user(type, users)) return false;
  for (int i = 0; i < LEAVING; i++) ouro_unref(ouro_list_pop(users));
  printf("%d users have left, each in a cycle with his inbox\n", LEAVING);

  /* Nothing to do until the next request: a cycle of the collector, 0.2 ms at a time. A cycle that
   * was in progress has missed what became garbage after its start: so begin another behind it. */
  for (int cycles = 0; cycles < 2;) {
    ouro_step_report report = ouro_step(heap, 200000);
    if (report.out_of_memory) return false;
    if (report.finished) cycles++;
  }
  ouro_gc_stats stats;
  ouro_gc_stats_read(heap, &stats);
  printf("found %llu objects, %llu live\n", (unsigned long long)p->found,
         (unsigned long long)stats.tracked);
  fprintf(stderr,
          "%llu slices, the longest took %.3f ms; the longest part without a look at the "
          "clock: %.3f ms, %s\n",
          (unsigned long long)p->slices, (double)p->longest_ns / 1e6,
          (double)stats.longest_atomic_ns / 1e6, stats.longest_atomic);
  return p->found == 2 * LEAVING;
}

int main(void) {
  pauses p = {0};
  ouro_heap *heap = ouro_heap_new(NULL);
  bool right = heap && run(heap, &p);
  ouro_heap_destroy(heap);
  return !right;
}
