/* SPDX-License-Identifier: MIT */
/*
 * CPython's full collections in slices. One per process, for the main interpreter.
 *
 *   the end of a young collection: notes what was promoted, then works for a slice (attend.h)
 *   gc.collect(), full:   finishes what is in progress and collects everything in one go
 *   gc.freeze():          forgets everything first, as what is frozen is nobody's business
 *
 * Where CPython must do a full collection itself (debug flags, objects from other allocators) it
 * does, with all that is visible of it. All functions need the GIL.
 */
#ifndef OURO_EXT_GC_COLLECTOR_H
#define OURO_EXT_GC_COLLECTOR_H

#include "../compat.h"
#include "numbers.h"

typedef struct collector_options {
  uint64_t pause_ns;
  uint32_t limit_permille;
  bool
      busy; /* for tests: begins a cycle whenever there is none, a slice at each young collection */
} collector_options;

#define COLLECTOR_WHY 240

/* Takes the full collections over. 0; or -1 with one line that says why CPython's collector stays
 * at work (no exception is set). The allocator hook must be in, and watched. */
int collector_start(const collector_options *options, char why[COLLECTOR_WHY]);

/* Gives them back to CPython. For the interpreter's end. */
void collector_stop(void);

bool collector_on(void);

/* In a forked child. */
void collector_after_fork(void);

/* Works for about `ns`; begins a cycle if none is in progress and `begin` says so. Whether one is
 * in progress then. Called from within the collector it does nothing. */
bool collector_step(uint64_t ns, bool begin);

/* Brings the numbers up to date that nobody has told the collector of. */
void collector_count(void);

/* Whether a step would be useful now. */
bool collector_wanted(void);

/* No slices in young collections until the bound on garbage is reached; nests. Returns how deep. */
int collector_quiet(bool on);

/* Calls it after each pause, as callable(seconds, kind, phase); None or NULL: nobody. Takes a
 * reference. */
void collector_on_pause(PyObject *callable);

#endif
