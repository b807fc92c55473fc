/* SPDX-License-Identifier: MIT */
#include "toy.h"

#include <stdlib.h>

static bool grow(toy_world *w) {
  uint32_t room = w->room ? 2 * w->room : 64;
  toy_entry *entries = realloc(w->entries, room * sizeof *entries);
  if (!entries) return false;
  w->entries = entries;
  w->room = room;
  return true;
}

/* A free entry; false: out of memory. */
static bool take_entry(toy_world *w, uint32_t *slot) {
  if (w->free) {
    *slot = w->free - 1;
    w->free = w->entries[*slot].next;
    return true;
  }
  if (w->used == w->room && !grow(w)) return false;
  *slot = w->used++;
  w->entries[*slot] = (toy_entry){0};
  return true;
}

static void give_entry(toy_world *w, uint32_t slot) {
  toy_entry *entry = &w->entries[slot];
  *entry = (toy_entry){.serial = entry->serial + 1, .next = w->free};
  w->free = slot + 1;
}

toy_object *toy_new(toy_world *w, const toy_kind *kind, size_t extra) {
  uint32_t slot;
  toy_object *o = calloc(1, kind->size + extra);
  if (!o || !take_entry(w, &slot)) return free(o), NULL;
  o->kind = kind;
  o->count = 1;
  o->slot = slot;
  w->entries[slot].object = o;
  w->live++;
  return o;
}

toy_object *toy_retain(toy_object *o) {
  if (o && o->count != TOY_STICKY) o->count++;
  return o;
}

void toy_free(toy_world *w, toy_object *o) {
  give_entry(w, o->slot);
  w->live--;
  free(o);
}

void toy_finalize(toy_world *w, toy_object *o) {
  if (!o->kind->finalize || o->finalized) return;
  o->finalized = 1;
  o->kind->finalize(w, o);
}

static void destroy(toy_world *w, toy_object *o) {
  o->count = 1;
  toy_finalize(w, o);
  if (--o->count) return;
  size_t n = 0;
  toy_object **at = o->kind->references ? o->kind->references(o, &n) : NULL;
  while (n-- > 0) toy_release(w, at[n]);
  toy_free(w, o);
}

/* Objects to be destroyed wait on a list, so that a chain of any length needs no stack. */
void toy_release(toy_world *w, toy_object *o) {
  if (!o || o->count == TOY_STICKY || --o->count) return;
  w->entries[o->slot].next = w->dying;
  w->dying = o->slot + 1;
  if (w->destroying) return;
  for (w->destroying = true; w->dying;) {
    toy_object *next = w->entries[w->dying - 1].object;
    w->dying = w->entries[w->dying - 1].next;
    destroy(w, next);
  }
  w->destroying = false;
}

toy_handle toy_handle_of(const toy_world *w, const toy_object *o) {
  return (toy_handle){o->slot, w->entries[o->slot].serial};
}

toy_object *toy_lookup(const toy_world *w, toy_handle handle) {
  const toy_entry *entry = &w->entries[handle.slot];
  if (entry->serial != handle.serial || !entry->object) return NULL;
  bool alive = entry->object->count != 0 && entry->object->count != TOY_STICKY;
  return alive ? toy_retain(entry->object) : NULL;
}

void toy_world_end(toy_world *w) {
  for (uint32_t slot = 0; slot < w->used; slot++) free(w->entries[slot].object);
  free(w->entries);
  *w = (toy_world){0};
}
