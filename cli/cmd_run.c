/* SPDX-License-Identifier: MIT */
/*
 * ouro run: sets the environment that arms Ouro at the interpreter's start, and becomes the
 * interpreter. Everything a program can see of how it was started is therefore plain Python's.
 */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interpreter.h"
#include "setting.h"

/* Options that are settings have SETTING_KEY and their name as key. */
#define SETTING_KEY 256
enum { KEY_NO_CHANNEL = SETTING_KEY + SETTING_COUNT, KEY_PYTHON };

static const struct argp_option options[] = {
    CLI_HELP_OPTION,
    {NULL, 'm', "MODULE", 0, "run a library module as a script", 1},
    {NULL, 'c', "CODE", 0, "run CODE", 1},
    {"quiet", 'q', NULL, 0, "no report when the program ends", 2},
    {"limit", SETTING_KEY + SETTING_LIMIT, "SIZE", 0,
     "most memory for Python objects, e.g. 512M; beyond it: MemoryError", 2},
    {"keep", SETTING_KEY + SETTING_KEEP, "SIZE", 0, "free memory to keep for reuse (default 2M)",
     2},
    {"decay", SETTING_KEY + SETTING_DECAY, "MS", 0,
     "give memory back when free for MS milliseconds (0: never)", 2},
    {"huge", SETTING_KEY + SETTING_HUGE, "auto|off|always", 0,
     "huge pages (default auto: for large heaps)", 2},
    {"hardened", SETTING_KEY + SETTING_HARDENED, NULL, 0,
     "detect double frees and overruns of C extensions; slower", 2},
    {"pause", SETTING_KEY + SETTING_PAUSE, "TIME", 0,
     "full collections in slices of TIME, e.g. 1ms, instead of all at once", 2},
    {"garbage-limit", SETTING_KEY + SETTING_GARBAGE_LIMIT, "SHARE", 0,
     "with --pause: most garbage not yet collected, as a share of the live objects (default 25%)",
     2},
    {"why", SETTING_KEY + SETTING_WHY, NULL, 0,
     "when the program ends, say why its memory grew, or that it did not", 3},
    {"on-limit", SETTING_KEY + SETTING_ON_LIMIT, "SHARE", 0,
     "write a snapshot when memory reaches SHARE of a limit, e.g. 90%", 3},
    {"on-memory-error", SETTING_KEY + SETTING_ON_MEMORY_ERROR, NULL, 0,
     "write a snapshot when an allocation fails for the first time", 3},
    {"snapshot-signal", SETTING_KEY + SETTING_SNAPSHOT_SIGNAL, "SIGNAL", 0,
     "write a snapshot on each SIGNAL: USR1, USR2, HUP or QUIT", 3},
    {"snapshot-trigger", SETTING_KEY + SETTING_SNAPSHOT_TRIGGER, "FILE", 0,
     "write a snapshot beside FILE when it appears, and remove it", 3},
    {"snapshot-dir", SETTING_KEY + SETTING_SNAPSHOT_DIR, "DIR", 0,
     "where the others are written (default: the current directory)", 3},
    {"snapshot-redact", SETTING_KEY + SETTING_SNAPSHOT_REDACT, NULL, 0,
     "leave out keys of dictionaries that are no namespaces", 3},
    {"snapshot-values", SETTING_KEY + SETTING_SNAPSHOT_VALUES, NULL, 0,
     "write what strings, bytes and numbers hold, too", 3},
    {"no-channel", KEY_NO_CHANNEL, NULL, 0, "no control channel: the program cannot be asked", 4},
    {"python", KEY_PYTHON, "PATH", 0, "the interpreter to run", 4},
    {0}};

typedef struct request {
  char settings[256]; /* the value of OURO_RUN */
  bool given[SETTING_COUNT];
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

/* A setting as the user wrote it; `where` names it in a complaint. */
static void set_from(request *to, setting_name which, const char *where, const char *text) {
  char value[SETTING_VALUE];
  const char *wrong = settings[which].read(text, value);
  if (wrong != NULL) cli_die(CLI_USAGE, "%s'%s' %s", where, text, wrong);
  if (settings[which].key != NULL) set(to, settings[which].key, value);
  else if (setenv(settings[which].variable, text, 1) != 0)
    cli_die(CLI_FAILED, "%s", strerror(errno));
  to->given[which] = true;
}

static void set_option(request *to, setting_name which, const char *text) {
  char where[32];
  snprintf(where, sizeof where, "%s ", settings[which].option);
  set_from(to, which, where, text != NULL ? text : "1");
}

/* An empty variable is as good as none, and so is a garbage limit where no pause is set. */
static void set_from_environment(request *to) {
  char where[32];
  for (int i = 0; i < SETTING_COUNT; i++) {
    const char *text = getenv(settings[i].variable);
    if (to->given[i] || text == NULL || text[0] == '\0') continue;
    if (i == SETTING_GARBAGE_LIMIT && !to->given[SETTING_PAUSE]) continue;
    snprintf(where, sizeof where, "%s=", settings[i].variable);
    set_from(to, (setting_name)i, where, text);
  }
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
  default:
    if (key < SETTING_KEY || key >= SETTING_KEY + SETTING_COUNT) return ARGP_ERR_UNKNOWN;
    set_option(to, (setting_name)(key - SETTING_KEY), text);
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
        "While it runs:  ouro ps, ouro ledger PID, ouro gc PID\n"
        "Variables, for options not given:  OURO_PAUSE, OURO_GARBAGE_LIMIT, OURO_LIMIT, OURO_KEEP, "
        "OURO_DECAY, OURO_HUGE, OURO_HARDENED (1), OURO_ON_LIMIT, OURO_ON_MEMORY_ERROR (1), "
        "OURO_SNAPSHOT_SIGNAL, OURO_SNAPSHOT_TRIGGER, OURO_SNAPSHOT_DIR, OURO_SNAPSHOT_REDACT "
        "(1), OURO_SNAPSHOT_VALUES (1), OURO_WHY (1)"};

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

/* For the verdict, which a command of the same version gives. */
static void tell_command(void) {
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0) return;
  self[length] = '\0';
  setenv("OURO_COMMAND", self, 1);
}

static void arm(const request *what) {
  char pid[24];
  if (what->given[SETTING_WHY]) tell_command();
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
  set_from_environment(&what);
  if (what.given[SETTING_GARBAGE_LIMIT] && !what.given[SETTING_PAUSE])
    return cli_say(CLI_USAGE, "--garbage-limit is for collections in slices; add --pause 1ms");
  setting_check_snapshots();
  setting_name_unknown();
  if (what.script != NULL) require_script(what.script);
  interpreter chosen = require_interpreter(what.python);
  arm(&what);
  return become(&chosen, &what);
}
