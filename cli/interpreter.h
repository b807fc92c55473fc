/* SPDX-License-Identifier: MIT */
/* Which interpreter a program runs in, and whether it can carry Ouro. */
#ifndef OURO_CLI_INTERPRETER_H
#define OURO_CLI_INTERPRETER_H

#include <limits.h>
#include <stdbool.h>

typedef struct interpreter {
  char path[PATH_MAX];
} interpreter;

/* `wanted` (a path or a name on PATH) where it is not NULL; else the python3 beside this
 * executable, else the active virtual environment's, else the first on PATH. False: there is none.
 */
bool interpreter_find(const char *wanted, interpreter *out);

/* Ends the process with one line if the interpreter lacks the package or cannot carry it. Asks the
 * interpreter itself (about 15 ms) unless the package lies in its own environment. */
void interpreter_require_package(const interpreter *chosen);

#endif
