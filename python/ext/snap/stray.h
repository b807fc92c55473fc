/* SPDX-License-Identifier: MIT */
/*
 * Strays: objects that live but that nothing refers to which the collector tracks or a root holds.
 * A text, a number or an untracked tuple is one when C code alone holds it, be it in a static
 * variable or because it forgot a reference. They are found among the heap's blocks by their looks:
 * a count that a program can have, then the address of a type that is known, where an object of
 * that type begins, in a block that has room for it. What a buffer holds does not look so: counts
 * are no addresses. Not found this way: objects larger than the heap's blocks or from before it was
 * there, those with attributes of their own, and all of a debug build, whose blocks begin with
 * words of its own.
 */
#ifndef OURO_EXT_SNAP_STRAY_H
#define OURO_EXT_SNAP_STRAY_H

#include "walk.h"

/* Writes the strays and what they reach, when all else is known. */
void snapstray_write(snapwalk *w);

/* Whether memory is there at `at`, of some hundred bytes at most: what looks like an object may
 * have been one. */
bool snapstray_mapped(snapwalk *w, const void *at, size_t size);

#endif
