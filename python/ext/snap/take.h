/* SPDX-License-Identifier: MIT */
/*
 * Takes a snapshot while the program runs on: a child is cloned while the GIL is held and writes
 * what it sees, the program goes on as soon as it is cloned.
 *
 * The program never hears of that child. It has no exit signal, so that no SIGCHLD comes and
 * wait() and waitpid(-1) do not see it; no at-fork function runs, in either process; it is deaf to
 * signals and lets go of every descriptor but the file's, so that a connection or a pipe which the
 * program closes meanwhile does end. It is nicer than the program, and the first to be killed where
 * memory runs out.
 */
#ifndef OURO_EXT_SNAP_TAKE_H
#define OURO_EXT_SNAP_TAKE_H

#include <sys/types.h>

#include "../ledger.h"
#include "tells.h"

typedef struct snaptake_options {
  snaptells tells;
  bool in_place; /* where no child can be made, write it here, holding the GIL */
  int status;    /* a pipe: written to as snaptake_tell does, and closed by its end; -1: none */
  const ledger *ledger; /* for the facts, or NULL */
} snaptake_options;

typedef struct snaptaken {
  pid_t child;       /* which writes it now; 0: it has been written */
  uint64_t pause_ns; /* for which the caller held the GIL */
} snaptaken;

/* 0; or an errno value: of clone, or, in place, of what the writing failed with. Descriptors stay
 * the caller's. The child is for snaptake_wait or snaptake_leave. GIL held, main interpreter. */
int snaptake(ouro_heap *heap, int file, const snaptake_options *options, snaptaken *out);

/* Waits for the child's end: 0, an errno value, or -1 where it was killed; EINTR: a signal came,
 * wait again. Without the GIL. */
int snaptake_wait(pid_t child);

/* Leaves the child to snaptake_reap. Beyond SNAPTAKE_LEFT of them the oldest is forgotten, and
 * stays as a zombie for as long as the program runs. Any thread. */
#define SNAPTAKE_LEFT 8
void snaptake_leave(pid_t child);

/* Buries those left that have ended, without waiting. Whether some have not. Any thread. */
bool snaptake_reap(void);

/* Keeps so much address space, without memory, for the children to come, where RLIMIT_AS would
 * leave them none. Again: no effect. GIL held. */
void snaptake_reserve(size_t bytes);

/* Writes an errno value, 0 for success, as four bytes in the machine's order. A pipe that ends
 * without them was a writer's that got killed. */
void snaptake_tell(int status, int error);

#endif
