/* SPDX-License-Identifier: MIT */
#include "assert.h"

#include <stdio.h>
#include <stdlib.h>

void ouro__assert_failed(const char *file, int line, const char *text) {
  fprintf(stderr, "ouro: %s:%d: assertion failed: %s\n", file, line, text);
  abort();
}
