/* SPDX-License-Identifier: MIT */
/*
 * A small object system as one finds it in many an interpreter, which knows nothing of Ouro:
 * objects from malloc, counted, with a table of functions each, and a world that lists them all.
 *
 *     entries[o->slot].object == o for each object; NULL: the entry is free
 *     count == 0: being destroyed; count == TOY_STICKY: never changes
 */
#ifndef TOY_H
#define TOY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct toy_world toy_world;
typedef struct toy_object toy_object;

/* What all objects of a kind have in common. */
typedef struct toy_kind {
  const char *name;
  size_t size;
  /* Where its references lie, side by side; NULL in the table: it never has any. References may be
   * NULL. */
  toy_object **(*references)(toy_object *self, size_t *count);
  /* Called once, before its references are dropped; may make it reachable again. */
  void (*finalize)(toy_world *world, toy_object *self);
} toy_kind;

struct toy_object {
  const toy_kind *kind;
  uint32_t count;
  uint32_t slot : 31;
  uint32_t finalized : 1;
};

#define TOY_STICKY UINT32_MAX

typedef struct toy_entry {
  toy_object *object;
  uint32_t serial; /* changes when an object ends, so that handles can tell */
  uint32_t next;   /* on the list of free entries, or of objects to be destroyed: slot + 1 */
} toy_entry;

struct toy_world {
  toy_entry *entries;
  uint32_t used, room, free;
  uint32_t live;
  uint32_t dying; /* list */
  bool destroying;
};

void toy_world_end(toy_world *world);

/* A new reference, references NULL, `extra` bytes behind the kind's size. NULL: out of memory. */
toy_object *toy_new(toy_world *world, const toy_kind *kind, size_t extra);

toy_object *toy_retain(toy_object *object);
void toy_release(toy_world *world, toy_object *object);

/* Frees an object whose references have been dropped. */
void toy_free(toy_world *world, toy_object *object);

/* Runs the finalizer, if there is one that has not run. */
void toy_finalize(toy_world *world, toy_object *object);

/* A weak reference: finds the object as long as it lives. toy_lookup gives a new reference. */
typedef struct toy_handle {
  uint32_t slot, serial;
} toy_handle;
toy_handle toy_handle_of(const toy_world *world, const toy_object *object);
toy_object *toy_lookup(const toy_world *world, toy_handle handle);

#endif
