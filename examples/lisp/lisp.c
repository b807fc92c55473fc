/* SPDX-License-Identifier: MIT */
/* The interpreter as a whole: its beginning, its end, and what evaluates a text. */
#include "lisp.h"
#include <errno.h>
#include <string.h>

static bool make_condition_for_no_room(lisp *l) {
  fail(l, NULL, "out of memory");
  l->no_room = (condition *)l->error;
  l->error = NULL;
  return l->no_room != NULL;
}

static bool make_tables(lisp *l) {
  l->globals = ouro_dict_new(l->heap);
  l->stack = l->top = ouro_alloc(l->heap, LISP_STACK * sizeof *l->stack);
  l->frames = ouro_alloc(l->heap, LISP_FRAMES * sizeof *l->frames);
  return l->globals && l->stack && l->frames;
}

static bool make_language(lisp *l) {
  return define_builtins(l, builtins_special, true) && define_builtins(l, builtins_data, false) &&
         define_builtins(l, builtins_numbers, false) &&
         define_builtins(l, builtins_system, false) &&
         lisp_run(l, "prelude", lisp_prelude, strlen(lisp_prelude));
}

bool lisp_run(lisp *l, const char *name, const char *text, size_t length) {
  reader r = {.l = l, .at = text, .end = text + length, .line = 1};
  ouro_assign_new(&l->file, ouro_str_text(l->heap, name));
  value last = l->file ? lisp_eval(&r) : NULL;
  ouro_unref(last);
  return last != NULL;
}

lisp *lisp_new(ouro_heap *heap, FILE *out) {
  lisp *l = ouro_calloc(heap, 1, sizeof *l);
  if (!l) return NULL;
  l->heap = heap;
  l->out = out;
  ouro_gc_set_roots(heap, vm_roots, l);
  if (types_make(l) && make_tables(l) && make_condition_for_no_room(l) && make_language(l))
    return l;
  lisp_free(l);
  return NULL;
}

/* Globals refer to closures and closures to globals: what the counts leave the collector takes. */
void lisp_free(lisp *l) {
  void *held[] = {l->nil,   l->yes,  l->no,    l->none,  l->eof,    l->globals,
                  l->error, l->file, l->raise, l->write, l->no_room};
  for (size_t i = 0; i < sizeof held / sizeof *held; i++) ouro_unref(held[i]);
  ouro_gc_set_roots(l->heap, NULL, NULL);
  ouro_collect(l->heap, OURO_GENERATIONS - 1);
  ouro_free(l->heap, l->stack);
  ouro_free(l->heap, l->frames);
  ouro_free(l->heap, l);
}

static value eval_form(lisp *l, value form) {
  closure *program = compile_form(l, form);
  value result = program ? vm_run(l, OURO_OBJECT(program), NULL) : NULL;
  ouro_unref(program);
  return result;
}

value lisp_eval(reader *r) {
  lisp *l = r->l;
  value result = ouro_ref(l->none);
  while (result) {
    value form = read_form(r);
    if (form == l->eof) return ouro_unref(form), result;
    l->line = r->line;
    ouro_assign_new(&result, form ? eval_form(l, form) : NULL);
    ouro_unref(form);
  }
  if (l->error) condition_place(l, l->error, l->file, NULL, l->line);
  return NULL;
}

bool lisp_load(lisp *l, const char *path) {
  const char *slash = strrchr(path, '/');
  FILE *f = fopen(path, "rb");
  if (!f) return fail(l, NULL, "%s: %s", path, strerror(errno));
  size_t room = fseek(f, 0, SEEK_END) == 0 ? (size_t)ftell(f) + 1 : 1;
  char *text = ouro_calloc(l->heap, 1, room);
  rewind(f);
  size_t length = text ? fread(text, 1, room - 1, f) : 0;
  fclose(f);
  bool good = text && lisp_run(l, slash ? slash + 1 : path, text, length);
  ouro_free(l->heap, text);
  return good;
}
