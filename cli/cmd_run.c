/* SPDX-License-Identifier: MIT */
/*
 * ouro run: sets the environment that arms Ouro at the interpreter's start, and becomes the
 * interpreter. Everything a program can see of how it was started is therefore plain Python's.
 */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interpreter.h"
#include "size.h"

enum { KEY_LIMIT = 256, KEY_KEEP, KEY_DECAY, KEY_HUGE, KEY_HARDENED, KEY_NO_CHANNEL, KEY_PYTHON };

/* Longest decay: a day. Beyond it "never" (0) is what is meant. */
#define DECAY_MOST_MS 86400000u

static const struct argp_option options[] = {
    CLI_HELP_OPTION,
    {NULL, 'm', "MODULE", 0, "run a library module as a script", 1},
    {NULL, 'c', "CODE", 0, "run CODE", 1},
    {"quiet", 'q', NULL, 0, "no report when the program ends", 2},
    {"limit", KEY_LIMIT, "SIZE", 0,
     "most memory for Python objects, e.g. 512M; beyond it: MemoryError", 2},
    {"keep", KEY_KEEP, "SIZE", 0, "free memory to keep for reuse (default 2M)", 2},
    {"decay", KEY_DECAY, "MS", 0, "give memory back when free for MS milliseconds (0: never)", 2},
    {"huge", KEY_HUGE, "auto|off|always", 0, "huge pages (default auto: for large heaps)", 2},
    {"hardened", KEY_HARDENED, NULL, 0, "detect double frees and overruns of C extensions; slower",
     2},
    {"no-channel", KEY_NO_CHANNEL, NULL, 0, "no control channel: the program cannot be asked", 3},
    {"python", KEY_PYTHON, "PATH", 0, "the interpreter to run", 3},
    {0}};

typedef struct request {
  char settings[256]; /* the value of OURO_RUN */
  const char *python;
  const char *script;   /* NULL: -m or -c */
  const char *how;      /* "-m" or "-c" */
  const char *argument; /* of -m or -c */
  char **rest;          /* the program's arguments, NULL at the end */
} request;

static void set(request *to, const char *key, const char *value) {
  size_t used = strlen(to->settings);
  size_t room = sizeof to->settings - used;
  int length = snprintf(to->settings + used, room, "%s%s=%s", used > 0 ? "," : "", key, value);
  if (length < 0 || (size_t)length >= room) cli_die(CLI_USAGE, "too many options");
}

static void set_number(request *to, const char *key, uint64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, number);
  set(to, key, text);
}

static uint64_t size_of(const char *option, const char *text, uint64_t least) {
  uint64_t bytes;
  if (!size_parse(text, &bytes) || bytes < least)
    cli_die(CLI_USAGE, "%s '%s' is not a size; write it like 512M, 1.5G or a number of bytes",
            option, text);
  return bytes;
}

static uint64_t decay_of(const char *text) {
  uint64_t milliseconds;
  if (!size_parse_count(text, DECAY_MOST_MS, &milliseconds))
    cli_die(CLI_USAGE, "--decay '%s' is not a number of milliseconds from 0 to %u", text,
            DECAY_MOST_MS);
  return milliseconds;
}

static const char *huge_of(const char *text) {
  if (strcmp(text, "auto") != 0 && strcmp(text, "off") != 0 && strcmp(text, "always") != 0)
    cli_die(CLI_USAGE, "--huge '%s' is none of auto, off, always", text);
  return text;
}

/* What follows belongs to the program. */
static void leave_rest(request *to, struct argp_state *state) {
  to->rest = state->argv + state->next;
  state->next = state->argc;
}

