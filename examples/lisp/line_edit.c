/* SPDX-License-Identifier: MIT */
#include "line.h"
#include <stdio.h>
#include <editline/readline.h>

char *line_read(const char *prompt) {
  char *line = readline(prompt);
  if (line && *line) add_history(line);
  return line;
}
