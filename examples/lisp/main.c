/* SPDX-License-Identifier: MIT */
/* lisp [-m MEGABYTES] [FILE ...]: runs the files; without any, reads forms from the terminal. */
#include "lisp.h"
#include <stdlib.h>
#include <string.h>

static void report(lisp *l) {
  value error = take_error(l);
  print_error(l, stderr, error);
  ouro_unref(error);
}

/* Evaluates what was typed so far. False: it goes on in the next line. */
static bool answer(lisp *l, const ouro_str *text) {
  reader r = {.l = l, .at = text->bytes, .end = text->bytes + text->length, .line = 1};
  value result = lisp_eval(&r);
  if (!result && r.incomplete) return ouro_assign(&l->error, NULL), false;
  if (!result) report(l);
  else if (result != l->none) {
    print_value(l, l->out, result);
    fputc('\n', l->out);
  }
  ouro_unref(result);
  return true;
}

static void converse(lisp *l) {
  ouro_str *text = NULL;
  char *line;
  ouro_assign_new(&l->file, ouro_str_text(l->heap, "input"));
  while ((line = readline(text ? "... " : "> ")) != NULL) {
    if (*line) add_history(line);
    const char *before = text ? text->bytes : "";
    ouro_assign_new(&text, ouro_str_format(l->heap, "%s%s\n", before, line));
    free(line);
    if (!text) report(l);
    else if (answer(l, text)) ouro_assign(&text, NULL);
    fflush(l->out);
  }
}

int main(int argc, char **argv) {
  ouro_heap_options options;
  ouro_heap_options_init(&options);
  int first = argc > 2 && !strcmp(argv[1], "-m") ? 3 : 1;
  if (first == 3) options.limit = strtoull(argv[2], NULL, 10) << 20;
  ouro_heap *heap = ouro_heap_new(&options);
  lisp *l = heap ? lisp_new(heap, stdout) : NULL;
  if (!l) return fputs("lisp: out of memory\n", stderr), 1;
  bool good = true;
  if (argc == first) converse(l);
  for (int i = first; i < argc && good; i++) good = lisp_load(l, argv[i]);
  if (!good) report(l);
  fflush(stdout);
  ouro_heap_destroy(heap); /* everything at once, however much lives */
  return !good;
}
