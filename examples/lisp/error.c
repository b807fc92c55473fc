/* SPDX-License-Identifier: MIT */
/* Errors are conditions: a message, what was wrong, and where. */
#include "lisp.h"
#include <stdarg.h>

value condition_new(lisp *l, value message, OURO_STOLEN value irritants) {
  condition *c = irritants ? make(l, K_CONDITION) : NULL;
  if (!c) {
    ouro_unref(irritants);
    return NULL;
  }
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
  value error = condition_new(l, OURO_OBJECT(message), list);
  ouro_unref(message);
  ouro_assign_new(&l->error, error);
  return NULL;
}

void condition_place(lisp *l, value error, value file, value name, uint32_t line) {
  if (!is(l, error, K_CONDITION)) return;
  condition *c = (condition *)(void *)error;
  if (c->line != 0 && c != l->no_room) return;
  ouro_assign(&c->file, file);
  ouro_assign(&c->name, name);
  c->line = line;
}

value take_error(lisp *l) {
  value error = l->error;
  l->error = NULL;
  return error ? error : ouro_ref(l->no_room);
}

/* file:line: in name: message irritants */
void print_error(lisp *l, FILE *f, value error) {
  if (!is(l, error, K_CONDITION)) {
    fputs("uncaught: ", f);
    print(l, f, error, true);
    fputc('\n', f);
    return;
  }
  const condition *c = (const condition *)(void *)error;
  if (c->file) fprintf(f, "%s:%u: ", ouro_str_bytes(STR(c->file)), c->line);
  if (c->name && is_identifier(l, c->name)) {
    fputs("in ", f);
    print(l, f, c->name, false);
    fputs(": ", f);
  }
  print(l, f, c->message, false);
  for (value i = c->irritants; is(l, i, K_PAIR); i = CDR(i)) {
    fputc(' ', f);
    print(l, f, CAR(i), true);
  }
  fputc('\n', f);
}

static const char *const kind_names[KINDS] = {
    [K_INT] = "an integer",  [K_FLOAT] = "a float",      [K_STR] = "a string",
    [K_PAIR] = "a pair",     [K_VECTOR] = "a vector",    [K_CHAR] = "a character",
    [K_RECORD] = "a record", [K_CONDITION] = "an error", [K_RECORD_TYPE] = "a record type",
    [K_ESCAPE] = "an escape"};

static bool wrong(call *c, size_t i, const char *wanted) {
  fail(c->l, c->args[i], "%s: argument %zu is not %s:", c->self->spec.name, i + 1, wanted);
  return false;
}

bool need(call *c, size_t i, kind k) {
  return OURO_LIKELY(is(c->l, c->args[i], k)) || wrong(c, i, kind_names[k]);
}

bool need_string(call *c, size_t i) {
  return is_string(c->l, c->args[i]) || wrong(c, i, "a string");
}

bool need_symbol(call *c, size_t i) {
  return is_symbol(c->l, c->args[i]) || wrong(c, i, "a symbol");
}

bool need_index(call *c, size_t i, size_t limit, size_t *out) {
  if (!need(c, i, K_INT)) return false;
  *out = (size_t)INT(c->args[i]);
  return *out < limit || wrong(c, i, "an index in range");
}
