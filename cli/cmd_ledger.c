/* SPDX-License-Identifier: MIT */
/* ouro ledger: where a running program's memory is, once or again and again. */
#include "asking.h"
#include "print.h"

const struct argp argp_ledger = {.options = asking_options,
                                 .parser = asking_parse,
                                 .args_doc = "PID",
                                 .doc = "Shows where the memory of a running program is: a tree of "
                                        "which each part is the sum of its "
                                        "branches, and the root is all that is resident. What "
                                        "cannot be told apart is in the row 'not "
                                        "attributed'.\vExample:  ouro ledger --watch 4711"};

static void next(pid_t pid) { print_next("what changes", "ouro ledger %ld --watch", (long)pid); }

int cmd_ledger(int argc, char **argv) {
  static const asking how = {.request = "ledger",
                             .print = print_ledger,
                             .print_line = print_ledger_line,
                             .print_json = print_ledger_json,
                             .print_next = next};
  return asking_run(&how, &argp_ledger, argc, argv);
}
