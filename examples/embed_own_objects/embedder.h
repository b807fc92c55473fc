/* SPDX-License-Identifier: MIT */
/* Toy objects as an embedder of Ouro's collector: each function that
 * cycle/embedder.h asks for, in its order. docs/porting.md explains them one by
 * one. */
#ifndef TOY_EMBEDDER_H
#define TOY_EMBEDDER_H

#include <time.h>

#include "cycle/cycle.h"
#include "cycle/embedder.h"
#include "toy.h"

#define CYCLE_PREFIX toy
#define CYCLE_EMBEDDER toy_world
#define CYCLE_OBJECT toy_object *
#define CYCLE_GROUP toy_group
#define CYCLE_CLOCK(world) toy_clock(world)
#define CYCLE_PREFETCH(object) __builtin_prefetch(object)
#define CYCLE_EXPECT(object) __builtin_prefetch(object)
#define CYCLE_PLACE(e, o, slot) false
#define CYCLE_LEAVES(o) false
#define CYCLE_SCANNED(e, o) (void)(o)
#define CYCLE_VISITED void
#define CYCLE_GO_ON
#define CYCLE_SWEEPS(e, g, word, bits) (!embed_special(e, g, word, bits))
#define CYCLE_JUDGE(world, members, destroyed) CYCLE_NOT_JUDGED
#define CYCLE_GATHERED(world, set) (void)(set)
#define CYCLE_DECIDES(world, group, word, bits, first)                                             \
  ((void)(group), (void)(first), *(bits) = embed_live(world, word, *(bits), true), true)
#define CYCLE_HIDE(world, n) false

/* What the objects of 64 slots side by side have in common: nothing. Objects in
 * pages of one kind would have their kind here. */
typedef struct toy_group {
  bool known;
} toy_group;

typedef void (*toy_visit)(toy_object *referent, void *arg);

/* --- where objects lie: the index in the world's table is the slot --- */

static inline size_t embed_pages(const toy_world *w) {
  return ((size_t)w->used + CYCLE_PAGE_SLOTS - 1) / CYCLE_PAGE_SLOTS;
}

static inline bool embed_page(const toy_world *w, uint64_t page) {
  return page < embed_pages(w); /* pages of leaves alone are not kept apart */
}

/* All objects are of one generation, so what lives is old enough to be
 * collected. */
static inline bool toy_collectable(const toy_object *o) {
  return o && o->count != 0 && o->count != TOY_STICKY && o->kind->references;
}

static inline uint64_t embed_live(const toy_world *w, uint64_t word, uint64_t bits, bool old) {
  uint64_t live = 0;
  (void)old;
  for (; bits; bits &= bits - 1) {
    uint64_t slot = word * 64 + ouro_lowest_bit(bits);
    if (slot < w->used && toy_collectable(w->entries[slot].object)) live |= bits & -bits;
  }
  return live;
}

static inline bool embed_slot(const toy_world *w, const toy_object *o, uint64_t *slot) {
  (void)w;
  *slot = o->slot;
  return o->kind->references != NULL;
}

static inline toy_group embed_group(const toy_world *w, uint64_t word) {
  (void)w, (void)word;
  return (toy_group){true};
}

static inline toy_object *embed_object(const toy_world *w, const toy_group *g, uint64_t slot) {
  (void)g;
  return w->entries[slot].object;
}

/* --- what they hold --- */

static inline uint32_t embed_count(const toy_world *w, const toy_object *o) {
  (void)w;
  return o->count; /* TOY_STICKY is UINT32_MAX */
}

static inline size_t embed_length(const toy_world *w, const toy_group *g, toy_object *o) {
  size_t count = 0;
  (void)w, (void)g;
  if (o->kind->references) o->kind->references(o, &count);
  return count;
}

static inline __attribute__((always_inline)) void embed_traverse(toy_world *w, const toy_group *g,
                                                                 toy_object *o, size_t from,
                                                                 size_t to, toy_visit visit,
                                                                 void *arg) {
  size_t count = 0;
  toy_object **at = o->kind->references ? o->kind->references(o, &count) : NULL;
  (void)w, (void)g;
  for (size_t i = from; i < to && i < count; i++)
    if (at[i]) visit(at[i], arg);
}

/* Roots save work where there are some at hand; nothing depends on them. */
static inline void embed_roots(toy_world *w, toy_visit visit, void *arg) {
  (void)w, (void)visit, (void)arg;
}

/* --- what must happen before the end; handles are no objects and need nothing
 * --- */

static inline void embed_weak(toy_world *w, toy_object *o, toy_visit visit, void *arg) {
  (void)w, (void)o, (void)visit, (void)arg;
}

static inline uint64_t embed_special(const toy_world *w, const toy_group *g, uint64_t word,
                                     uint64_t bits) {
  uint64_t special = 0;
  for (; bits; bits &= bits - 1) {
    const toy_object *o = embed_object(w, g, word * 64 + ouro_lowest_bit(bits));
    if (o->kind->finalize && !o->finalized) special |= bits & -bits;
  }
  return special;
}

static inline bool embed_prepare(toy_world *w, toy_object **garbage, size_t n, int stage) {
  if (stage == 0) return false; /* nothing here has to be kept */
  for (size_t i = 0; i < n; i++) toy_retain(garbage[i]);
  for (size_t i = 0; i < n; i++) toy_finalize(w, garbage[i]);
  for (size_t i = 0; i < n; i++) toy_release(w, garbage[i]);
  return true;
}

/* --- the end --- */

static inline void toy_drop(toy_world *w, toy_object *o) {
  size_t count;
  toy_object **at = o->kind->references(o, &count);
  while (count-- > 0) toy_release(w, at[count]);
}

static inline uint64_t embed_destroy(toy_world *w, const toy_group *g, uint64_t word, uint64_t bits,
                                     cycle_part part) {
  for (uint64_t rest = bits; rest; rest &= rest - 1) {
    toy_object *o = embed_object(w, g, word * 64 + ouro_lowest_bit(rest));
    switch (part) {
    case CYCLE_CONDEMN: o->count = TOY_STICKY; break;
    case CYCLE_KEEP: break; /* sticky ones do not end */
    case CYCLE_DROP: toy_drop(w, o); break;
    case CYCLE_FREE: toy_free(w, o); break;
    }
  }
  return bits;
}

/* --- the rest --- */

static inline uint64_t toy_clock(const toy_world *w) {
  struct timespec t;
  (void)w;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void toy_broken(const toy_object *o, uint32_t count, uint32_t found);
static inline void embed_broken(const toy_world *w, const toy_object *o, uint32_t count,
                                uint32_t found) {
  (void)w;
  toy_broken(o, count, found);
}

#endif
