/* SPDX-License-Identifier: MIT */
/* Characters, strings and symbols. Strings are Ouro's: UTF-8 that does not change; a symbol is an
 * interned one. */
#include "lisp.h"
#include <string.h>

uint32_t utf8_decode(const char *text, size_t length) {
  const unsigned char *u = (const unsigned char *)text;
  uint32_t code = length < 2 ? u[0] : u[0] & (0x7Fu >> length);
  for (size_t i = 1; i < length; i++) code = code << 6 | (u[i] & 0x3Fu);
  return code;
}

size_t utf8_encode(uint32_t code, char *out) {
  size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = length; i-- > 1; code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
  out[0] = (char)(length == 1 ? code : (0xF00u >> length & 0xFF) | code);
  return length;
}

value char_new(lisp *l, uint32_t code) {
  character *c = make(l, K_CHAR);
  if (c) c->code = code;
  return OURO_OBJECT(c);
}

static value f_is_text(call *c) {
  bool yes = c->self->spec.index ? is_symbol(c->l, c->args[0]) : is_string(c->l, c->args[0]);
  return ouro_ref(truth(c->l, yes));
}

/* Code points: the same as bytes in ASCII, which is found out once per string and kept in the byte
 * of the object's header that is the program's own. */
static bool is_ascii(ouro_str *s) {
  if (s->object.user == 0) s->object.user = ouro_str_count(s) == s->length ? 1 : 2;
  return s->object.user == 1;
}

/* Where code point i starts. */
static size_t offset_of(ouro_str *s, size_t i) {
  if (is_ascii(s)) return i;
  size_t at = 0;
  for (; i > 0; i--) do
      at++;
    while ((s->bytes[at] & 0xC0) == 0x80);
  return at;
}

static size_t count_of(ouro_str *s) { return is_ascii(s) ? s->length : ouro_str_count(s); }

static value f_string_length(call *c) {
  if (!need_string(c, 0)) return NULL;
  return OURO_OBJECT(ouro_int_new(c->l->heap, (int64_t)count_of(STR(c->args[0]))));
}

static value f_string_ref(call *c) {
  size_t i;
  if (!need_string(c, 0) || !need_index(c, 1, count_of(STR(c->args[0])), &i)) return NULL;
  ouro_str *s = STR(c->args[0]);
  size_t from = offset_of(s, i), bytes = 1;
  while ((s->bytes[from + bytes] & 0xC0) == 0x80) bytes++;
  return char_new(c->l, utf8_decode(s->bytes + from, bytes));
}

static value f_substring(call *c) {
  size_t from, to;
  if (!need_string(c, 0)) return NULL;
  ouro_str *s = STR(c->args[0]);
  to = count_of(s);
  if (!need_index(c, 1, to + 1, &from) || (c->n > 2 && !need_index(c, 2, to + 1, &to))) return NULL;
  if (from > to) return fail(c->l, c->args[1], "substring: behind the end:");
  size_t start = offset_of(s, from);
  return OURO_OBJECT(ouro_str_new(c->l->heap, s->bytes + start, offset_of(s, to) - start));
}

static value f_string_append(call *c) {
  size_t length = 0;
  for (size_t i = 0; i < c->n; length += STR(c->args[i++])->length)
    if (!need_string(c, i)) return NULL;
  char *text = ouro_alloc(c->l->heap, length), *at = text;
  if (!text) return NULL;
  for (size_t i = 0; i < c->n; at += STR(c->args[i++])->length)
    memcpy(at, STR(c->args[i])->bytes, STR(c->args[i])->length);
  value made = OURO_OBJECT(ouro_str_new(c->l->heap, text, length));
  ouro_free(c->l->heap, text);
  return made;
}

static value f_list_to_string(call *c) {
  int64_t n = list_length(c->l, c->args[0]);
  if (n < 0) return fail(c->l, c->args[0], "list->string: not a list:");
  char *text = ouro_alloc(c->l->heap, 4 * (size_t)n), *at = text;
  if (!text) return NULL;
  value made = NULL, v = c->args[0];
  for (; v != c->l->nil && is(c->l, CAR(v), K_CHAR); v = CDR(v))
    at += utf8_encode(((character *)(void *)CAR(v))->code, at);
  if (v == c->l->nil) made = OURO_OBJECT(ouro_str_new(c->l->heap, text, (size_t)(at - text)));
  else fail(c->l, CAR(v), "list->string: not a character:");
  ouro_free(c->l->heap, text);
  return made;
}

/* string=? (index 0) and string<? */
static value f_string_compare(call *c) {
  if (!need_string(c, 0) || !need_string(c, 1)) return NULL;
  int order = ouro_str_compare(STR(c->args[0]), STR(c->args[1]));
  return ouro_ref(truth(c->l, c->self->spec.index ? order < 0 : order == 0));
}

static value f_string_to_symbol(call *c) {
  if (!need_string(c, 0)) return NULL;
  const ouro_str *s = STR(c->args[0]);
  return OURO_OBJECT(ouro_str_intern(c->l->heap, s->bytes, s->length));
}

static value f_symbol_to_string(call *c) {
  if (!need_symbol(c, 0)) return NULL;
  const ouro_str *s = STR(c->args[0]);
  return OURO_OBJECT(ouro_str_new(c->l->heap, s->bytes, s->length));
}

static value f_char_to_integer(call *c) {
  if (!need(c, 0, K_CHAR)) return NULL;
  return OURO_OBJECT(ouro_int_new(c->l->heap, ((character *)(void *)c->args[0])->code));
}

static value f_integer_to_char(call *c) {
  size_t code;
  if (!need_index(c, 0, 0x110000, &code)) return NULL;
  if (code >= 0xD800 && code < 0xE000) return fail(c->l, c->args[0], "not a character:");
  return char_new(c->l, (uint32_t)code);
}

const builtin_spec builtins_text[] = {{"string?", f_is_text, 1, 1, F_NONE, 0},
                                      {"symbol?", f_is_text, 1, 1, F_NONE, 1},
                                      {"string-length", f_string_length, 1, 1, F_NONE, 0},
                                      {"string-ref", f_string_ref, 2, 2, F_NONE, 0},
                                      {"substring", f_substring, 2, 3, F_NONE, 0},
                                      {"string-append", f_string_append, 0, -1, F_NONE, 0},
                                      {"list->string", f_list_to_string, 1, 1, F_NONE, 0},
                                      {"string=?", f_string_compare, 2, 2, F_NONE, 0},
                                      {"string<?", f_string_compare, 2, 2, F_NONE, 1},
                                      {"string->symbol", f_string_to_symbol, 1, 1, F_NONE, 0},
                                      {"symbol->string", f_symbol_to_string, 1, 1, F_NONE, 0},
                                      {"char->integer", f_char_to_integer, 1, 1, F_NONE, 0},
                                      {"integer->char", f_integer_to_char, 1, 1, F_NONE, 0},
                                      {0}};
