/* SPDX-License-Identifier: MIT */
/* The printer. What is nested too deep, or goes in circles, ends in "...". */
#include "lisp.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRINT_DEPTH 200
#define PRINT_ITEMS 1000000

typedef struct printer {
  lisp *l;
  FILE *f;
  bool quoted;
  int depth, items;
} printer;

static void print_value(printer *p, value v);

static void print_char(printer *p, uint32_t code) {
  char bytes[4];
  if (p->quoted) fputs("#\\", p->f);
  if (p->quoted && (code == ' ' || code == '\n')) fputs(code == ' ' ? "space" : "newline", p->f);
  else fwrite(bytes, 1, utf8_encode(code, bytes), p->f);
}

static void print_string(printer *p, const ouro_str *s) {
  bool quoted = p->quoted && !ouro_str_is_interned(s);
  if (quoted) fputc('"', p->f);
  for (size_t i = 0; i < s->length; i++) {
    char c = s->bytes[i];
    if (quoted && (c == '"' || c == '\\' || c == '\n')) fputc('\\', p->f);
    fputc(quoted && c == '\n' ? 'n' : c, p->f);
  }
  if (quoted) fputc('"', p->f);
}

/* As few digits as tell the number from its neighbours, and a point. */
void float_text(double d, char out[40]) {
  int digits = 15;
  do snprintf(out, 38, "%.*g", digits, d);
  while (strtod(out, NULL) != d && ++digits < 18 && !isnan(d));
  if (isfinite(d) && !strpbrk(out, ".e")) strcat(out, ".0");
}

static void print_list(printer *p, value v) {
  for (char before = '('; is(p->l, v, K_PAIR) && p->items < PRINT_ITEMS; v = CDR(v), before = ' ') {
    fputc(before, p->f);
    print_value(p, CAR(v));
  }
  if (v != p->l->nil) {
    fputs(" . ", p->f);
    print_value(p, v);
  }
  fputc(')', p->f);
}

static void print_items(printer *p, value *items, size_t n, char close) {
  for (size_t i = 0; i < n && p->items < PRINT_ITEMS; i++) {
    if (i > 0) fputc(' ', p->f);
    print_value(p, items[i]);
  }
  fputc(close, p->f);
}

static void print_other(printer *p, value v) {
  const ouro_type *type = ouro_type_of(v);
  size_t fields = ouro_is_record(v) ? ouro_record_count(type) : 0;
  fprintf(p->f, "#<%s", ouro_type_name(type));
  if (is(p->l, v, K_BUILTIN)) fprintf(p->f, " %s", ((builtin *)v)->spec->name);
  if (is(p->l, v, K_CLOSURE) && ((closure *)v)->code->name != p->l->no)
    fprintf(p->f, " %s", STR(((closure *)v)->code->name)->bytes);
  if (fields > 0) fputc(' ', p->f);
  print_items(p, ((ouro_record *)v)->fields, fields, '>');
}

static void print_kind(printer *p, value v) {
  char text[40];
  switch (kind_of(p->l, v)) {
  case K_INT: fprintf(p->f, "%lld", (long long)INT(v)); break;
  case K_FLOAT:
    float_text(FLOAT(v), text);
    fputs(text, p->f);
    break;
  case K_STR: print_string(p, STR(v)); break;
  case K_CHAR: print_char(p, CODE_POINT(v)); break;
  case K_CONSTANT: fputs(((constant *)v)->text, p->f); break;
  case K_PAIR: print_list(p, v); break;
  case K_VECTOR:
    fputs("#(", p->f);
    print_items(p, VECTOR(v)->items, VECTOR(v)->length, ')');
    break;
  default: print_other(p, v);
  }
}

static void print_value(printer *p, value v) {
  if (++p->depth > PRINT_DEPTH || ++p->items > PRINT_ITEMS) fputs("...", p->f);
  else print_kind(p, v);
  p->depth--;
}

void print(lisp *l, FILE *f, value v, bool quoted) {
  printer p = {.l = l, .f = f, .quoted = quoted};
  print_value(&p, v);
}
