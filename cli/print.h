/* SPDX-License-Identifier: MIT */
/* What the command prints: tables that line up, JSON, and the next command to type. */
#ifndef OURO_CLI_PRINT_H
#define OURO_CLI_PRINT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "reply.h"

/* The tree of rows with sizes and shares of the root, then the memos. `before`: an earlier answer
 * of the same process, to which a column of changes refers; NULL: no such column. Rows of nothing
 * are left out. */
void print_ledger(const reply *now, const reply *before);

/* One JSON object on one line or, `pretty`, on several. */
void print_ledger_json(pid_t pid, const reply *now, bool pretty);

/* For a log: the time and the rows just below the root, "key size" each, on one line. */
void print_ledger_line(const reply *now);

/* The time of day, the first word of such a line. */
void print_clock(void);

typedef struct print_program {
  pid_t pid;
  char resident[32];
  char python[32];
  char command[256];
} print_program;

void print_programs(const print_program *programs, size_t count);

/* "next:  command   what for", the last line of every verb. */
void print_next(const char *what_for, const char *command, ...)
    __attribute__((format(printf, 2, 3)));

#endif
