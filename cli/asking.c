/* SPDX-License-Identifier: MIT */
#include "asking.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "size.h"

#define WATCH_SECONDS 2
#define WATCH_SECONDS_MOST 86400

const struct argp_option asking_options[] = {
    CLI_HELP_OPTION,
    {"json", 'j', NULL, 0, "as JSON; with --watch one object per line", 0},
    {"watch", 'w', "SECONDS", OPTION_ARG_OPTIONAL, "again every SECONDS (default 2) until Ctrl-C",
     0},
    {0}};

typedef struct request {
  const asking *how;
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

error_t asking_parse(int key, char *text, struct argp_state *state) {
  request *to = state->input;
  switch (key) {
  case 'h': cli_help(state->root_argp, state->argv[0]); exit(CLI_DONE);
  case ARGP_KEY_ERROR: cli_bad_option(state, asking_options);
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

static bool ask(const request *what, channel_answer *out, char why[CHANNEL_WHY]) {
  return channel_ask(what->pid, what->how->request, CHANNEL_PATIENCE_MS, out, why);
}

static bool is_nothing(const request *what, const channel_answer *answer) {
  bool (*nothing)(pid_t, const reply *) = what->how->print_nothing;
  return nothing != NULL && !what->json && nothing(what->pid, &answer->parsed);
}

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
    what->how->print_json(what->pid, now, false);
  } else if (terminal) {
    fputs("\033[H\033[J", stdout);
    what->how->print(now, now != first ? first : NULL);
    printf("\nevery %u s; Ctrl-C ends\n", (unsigned)what->seconds);
  } else {
    what->how->print_line(now);
  }
  fflush(stdout);
}

/* Shows `first` and what comes after it. True: the user ended it, or nobody reads it. */
static bool follow(const request *what, const reply *first, char why[CHANNEL_WHY]) {
  channel_answer now;
  sigset_t ends;
  bool terminal = isatty(STDOUT_FILENO);
  block_ends(&ends);
  show(what, first, first, terminal);
  bool ended = wait_ended(&ends, what->seconds);
  while (!ended && !ferror(stdout)) {
    if (!ask(what, &now, why)) return false;
    show(what, &now.parsed, first, terminal);
    channel_forget(&now);
    ended = wait_ended(&ends, what->seconds);
  }
  return true;
}

static int watch(const request *what) {
  channel_answer first;
  char why[CHANNEL_WHY];
  if (!ask(what, &first, why)) return cli_say(CLI_FAILED, "%s", why);
  bool done = is_nothing(what, &first) || follow(what, &first.parsed, why);
  channel_forget(&first);
  if (done) return CLI_DONE;
  if (!channel_process_exists(what->pid))
    return cli_say(CLI_DONE, "process %ld has ended", (long)what->pid);
  return cli_say(CLI_FAILED, "%s", why);
}

static int once(const request *what) {
  channel_answer answer;
  char why[CHANNEL_WHY];
  if (!ask(what, &answer, why)) return cli_say(CLI_FAILED, "%s", why);
  if (what->json) {
    what->how->print_json(what->pid, &answer.parsed, true);
  } else if (!is_nothing(what, &answer)) {
    what->how->print(&answer.parsed, NULL);
    what->how->print_next(what->pid);
  }
  channel_forget(&answer);
  return CLI_DONE;
}

int asking_run(const asking *how, const struct argp *argp, int argc, char **argv) {
  request what = {.how = how};
  cli_parse(argp, argc, argv, &what);
  return what.seconds > 0 ? watch(&what) : once(&what);
}
