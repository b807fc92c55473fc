/* SPDX-License-Identifier: MIT */
/* A program on toy objects: the ring of three, a finalizer that changes its mind, a large world
 * collected in slices while it is used, compared with what can be reached. */
#include <stdio.h>
#include <stdlib.h>

#include "collect.h"

typedef struct node {
  toy_object object;
  toy_object *next, *other;
} node;

static toy_object *saved; /* what `save` has made reachable again */
static unsigned finalized;

static toy_object **node_references(toy_object *self, size_t *count) {
  *count = 2;
  return &((node *)self)->next;
}

static void report(toy_world *w, toy_object *self) {
  (void)w, (void)self;
  finalized++;
}

static void save(toy_world *w, toy_object *self) {
  (void)w;
  finalized++;
  saved = toy_retain(self);
}

static const toy_kind plain = {"node", sizeof(node), node_references, NULL};
static const toy_kind reporting = {"reporting node", sizeof(node), node_references, report};
static const toy_kind stubborn = {"stubborn node", sizeof(node), node_references, save};
static const toy_kind leaf = {"leaf", sizeof(toy_object), NULL, NULL};

static void require(bool condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "wrong: %s\n", what);
  exit(1);
}

static node *new_node(toy_world *w, const toy_kind *kind) {
  node *n = (node *)toy_new(w, kind, 0);
  require(n != NULL, "memory");
  return n;
}

/* A ring of three; returns a handle to the first. Nobody else holds it. */
static toy_handle drop_ring(toy_world *w, const toy_kind *kind) {
  node *a = new_node(w, kind), *b = new_node(w, &plain), *c = new_node(w, &plain);
  toy_handle first = toy_handle_of(w, &a->object);
  a->next = &b->object; /* our references become the ring's */
  b->next = &c->object;
  c->next = &a->object;
  a->other = toy_new(w, &leaf, 0);
  return first;
}

static void rings(toy_collector *c) {
  toy_world *w = c->world;
  toy_handle first = drop_ring(w, &reporting);
  require(w->live == 4 && finalized == 0, "a ring does not end by counting");
  require(toy_collect(c) == 3, "the collector finds the three");
  require(finalized == 1 && w->live == 0, "and destroys them, and the leaf dies with them");
  require(toy_lookup(w, first) == NULL, "the handle reads as gone");

  first = drop_ring(w, &stubborn);
  require(toy_collect(c) == 3 && w->live == 4, "what a finalizer saves lives on, complete");
  toy_release(w, toy_lookup(w, first));
  toy_release(w, saved);
  require(toy_collect(c) == 3 && finalized == 2 && w->live == 0, "but its finalizer runs once");
}

/* A component of its own size in one piece: destroyed in slices, too. */
static void giant(toy_collector *c) {
  toy_world *w = c->world;
  node *first = new_node(w, &plain), *last = first;
  for (int i = 1; i < 200000; i++, last = (node *)last->next)
    last->next = &new_node(w, &plain)->object;
  last->next = &first->object;
  toy_tick(c, 1);
  for (unsigned slices = 0; w->live; slices++) {
    toy_tick(c, 200000);
    require(slices < 100000, "the giant is destroyed");
  }
}

enum { ROOTS = 64, STEPS = 200000 };

static uint32_t count_reachable(const toy_world *w, toy_object *const *roots) {
  uint32_t n = 0, reached = 0;
  toy_object **stack = malloc((w->live + 1) * sizeof *stack);
  bool *seen = calloc(w->used + 1, sizeof *seen);
  require(stack && seen, "memory");
  for (int i = 0; i < ROOTS; i++)
    if (roots[i] && !seen[roots[i]->slot]) seen[roots[i]->slot] = true, stack[n++] = roots[i];
  for (; n; reached++) {
    const node *o = (node *)stack[--n];
    toy_object *const to[] = {o->next, o->other};
    for (int i = 0; i < 2; i++)
      if (to[i] && !seen[to[i]->slot]) seen[to[i]->slot] = true, stack[n++] = to[i];
  }
  free(stack);
  free(seen);
  return reached;
}

static void assign(toy_world *w, toy_object **field, toy_object *value) {
  toy_object *old = *field;
  *field = toy_retain(value);
  toy_release(w, old);
}

/* The world changes between all slices; what remains at the end is what can be reached. */
static void mutate(toy_collector *c) {
  toy_world *w = c->world;
  toy_object *roots[ROOTS] = {0};
  srand(3);
  for (int i = 0; i < STEPS; i++) {
    node *n = (node *)roots[rand() % ROOTS];
    toy_object *other = roots[rand() % ROOTS];
    if (n && i % 3) assign(w, i % 2 ? &n->next : &n->other, other);
    else assign(w, &roots[rand() % ROOTS], n && n->next ? n->next : NULL);
    toy_object *fresh = &new_node(w, &plain)->object;
    ((node *)fresh)->next = toy_retain(roots[i % ROOTS]);
    assign(w, &roots[i % ROOTS], fresh);
    toy_release(w, fresh);
    if (i % 16 == 0) toy_tick(c, 2000);
  }
  require(toy_collect(c) >= 0 && w->live == count_reachable(w, roots), "exactly the rest lives");
  for (int i = 0; i < ROOTS; i++) assign(w, &roots[i], NULL);
  require(toy_collect(c) >= 0 && w->live == 0, "nothing is held for ever");
}

int main(void) {
  toy_world world = {0};
  toy_collector collector = {.world = &world};
  rings(&collector);
  giant(&collector);
  mutate(&collector);
  printf("%llu objects destroyed by the collector, longest slice %.3f ms\n",
         (unsigned long long)collector.destroyed, (double)collector.longest_ns / 1e6);
  toy_collector_end(&collector);
  toy_world_end(&world);
  return 0;
}
