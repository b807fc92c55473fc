/* SPDX-License-Identifier: MIT */
/* Asking a running program over its control channel. */
#ifndef OURO_CLI_CHANNEL_H
#define OURO_CLI_CHANNEL_H

#include <stdbool.h>
#include <sys/types.h>

#include "reply.h"

typedef struct channel_answer {
  char *text;  /* what the strings of `parsed` lie in; for channel_forget */
  bool silent; /* after a failure: it listens, but did not answer in time */
  reply parsed;
} channel_answer;

#define CHANNEL_WHY 512

/* Writes `why`. False, so that a failure can be returned in one line. */
bool channel_complain(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Most that a program may take to answer. */
#define CHANNEL_PATIENCE_MS 5000

/* Sends `request` (one word) to a process and reads the whole answer. True: `out` is for
 * channel_forget. False: `why` has one line for the user, which says what to do. An answer "error
 * ..." counts as false. */
bool channel_ask(pid_t pid, const char *request, int patience_ms, channel_answer *out,
                 char why[CHANNEL_WHY]);

#define CHANNEL_PASSED_MAX 4

typedef struct channel_request {
  const char *word;  /* or words */
  const int *passed; /* descriptors that go along and stay the caller's */
  size_t count;      /* of them, CHANNEL_PASSED_MAX at most */
} channel_request;

/* The same with descriptors. */
bool channel_request_ask(pid_t pid, const channel_request *request, int patience_ms,
                         channel_answer *out, char why[CHANNEL_WHY]);
void channel_forget(channel_answer *answer);

bool channel_process_exists(pid_t pid);

/* The processes with a socket in any place this user's programs may have chosen (root: any user's).
 * Writes up to `room`, without repetition, in no order; returns how many. */
size_t channel_list(pid_t *out, size_t room);

#endif
