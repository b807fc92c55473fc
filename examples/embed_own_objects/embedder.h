/* SPDX-License-Identifier: MIT */
/* Toy objects as an embedder of Ouro's collector: each function that cycle/embedder.h asks for, in
 * its order. docs/porting.md explains them one by one. */
#ifndef TOY_EMBEDDER_H
#define TOY_EMBEDDER_H

#include <time.h>

#include "cycle/embedder.h"
#include "toy.h"

#define CYCLE_PREFIX toy
#define CYCLE_EMBEDDER toy_world
#define CYCLE_OBJECT toy_object *
#define CYCLE_NONE NULL

typedef void (*toy_visit)(toy_object *referent, void *arg);

/* --- where objects lie: the index in the world's table is the slot --- */

static inline size_t embed_pages(const toy_world *w) {
  return ((size_t)w->used + CYCLE_PAGE_SLOTS - 1) / CYCLE_PAGE_SLOTS;
}

static inline bool embed_slot(const toy_world *w, const toy_object *o, uint64_t *slot) {
  (void)w;
  *slot = o->slot;
  return o->kind->references != NULL;
}

static inline toy_object *embed_object(const toy_world *w, uint64_t slot) {
  return w->entries[slot].object;
}

/* All objects are of one generation, so what is alive may be collected. */
static inline toy_object *embed_at(const toy_world *w, uint64_t slot) {
  toy_object *o = slot < w->used ? embed_object(w, slot) : NULL;
  bool candidate = o && o->count != 0 && o->count != TOY_STICKY && o->kind->references;
  return candidate ? o : NULL;
}

static inline bool embed_alive(const toy_world *w, uint64_t slot) {
  return embed_at(w, slot) != NULL;
}

static inline uint64_t embed_live(const toy_world *w, uint64_t word) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < 64 && word * 64 + i < w->used; i++)
    bits |= (uint64_t)(w->entries[word * 64 + i].object != NULL) << i;
  return bits;
}

static inline void embed_prefetch(const toy_world *w, uint64_t slot) {
  __builtin_prefetch(w->entries[slot].object);
}

/* --- what they hold --- */

static inline uint32_t embed_count(const toy_world *w, const toy_object *o) {
  (void)w;
  return o->count; /* TOY_STICKY is UINT32_MAX */
}

static inline size_t embed_length(const toy_world *w, toy_object *o) {
  size_t count = 0;
  (void)w;
  if (o->kind->references) o->kind->references(o, &count);
  return count;
}

static inline __attribute__((always_inline)) void
embed_traverse(toy_world *w, toy_object *o, size_t from, size_t to, toy_visit visit, void *arg) {
  size_t count = 0;
  toy_object **at = o->kind->references ? o->kind->references(o, &count) : NULL;
  (void)w;
  for (size_t i = from; i < to && i < count; i++)
    if (at[i]) visit(at[i], arg);
}

/* Roots save work where there are some at hand; nothing depends on them. */
static inline void embed_roots(toy_world *w, toy_visit visit, void *arg) {
  (void)w, (void)visit, (void)arg;
}

/* --- what must happen before the end; handles are no objects and need nothing --- */

static inline void embed_weak(toy_world *w, toy_object *o, toy_visit visit, void *arg) {
  (void)w, (void)o, (void)visit, (void)arg;
}

static inline bool embed_special(const toy_world *w, const toy_object *o) {
  (void)w;
  return o->kind->finalize && !o->finalized;
}

static inline bool embed_prepare(toy_world *w, toy_object **garbage, size_t n, int stage) {
  if (stage == 0) return false; /* nothing here has to be kept */
  for (size_t i = 0; i < n; i++) toy_retain(garbage[i]);
  for (size_t i = 0; i < n; i++) toy_finalize(w, garbage[i]);
  for (size_t i = 0; i < n; i++) toy_release(w, garbage[i]);
  return true;
}

/* --- the end --- */

static inline void embed_condemn(toy_world *w, toy_object **garbage, size_t n) {
  (void)w;
  for (size_t i = 0; i < n; i++) garbage[i]->count = TOY_STICKY;
}

static inline void embed_clear(toy_world *w, toy_object **garbage, size_t n) {
  for (size_t i = 0; i < n; i++) {
    size_t count;
    toy_object **at = garbage[i]->kind->references(garbage[i], &count);
    while (count-- > 0) toy_release(w, at[count]);
  }
}

static inline void embed_release(toy_world *w, toy_object **garbage, size_t n) {
  for (size_t i = 0; i < n; i++) toy_free(w, garbage[i]);
}

/* --- the rest --- */

static inline uint64_t embed_clock(const toy_world *w) {
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
