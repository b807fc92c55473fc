/* SPDX-License-Identifier: MIT */
/* ouro give-back: a running program returns its free memory to the system, now. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "channel.h"
#include "print.h"
#include "size.h"

static const struct argp_option options[] = {CLI_HELP_OPTION, {0}};

static error_t parse(int key, char *text, struct argp_state *state) {
  pid_t *pid = state->input;
  switch (key) {
  case 'h': cli_help(&argp_give_back, state->argv[0]); exit(CLI_DONE);
  case ARGP_KEY_ERROR: cli_bad_option(state, options);
  case ARGP_KEY_ARG:
    if (*pid != 0) cli_die(CLI_USAGE, "one process at a time; '%s' is too much", text);
    *pid = cli_pid(text);
    break;
  case ARGP_KEY_END:
    if (*pid == 0) cli_die(CLI_USAGE, "which process? to see the programs on Ouro: ouro ps");
    break;
  default: return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

const struct argp argp_give_back = {
    .options = options,
    .parser = parse,
    .args_doc = "PID",
    .doc = "Makes a running program return all free memory to the system now, whatever its age and "
           "the "
           "settings --keep and --decay.\vExample:  ouro give-back 4711"};

static void print_given(const reply *from, const char *key, const char *whence) {
  char text[SIZE_TEXT];
  uint64_t bytes;
  const char *value = reply_value(from, key);
  if (value != NULL && size_parse_count(value, UINT64_MAX, &bytes))
    printf("%10s given back from %s\n", size_format(bytes, false, text), whence);
}

int cmd_give_back(int argc, char **argv) {
  channel_answer answer;
  char why[CHANNEL_WHY];
  pid_t pid = 0;
  cli_parse(&argp_give_back, argc, argv, &pid);
  if (!channel_ask(pid, "give_back", CHANNEL_PATIENCE_MS, &answer, why))
    return cli_say(CLI_FAILED, "%s", why);
  print_given(&answer.parsed, "given_back.pools", "Ouro's pools");
  print_given(&answer.parsed, "given_back.system", "the system allocator");
  print_next("what is left, and where", "ouro ledger %ld", (long)pid);
  channel_forget(&answer);
  return CLI_DONE;
}
