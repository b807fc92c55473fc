/* SPDX-License-Identifier: MIT */
/* The command `ouro`: the table of verbs, and what to say when the verb is not in it. */
#include "cli.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ouro/base.h>

static int cmd_help(int argc, char **argv);

static const verb verbs[] = {
    {"run", &argp_run, cmd_run, "run a Python program on Ouro"},
    {"ps", &argp_ps, cmd_ps, "list the programs that run on Ouro"},
    {"ledger", &argp_ledger, cmd_ledger, "show where a running program's memory is"},
    {"gc", &argp_gc, cmd_gc, "show what a running program's cycle collector does"},
    {"snap", &argp_snap, cmd_snap, "write what is alive, and who holds it, to a file"},
    {"give-back", &argp_give_back, cmd_give_back, "make a running program return free memory now"},
    {"why", &argp_why, cmd_why, "say why a program's memory grows, or that it does not"},
    {"path", &argp_path, cmd_path, "show what keeps an object alive"},
    {"dom", &argp_dom, cmd_dom, "show who alone keeps how much"},
    {"refs", &argp_refs, cmd_refs, "audit reference counts: what nothing explains"},
    {"cycles", &argp_cycles, cmd_cycles, "show rings of references, and which to make weak"},
    {"diff", &argp_diff, cmd_diff, "show what grew between two snapshots"},
    {"sql", &argp_sql, cmd_sql, "ask a snapshot in SQL"},
    {"help", NULL, cmd_help, "explain a command"},
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static const verb *verb_named(const char *name) {
  for (int i = 0; i < VERBS; i++)
    if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
  return NULL;
}

static int smallest(int a, int b, int c) {
  int least = a < b ? a : b;
  return least < c ? least : c;
}

/* Words longer than the row are never near. */
int cli_distance(const char *a, const char *b) {
  int row[32];
  int width = (int)strlen(b);
  if (width >= 32) return width;
  for (int j = 0; j <= width; j++) row[j] = j;
  for (int i = 0; a[i] != '\0'; i++) {
    int corner = row[0]++;
    for (int j = 0; j < width; j++) {
      int above = row[j + 1];
      row[j + 1] = smallest(above + 1, row[j] + 1, corner + (a[i] != b[j]));
      corner = above;
    }
  }
  return row[width];
}

static const verb *verb_near(const char *name) {
  const verb *best = NULL;
  int least = name[0] != '\0' ? 3 : 0;
  for (int i = 0; i < VERBS; i++) {
    int d = cli_distance(name, verbs[i].name);
    bool begins = strlen(name) >= 2 && strncmp(name, verbs[i].name, strlen(name)) == 0;
    if (begins) d = 0;
    if (d < least) least = d, best = &verbs[i];
  }
  return best;
}

static int unknown_verb(const char *name) {
  const char *dot = strrchr(name, '.');
  if (dot != NULL && strcmp(dot, ".py") == 0)
    return cli_say(CLI_USAGE, "'%s' is no command; to run a program: ouro run %s", name, name);
  const verb *near = verb_near(name);
  if (near != NULL)
    return cli_say(CLI_USAGE, "'%s' is no command; did you mean: ouro %s", name, near->name);
  return cli_say(CLI_USAGE, "'%s' is no command; to see them all: ouro help", name);
}

static void overview(FILE *out) {
  fputs("Ouro: Python's memory, frugal and explained.\n\n", out);
  for (int i = 0; i < VERBS; i++)
    fprintf(out, "  ouro %-10s %s\n", verbs[i].name, verbs[i].summary);
  fputs("\nStart with:  ouro run app.py\nOptions of a command:  ouro help run\n", out);
}

static int cmd_help(int argc, char **argv) {
  if (argc < 2 || argv[1][0] == '-') {
    overview(stdout);
    return CLI_DONE;
  }
  const verb *which = verb_named(argv[1]);
  if (which == NULL) return unknown_verb(argv[1]);
  if (which->argp == NULL) {
    overview(stdout);
    return CLI_DONE;
  }
  char name[32];
  snprintf(name, sizeof name, "ouro %s", which->name);
  cli_help(which->argp, name);
  return CLI_DONE;
}

/* --- Shared by the verbs --- */

static void say(const char *format, va_list arguments) {
  fputs("ouro: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
}

int cli_say(int status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say(format, arguments);
  va_end(arguments);
  return status;
}

void cli_die(int status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say(format, arguments);
  va_end(arguments);
  exit(status);
}

void cli_parse(const struct argp *argp, int argc, char **argv, void *input) {
  const unsigned flags = ARGP_IN_ORDER | ARGP_NO_ERRS | ARGP_NO_HELP;
  error_t error = argp_parse(argp, argc, argv, flags, NULL, input);
  if (error != 0) cli_die(CLI_USAGE, "%s", strerror(error));
}

void cli_help(const struct argp *argp, const char *name) {
  setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
  argp_help(argp, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK, (char *)name);
}

/* Short options may be several in one word; the last one is what lacks its value. */
static bool is_named(const struct argp_option *option, const char *given) {
  size_t length = strlen(given);
  if (given[0] != '-' || length < 2) return false;
  if (given[1] == '-') return option->name != NULL && strcmp(given + 2, option->name) == 0;
  return given[length - 1] == option->key;
}

void cli_bad_option(const struct argp_state *state, const struct argp_option *options) {
  const char *given = state->argv[state->next - 1];
  for (; options->name != NULL || options->key != 0; options++)
    if (options->arg != NULL && is_named(options, given))
      cli_die(CLI_USAGE, "%s needs a value: %s %s", given, given, options->arg);
  cli_die(CLI_USAGE, "'%s' is no option; to see them: %s --help", given, state->argv[0]);
}

pid_t cli_pid(const char *text) {
  char *end;
  long pid = strtol(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || pid <= 0 || pid > 0x7FFFFFFF)
    cli_die(CLI_USAGE, "'%s' is no process id; to see the programs on Ouro: ouro ps", text);
  return (pid_t)pid;
}

int main(int argc, char **argv) {
  setlocale(LC_ALL, "");
  if (argc < 2) {
    overview(stderr);
    return CLI_USAGE;
  }
  const char *name = argv[1];
  if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
    puts("ouro " OURO_VERSION);
    return CLI_DONE;
  }
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
  const verb *which = verb_named(name);
  if (which == NULL) return unknown_verb(name);
  char title[32];
  snprintf(title, sizeof title, "ouro %s", which->name);
  argv[1] = title;
  return which->run(argc - 1, argv + 1);
}
