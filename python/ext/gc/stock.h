/* SPDX-License-Identifier: MIT */
/*
 * CPython's own collector as the judge: it gets some objects as its youngest generation, while the
 * real young generations are out of its sight, and does with them what it does with any generation.
 * So weak references, finalizers, resurrection and what is uncollectable are CPython's, exactly, in
 * each version. A set of objects that are not garbage costs time and nothing else.
 */
#ifndef OURO_EXT_GC_STOCK_H
#define OURO_EXT_GC_STOCK_H

#include "layout.h"

/* Has the members of a list, which is empty afterwards, collected; survivors come to the front of
 * the oldest generation, which they belong to. What is visible of a collection (counts, statistics,
 * callbacks) stays as it was. Returns how many were unreachable, uncollectable ones included, whose
 * number is added to *uncollectable. Runs the program's code; a collection may be in progress in
 * which nothing is being moved, as while gc.callbacks are called. */
size_t gcstock_judge(const gclayout *layout, gclink *members, uint64_t *uncollectable);

/* Empties CPython's free lists, as each of its full collections does. */
void gcstock_clear_free_lists(const gclayout *layout);

/* Has CPython believe that a full collection of so many old objects has just been done: so it
 * starts none by itself, as long as this is called after each young one. Should nobody call it any
 * more, as when the program has emptied gc.callbacks, CPython works again by its own rules. */
void gcstock_hold_back(const gclayout *layout, size_t objects);

/* In a forked child: if a thread that is not there any more was in a batch, what was put aside
 * comes back. Whether that was so. */
bool gcstock_after_fork(const gclayout *layout);

#endif
