/* SPDX-License-Identifier: MIT */
/* What keeps objects alive by itself: modules, the interpreter, threads and their calls. */
#ifndef OURO_EXT_SNAP_ROOTS_H
#define OURO_EXT_SNAP_ROOTS_H

#include "walk.h"

/* Writes the roots and the calls in progress, each an object of its own kind, and remembers what
 * they refer to. What is rooted counts that reference only if it is of kind THREAD or INTERPRETER;
 * a frame's locals are its edges. */
void snaproots_write(snapwalk *w);

#endif
