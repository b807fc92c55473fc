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
  *length = utf8_length(text);
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

/* Where code point i starts. */
static const char *at_index(const ouro_str *s, size_t i) {
  const char *at = s->bytes;
  for (; i > 0; i--) at += utf8_length(at);
  return at;
}

static value f_string_length(call *c) {
  return need(c, 0, K_STR) ? int_new(c->l, (int64_t)ouro_str_count(STR(c->args[0]))) : NULL;
}

static value f_string_ref(call *c) {
  size_t i;
  if (!need(c, 0, K_STR) || !need_index(c, 1, ouro_str_count(STR(c->args[0])), &i)) return NULL;
  return char_new(c->l, utf8_decode(at_index(STR(c->args[0]), i), &i));
}

static value f_substring(call *c) {
  size_t from, to;
  if (!need(c, 0, K_STR) || !need_index(c, 2, ouro_str_count(STR(c->args[0])) + 1, &to) ||
      !need_index(c, 1, to + 1, &from))
    return NULL;
  const char *start = at_index(STR(c->args[0]), from), *end = at_index(STR(c->args[0]), to);
  return OURO_OBJECT(ouro_str_new(c->l->heap, start, (size_t)(end - start)));
}

static value f_string_append(call *c) {
  value made = OURO_OBJECT(ouro_str_text(c->l->heap, ""));
  for (size_t i = 0; made && i < c->n; i++)
    ouro_assign_new(&made, need(c, i, K_STR) ? ouro_str_concat(STR(made), STR(c->args[i])) : NULL);
  return made;
}

static value f_list_to_string(call *c) {
  value v = c->args[0], made = NULL;
  if (!need_list(c, 0)) return NULL;
  char *text = ouro_alloc(c->l->heap, 4 * (size_t)list_length(c->l, v) + 1), *at = text;
  if (!text) return NULL;
  for (; is(c->l, v, K_PAIR) && is(c->l, CAR(v), K_CHAR); v = CDR(v))
    at += utf8_encode(CODE_POINT(CAR(v)), at);
  if (v != c->l->nil) fail(c->l, CAR(v), "list->string: not a character:");
  else made = OURO_OBJECT(ouro_str_new(c->l->heap, text, (size_t)(at - text)));
  ouro_free(c->l->heap, text);
  return made;
}

/* (%string-order a b): below, equal to or above 0 */
static value f_string_order(call *c) {
  if (!need(c, 0, K_STR) || !need(c, 1, K_STR)) return NULL;
  return int_new(c->l, ouro_str_compare(STR(c->args[0]), STR(c->args[1])));
}

/* string->symbol and symbol->string: index is the kind of the argument. */
static value f_convert(call *c) {
  if (!need(c, 0, (kind)c->self->index)) return NULL;
  const ouro_str *s = STR(c->args[0]);
  return OURO_OBJECT(
      (c->self->index == K_STR ? ouro_str_intern : ouro_str_new)(c->l->heap, s->bytes, s->length));
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

/* clang-format off */
const builtin_spec builtins_text[] = {
    {"string-length", f_string_length, 1, 1, 0}, {"string-ref", f_string_ref, 2, 2, 0},
    {"substring", f_substring, 3, 3, 0}, {"string-append", f_string_append, 0, -1, 0},
    {"list->string", f_list_to_string, 1, 1, 0}, {"%string-order", f_string_order, 2, 2, 0},
    {"string->symbol", f_convert, 1, 1, K_STR}, {"symbol->string", f_convert, 1, 1, K_SYMBOL},
    {"char->integer", f_char_to_integer, 1, 1, 0}, {"integer->char", f_integer_to_char, 1, 1, 0},
    {0}};
/* clang-format on */
