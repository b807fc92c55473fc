/* SPDX-License-Identifier: MIT */
/* What the verbs of the command share. Exit status: 0 done, 1 could not, 2 wrong use,
 * 3 found what it was to look for. */
#ifndef OURO_CLI_H
#define OURO_CLI_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_FOUND = 3 };

typedef struct verb {
  const char *name;
  const struct argp *argp;
  int (*run)(int argc, char **argv); /* argv[0]: "ouro <verb>" */
  const char *summary;
} verb;

extern const struct argp argp_run, argp_ledger, argp_gc, argp_give_back, argp_ps, argp_snap;
extern const struct argp argp_why, argp_path, argp_dom, argp_refs, argp_cycles, argp_diff, argp_sql;

int cmd_run(int argc, char **argv);
int cmd_ledger(int argc, char **argv);
int cmd_gc(int argc, char **argv);
int cmd_give_back(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_snap(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_path(int argc, char **argv);
int cmd_dom(int argc, char **argv);
int cmd_refs(int argc, char **argv);
int cmd_cycles(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_sql(int argc, char **argv);

/* One line on stderr, "ouro: ..."; returns `status`, so that a verb can end with it. */
int cli_say(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void cli_die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Parses options in the order given. A wrong option ends the process with one line and CLI_USAGE.
 */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Every verb has it, first in its options. */
#define CLI_HELP_OPTION                                                                            \
  { "help", 'h', NULL, 0, "explain the command", -1 }

/* Explains a verb on stdout. */
void cli_help(const struct argp *argp, const char *name);

/* For ARGP_KEY_ERROR: ends the process with one line about the option that argp stopped at. */
_Noreturn void cli_bad_option(const struct argp_state *state, const struct argp_option *options);

/* How many letters must be changed, added or left out to make one word of the other. */
int cli_distance(const char *a, const char *b);

/* A process id as the user typed it; anything else ends the process with one line. */
pid_t cli_pid(const char *text);

#endif
