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
#include "object/state.h"
#include "object/reuse.h"
#include "object/weak.h"

/* --- what happens before an object's references are dropped --- */

/* Finalizer: the object is alive while it runs. True: it made itself reachable. */
static bool finalized_alive(const type *t, ouro_object *o) {
  if (!t->spec.finalize || o->flags & OURO_FLAG_FINALIZED) return false;
  o->flags |= OURO_FLAG_FINALIZED;
  o->count = 1;
  t->spec.finalize(o);
  return --o->count > 0;
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
  else if (left == -1) ouro_unref_dead(o);
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

/* Destroys `o`, whose count is 0, and what dies with it. */
static void cascade(runtime *rt, ouro_object *o) {
  const type *t = type_of(rt, o);
  if (stays_alive(t, o)) return;
  ouro_object *parent = NULL, *child;
  size_t at = 0;
  for (;;) {
    ouro_object **place = next_death(t, o, &at, &child);
    if (place) {
      const type *child_type = type_of(rt, child);
      if (stays_alive(child_type, child)) continue;
      if (!child_type->holds) {
        object_release(rt, child_type, child);
        continue;
      }
      *place = parent;
      o->count = (uint32_t)at;
      parent = o, o = child, t = child_type, at = 0;
      continue;
    }
    object_release(rt, t, o);
    if (!parent) return;
    o = parent, t = type_of(rt, o), at = o->count;
    place = type_ref(t, o, type_items(t, o), at - 1);
    parent = *place;
    *place = NULL;
  }
}

/* --- nested calls --- */

/* Where there is no memory to wait in, it is destroyed here and now after all. */
void ouro_destroy(ouro_object *o) {
  runtime *rt = runtime_of(o);
  if (OURO_UNLIKELY(rt->depth >= TUNE_DEPTH) && object_list_add(&rt->deferred, o)) return;
  rt->depth++;
  cascade(rt, o);
  while (OURO_UNLIKELY(rt->depth == 1 && rt->deferred.length))
    cascade(rt, rt->deferred.items[--rt->deferred.length]);
  rt->depth--;
}

void ouro_unref_dead(ouro_object *o) {
  runtime_misuse(o, "R3: it was unreferenced more often than it was referenced");
}
