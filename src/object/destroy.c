/* SPDX-License-Identifier: MIT */
/*
 * Destruction, at once and in CPython's order: depth first, an object's memory after its
 * references, whatever the depth of the graph.
 *
 * The way back is kept in the objects that die (Schorr and Waite's pointer reversal): when a child
 * dies too, the field that held it holds the parent, and the parent's count, which nobody needs any
 * more, says at which reference to go on.
 *
 *     DYING object o on the way back: *type_ref(o, o->count - 1) == its own parent
 *
 * References that a type hides behind `clear` cannot be reversed; there C recursion does it, to a
 * depth of TUNE_DEPTH. Deeper ones wait in rt->deferred until the outermost destruction returns.
 */
#include "state.h"
#include "reuse.h"
#include "weak.h"

/* --- what happens before an object's references are dropped --- */

/* Finalizer: the object is alive while it runs. True: it made itself reachable. */
static bool finalized_alive(const type *t, ouro_object *o) {
  if (!t->spec.finalize || o->flags & OURO_FLAG_FINALIZED) return false;
  o->flags |= OURO_FLAG_FINALIZED;
  o->count = 1;
  t->spec.finalize(o);
  return object_still_held(o);
}

/* True: the object goes on living. */
static bool prepare_unusual(const type *t, ouro_object *o) {
  if (t->reuse && o->flags & OURO_FLAG_OWN && reuse_keep(t->reuse, o)) return true;
  if (finalized_alive(t, o)) return true;
  if (o->flags & OURO_FLAG_WEAK) weak_clear(o);
  o->flags |= OURO_FLAG_DYING;
  if (t->spec.clear) t->spec.clear(o);
  return false;
}

static inline bool stays_alive(const type *t, ouro_object *o) {
  if (OURO_LIKELY(t->plain && !(o->flags & (OURO_FLAG_WEAK | OURO_FLAG_OWN)))) {
    o->flags |= OURO_FLAG_DYING;
    return false;
  }
  return prepare_unusual(t, o);
}

/* --- the way down and back --- */

/* One reference less. True: it was the last one. */
static inline bool drop(ouro_object *o) {
  int32_t left = (int32_t)(o->count - 1);
  if (left >= 0) o->count = (uint32_t)left;
  else if (left == -1 || o->count == OURO_COUNT_FREED) ouro_unref_dead(o);
  return left == 0;
}

/* Drops references of `o` from number *at on until a child dies with it; returns the child's place,
 * emptied, or NULL when all are dropped. */
static ouro_object **next_death(const type *t, ouro_object *o, size_t *at, ouro_object **child) {
  size_t items = type_items(t, o), all = items + t->field_count;
  while (*at < all) {
    ouro_object **place = type_ref(t, o, items, (*at)++);
    *child = *place;
    if (!*child) continue;
    *place = NULL;
    if (drop(*child)) return place;
  }
  return NULL;
}

/* An object on the way down, and at which reference it is. */
typedef struct dying {
  ouro_object *o, *parent;
  const type *t;
  size_t at;
} dying;

/* The child, found dead in *place, dies next. */
static void descend(dying *d, ouro_object **place, ouro_object *child, const type *t) {
  *place = d->parent;
  d->o->count = (uint32_t)d->at;
  *d = (dying){.o = child, .parent = d->o, .t = t};
}

/* The object is gone; on with its parent. */
static void ascend(runtime *rt, dying *d) {
  ouro_object *o = d->parent;
  const type *t = type_of(rt, o);
  ouro_object **place = type_ref(t, o, type_items(t, o), o->count - 1);
  *d = (dying){.o = o, .parent = *place, .t = t, .at = o->count};
  *place = NULL;
}

static void fell(runtime *rt, const type *t, ouro_object *o, unsigned level);

static void child_died(runtime *rt, dying *d, ouro_object **place, ouro_object *child,
                       unsigned level) {
  if (OURO_CHECK_LEVEL >= 2 && runtime_of(child) != rt) {
    runtime_misuse(d->o, "C7: it refers to an object of another heap");
    return;
  }
  const type *t = type_of(rt, child);
  if (stays_alive(t, child)) return;
  if (t->simple && level < TUNE_FELL_LEVELS) {
    fell(rt, t, child, level + 1);
    return;
  }
  if (t->holds) descend(d, place, child, t);
  else object_release(rt, t, child);
}

/* Destroys an object that is DYING, from reference number d.at on, and what dies with it. */
static void cascade(runtime *rt, dying d, unsigned level) {
  ouro_object *child;
  for (;;) {
    ouro_object **place = next_death(d.t, d.o, &d.at, &child);
    if (place) {
      child_died(rt, &d, place, child, level);
      continue;
    }
    object_release(rt, d.t, d.o);
    if (!d.parent) return;
    ascend(rt, &d);
  }
}

/* --- trees of one simple type, which is what dies most --- */

/* An object to come back to, and from which field on. */
typedef struct stump {
  ouro_object *o;
  size_t at;
} stump;

