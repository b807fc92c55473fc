/* SPDX-License-Identifier: MIT */
/* Writes the golden file of this version of the format: snapshot_golden FILE [contents]. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "golden.h"

int main(int argc, char **argv) {
  bool contents = argc == 3 && strcmp(argv[2], "contents") == 0;
  int file =
      argc == 2 || contents ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
  if (file < 0) return fputs("usage: snapshot_golden FILE [contents]\n", stderr), 2;
  void *memory = calloc(1, writer_size());
  writer *w = memory ? writer_begin(memory, file) : NULL;
  int error = !w ? 1 : contents ? golden_write_contents(w) : golden_write(w);
  free(memory);
  if (close(file) != 0 || error) return fprintf(stderr, "%s: not written\n", argv[1]), 1;
  return 0;
}
