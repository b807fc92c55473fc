/* SPDX-License-Identifier: MIT */
/* lisp [FILE ...]: runs the files; without any, reads forms from the terminal. */
#include "lisp.h"
#include "line.h"
#include <stdlib.h>
#include <string.h>

/* Says what went wrong. The exit status. */
static int report(lisp *l) {
  value error = take_error(l);
  if (!l->exiting) print_error(l, stderr, error);
  ouro_unref(error);
  return l->exiting ? l->status : 1;
}

static bool append_line(char **text, size_t *length, const char *line) {
  size_t more = strlen(line);
  char *longer = realloc(*text, *length + more + 2);
  if (!longer) return false;
  memcpy(longer + *length, line, more);
  memcpy(longer + *length + more, "\n", 2);
  *text = longer;
  *length += more + 1;
  return true;
}

/* Evaluates what was typed so far. False: it goes on in the next line. */
static bool answer(lisp *l, const char *text, size_t length) {
  reader r = {.l = l, .at = text, .end = text + length, .line = 1};
  value result = lisp_eval(&r);
  if (!result && r.incomplete) {
    ouro_assign(&l->error, NULL);
    return false;
  }
  if (!result) report(l);
  else if (result != l->none) {
    print(l, l->out, result, true);
    fputc('\n', l->out);
  }
  ouro_unref(result);
  return true;
}

static int converse(lisp *l) {
  char *text = NULL, *line;
  size_t length = 0;
  while (!l->exiting && (line = line_read(length ? "... " : "> ")) != NULL) {
    bool room = append_line(&text, &length, line);
    free(line);
    if (!room || answer(l, text, length)) length = 0;
    fflush(l->out);
  }
  free(text);
  return l->exiting ? l->status : 0;
}

int main(int argc, char **argv) {
  ouro_heap *heap = ouro_heap_new(NULL);
  lisp *l = heap ? lisp_new(heap, stdout) : NULL;
  if (!l) return fputs("lisp: out of memory\n", stderr), 1;
  int status = argc > 1 ? 0 : converse(l);
  for (int i = 1; i < argc && status == 0 && !l->exiting; i++)
    if (!lisp_load(l, argv[i])) status = report(l);
  fflush(stdout);
  ouro_heap_destroy(heap); /* everything at once, however much lives */
  return status;
}