/* Whether the next to drop it ends an object of this type that needs nothing else: its header is
 * that of a new one, but for its age and the program's byte. */
static inline bool dies_simply(const type *t, const ouro_object *o) {
  if (OURO_CHECK_LEVEL >= 2 && runtime_of(o) != t->rt) return false;
  ouro_object header = *o;
  header.flags &= (uint8_t)~OURO_FLAG_GENERATION;
  header.user = 0;
  return memcmp(&header, &t->open.header, sizeof header) == 0;
}

/* Drops fields of `o` from *at on until an object of its type dies with one, and returns that.
 * NULL: all are dropped, or *at is one with which something else dies. */
static inline ouro_object *next_felled(const type *t, ouro_object *o, size_t *at) {
  for (; *at < t->field_count; ++*at) {
    ouro_object **field = type_field(t, o, *at), *child = *field;
    if (!child) continue;
    bool simply = dies_simply(t, child);
    if (!simply && child->count <= 1) return NULL;
    *field = NULL;
    if (simply) return ++*at, child;
    if (child->count < OURO_IMMORTAL) child->count--;
  }
  return NULL;
}

static inline void release_simple(runtime *rt, const type *t, ouro_object *o) {
  if (OURO_UNLIKELY(o->flags & OURO_FLAG_GENERATION) || !ouro_bin_keep(type_bin(t), o))
    object_release(rt, t, o);
}

static inline bool has_more(const type *t, const ouro_object *o, size_t at) {
  while (at < t->field_count && !*type_field(t, o, at)) at++;
  return at < t->field_count;
}

/* The object, whose next death is no simple one, or too deep: the general way. */
static void fell_rest(runtime *rt, const type *t, stump s, unsigned level) {
  s.o->flags |= OURO_FLAG_DYING;
  cascade(rt, (dying){.o = s.o, .t = t, .at = s.at}, level);
}

/* Destroys `o`, whose count is 0. An object none of whose other fields is set goes before its last
 * child, so that a chain needs no way back. */
static void fell(runtime *rt, const type *t, ouro_object *o, unsigned level) {
  stump stumps[TUNE_STUMPS], here = {o, 0};
  for (size_t depth = 0;;) {
    ouro_object *child = depth < TUNE_STUMPS ? next_felled(t, here.o, &here.at) : NULL;
    if (child) {
      child->count = 0;
      if (has_more(t, here.o, here.at)) stumps[depth++] = here;
      else release_simple(rt, t, here.o);
      here = (stump){child, 0};
      continue;
    }
    if (has_more(t, here.o, here.at)) fell_rest(rt, t, here, level);
    else release_simple(rt, t, here.o);
    if (depth == 0) return;
    here = stumps[--depth];
  }
}

/* --- nested calls --- */

static void destroy_one(runtime *rt, ouro_object *o) {
  const type *t = type_of(rt, o);
  if (stays_alive(t, o)) return;
  if (t->simple) fell(rt, t, o, 0);
  else cascade(rt, (dying){.o = o, .t = t}, 0);
}

/* Where there is no memory to wait in, it is destroyed here and now after all. */
static OURO_NOINLINE void destroy(runtime *rt, ouro_object *o) {
  if (OURO_CHECK_LEVEL >= 2 && !heap_is_mine(rt->heap)) {
    runtime_misuse(o, "R4: it was unreferenced by a thread that does not own its heap");
    return;
  }
  if (OURO_UNLIKELY(rt->depth >= TUNE_DEPTH) && object_list_add(&rt->deferred, o)) return;
  rt->depth++;
  destroy_one(rt, o);
  while (OURO_UNLIKELY(rt->depth == 1 && rt->deferred.length))
    destroy_one(rt, rt->deferred.items[--rt->deferred.length]);
  rt->depth--;
}

/* What of most objects: drops fields whose objects live on and keeps the block at hand. False: one
 * dies too, or there is no room; what was dropped is NULL now. */
static inline bool destroy_simple(const type *t, ouro_object *o) {
  for (size_t i = 0; i < t->field_count; i++) {
    ouro_object **field = type_field(t, o, i), *child = *field;
    if (!child) continue;
    if (child->count <= 1) return false;
    if (child->count < OURO_IMMORTAL) child->count--;
    *field = NULL;
  }
  return ouro_bin_keep(type_bin(t), o);
}

void ouro_destroy(ouro_object *o) {
  if (OURO_LIKELY(o->flags == 0)) {
    const ouro_pool *pool = heap_slot_of(o);
    const type *t = pooled_type(pool);
    if (OURO_LIKELY(pool->typed && t->simple) && destroy_simple(t, o)) return;
  }
  destroy(runtime_of(o), o);
}

void ouro_unref_dead(ouro_object *o) {
  runtime_misuse(o, "R3: it was unreferenced more often than it was referenced");
}

void ouro_ref_dead(ouro_object *o) {
  runtime_misuse(o, "R4: it is dead, and was referenced again");
}
