/* SPDX-License-Identifier: MIT */
/* ouro gc: what a running program's cycle collector does, and how long it stops the program. */
#include <stdio.h>
#include <string.h>

#include "asking.h"
#include "print.h"
#include "print_gc.h"

const struct argp argp_gc = {
    .options = asking_options,
    .parser = asking_parse,
    .args_doc = "PID",
    .doc = "Shows how long the cycle collector stopped a running program, how often and why, what "
           "its cycles found, and how much garbage may be left. The program must run with "
           "--pause.\vExample:  ouro gc --watch 4711"};

/* CPython's own collector keeps no account. */
static bool nothing(pid_t pid, const reply *answer) {
  const char *collector = reply_value(answer, "collector");
  const char *why = reply_value(answer, "why");
  if (collector != NULL && strcmp(collector, "ouro") == 0) return false;
  if (why != NULL) printf("process %ld keeps CPython's own collector: %s\n", (long)pid, why);
  else
    printf("process %ld runs on CPython's own collector; for pauses of 1 ms start it with: "
           "ouro run --pause 1ms SCRIPT\n",
           (long)pid);
  return true;
}

static void next(pid_t pid) { print_next("what changes", "ouro gc %ld --watch", (long)pid); }

int cmd_gc(int argc, char **argv) {
  static const asking how = {.request = "gc",
                             .print = print_gc,
                             .print_line = print_gc_line,
                             .print_json = print_gc_json,
                             .print_next = next,
                             .print_nothing = nothing};
  return asking_run(&how, &argp_gc, argc, argv);
}
