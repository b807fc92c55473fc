/* SPDX-License-Identifier: MIT */
/*
 * CPython's doubly linked lists of tracked objects. A head is a link too; an empty list's head
 * points to itself. The two low bits of `previous` are flags of the object (finalized, collecting)
 * and stay with it; outside a collection `next` is an address. `next` of an object that is not
 * tracked is 0.
 */
#ifndef OURO_EXT_GC_LIST_H
#define OURO_EXT_GC_LIST_H

#include "../compat.h"

/* Generations' heads lie at 4 modulo 8 in some builds (3.13.5), objects' links never. */
typedef struct __attribute__((packed, aligned(4))) gclink {
  uintptr_t next, previous;
} gclink;

#define GCLINK_FLAGS ((uintptr_t)3)
#define GCLINK_COLLECTING ((uintptr_t)2) /* a collection looks at the object */

_Static_assert(sizeof(gclink) == 16, "PyGC_Head: two words in front of each object");

static inline gclink *gclink_of(const PyObject *o) {
  return (gclink *)((uintptr_t)o - sizeof(gclink));
}
static inline PyObject *gclink_object(const gclink *l) {
  return (PyObject *)((uintptr_t)l + sizeof(gclink));
}
static inline gclink *gclink_next(const gclink *l) { return (gclink *)l->next; }
static inline gclink *gclink_previous(const gclink *l) {
  return (gclink *)(l->previous & ~GCLINK_FLAGS);
}
static inline bool gclink_tracked(const gclink *l) { return l->next != 0; }

static inline void gclink_join(gclink *left, gclink *right) {
  left->next = (uintptr_t)right;
  right->previous = (uintptr_t)left | (right->previous & GCLINK_FLAGS);
}

static inline void gclist_init(gclink *head) { head->next = head->previous = (uintptr_t)head; }
static inline bool gclist_empty(const gclink *head) { return head->next == (uintptr_t)head; }

/* Out of whatever list it is in; it must be put into another before anyone looks. */
static inline void gclink_unlink(gclink *l) { gclink_join(gclink_previous(l), gclink_next(l)); }

static inline void gclink_insert_after(gclink *at, gclink *l) {
  gclink *next = gclink_next(at);
  gclink_join(at, l);
  gclink_join(l, next);
}

/* To the end of another list. */
static inline void gclink_move(gclink *l, gclink *head) {
  gclink_unlink(l);
  gclink_insert_after(gclink_previous(head), l);
}

/* All of `from` to the end of `to`. */
static inline void gclist_append(gclink *to, gclink *from) {
  if (gclist_empty(from)) return;
  gclink *first = gclink_next(from), *last = gclink_previous(from);
  gclink_join(gclink_previous(to), first);
  gclink_join(last, to);
  gclist_init(from);
}

/* All of `from` to the front of `to`. */
static inline void gclist_prepend(gclink *to, gclink *from) {
  if (gclist_empty(from)) return;
  gclink *first = gclink_next(from), *last = gclink_previous(from);
  gclink_join(last, gclink_next(to));
  gclink_join(to, first);
  gclist_init(from);
}

#endif
