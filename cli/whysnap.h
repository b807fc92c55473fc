/* SPDX-License-Identifier: MIT */
/* Snapshots of a running program, one after another, for `ouro why PID`. */
#ifndef OURO_CLI_WHYSNAP_H
#define OURO_CLI_WHYSNAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WHYSNAP_FILES 3
#define WHYSNAP_PATH 4096

typedef struct whysnap {
  char path[WHYSNAP_FILES][WHYSNAP_PATH];
  size_t count;
} whysnap;

/* Takes snapshots over `ms`, the first at once and the last at the end. `keep`: the folder that
 * they stay in; NULL: their files have no name and go with this process. Ctrl-C ends the wait,
 * what is there by then is used. A failure ends the process with one line. */
void whysnap_take(whysnap *s, pid_t pid, uint64_t ms, const char *keep);

#endif
