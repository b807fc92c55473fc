/* SPDX-License-Identifier: MIT */
/*
 * How often the cycle collector ran, how long each generation stopped the program, and what it
 * found: a callback in gc.callbacks, in C so that a collection of generation 0 costs no more than
 * its dict does.
 */
#ifndef OURO_EXT_PAUSES_H
#define OURO_EXT_PAUSES_H

#include "compat.h"

/* Adds the callback for the calling interpreter; a second call has no effect. 0, or -1 with an
 * exception. */
int pauses_start(void);

/* A new tuple of three tuples, one per generation: (collections, total nanoseconds, longest
 * nanoseconds, collected, uncollectable), or NULL with an exception. */
PyObject *pauses_read(void);

#endif
