/* SPDX-License-Identifier: MIT */
/* What `ledger` and `gc` have in common: one program is asked, once or again and again. */
#ifndef OURO_CLI_ASKING_H
#define OURO_CLI_ASKING_H

#include "cli.h"
#include "reply.h"

typedef struct asking {
  const char *request; /* the word for the channel */
  /* The whole answer. `before`: an earlier one of the same program, for what changed; or NULL. */
  void (*print)(const reply *now, const reply *before);
  void (*print_line)(const reply *now); /* for a log: the time and what matters most */
  void (*print_json)(pid_t pid, const reply *now, bool pretty);
  void (*print_next)(pid_t pid); /* the next command to type */
  /* True: there is nothing to show, and one line has said why. NULL: there always is. */
  bool (*print_nothing)(pid_t pid, const reply *answer);
} asking;

/* The options and the parser of such a verb. */
extern const struct argp_option asking_options[];
error_t asking_parse(int key, char *text, struct argp_state *state);

/* Does what the arguments ask for; returns the exit status. */
int asking_run(const asking *how, const struct argp *argp, int argc, char **argv);

#endif
