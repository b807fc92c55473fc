/* SPDX-License-Identifier: MIT */
/*
 * Snapshots that the program takes by itself: on a signal, when a file appears, near a limit of its
 * memory, at the first allocation that fails. The ticker looks for the first three, several times a
 * second; the last one is taken where it happens.
 */
#ifndef OURO_EXT_SNAP_TRIGGER_H
#define OURO_EXT_SNAP_TRIGGER_H

#include "limits.h"
#include "tells.h"

#define TRIGGER_PATH 1024

/* How often the ticker looks. */
#define TRIGGER_MS 250

typedef struct trigger_options {
  int signal;                /* 0: none */
  bool memory_error;         /* at the first allocation that fails */
  snaptells tells;           /* as in snapdump_options */
  unsigned limit_permille;   /* of a limit; 0: not watched */
  size_t heap_limit;         /* the heap's own; 0: none */
  char prefix[TRIGGER_PATH]; /* of the files' names, which end in ".PID.N.snap" */
  char file[TRIGGER_PATH];   /* to wait for; empty: none */
  char beside[TRIGGER_PATH]; /* the prefix of what is written for it */
} trigger_options;

#define TRIGGER_WHY 160

/* From now on these, instead of what was set before. 0; or -1 with the reason, and then nothing is
 * changed. A limit that is wanted and not there yet is no reason. GIL held, main interpreter; not
 * in several threads at once. */
int trigger_set(ouro_heap *heap, const trigger_options *options, char why[TRIGGER_WHY]);

/* What watches for failures is no longer around the allocators, and trigger_set puts it there
 * again: for when the hook is put in. GIL held. */
void trigger_unhook(void);

/* Whether there is anything to look for. Any thread. */
bool trigger_armed(void);

/* The limit that is used most. GIL held. */
limits_use trigger_limit(void);

/* Looks; true: a snapshot is due, for trigger_take. The ticker, without the GIL. */
bool trigger_look(void);

/* Takes it. The ticker, with the GIL. `heap`: an ouro_heap. */
void trigger_take(void *heap);

/* In a forked child: what was asked of the parent is the parent's. */
void trigger_after_fork(void);

#endif
