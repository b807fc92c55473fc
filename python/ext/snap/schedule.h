/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of a program's whole life, for a verdict when it ends: taken when it is one second old,
 * then two, four and so on, so that however long it runs there are few, and the last two are from
 * its second half and from the quarter before. Older ones are removed. The ticker takes them.
 */
#ifndef OURO_EXT_SNAP_SCHEDULE_H
#define OURO_EXT_SNAP_SCHEDULE_H

#include <ouro/pool.h>

#include "tells.h"

#define SCHEDULE_KEPT 2
#define SCHEDULE_PATH 1024 /* of a prefix */
#define SCHEDULE_FILE (SCHEDULE_PATH + 32)

/* The first one is due in `first_ms`, the files are PREFIX.N.snap. False: it has begun already, or
 * the prefix is too long. GIL held, main interpreter. */
bool schedule_begin(ouro_heap *heap, const char *prefix, snaptells tells, unsigned first_ms);

/* Whether there is anything to look for. Any thread. */
bool schedule_armed(void);

/* Looks; true: a snapshot is due, for schedule_take. The ticker, without the GIL. */
bool schedule_look(void);

/* Takes it. The ticker, with the GIL. `heap`: an ouro_heap. */
void schedule_take(void *heap);

/* Takes no more, waits until the last one is complete, and leaves those that there are, the oldest
 * first. Returns their number. Without the GIL; the second time: 0. */
size_t schedule_end(char files[SCHEDULE_KEPT][SCHEDULE_FILE]);

/* In a forked child: the parent's life is not its own. */
void schedule_after_fork(void);

#endif
