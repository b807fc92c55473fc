/* SPDX-License-Identifier: MIT */
/* The usual object of these tests, a pair that says when it ends; and a listener that counts. */
#ifndef OURO_TESTS_PAIRS_H
#define OURO_TESTS_PAIRS_H

#include "objects.h"

typedef struct pair {
  ouro_object object;
  struct pair *a, *b;
  int id;
} pair;

enum { ENDED_MAX = 64 };
static int ended[ENDED_MAX], ended_count;

static inline void pair_end(void *self) {
  if (ended_count < ENDED_MAX) ended[ended_count] = ((pair *)self)->id;
  ended_count++;
}

/* Whether the pairs that ended since the last call are exactly these, in this order. */
static inline bool have_ended(int n, const int *ids) {
  bool same = ended_count == n && (n == 0 || !memcmp(ids, ended, sizeof(int) * (size_t)n));
  for (int i = 0; !same && i < ended_count && i < ENDED_MAX; i++)
    fprintf(stderr, "%sended: %d\n", i ? "  " : "", ended[i]);
  ended_count = 0;
  return same;
}
#define ENDED(...)                                                                                 \
  have_ended(sizeof((int[]){__VA_ARGS__}) / sizeof(int), (const int[]){__VA_ARGS__})
#define NONE_ENDED() have_ended(0, NULL)

static const uint16_t pair_refs[] = {offsetof(pair, a), offsetof(pair, b), 0};
static const char *const pair_names[] = {"a", "b"};

static inline ouro_type_spec pair_spec(const char *name) {
  return (ouro_type_spec){
      .name = name, .size = sizeof(pair), .refs = pair_refs, .ref_names = pair_names};
}

static inline ouro_type *plain_pairs(ouro_heap *heap) {
  ouro_type_spec spec = pair_spec("pair");
  return ouro_type_new(heap, &spec);
}

static inline ouro_type *ending_pairs(ouro_heap *heap) {
  ouro_type_spec spec = pair_spec("ending pair");
  spec.finalize = pair_end;
  return ouro_type_new(heap, &spec);
}

static inline pair *make_pair(ouro_type *type, int id, OURO_STOLEN pair *a, OURO_STOLEN pair *b) {
  pair *p = ouro_new(type);
  if (!p) return NULL;
  p->id = id;
  p->a = a;
  p->b = b;
  return p;
}

/* A ring of n pairs, numbered from `id`, each holding the next by `a`; a reference to the first. */
static inline pair *make_pairs_ring(ouro_type *type, int id, int n) {
  pair *first = make_pair(type, id, NULL, NULL), *last = first;
  for (int i = 1; i < n; i++) last = last->a = make_pair(type, id + i, NULL, NULL);
  last->a = ouro_ref(first);
  return first;
}

/* Drops what a field holds. */
static inline void drop_field(void *field) { ouro_assign_new(field, NULL); }

/* A chain of n pairs that hold each other by `a`. */
static inline pair *make_chain(ouro_type *type, int n) {
  pair *head = NULL;
  for (int i = 0; i < n; i++) head = make_pair(type, i, head, NULL);
  return head;
}

/* --- heaps as the tests of objects want them --- */

static inline ouro_heap *hardened_heap(const char *name) {
  ouro_heap_options options = quiet_options(name);
  options.hardened = true;
  return ouro_heap_new(&options);
}

/* --- what a listener hears --- */

typedef struct heard {
  int events[8]; /* by ouro_gc_event_kind */
  ouro_gc_event last[8];
  char misuse[256], reason[256];
  int lines;
  char line[256];
} heard;

static inline void hear_event(void *ctx, const ouro_gc_event *event) {
  heard *h = ctx;
  h->events[event->kind]++;
  h->last[event->kind] = *event;
  char *text = event->kind == OURO_GC_MISUSE ? h->misuse : h->reason;
  if (event->reason) snprintf(text, sizeof h->reason, "%s", event->reason);
}

static inline void hear_line(void *ctx, const char *line) {
  heard *h = ctx;
  h->lines++;
  snprintf(h->line, sizeof h->line, "%s", line);
}

static inline void listen_to(ouro_heap *heap, heard *h) {
  *h = (heard){0};
  ouro_gc_listen(heap, &(ouro_listener){.event = hear_event, .message = hear_line, .ctx = h});
}

#endif
