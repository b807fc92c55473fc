/* SPDX-License-Identifier: MIT */
/* Having a running program write a snapshot of itself to a file of ours. */
#ifndef OURO_CLI_SNAPPING_H
#define OURO_CLI_SNAPPING_H

#include "channel.h"

#define SNAPPING_PATH 512

typedef struct snapping_options {
  bool redact, values; /* at most one of them */
  bool replace;        /* a file of that name gives way once the program writes */
  bool progress;       /* on stderr, if that is a terminal and it takes over two seconds */
} snapping_options;

typedef struct snapping {
  uint64_t pause_ns; /* for which the program stood still */
  bool in_place;     /* it could not make a child, and stood still all the while */
  bool values;       /* the file has them */
  uint64_t bytes, objects, edges;
} snapping;

/* A name that no file in the current directory has: ouro-SCRIPT.PID.N.snap. */
void snapping_name(pid_t pid, char out[SNAPPING_PATH]);

/* The file is opened here, in the caller's directories, and passed to the program: it needs no
 * place to write to. Returns when it is complete and has been read back. False: `why` has one line;
 * what a writer that was killed has left stays. */
bool snapping_take(pid_t pid, const char *path, const snapping_options *how, snapping *out,
                   char why[CHANNEL_WHY]);

#endif
