/* SPDX-License-Identifier: MIT */
/*
 * Object pools (rule P5). Objects at hand are alive, held by the pool alone:
 *
 *     kept <= cap          count of each kept object == 1
 */
#include "reuse.h"

#include "state.h"

struct ouro_reuse {
  type *type;
  bool (*construct)(void *self);
  void (*reset)(void *self);
  ouro_reuse_stats stats;
  size_t cap;
  bool ended;
  ouro_object *kept[];
};

ouro_reuse *ouro_reuse_new(ouro_type *t, size_t cap, bool (*construct)(void *),
                           void (*reset)(void *)) {
  size_t size;
  if (type_in(t)->reuse || type_in(t)->spec.item_size) {
    runtime_fail(t->heap, "a type of fixed-size objects has at most one object pool");
    return NULL;
  }
  if (__builtin_mul_overflow(cap, sizeof(ouro_object *), &size) ||
      __builtin_add_overflow(size, sizeof(ouro_reuse), &size))
    size = SIZE_MAX;
  ouro_reuse *pool = ouro_calloc(t->heap, 1, size);
  if (!pool) {
    runtime_fail(t->heap, "out of memory");
    return NULL;
  }
  pool->type = type_in(t);
  pool->construct = construct;
  pool->reset = reset;
  pool->cap = cap;
  return pool->type->reuse = pool;
}

static void *construct(ouro_reuse *pool) {
  ouro_object *o = ouro_new(&pool->type->open);
  if (!o) return NULL;
  if (pool->construct && !pool->construct(o)) {
    ouro_unref(o);
    return NULL;
  }
  o->flags |= OURO_FLAG_OWN;
  pool->stats.constructed++;
  return o;
}

void *ouro_reuse_take(ouro_reuse *pool) {
  if (pool->stats.kept == 0) return construct(pool);
  pool->stats.reused++;
  return pool->kept[--pool->stats.kept];
}

/* `reset` runs while the object is alive and may take others from the pool. */
bool reuse_keep(ouro_reuse *pool, ouro_object *o) {
  if (pool->ended || pool->stats.kept == pool->cap) return false;
  o->count = 1;
  if (pool->reset) pool->reset(o);
  if (o->count > 1) return object_still_held(o); /* reset made it reachable */
  if (pool->stats.kept < pool->cap) {
    pool->kept[pool->stats.kept++] = o;
    return true;
  }
  o->count = 0;
  return false;
}

ouro_reuse_stats ouro_reuse_stats_of(const ouro_reuse *pool) { return pool->stats; }

void ouro_reuse_free(ouro_reuse *pool) {
  if (!pool) return;
  pool->ended = true;
  while (pool->stats.kept) ouro_unref(pool->kept[--pool->stats.kept]);
  pool->type->reuse = NULL;
  ouro_free(&pool->type->rt->heap->open, pool);
}
