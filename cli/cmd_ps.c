/* SPDX-License-Identifier: MIT */
/* ouro ps: the programs that can be asked. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "channel.h"
#include "print.h"
#include "size.h"

#define PS_MOST 1024
#define PS_PATIENCE_MS 1000

static const struct argp_option options[] = {CLI_HELP_OPTION, {0}};

static error_t parse(int key, char *text, struct argp_state *state) {
  if (key == ARGP_KEY_ERROR) cli_bad_option(state, options);
  if (key == 'h') {
    cli_help(&argp_ps, state->argv[0]);
    exit(CLI_DONE);
  }
  if (key == ARGP_KEY_ARG) cli_die(CLI_USAGE, "'%s' is too much; ouro ps takes nothing", text);
  return ARGP_ERR_UNKNOWN;
}

const struct argp argp_ps = {
    .options = options,
    .parser = parse,
    .doc =
        "Lists the programs that run on Ouro and have a control channel: yours, or as root all."};

/* Reads up to room - 1 bytes of a file of a process; returns how many. */
static size_t read_of(pid_t pid, const char *name, char *out, size_t room) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
  FILE *file = fopen(path, "r");
  size_t length = file != NULL ? fread(out, 1, room - 1, file) : 0;
  if (file != NULL) fclose(file);
  out[length] = '\0';
  return length;
}

/* The arguments, without what could drive the terminal. */
static void describe_command(print_program *of) {
  size_t length = read_of(of->pid, "cmdline", of->command, sizeof of->command);
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)of->command[i];
    if (c < 0x20 || c == 0x7F) of->command[i] = i + 1 < length ? ' ' : '\0';
  }
}

static void describe_resident(print_program *of) {
  char statm[128], text[SIZE_TEXT];
  unsigned long pages = 0;
  read_of(of->pid, "statm", statm, sizeof statm);
  if (sscanf(statm, "%*u %lu", &pages) != 1) return;
  size_format((uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE), false, text);
  snprintf(of->resident, sizeof of->resident, "%s", text);
}

/* False: the process does not listen any more. One that is stopped does, and is listed without a
 * version. */
static bool describe(pid_t pid, print_program *out) {
  channel_answer answer;
  char why[CHANNEL_WHY];
  *out = (print_program){.pid = pid};
  if (channel_ask(pid, "ping", PS_PATIENCE_MS, &answer, why)) {
    const char *python = reply_value(&answer.parsed, "python");
    snprintf(out->python, sizeof out->python, "%s", python != NULL ? python : "");
    channel_forget(&answer);
  } else if (answer.silent) {
    snprintf(out->python, sizeof out->python, "no answer");
  } else {
    return false;
  }
  describe_command(out);
  describe_resident(out);
  return true;
}

static int by_pid(const void *a, const void *b) {
  pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;
  return (left > right) - (left < right);
}

int cmd_ps(int argc, char **argv) {
  pid_t pids[PS_MOST];
  cli_parse(&argp_ps, argc, argv, NULL);
  size_t found = channel_list(pids, PS_MOST), count = 0;
  qsort(pids, found, sizeof *pids, by_pid);
  print_program *programs = calloc(found + 1, sizeof *programs);
  if (programs == NULL) cli_die(CLI_FAILED, "out of memory");
  for (size_t i = 0; i < found; i++)
    if (describe(pids[i], &programs[count])) count++;
  if (count > 0) {
    print_programs(programs, count);
    print_next("where its memory is", "ouro ledger %ld", (long)programs[count - 1].pid);
  } else {
    puts("no program runs on Ouro");
    print_next("to start one", "ouro run SCRIPT");
  }
  free(programs);
  return CLI_DONE;
}
