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

/* Behind `#|`, which may nest. */
static bool skip_block(reader *r) {
  for (int open = 1; open > 0; r->at++) {
    if (r->at >= r->end) return cut_off(r, "#| without |#");
    if (*r->at == '\n') r->line++;
    else if (r->at[0] == '|' && r->at[1] == '#') open--, r->at++;
    else if (r->at[0] == '#' && r->at[1] == '|') open++, r->at++;
  }
  return true;
}

static bool skip_datum(reader *r) {
  value v = read_datum(r);
  ouro_unref(v);
  return v != NULL;
}

static bool skip_space(reader *r) {
  for (;;) {
    if (*r->at == '\n') r->line++, r->at++;
    else if (isspace((unsigned char)*r->at)) r->at++;
    else if (*r->at == ';') r->at += strcspn(r->at, "\n");
    else if (r->at[0] == '#' && r->at[1] == '|') {
      r->at += 2;
      if (!skip_block(r)) return false;
    } else if (r->at[0] == '#' && r->at[1] == ';') {
      r->at += 2;
      if (!skip_datum(r)) return false;
    } else return true;
  }
}

static bool is_end(char c) { return c == 0 || isspace((unsigned char)c) || strchr("()\";'", c); }

static size_t token_length(const char *at) {
  size_t n = 0;
  while (!is_end(at[n])) n++;
  return n;
}

value parse_number(lisp *l, const char *text, size_t length, int base, bool *is_number) {
  size_t sign = length > 0 && (*text == '-' || *text == '+'), point = text[sign] == '.';
  char *end;
  *is_number = false;
  if (sign + point >= length || !isxdigit((unsigned char)text[sign + point])) return NULL;
  if (base == 10 && !isdigit((unsigned char)text[sign + point])) return NULL;
  errno = 0;
  long long integer = strtoll(text, &end, base);
  if (end == text + length) {
    *is_number = true;
    if (errno) return fail(l, NULL, "integer too large: %.*s", (int)length, text);
    return OURO_OBJECT(ouro_int_new(l->heap, integer));
  }
  double real = strtod(text, &end);
  *is_number = end == text + length && base == 10;
  return *is_number ? OURO_OBJECT(ouro_float_new(l->heap, real)) : NULL;
}

static value read_atom(reader *r) {
  const char *text = r->at;
  size_t length = token_length(text);
  if (length == 0) return r->at++, broken(r, "a character that begins nothing");
  r->at += length;
  bool is_number;
  value v = parse_number(r->l, text, length, 10, &is_number);
  return is_number ? v : OURO_OBJECT(ouro_str_intern(r->l->heap, text, length));
}

/* One character of a string, `at` on its start. */
static char string_char(const char **at) {
  if (**at != '\\') return *(*at)++;
  char c = (*at)[1];
  *at += 2;
  return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'a' ? '\a' : c;
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
  value v = OURO_OBJECT(ouro_str_new(r->l->heap, text, length));
  ouro_free(r->l->heap, text);
  return v;
}

static const struct char_name {
  const char *name;
  uint32_t code;
} char_names[] = {{"space", ' '}, {"newline", '\n'}, {"tab", '\t'}, {"nul", 0}, {"return", '\r'}};

/* #\x, #\space: behind the first character only letters belong to it. */
static value read_char(reader *r) {
  const char *text = r->at + 2;
  size_t length = *text ? 1 : 0, bytes = 1;
  while ((text[bytes] & 0xC0) == 0x80) bytes++;
  length = bytes > 1 ? bytes : length + token_length(text + length);
  r->at = text + length;
  uint32_t code = utf8_decode(text, bytes);
  if (length > bytes) {
    size_t i = 0, names = sizeof char_names / sizeof *char_names;
    while (i < names &&
           (strlen(char_names[i].name) != length || memcmp(text, char_names[i].name, length) != 0))
      i++;
    if (i == names) return broken(r, "no such character name");
    code = char_names[i].code;
  }
  return char_new(r->l, code);
}

/* Behind a dot: the last item and the closing parenthesis. */
static bool read_rest(reader *r, value last) {
  r->at++;
  if (!last) return broken(r, "a dot without an item before it");
  value rest = read_datum(r);
  if (!rest) return false;
  ouro_assign_new(&CDR(last), rest);
  if (!skip_space(r)) return false;
  return *r->at++ == ')' || broken(r, "more than one item behind a dot");
}

static bool read_item(reader *r, value *list, value *last) {
  uint32_t line = r->line;
  value item = read_datum(r);
  if (!item || !list_add(r->l, list, last, item)) return false;
  PAIR(*last)->line = line;
  return true;
}

static value read_list(reader *r) {
  value list = NULL, last = NULL;
  uint32_t line = r->line;
  r->at++;
  for (;;) {
    bool good = skip_space(r);
    if (good && *r->at == ')') {
      r->at++;
      if (list) PAIR(list)->line = line;
      return list ? list : ouro_ref(r->l->nil);
    }
    if (good && *r->at == '.' && is_end(r->at[1])) {
      if (read_rest(r, last)) return list;
      good = false;
    }
    if (good && r->at >= r->end) good = cut_off(r, "( without )");
    if (!good || !read_item(r, &list, &last)) {
      ouro_unref(list);
      return NULL;
    }
  }
}

static value read_vector(reader *r) {
  r->at++;
  value list = read_list(r);
  if (list && list_length(r->l, list) < 0) {
    ouro_unref(list);
    return broken(r, "a dot in a vector");
  }
  value v = list ? list_to_vector(r->l, list) : NULL;
  ouro_unref(list);
  return v;
}

/* 'x is (quote x), and so on. */
static value read_quoted(reader *r, const char *name, size_t skip) {
  r->at += skip;
  value id = symbol(r->l, name), datum = id ? read_datum(r) : NULL;
  return cons(r->l, id, cons(r->l, datum, ouro_ref(r->l->nil)));
}

static value read_hash(reader *r) {
  size_t length = token_length(r->at);
  if (r->at[1] == '(') return read_vector(r);
  if (r->at[1] == '\\') return read_char(r);
  for (int yes = 0; yes < 2; yes++) {
    const char *word = yes ? "#true" : "#false";
    if (length > 1 && (length == 2 || length == strlen(word)) && !memcmp(r->at, word, length)) {
      r->at += length;
      return ouro_ref(truth(r->l, yes));
    }
  }
  return broken(r, "# is followed by nothing known");
}

static value read_here(reader *r) {
  switch (*r->at) {
  case '(': return read_list(r);
  case ')': r->at++; return broken(r, ") without (");
  case '\'': return read_quoted(r, "quote", 1);
  case '`': return read_quoted(r, "quasiquote", 1);
  case ',':
    if (r->at[1] == '@') return read_quoted(r, "unquote-splicing", 2);
    return read_quoted(r, "unquote", 1);
  case '"': return read_string(r);
  case '#': return read_hash(r);
  default: return read_atom(r);
  }
}

static value read_datum(reader *r) {
  if (!skip_space(r)) return NULL;
  if (r->at >= r->end) return cut_off(r, "the text ends within a form");
  if (r->depth >= LISP_MAX_DEPTH) return broken(r, "nested too deep");
  r->depth++;
  value v = read_here(r);
  r->depth--;
  return v;
}

value read_form(reader *r) {
  if (!skip_space(r)) return NULL;
  return r->at >= r->end ? ouro_ref(r->l->eof) : read_datum(r);
}
