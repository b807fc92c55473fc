/* SPDX-License-Identifier: MIT */
/*
 * The interpreter's own arenas: those that pymalloc had mapped before Ouro's hook took over. It has
 * no call that lists them, so they are found by the objects in them.
 */
#ifndef OURO_EXT_ARENAS_H
#define OURO_EXT_ARENAS_H

#include <stddef.h>
#include <stdint.h>

enum { ARENAS_RANGES = 512 };

typedef struct arenas_range {
  uintptr_t start, end;
} arenas_range;

/* Copies the ranges noted by ledger_note_interpreter, by address, and returns how many. Any thread.
 */
size_t arenas_noted(arenas_range out[ARENAS_RANGES]);

#endif
