/* SPDX-License-Identifier: MIT */
/* Weak references as the rest of the objects sees them: who refers to whom weakly is in a table
 * outside the objects, OURO_FLAG_WEAK in a header says that there is an entry. */
#ifndef OURO_SRC_OBJECT_WEAK_H
#define OURO_SRC_OBJECT_WEAK_H

#include "object/runtime.h"
#include "ouro/weak.h"

/* The object, which has OURO_FLAG_WEAK, dies: its weak references read as gone, then the callbacks
 * of those still alive are called, the youngest weak reference's first. */
void weak_clear(ouro_object *referent);

/* The same for all members of a garbage batch that have the flag: first every weak reference to any
 * of them is cleared, then the callbacks of those are called that are not members themselves (rule
 * W5). Returns whether a callback was called. */
bool weak_clear_batch(ouro_object *const *garbage, size_t n);

/* Visits the weak references to an object that has the flag. */
void weak_each(const ouro_object *referent, ouro_visit_fn visit, void *arg);

#endif
