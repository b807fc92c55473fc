/* SPDX-License-Identifier: MIT */
/*
 * Weak references as the rest of the objects sees them: who refers to whom weakly is in a table
 * outside the objects, OURO_FLAG_WEAK in a header says that there is an entry.
 *
 * The weak references to one object form a chain of *links*, some in weak reference objects, the
 * others in entries of weak containers (weaktable.h):
 *
 *     OURO_FLAG_WEAK in o's header  <=>  the map has o  <=>  o's chain has a link
 *     link->referent == NULL  <=>  it is in no chain: its referent is gone
 *     order of a chain: a weak reference without callback and closure that is shared, if there is
 *     one, then from the youngest to the oldest
 */
#ifndef OURO_SRC_OBJECT_WEAK_H
#define OURO_SRC_OBJECT_WEAK_H

#include "runtime.h"
#include <ouro/weak.h>

typedef struct weak_link {
  ouro_object *referent; /* not counted */
  struct weak_link *newer, *older;
  ouro_weak_fn callback; /* weaktable_entry_mark: the link lies in a container's entry */
} weak_link;

struct ouro_weak {
  ouro_object object;
  ouro_object *closure;
  weak_link link;
};

/* --- For destruction and the collector -------------------------------------------------------- */

/* The object, which has OURO_FLAG_WEAK, dies: its weak references read as gone and entries of
 * containers disappear, then the callbacks of those still alive are called, the youngest weak
 * reference's first. */
void weak_clear(ouro_object *referent);

/* The same for all members of a garbage batch that have the flag: first every weak reference to any
 * of them is cleared, then the callbacks of those are called that are not members themselves (rule
 * W5). Returns whether the program's code may have run. */
bool weak_clear_batch(ouro_object *const *garbage, size_t n);

/* Visits the weak reference objects that refer to an object that has the flag. */
void weak_each(const ouro_object *referent, ouro_visit_fn visit, void *arg);

/* Checks the invariants above: NULL, or a static text naming the first that fails. */
const char *weak_check(ouro_heap *heap);

/* --- For weak containers ---------------------------------------------------------------------- */

/* Whether somebody may be given the referent of a link. */
bool weak_link_alive(const weak_link *link);

/* Whether there may be weak references to the object now; else the reason is noted. */
bool weak_allowed(const ouro_object *referent);

/* Makes the link one to `referent`. False: out of memory. May collect, thus run the program's code:
 * the caller holds the referent. */
bool weak_attach(ouro_heap *heap, weak_link *link, ouro_object *referent);

/* Takes the link out of its chain, if it is in one. */
void weak_detach(ouro_heap *heap, weak_link *link);

#endif
