/* SPDX-License-Identifier: MIT */
#include "line.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *line_read(const char *prompt) {
  char *line = NULL;
  size_t room = 0;
  fputs(prompt, stdout);
  fflush(stdout);
  if (getline(&line, &room, stdin) >= 0) return line[strcspn(line, "\n")] = 0, line;
  free(line);
  return NULL;
}
