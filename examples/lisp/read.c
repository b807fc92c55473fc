/* SPDX-License-Identifier: MIT */
/* The reader: text to forms. */
#include "lisp.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static value read_datum(reader *r);

static value broken(reader *r, const char *what) {
  r->l->line = r->line;
  return fail(r->l, NULL, "%s", what);
}

static value cut_off(reader *r, const char *what) {
  r->incomplete = true;
  return broken(r, what);
}

/* A text made from the program's; NULL has more than one reason here. */
static value checked(reader *r, void *text) {
  return text ? text : broken(r, ouro_heap_error(r->l->heap));
}

static void skip_space(reader *r) {
  for (; isspace((unsigned char)*r->at) || *r->at == ';'; r->at++) {
    if (*r->at == ';') r->at += strcspn(r->at, "\n");
    if (*r->at == '\n') r->line++;
    if (*r->at == 0) return;
  }
}

static bool is_end(char c) { return c == 0 || isspace((unsigned char)c) || strchr("()\";'", c); }

static size_t token_length(const char *at) {
  size_t n = 0;
  while (!is_end(at[n])) n++;
  return n;
}

/* A number or a symbol. */
static value read_atom(reader *r) {
  const char *text = r->at, *digits = text + (*text == '-' || *text == '+');
  size_t length = token_length(text);
  char *end;
  r->at += length ? length : 1;
  if (length == 0) return broken(r, "a character that begins nothing");
  if (!isdigit((unsigned char)digits[*digits == '.']))
    return checked(r, ouro_str_intern(r->l->heap, text, length));
  errno = 0;
  long long integer = strtoll(text, &end, 10);
  if (end == r->at)
    return errno ? broken(r, "an integer of more than 64 bits") : int_new(r->l, integer);
  double real = strtod(text, &end);
  if (end == r->at) return OURO_OBJECT(ouro_float_new(r->l->heap, real));
  return checked(r, ouro_str_intern(r->l->heap, text, length));
}

/* One character of a string, `at` on its start. */
static char string_char(const char **at) {
  if (**at != '\\') return *(*at)++;
  char c = (*at)[1];
  *at += 2;
  return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

static value read_string(reader *r) {
  const char *from = r->at + 1, *to = from;
  for (; *to != '"'; to++) {
    if (*to == '\\') to++;
    if (to >= r->end) return cut_off(r, "a string without end");
    if (*to == '\n') r->line++;
  }
  char *text = ouro_alloc(r->l->heap, (size_t)(to - from) + 1);
  if (!text) return NULL;
  size_t length = 0;
  while (from < to) text[length++] = string_char(&from);
  r->at = to + 1;
  value v = checked(r, ouro_str_new(r->l->heap, text, length));
  ouro_free(r->l->heap, text);
  return v;
}

/* #\x, and by name #\space and #\newline */
static value read_char(reader *r) {
  const char *text = r->at + 2;
  if (text >= r->end) return cut_off(r, "the text ends within a character");
  size_t bytes = utf8_length(text), length = token_length(text);
  r->at = text + (length > bytes ? length : bytes);
  if (length <= bytes) return char_new(r->l, text);
  if (length == 5 && !memcmp(text, "space", 5)) return char_new(r->l, " ");
  if (length == 7 && !memcmp(text, "newline", 7)) return char_new(r->l, "\n");
  return broken(r, "no such character name");
}

/* Behind a dot: the last item, before the closing parenthesis. */
static bool read_rest(reader *r, value last) {
  r->at++;
  value rest = last ? read_datum(r) : broken(r, "a dot without an item before it");
  if (!rest) return false;
  ouro_assign_new(&CDR(last), rest);
  skip_space(r);
  return *r->at == ')' || broken(r, "not one item behind a dot");
}

/* Puts an item behind *last, the last pair of *list. Both NULL: a new list. */
static bool read_item(reader *r, value *list, value *last) {
  uint32_t line = r->line;
  if (r->at >= r->end) return cut_off(r, "( without )");
  if (*r->at == '.' && is_end(r->at[1])) return read_rest(r, *last);
  value item = read_datum(r), made = cons(r->l, item, item ? ouro_ref(r->l->nil) : NULL);
  if (!made) return false;
  ((pair *)made)->line = line;
  if (*last) ouro_assign_new(&CDR(*last), made);
  else *list = made;
  *last = made;
  return true;
}

static value read_list(reader *r) {
  value list = NULL, last = NULL;
  r->at++;
  skip_space(r);
  while (*r->at != ')') {
    if (!read_item(r, &list, &last)) return ouro_unref(list), NULL;
    skip_space(r);
  }
  r->at++;
  return list ? list : ouro_ref(r->l->nil);
}

/* 'x is (quote x), and so on. */
static value read_quoted(reader *r, const char *name, size_t skip) {
  r->at += skip;
  value id = symbol(r->l, name), datum = id ? read_datum(r) : NULL;
  return cons(r->l, id, cons(r->l, datum, ouro_ref(r->l->nil)));
}

static value read_vector(reader *r) {
  value list = read_list(r), made = NULL;
  if (!list) return NULL;
  if (list_length(r->l, list) < 0) broken(r, "a dot in a vector");
  else made = list_to_vector(r->l, list);
  ouro_unref(list);
  return made;
}

static value read_hash(reader *r) {
  char next = r->at[1];
  if (next == '\\') return read_char(r);
  r->at++;
  if (next == '(') return read_vector(r);
  if ((next != 't' && next != 'f') || !is_end(r->at[1]))
    return broken(r, "# is followed by nothing known");
  return r->at++, truth(r->l, next == 't');
}

static value read_here(reader *r) {
  switch (*r->at) {
  case '(': return read_list(r);
  case ')': return r->at++, broken(r, ") without (");
  case '\'': return read_quoted(r, "quote", 1);
  case '`': return read_quoted(r, "quasiquote", 1);
  case '"': return read_string(r);
  case '#': return read_hash(r);
  case ',':
    if (r->at[1] == '@') return read_quoted(r, "unquote-splicing", 2);
    return read_quoted(r, "unquote", 1);
  default: return read_atom(r);
  }
}

static value read_datum(reader *r) {
  skip_space(r);
  if (r->at >= r->end) return cut_off(r, "the text ends within a form");
  if (r->depth >= LISP_MAX_DEPTH) return broken(r, "nested too deep");
  r->depth++;
  value v = read_here(r);
  r->depth--;
  return v;
}

value read_form(reader *r) {
  skip_space(r);
  return r->at >= r->end ? ouro_ref(r->l->eof) : read_datum(r);
}
