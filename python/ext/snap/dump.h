/* SPDX-License-Identifier: MIT */
/*
 * Writes this process's Python heap as a snapshot (src/snapshot/format.h): every object that the
 * collector's lists name or that is reached from one, its references with the names they have in
 * code, the calls in progress and the roots.
 *
 * Nothing of the program runs: no method, no comparison, no lookup through a class. Memory comes
 * from the system in pages of its own, no lock is taken, nothing is freed and no exception is left,
 * so that a child with one thread, cloned while the GIL was held, can write it.
 *
 * Redaction. What keys of dictionaries say is written, since it is most of what a reference is
 * called; what other objects hold only with SNAPTELLS_VALUES (value.h). With SNAPTELLS_NAMES, only
 * keys are written that are interned and have the form of an identifier, as what stands in code has
 * and what comes from outside has not: an attribute, a keyword, a variable. Names of attributes,
 * variables, functions, types, modules and files are written in any case. A string's digest (four
 * bytes that tell equal ones) can be compared with that of a guess; redacted it is mixed with a
 * number that nobody keeps, so that it can only be compared within the snapshot; and instead of the
 * command line there is only the interpreter's file name.
 */
#ifndef OURO_EXT_SNAP_DUMP_H
#define OURO_EXT_SNAP_DUMP_H

#include "../compat.h"
#include "../ledger.h"
#include "tells.h"

#include <ouro/pool.h>

typedef struct snapdump_options {
  snaptells tells;
  uint64_t pause_ns;    /* what the program waited, for the facts */
  const char *mode;     /* "fork" or "in place" */
  uint64_t process;     /* pid to be written; 0: the calling one's */
  const ledger *ledger; /* rows and memos for the facts; NULL: none are written */
  uint64_t resident;    /* bytes, for the fact rss; 0: it is read from /proc/self/statm */
} snapdump_options;

/* Finds out how this interpreter keeps what is not public, by looking at objects made for that, and
 * reads the collector's statistics. In the program itself, before each snapshot, and first where
 * Python code has called, since frames are proved by those of the caller: some 20 us, the first
 * time 100. What was not found out is missing in the snapshot, which says so. GIL held, no
 * exception set; none is left. Runs no code of the program, starts no collection. */
void snapdump_prepare(void);

/* Writes the heap to a descriptor that stays the caller's. `heap` is the hook's, or NULL. 0, or the
 * errno value of what failed: ENOMEM, or of a write. GIL held (or was, when this process was
 * cloned), in the main interpreter; the program must stand still. */
int snapdump_write(ouro_heap *heap, int descriptor, const snapdump_options *options);

/* For PyArg_ParseTuple's "O&": a snaptells from an int; 0 with ValueError from any other. */
int snapdump_tells(PyObject *number, void *tells);

/* _snapshot_in_place(descriptor, tells=0): prepares and writes, holding the GIL. None, or OSError.
 * METH_VARARGS. */
PyObject *snapdump_py(PyObject *module, PyObject *args);

#endif
