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

value parse_number(lisp *l, const char *text, size_t length, bool *is_number) {
  size_t sign = length > 0 && (*text == '-' || *text == '+'), point = text[sign] == '.';
  char *end;
  *is_number = sign + point < length && isdigit((unsigned char)text[sign + point]);
  if (!*is_number) return NULL;
  errno = 0;
  long long integer = strtoll(text, &end, 10);
  if (end == text + length)
    return errno ? fail(l, NULL, "an integer of more than 64 bits") : int_new(l, integer);
  double real = strtod(text, &end);
  *is_number = end == text + length;
  return *is_number ? OURO_OBJECT(ouro_float_new(l->heap, real)) : NULL;
}

static value read_atom(reader *r) {
  const char *text = r->at;
  size_t length = token_length(text);
  bool is_number;
  r->at += length ? length : 1;
  if (length == 0) return broken(r, "a character that begins nothing");
  value v = parse_number(r->l, text, length, &is_number);
  return is_number ? v : checked(r, ouro_str_intern(r->l->heap, text, length));
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
  size_t bytes, length = token_length(text);
  if (text >= r->end) return cut_off(r, "the text ends within a character");
  uint32_t code = utf8_decode(text, &bytes);
  if (length == 5 && !memcmp(text, "space", 5)) code = ' ';
  else if (length == 7 && !memcmp(text, "newline", 7)) code = '\n';
  else if (length > bytes) return broken(r, "no such character name");
  r->at = text + (length > bytes ? length : bytes);
  return char_new(r->l, code);
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

/* Puts `item` (taken) behind *last, the last pair of *list. Both NULL: a new list. */
static bool list_add(lisp *l, value *list, value *last, OURO_STOLEN value item) {
  value p = cons(l, item, ouro_ref(l->nil));
  if (!p) return false;
  if (*last) ouro_assign_new(&CDR(*last), p);
  else *list = p;
  *last = p;
  return true;
}

static bool read_item(reader *r, value *list, value *last) {
  uint32_t line = r->line;
  if (r->at >= r->end) return cut_off(r, "( without )");
  if (*r->at == '.' && is_end(r->at[1])) return read_rest(r, *last);
  value item = read_datum(r);
  if (!item || !list_add(r->l, list, last, item)) return false;
  ((pair *)*last)->line = line;
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
  r->at++;
  value list = read_list(r), v = NULL;
  if (list)
    v = list_length(r->l, list) < 0 ? broken(r, "a dot in a vector") : list_to_vector(r->l, list);
  ouro_unref(list);
  return v;
}

static value read_hash(reader *r) {
  char next = r->at[1];
  if (next == '(') return read_vector(r);
  if (next == '\\') return read_char(r);
  if ((next != 't' && next != 'f') || !is_end(r->at[2]))
    return broken(r, "# is followed by nothing known");
  r->at += 2;
  return truth(r->l, next == 't');
}

static value read_here(reader *r) {
  switch (*r->at) {
  case '(': return read_list(r);
  case ')': return r->at++, broken(r, ") without (");
  case '\'': return read_quoted(r, "quote", 1);
  case '`': return read_quoted(r, "quasiquote", 1);
  case ',':
    return r->at[1] == '@' ? read_quoted(r, "unquote-splicing", 2) : read_quoted(r, "unquote", 1);
  case '"': return read_string(r);
  case '#': return read_hash(r);
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
