/* SPDX-License-Identifier: MIT */
/* The printer. What is nested too deep, or goes in circles, ends in "...". */
#include "lisp.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRINT_DEPTH 200
#define PRINT_LENGTH 100000

typedef struct printer {
  lisp *l;
  FILE *f;
  bool quoted;
  int depth;
} printer;

static void print_value(printer *p, value v);

static void print_char(printer *p, uint32_t code) {
  char bytes[4];
  if (p->quoted) fputs("#\\", p->f);
  if (p->quoted && code == ' ') fputs("space", p->f);
  else if (p->quoted && code == '\n') fputs("newline", p->f);
  else fwrite(bytes, 1, utf8_encode(code, bytes), p->f);
}

static void print_string(printer *p, const ouro_str *s) {
  if (!p->quoted || ouro_str_is_interned(s)) {
    fwrite(s->bytes, 1, s->length, p->f);
    return;
  }
  fputc('"', p->f);
  for (size_t i = 0; i < s->length; i++) {
    char c = s->bytes[i];
    if (c == '"' || c == '\\') fputc('\\', p->f);
    if (c == '\n') fputs("\\n", p->f);
    else fputc(c, p->f);
  }
  fputc('"', p->f);
}

/* As few digits as tell the number from its neighbours, and a point. */
static void print_float(FILE *f, double d) {
  char text[40];
  int digits = 15;
  do snprintf(text, sizeof text, "%.*g", digits, d);
  while (strtod(text, NULL) != d && ++digits < 18 && !isnan(d));
  fputs(text, f);
  if (isfinite(d) && !strpbrk(text, ".e")) fputs(".0", f);
}

static void print_list(printer *p, value v) {
  size_t n = 0;
  fputc('(', p->f);
  for (; is(p->l, v, K_PAIR); v = CDR(v)) {
    if (n > 0) fputc(' ', p->f);
    if (n++ == PRINT_LENGTH) break;
    print_value(p, CAR(v));
  }
  if (is(p->l, v, K_PAIR)) fputs("...", p->f);
  else if (v != p->l->nil) {
    fputs(" . ", p->f);
    print_value(p, v);
  }
  fputc(')', p->f);
}

static void print_items(printer *p, const char *open, value *items, size_t n, char close) {
  fputs(open, p->f);
  for (size_t i = 0; i < n && i < PRINT_LENGTH; i++) {
    if (i > 0) fputc(' ', p->f);
    if (items[i]) print_value(p, items[i]);
    else fputs("#<undefined>", p->f);
  }
  fputc(close, p->f);
}

static void print_named(printer *p, const char *what, value name) {
  fprintf(p->f, "#<%s", what);
  if (name && name != p->l->no) {
    fputc(' ', p->f);
    print_value(p, name);
  }
  fputc('>', p->f);
}

static void print_other(printer *p, value v) {
  const ouro_type *type = ouro_type_of(v);
  char open[80];
  switch (kind_of(p->l, v)) {
  case K_CLOSURE: print_named(p, "procedure", ((closure *)(void *)v)->code->name); break;
  case K_BUILTIN: print_named(p, "procedure", ((builtin *)(void *)v)->name); break;
  case K_CONDITION: print_named(p, "error", ((condition *)(void *)v)->message); break;
  case K_RECORD:
    if (ouro_is_record(v)) {
      snprintf(open, sizeof open, "#<%s%s", ouro_type_name(type),
               ouro_record_count(type) ? " " : "");
      print_items(p, open, ((ouro_record *)(void *)v)->fields, ouro_record_count(type), '>');
      break;
    } /* fall through */
  default: print_named(p, ouro_type_name(type), NULL);
  }
}

static void print_value(printer *p, value v) {
  if (++p->depth > PRINT_DEPTH) fputs("...", p->f);
  else switch (kind_of(p->l, v)) {
    case K_INT: fprintf(p->f, "%lld", (long long)INT(v)); break;
    case K_FLOAT: print_float(p->f, FLOAT(v)); break;
    case K_STR: print_string(p, STR(v)); break;
    case K_CHAR: print_char(p, ((character *)(void *)v)->code); break;
    case K_CONSTANT: fputs(((constant *)(void *)v)->text, p->f); break;
    case K_PAIR: print_list(p, v); break;
    case K_VECTOR: print_items(p, "#(", VECTOR(v)->items, VECTOR(v)->length, ')'); break;
    case K_ALIAS: print_value(p, ((alias *)(void *)v)->name); break;
    default: print_other(p, v);
    }
  p->depth--;
}

void print(lisp *l, FILE *f, value v, bool quoted) {
  printer p = {.l = l, .f = f, .quoted = quoted};
  print_value(&p, v);
}
