/* SPDX-License-Identifier: MIT */
/* Characters, strings and symbols. Strings are Ouro's: UTF-8 that does not change. */
#include "lisp.h"
#include <string.h>

/* Bytes of the code point at `text`. */
static size_t utf8_length(const char *text) {
  size_t n = 1;
  while ((text[n] & 0xC0) == 0x80) n++;
  return n;
}

uint32_t utf8_decode(const char *text, size_t *length) {
  const unsigned char *u = (const unsigned char *)text;
  *length = u[0] ? utf8_length(text) : 1;
  uint32_t code = *length < 2 ? u[0] : u[0] & (0x7Fu >> *length);
  for (size_t i = 1; i < *length; i++) code = code << 6 | (u[i] & 0x3Fu);
  return code;
}

size_t utf8_encode(uint32_t code, char *out) {
  size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = length; i-- > 1; code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
  out[0] = (char)(length == 1 ? code : (0xF00u >> length & 0xFF) | code);
  return length;
}

/* Code points: the same as bytes in ASCII, which is found out once per string and kept in the byte
 * of the object's header that is the program's own. */
static bool is_ascii(ouro_str *s) {
  if (s->object.user == 0) s->object.user = ouro_str_count(s) == s->length ? 1 : 2;
  return s->object.user == 1;
}

static size_t count_of(ouro_str *s) { return is_ascii(s) ? s->length : ouro_str_count(s); }

/* Where code point i starts. */
static const char *at_index(ouro_str *s, size_t i) {
  const char *at = s->bytes;
  if (is_ascii(s)) return at + i;
  for (; i > 0; i--) at += utf8_length(at);
  return at;
}

static value str_new(call *c, const char *text, size_t length) {
  return OURO_OBJECT(ouro_str_new(c->l->heap, text, length));
}

/* symbol? (index 1) and string? */
static value f_is_text(call *c) {
  return truth(c->l, (c->self->index ? is_symbol : is_string)(c->l, c->args[0]));
}

static value f_string_length(call *c) {
  return need_string(c, 0) ? int_new(c->l, (int64_t)count_of(STR(c->args[0]))) : NULL;
}

static value f_string_ref(call *c) {
  size_t i;
  if (!need_string(c, 0) || !need_index(c, 1, count_of(STR(c->args[0])), &i)) return NULL;
  return char_new(c->l, utf8_decode(at_index(STR(c->args[0]), i), &i));
}

static value f_substring(call *c) {
  size_t from, to = need_string(c, 0) ? count_of(STR(c->args[0])) : SIZE_MAX;
  if (to == SIZE_MAX || !need_index(c, 1, to + 1, &from)) return NULL;
  if (c->n > 2 && !need_index(c, 2, to + 1, &to)) return NULL;
  if (from > to) return fail(c->l, c->args[1], "substring: behind the end:");
  const char *start = at_index(STR(c->args[0]), from);
  return str_new(c, start, (size_t)(at_index(STR(c->args[0]), to) - start));
}

static value f_string_append(call *c) {
  size_t length = 0;
  for (size_t i = 0; i < c->n; length += STR(c->args[i++])->length)
    if (!need_string(c, i)) return NULL;
  char *text = ouro_alloc(c->l->heap, length), *at = text;
  for (size_t i = 0; text && i < c->n; at += STR(c->args[i++])->length)
    memcpy(at, STR(c->args[i])->bytes, STR(c->args[i])->length);
  value made = text ? str_new(c, text, length) : NULL;
  ouro_free(c->l->heap, text);
  return made;
}

static value f_list_to_string(call *c) {
  value v = c->args[0], made = NULL;
  char *text = ouro_alloc(c->l->heap, 4 * (size_t)(list_length(c->l, v) + 1)), *at = text;
  if (!text) return NULL;
  for (; is(c->l, v, K_PAIR) && is(c->l, CAR(v), K_CHAR); v = CDR(v))
    at += utf8_encode(CODE_POINT(CAR(v)), at);
  if (v != c->l->nil) fail(c->l, v, "list->string: not a list of characters:");
  else made = str_new(c, text, (size_t)(at - text));
  ouro_free(c->l->heap, text);
  return made;
}

/* string<? (index 1) and string=? */
static value f_string_compare(call *c) {
  if (!need_string(c, 0) || !need_string(c, 1)) return NULL;
  int order = ouro_str_compare(STR(c->args[0]), STR(c->args[1]));
  return truth(c->l, c->self->index ? order < 0 : order == 0);
}

static value f_string_to_symbol(call *c) {
  if (!need_string(c, 0)) return NULL;
  return OURO_OBJECT(ouro_str_intern(c->l->heap, STR(c->args[0])->bytes, STR(c->args[0])->length));
}

static value f_symbol_to_string(call *c) {
  return need_symbol(c, 0) ? str_new(c, STR(c->args[0])->bytes, STR(c->args[0])->length) : NULL;
}

static value f_char_to_integer(call *c) {
  return need(c, 0, K_CHAR) ? int_new(c->l, CODE_POINT(c->args[0])) : NULL;
}

static value f_integer_to_char(call *c) {
  size_t code;
  if (!need_index(c, 0, 0x110000, &code)) return NULL;
  if (code >> 11 == 0x1B) return fail(c->l, c->args[0], "integer->char: a surrogate:");
  return char_new(c->l, (uint32_t)code);
}

const builtin_spec builtins_text[] = {{"string?", f_is_text, 1, 1, 0},
                                      {"symbol?", f_is_text, 1, 1, 1},
                                      {"string-length", f_string_length, 1, 1, 0},
                                      {"string-ref", f_string_ref, 2, 2, 0},
                                      {"substring", f_substring, 2, 3, 0},
                                      {"string-append", f_string_append, 0, -1, 0},
                                      {"list->string", f_list_to_string, 1, 1, 0},
                                      {"string=?", f_string_compare, 2, 2, 0},
                                      {"string<?", f_string_compare, 2, 2, 1},
                                      {"string->symbol", f_string_to_symbol, 1, 1, 0},
                                      {"symbol->string", f_symbol_to_string, 1, 1, 0},
                                      {"char->integer", f_char_to_integer, 1, 1, 0},
                                      {"integer->char", f_integer_to_char, 1, 1, 0},
                                      {0}};
