/* SPDX-License-Identifier: MIT */
/* ouro snap: what is alive in a program, and who holds it, into a file. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "print.h"
#include "size.h"
#include "snapping.h"

enum { KEY_REDACT = 256, KEY_VALUES };

static const struct argp_option options[] = {
    CLI_HELP_OPTION,
    {"output", 'o', "FILE", 0, "write to FILE (default: ouro-SCRIPT.PID.N.snap, here)", 1},
    {"force", 'f', NULL, 0, "replace FILE if it is there", 1},
    {"redact", KEY_REDACT, NULL, 0, "leave out keys of dictionaries that are no namespaces", 1},
    {"values", KEY_VALUES, NULL, 0, "write what strings, bytes and numbers hold, too", 1},
    {"json", 'j', NULL, 0, "say what was written as JSON", 1},
    {0}};

typedef struct request {
  pid_t pid;
  const char *file;
  bool redact, values, force, json;
  char **command; /* what to run instead: arguments of `ouro run`; NULL: none */
} request;

/* From the argument that was just read. */
static void take_command(request *to, struct argp_state *state) {
  to->command = state->argv + state->next - 1;
  state->next = state->argc;
}

/* argp swallows a "--" and has then no more options: what comes behind it is the command. */
static bool is_behind_dashes(const struct argp_state *state) {
  return state->quoted > 0 && state->next - 1 >= state->quoted;
}

static void check(const request *what, bool dashes) {
  if (what->redact && what->values)
    cli_die(CLI_USAGE, "--redact leaves out what --values writes: give one of them");
  if (dashes && what->command == NULL) cli_die(CLI_USAGE, "nothing to run behind the --");
  if (what->pid == 0 && what->command == NULL)
    cli_die(CLI_USAGE, "which process? to see the programs on Ouro: ouro ps");
  if (what->pid != 0 && what->command != NULL)
    cli_die(CLI_USAGE, "either a process or a command, not both");
}

static error_t parse(int key, char *text, struct argp_state *state) {
  request *to = state->input;
  switch (key) {
  case 'h': cli_help(&argp_snap, state->argv[0]); exit(CLI_DONE);
  case ARGP_KEY_ERROR: cli_bad_option(state, options);
  case 'o': to->file = text; break;
  case 'f': to->force = true; break;
  case KEY_REDACT: to->redact = true; break;
  case KEY_VALUES: to->values = true; break;
  case 'j': to->json = true; break;
  case ARGP_KEY_ARG:
    if (is_behind_dashes(state)) {
      take_command(to, state);
      break;
    }
    if (to->pid != 0) cli_die(CLI_USAGE, "one process at a time; '%s' is too much", text);
    to->pid = cli_pid(text);
    break;
  case ARGP_KEY_END: check(to, state->quoted > 0); break;
  default: return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

const struct argp argp_snap = {
    .options = options,
    .parser = parse,
    .args_doc = "PID\n-- SCRIPT [ARGUMENT...]",
    .doc = "Writes what is alive in a running program, and who holds it, to a file. The program "
           "pauses only for a fork. With -- it runs a program as `ouro run` does, and writes when "
           "that ends.\vExample:  ouro snap 4711 -o before.snap\n"
           "Then:  ouro why before.snap"};

static void print_json(pid_t pid, const char *file, const snapping *taken) {
  json_t *object =
      json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:s, s:b}", "pid", (json_int_t)pid, "file", file,
                "bytes", (json_int_t)taken->bytes, "objects", (json_int_t)taken->objects,
                "references", (json_int_t)taken->edges, "pause_ns", (json_int_t)taken->pause_ns,
                "mode", taken->in_place ? "in place" : "fork", "values", taken->values);
  json_dumpf(object, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(object);
}

static void print_taken(const char *file, const snapping *taken) {
  char size[SIZE_TEXT];
  printf("%s: %" PRIu64 " objects, %" PRIu64 " references, %s\n", file, taken->objects,
         taken->edges, size_format(taken->bytes, false, size));
  printf("the program paused %.1f ms%s\n", (double)taken->pause_ns / 1e6,
         taken->in_place ? ", all the while: it could not make a child process" : "");
  if (taken->values) puts("it holds values of the program: keep it as you would a core file");
  print_next("why memory is held", "ouro why %s", file);
}

/* What the program is told is a whole path: it may change its directory. */
static void set_at_exit(const char *file, const request *what) {
  char path[PATH_MAX], here[PATH_MAX];
  if (file[0] != '/' && getcwd(here, sizeof here) == NULL)
    cli_die(CLI_FAILED, "the current directory is gone: %s", strerror(errno));
  int length = file[0] == '/' ? snprintf(path, sizeof path, "%s", file)
                              : snprintf(path, sizeof path, "%.*s/%s", PATH_MAX - 1, here, file);
  if (length < 0 || (size_t)length >= sizeof path) cli_die(CLI_USAGE, "'%s' is too long", file);
  if (setenv("OURO_SNAPSHOT_AT_EXIT", path, 1) != 0 ||
      (what->redact && setenv("OURO_SNAPSHOT_REDACT", "1", 1) != 0) ||
      (what->values && setenv("OURO_SNAPSHOT_VALUES", "1", 1) != 0))
    cli_die(CLI_FAILED, "%s", strerror(errno));
}

/* The process becomes the program, so that its number is known before. */
static int run_command(const request *what, const char *file) {
  char title[] = "ouro run";
  if (access(file, F_OK) == 0 && !what->force)
    return cli_say(CLI_FAILED, "%s is there already; name another file with -o, or add -f", file);
  if (what->force && unlink(file) != 0 && errno != ENOENT)
    return cli_say(CLI_FAILED, "cannot replace %s: %s", file, strerror(errno));
  set_at_exit(file, what);
  what->command[-1] = title;
  int count = 0;
  while (what->command[count] != NULL) count++;
  return cmd_run(count + 1, what->command - 1);
}

int cmd_snap(int argc, char **argv) {
  request what = {.pid = 0};
  snapping taken;
  char name[SNAPPING_PATH], why[CHANNEL_WHY];
  cli_parse(&argp_snap, argc, argv, &what);
  snapping_name(what.pid != 0 ? what.pid : getpid(), name);
  const char *file = what.file != NULL ? what.file : name;
  if (what.command != NULL) return run_command(&what, file);
  const snapping_options how = {
      .redact = what.redact, .values = what.values, .replace = what.force, .progress = !what.json};
  if (!snapping_take(what.pid, file, &how, &taken, why)) return cli_say(CLI_FAILED, "%s", why);
  if (what.json) print_json(what.pid, file, &taken);
  else print_taken(file, &taken);
  return CLI_DONE;
}
