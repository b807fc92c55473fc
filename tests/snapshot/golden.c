/* SPDX-License-Identifier: MIT */
/* Writes the golden file of this version of the format: snapshot_golden FILE. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "golden.h"

int main(int argc, char **argv) {
  int file = argc == 2 ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
  if (file < 0) return fputs("usage: snapshot_golden FILE\n", stderr), 2;
  void *memory = calloc(1, writer_size());
  int error = memory ? golden_write(writer_begin(memory, file)) : 1;
  free(memory);
  if (close(file) != 0 || error) return fprintf(stderr, "%s: not written\n", argv[1]), 1;
  return 0;
}
