/* SPDX-License-Identifier: MIT */
/*
 * Being called by CPython at the collections where there is something to do, and at no others.
 *
 * CPython builds two dicts per collection for whoever is in its list of callbacks. While no cycle
 * is in progress there is nothing to do before a collection of generation 1 promotes objects. What
 * notices that is a *sentinel* in generation 1: its tp_traverse is called by each collection of
 * that generation or of the one above, and by none of generation 0.
 *
 *     resting     CPython's list is gc.callbacks
 *     attending   it is one of ours with one entry, which tells gc.callbacks
 *
 * From one to the other is the exchange of a pointer: no object is made, no count changes, and the
 * program's list is the program's. It may happen where CPython is in no loop over the list: when no
 * collection is in progress, in a collection's traverse, and in our own callback if gc.callbacks is
 * empty. A sentinel that is lost is noticed by nobody: then CPython goes back to its own full
 * collections by itself, and the first one is noticed by the marker, which is of the same type.
 *
 * All functions need the GIL.
 */
#ifndef OURO_EXT_GC_ATTEND_H
#define OURO_EXT_GC_ATTEND_H

#include "layout.h"

/* Attends. `callback` gets what CPython passes in gc.callbacks. False: no memory; no exception is
 * set. No collection may be in progress. The layout must stay where it is. */
bool attend_start(const gclayout *layout, PyMethodDef *callback);

/* CPython's list is gc.callbacks, for good. */
void attend_stop(void);

/* From the next collection on; without effect while one is in progress. */
void attend(void);

/* Until a collection of generation 1 or 2, unless gc.callbacks has entries: then CPython makes its
 * dicts anyway. From the callback only, as the last thing at the end of a collection. */
void attend_rest(void);

/* gc.callbacks, which `*layout.callbacks` is not always: while it is not the callback has to tell
 * them. Borrowed; NULL when stopped. */
PyObject *attend_listeners(void);

/* When the collection in progress began, or was noticed: attend_begins() says so at its start. */
void attend_begins(void);
uint64_t attend_began(void);

/* The sentinel comes to generation 1, wherever it was; no objects may be on the move. True: a
 * collection has looked at it since the last time. */
bool attend_return(void);

/* A tracked object that refers to nothing. NULL: no memory; no exception is set. */
PyObject *attend_make_marker(void);

#endif
