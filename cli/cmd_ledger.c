/* SPDX-License-Identifier: MIT */
/* ouro ledger: where a running program's memory is, once or again and again. */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "print.h"
#include "size.h"

#define WATCH_SECONDS 2
#define WATCH_SECONDS_MOST 86400

static const struct argp_option options[] = {
    CLI_HELP_OPTION,
    {"json", 'j', NULL, 0, "as JSON; with --watch one object per line", 0},
    {"watch", 'w', "SECONDS", OPTION_ARG_OPTIONAL, "again every SECONDS (default 2) until Ctrl-C",
     0},
    {0}};

typedef struct request {
  pid_t pid;
  bool json;
  uint64_t seconds; /* 0: once */
} request;

static uint64_t seconds_of(const char *text) {
  uint64_t seconds;
  if (!size_parse_count(text, WATCH_SECONDS_MOST, &seconds) || seconds == 0)
    cli_die(CLI_USAGE, "--watch '%s' is not a number of seconds from 1 to %d", text,
            WATCH_SECONDS_MOST);
  return seconds;
}

/* "--watch 5" with a blank: the number is the interval if a process id comes before or after it. */
static void take_interval(request *to, struct argp_state *state) {
  const char *next = state->next < state->argc ? state->argv[state->next] : NULL;
  bool pid_follows = state->next + 1 < state->argc && state->argv[state->next + 1][0] != '-';
  uint64_t ignored;
  to->seconds = WATCH_SECONDS;
  if (next == NULL || !size_parse_count(next, UINT64_MAX, &ignored)) return;
  if (to->pid == 0 && !pid_follows) return;
  to->seconds = seconds_of(next);
  state->next++;
}

static error_t parse(int key, char *text, struct argp_state *state) {
  request *to = state->input;
  switch (key) {
  case 'h': cli_help(&argp_ledger, state->argv[0]); exit(CLI_DONE);
  case ARGP_KEY_ERROR: cli_bad_option(state, options);
  case 'j': to->json = true; break;
  case 'w':
    if (text != NULL) to->seconds = seconds_of(text);
    else take_interval(to, state);
    break;
  case ARGP_KEY_ARG:
    if (to->pid != 0) cli_die(CLI_USAGE, "one process at a time; '%s' is too much", text);
    to->pid = cli_pid(text);
    break;
  case ARGP_KEY_END:
    if (to->pid == 0) cli_die(CLI_USAGE, "which process? to see the programs on Ouro: ouro ps");
    break;
  default: return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

const struct argp argp_ledger = {.options = options,
                                 .parser = parse,
                                 .args_doc = "PID",
                                 .doc = "Shows where the memory of a running program is: a tree of "
                                        "which each part is the sum of its "
                                        "branches, and the root is all that is resident. What "
                                        "cannot be told apart is in the row 'not "
                                        "attributed'.\vExample:  ouro ledger --watch 4711"};

/* --- Again and again --- */

/* Signals that end the watch stay blocked except while it waits, so that none is lost or cuts a
 * line. */
static void block_ends(sigset_t *ends) {
  sigemptyset(ends);
  sigaddset(ends, SIGINT);
  sigaddset(ends, SIGTERM);
  sigprocmask(SIG_BLOCK, ends, NULL);
}

/* Whether the user ended the watch during the wait. */
static bool wait_ended(const sigset_t *ends, uint64_t seconds) {
  struct timespec interval = {.tv_sec = (time_t)seconds};
  return sigtimedwait(ends, NULL, &interval) > 0;
}

static void show(const request *what, const reply *now, const reply *first, bool terminal) {
  if (what->json) {
    print_ledger_json(what->pid, now, false);
  } else if (terminal) {
    fputs("\033[H\033[J", stdout);
    print_ledger(now, now != first ? first : NULL);
    printf("\nevery %u s; Ctrl-C ends\n", (unsigned)what->seconds);
  } else {
    print_ledger_line(now);
  }
  fflush(stdout);
}

static int watch(const request *what) {
  channel_answer first, now;
  char why[CHANNEL_WHY];
  sigset_t ends;
  bool terminal = isatty(STDOUT_FILENO);
  if (!channel_ask(what->pid, "ledger", CHANNEL_PATIENCE_MS, &first, why))
    return cli_say(CLI_FAILED, "%s", why);
  block_ends(&ends);
  show(what, &first.parsed, &first.parsed, terminal);
  bool ended = wait_ended(&ends, what->seconds);
  while (!ended && !ferror(stdout)) {
    if (!channel_ask(what->pid, "ledger", CHANNEL_PATIENCE_MS, &now, why)) break;
    show(what, &now.parsed, &first.parsed, terminal);
    channel_forget(&now);
    ended = wait_ended(&ends, what->seconds);
  }
  channel_forget(&first);
  if (ended || ferror(stdout)) return CLI_DONE;
  if (!channel_process_exists(what->pid))
    return cli_say(CLI_DONE, "process %ld has ended", (long)what->pid);
  return cli_say(CLI_FAILED, "%s", why);
}

static int once(const request *what) {
  channel_answer answer;
  char why[CHANNEL_WHY];
  if (!channel_ask(what->pid, "ledger", CHANNEL_PATIENCE_MS, &answer, why))
    return cli_say(CLI_FAILED, "%s", why);
  if (what->json) {
    print_ledger_json(what->pid, &answer.parsed, true);
  } else {
    print_ledger(&answer.parsed, NULL);
    print_next("what changes", "ouro ledger %ld --watch", (long)what->pid);
  }
  channel_forget(&answer);
  return CLI_DONE;
}

int cmd_ledger(int argc, char **argv) {
  request what = {0};
  cli_parse(&argp_ledger, argc, argv, &what);
  return what.seconds > 0 ? watch(&what) : once(&what);
}
