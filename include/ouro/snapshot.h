/* SPDX-License-Identifier: MIT */
/*
 * Snapshots: a file that says what is alive in a heap, how large, and who holds it by which name,
 * for `ouro why`, `ouro path`, `ouro dom` and the other verbs (man ouro).
 *
 * In the file: each live object with its type, size, count, generation and its references. A
 * reference's name is what the type declares (`ref_names`, `name_ref`, fields of records), the
 * index in a list or tuple, the key in a dictionary. Strings and integers that are keys are in it
 * as text, no other value is. What something outside the heap's objects holds is a root, once for
 * each reference: "root" where ouro_gc_set_roots names it, else "outside". Memory that is no
 * object's is in the facts (`ledger.*`).
 */
#ifndef OURO_SNAPSHOT_H
#define OURO_SNAPSHOT_H

#include <ouro/gc.h>

OURO_BEGIN_DECLS

typedef enum ouro_snapshot_flags {
  OURO_SNAPSHOT_REDACT = 1 /* no texts of keys */
} ouro_snapshot_flags;

/* Writes a snapshot of the heap to a descriptor. 0, or the errno value of what failed; a file that
 * was not finished can be read up to there. Takes nothing from the heap, so it works at the heap's
 * limit: about 6 MiB and up to 4 bytes per object come from the system. Calls `traverse`, `length`
 * and `name_ref` of types. Not from within these, nor from a finalizer. */
OURO_API int ouro_snapshot_write(ouro_heap *heap, int descriptor, unsigned flags);

/* The same to a new or emptied file, by a child that has a copy of the heap: the program stands
 * still for as long as the system takes to make the child. Returns the child, whose exit status is
 * what ouro_snapshot_write returns and whom the caller waits for (waitpid), or minus the errno
 * value where there is none. The heap's types must not need other threads or locks of libc. */
OURO_API int64_t ouro_snapshot(ouro_heap *heap, const char *path, unsigned flags);

OURO_END_DECLS

#endif
