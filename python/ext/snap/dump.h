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
 * Redaction. The keys of a dictionary are written as texts, since they are most of what a reference
 * is called, and the contents of no other object are. With `redact`, only those of namespaces are:
 * dictionaries of modules, of classes and of instances, and sys.modules. Names of attributes,
 * variables, functions, types, modules and files are written in either case, and so are digests of
 * strings (four bytes that tell equal ones, not what they say) unless `redact` is set.
 */
#ifndef OURO_EXT_SNAP_DUMP_H
#define OURO_EXT_SNAP_DUMP_H

#include "../compat.h"
#include "../ledger.h"

#include <ouro/pool.h>

typedef struct snapdump_options {
  bool redact;
  uint64_t pause_ns;    /* what the program waited, for the facts */
  const char *mode;     /* "fork" or "in place" */
  uint64_t process;     /* pid to be written; 0: the calling one's */
  const ledger *ledger; /* rows and memos for the facts; NULL: none are written */
  uint64_t resident;    /* bytes, for the fact rss; 0: it is read from /proc/self/statm */
} snapdump_options;

/* Finds out how this interpreter keeps what is not public, by looking at objects made for that.
 * Once, in the program itself before the first snapshot; it costs some 100 us then and nothing
 * later. What was not found out is not named in snapshots, which stay true. GIL held, no exception
 * set; none is left. Calls no code of the program, but may start a collection. */
void snapdump_prepare(void);

/* Writes the heap to a descriptor that stays the caller's. `heap` is the hook's, or NULL. 0, or the
 * errno value of what failed: ENOMEM, or of a write. GIL held (or was, when this process was
 * cloned), in the main interpreter; the program must stand still. */
int snapdump_write(ouro_heap *heap, int descriptor, const snapdump_options *options);

/* _snapshot_in_place(descriptor, redact=False): prepares and writes, holding the GIL. None, or
 * OSError. METH_VARARGS. */
PyObject *snapdump_py(PyObject *module, PyObject *args);

#endif
