/* SPDX-License-Identifier: MIT */
/* Errors are conditions: a message, what was wrong, and where. */
#include "lisp.h"
#include <stdarg.h>

value condition_new(lisp *l, value message, OURO_STOLEN value irritants) {
  condition *c = irritants ? make(l, K_CONDITION) : NULL;
  if (!c) return ouro_unref(irritants), NULL;
  c->message = ouro_ref(message);
  c->irritants = irritants;
  return OURO_OBJECT(c);
}

value fail(lisp *l, value irritant, const char *format, ...) {
  char text[200];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  ouro_str *message = ouro_str_text(l->heap, text);
  if (!message) return NULL; /* which is an error too: out of memory */
  value list = ouro_ref(l->nil);
  if (irritant) list = cons(l, ouro_ref(irritant), list);
  ouro_assign_new(&l->error, condition_new(l, OURO_OBJECT(message), list));
  ouro_unref(message);
  return NULL;
}

void condition_place(lisp *l, value error, value file, value name, uint32_t line) {
  condition *c = (condition *)error;
  if (!is(l, error, K_CONDITION) || (c->line != 0 && c != l->no_room)) return;
  ouro_assign(&c->file, file);
  ouro_assign(&c->name, name);
  c->line = line;
}

value take_error(lisp *l) {
  value error = l->error;
  l->error = NULL;
  return error ? error : ouro_ref(l->no_room);
}

/* With `write` of prelude.scm, unless what went wrong is that there is none. */
void print_value(lisp *l, FILE *f, value v) {
  FILE *out = l->out;
  l->out = f;
  value done = l->write ? vm_run(l, l->write, v) : NULL;
  if (!done) ouro_assign(&l->error, NULL);
  ouro_unref(done);
  l->out = out;
}

/* file:line: in name: message irritants */
void print_error(lisp *l, FILE *f, value error) {
  const condition *c = (const condition *)error;
  if (c->file) fprintf(f, "%s:%u: ", STR(c->file)->bytes, c->line);
  if (c->name && c->name != l->no) fprintf(f, "in %s: ", STR(c->name)->bytes);
  if (is(l, c->message, K_STR)) fputs(STR(c->message)->bytes, f);
  for (value i = c->irritants; is(l, i, K_PAIR); i = CDR(i)) {
    fputc(' ', f);
    print_value(l, f, CAR(i));
  }
  fputc('\n', f);
}

static bool wrong(call *c, size_t i, const char *wanted) {
  return fail(c->l, c->args[i], "%s: argument %zu is not %s:", c->self->name, i + 1, wanted);
}

bool need(call *c, size_t i, kind k) {
  static const char *const names[] = {
      [K_INT] = "a number",       [K_STR] = "a string",    [K_PAIR] = "a pair",
      [K_CHAR] = "a char",        [K_VECTOR] = "a vector", [K_RECORD] = "a record",
      [K_CONDITION] = "an error", [K_SYMBOL] = "a symbol", [K_ESCAPE] = "an escape"};
  return OURO_LIKELY(is_kind(c->l, c->args[i], k)) || wrong(c, i, names[k] ? names[k] : "right");
}

bool need_list(call *c, size_t i) {
  return list_length(c->l, c->args[i]) >= 0 || wrong(c, i, "a list");
}

bool need_index(call *c, size_t i, size_t limit, size_t *out) {
  if (!need(c, i, K_INT)) return false;
  *out = (size_t)INT(c->args[i]);
  return *out < limit || wrong(c, i, "in range");
}