static error_t parse(int key, char *text, struct argp_state *state) {
  request *to = state->input;
  switch (key) {
  case 'h': cli_help(&argp_run, state->argv[0]); exit(CLI_DONE);
  case ARGP_KEY_ERROR: cli_bad_option(state, options);
  case 'q': set(to, "quiet", "1"); break;
  case KEY_LIMIT: set_number(to, "limit", size_of("--limit", text, 1)); break;
  case KEY_KEEP: set_number(to, "keep", size_of("--keep", text, 0)); break;
  case KEY_DECAY: set_number(to, "decay", decay_of(text)); break;
  case KEY_HUGE: set(to, "huge", huge_of(text)); break;
  case KEY_HARDENED: set(to, "hardened", "1"); break;
  case KEY_NO_CHANNEL: set(to, "channel", "0"); break;
  case KEY_PYTHON: to->python = text; break;
  case 'm':
  case 'c':
    to->how = key == 'm' ? "-m" : "-c";
    to->argument = text;
    leave_rest(to, state);
    break;
  case ARGP_KEY_ARG:
    to->script = text;
    leave_rest(to, state);
    break;
  default: return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

const struct argp argp_run = {
    .options = options,
    .parser = parse,
    .args_doc = "SCRIPT [ARGUMENT...]\n-m MODULE [ARGUMENT...]\n-c CODE [ARGUMENT...]",
    .doc =
        "Runs a Python program on Ouro's memory. The program, its arguments, its exit status and "
        "its "
        "output are exactly those of plain python3; at the end one screen on stderr says where the "
        "memory went.\vExample:  ouro run --limit 2G app.py --port 8000\n"
        "While it runs:  ouro ps, ouro ledger PID"};

/* Refuses what python3 refuses, with its exit status, before an interpreter that has nothing to run
 * starts and reports on its memory. */
static void require_script(const char *path) {
  struct stat info;
  char inside[4096];
  if (strcmp(path, "-") == 0) return;
  if (stat(path, &info) != 0 || access(path, R_OK) != 0)
    cli_die(CLI_USAGE, "can't open file '%s': %s", path, strerror(errno));
  if (!S_ISDIR(info.st_mode)) return;
  snprintf(inside, sizeof inside, "%s/__main__.py", path);
  if (access(inside, F_OK) != 0)
    cli_die(CLI_FAILED, "'%s' is a directory without a __main__.py; name a script", path);
}

static interpreter require_interpreter(const char *wanted) {
  interpreter chosen;
  if (interpreter_find(wanted, &chosen)) {
    interpreter_require_package(&chosen);
    return chosen;
  }
  if (wanted != NULL)
    cli_die(CLI_FAILED, "no interpreter '%s'; give --python the path of one", wanted);
  cli_die(CLI_FAILED, "no python3 beside ouro or on PATH; name one with --python PATH");
}

static void arm(const request *what) {
  char pid[24];
  snprintf(pid, sizeof pid, "%ld", (long)getpid());
  if (setenv("OURO_RUN", what->settings[0] != '\0' ? what->settings : "1", 1) != 0 ||
      setenv("OURO_RUN_PID", pid, 1) != 0)
    cli_die(CLI_FAILED, "%s", strerror(errno));
}

static int become(const interpreter *chosen, const request *what) {
  size_t count = 0;
  while (what->rest[count] != NULL) count++;
  char **arguments = calloc(count + 4, sizeof *arguments);
  if (arguments == NULL) return cli_say(CLI_FAILED, "%s", strerror(errno));
  size_t at = 0;
  arguments[at++] = (char *)chosen->path;
  if (what->script == NULL) arguments[at++] = (char *)what->how;
  arguments[at++] = (char *)(what->script != NULL ? what->script : what->argument);
  memcpy(arguments + at, what->rest, count * sizeof *arguments);
  execv(chosen->path, arguments);
  int error = errno;
  free(arguments);
  return cli_say(CLI_FAILED, "cannot run %s: %s", chosen->path, strerror(error));
}

int cmd_run(int argc, char **argv) {
  request what = {.settings = ""};
  cli_parse(&argp_run, argc, argv, &what);
  if (what.rest == NULL)
    return cli_say(CLI_USAGE, "nothing to run; name a script, or use -m MODULE or -c CODE");
  if (what.script != NULL) require_script(what.script);
  interpreter chosen = require_interpreter(what.python);
  arm(&what);
  return become(&chosen, &what);
}
