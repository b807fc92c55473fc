/* SPDX-License-Identifier: MIT */
/*
 * The allocator hook: CPython's MEM and OBJ domains on one Ouro heap.
 *
 * Installed once per process and never taken out: blocks live until the process ends, also behind
 * Py_Finalize. See docs/design/python.md.
 */
#ifndef OURO_EXT_HOOK_H
#define OURO_EXT_HOOK_H

#include <ouro/pool.h>

/* Puts the hook in, over a new heap with these options. With a limit or hardened, blocks of every
 * size come from the heap, else only those up to OURO_SMALL_MAX. 0; or -1 with a Python exception
 * that says what to do, and nothing changed. `watched`: the collector hears of every block that
 * ends (gc/known.h). GIL held, main interpreter.
 *
 * Call it again, with the same options, where a program has started the interpreter again: from
 * 3.12 on that resets all allocators, and the hook goes back in over the same heap. */
int hook_install(const ouro_heap_options *options, bool watched);

/* Any thread. */
bool hook_installed(void);
ouro_heap *hook_heap(void);

/* Whether the calling thread may change the heap: it holds the main interpreter's GIL, not that of
 * an interpreter with one of its own. Some GIL held. */
bool hook_may_change(void);

/* Whether a tool watches RAW blocks now, as tracemalloc does. A thread that Python does not know
 * had better not take the GIL then: its thread state is a RAW block, and a tracemalloc that stops
 * meanwhile crashes on it (CPython before 3.12.9 and 3.13.2). Any thread. */
bool hook_raw_watched(void);

#endif
