/* SPDX-License-Identifier: MIT */
/* Pairs, vectors, records and text: the rest is in prelude.scm. */
#include "lisp.h"
#include <string.h>

#define VECTOR_MAX ((size_t)1 << 40)
#define FIELDS_MAX 100

static value f_eqv(call *c) { return truth(c->l, eqv(c->l, c->args[0], c->args[1])); }
static value f_not(call *c) { return truth(c->l, c->args[0] == c->l->no); }
static value f_null(call *c) { return truth(c->l, c->args[0] == c->l->nil); }

/* pair? vector? string? and so on: index is the kind. */
static value f_is(call *c) { return truth(c->l, is_kind(c->l, c->args[0], (kind)c->self->index)); }

static value f_cons(call *c) { return cons(c->l, ouro_ref(c->args[0]), ouro_ref(c->args[1])); }

/* car, cdr, cadr ...: index has a bit for each step, the last letter's lowest, 1 for d, and above
 * them a 1. */
static value f_cxr(call *c) {
  value v = c->args[0];
  for (int path = c->self->index; path > 1; path >>= 1) {
    if (!is(c->l, v, K_PAIR)) return fail(c->l, c->args[0], "%s: not such a pair:", c->self->name);
    v = path & 1 ? CDR(v) : CAR(v);
  }
  return ouro_ref(v);
}

static value f_set_pair(call *c) {
  if (!need(c, 0, K_PAIR)) return NULL;
  ouro_assign(c->self->index ? &CDR(c->args[0]) : &CAR(c->args[0]), c->args[1]);
  return ouro_ref(c->l->none);
}

static value f_is_list(call *c) { return truth(c->l, list_length(c->l, c->args[0]) >= 0); }

static value f_length(call *c) {
  return need_list(c, 0) ? int_new(c->l, list_length(c->l, c->args[0])) : NULL;
}

static value f_reverse(call *c) {
  value list = need_list(c, 0) ? ouro_ref(c->l->nil) : NULL;
  for (value v = c->args[0]; list && v != c->l->nil; v = CDR(v))
    list = cons(c->l, ouro_ref(CAR(v)), list);
  return list;
}

static value f_assv(call *c) {
  for (value v = c->args[1]; is(c->l, v, K_PAIR); v = CDR(v))
    if (is(c->l, CAR(v), K_PAIR) && eqv(c->l, c->args[0], CAR(CAR(v)))) return ouro_ref(CAR(v));
  return truth(c->l, false);
}

static value f_make_vector(call *c) {
  size_t n;
  if (!need_index(c, 0, VECTOR_MAX, &n)) return NULL;
  return OURO_OBJECT(vector_new(c->l, n, c->n > 1 ? c->args[1] : c->l->none));
}

static value f_vector_length(call *c) {
  return need(c, 0, K_VECTOR) ? int_new(c->l, (int64_t)VECTOR(c->args[0])->length) : NULL;
}

/* vector-ref, and with a third argument vector-set! */
static value f_vector_access(call *c) {
  size_t i;
  if (!need(c, 0, K_VECTOR) || !need_index(c, 1, VECTOR(c->args[0])->length, &i)) return NULL;
  if (c->n == 2) return ouro_ref(VECTOR(c->args[0])->items[i]);
  ouro_assign(&VECTOR(c->args[0])->items[i], c->args[2]);
  return ouro_ref(c->l->none);
}

static value f_list_to_vector(call *c) {
  return need_list(c, 0) ? list_to_vector(c->l, c->args[0]) : NULL;
}

static value record_new(lisp *l, ouro_type *type) {
  ouro_record *made = type ? ouro_record_new(type) : NULL;
  for (size_t i = 0; made && i < ouro_record_count(type); i++) ouro_record_set(made, i, l->none);
  return OURO_OBJECT(made);
}

/* (%record-type name (field ...)): an empty record stands for its type. */
static value f_record_type(call *c) {
  const char *names[FIELDS_MAX];
  size_t n = 0;
  if (!need(c, 0, K_SYMBOL) || !need_list(c, 1)) return NULL;
  for (value rest = c->args[1]; rest != c->l->nil; rest = CDR(rest)) {
    if (n == FIELDS_MAX || !is_symbol(c->l, CAR(rest)))
      return fail(c->l, c->args[1], "no names of up to %d fields:", FIELDS_MAX);
    names[n++] = STR(CAR(rest))->bytes;
  }
  return record_new(c->l, ouro_record_type(c->l->heap, STR(c->args[0])->bytes, n, names, NULL));
}

/* (%record type) */
static value f_record(call *c) {
  return need(c, 0, K_RECORD) ? record_new(c->l, ouro_type_of(c->args[0])) : NULL;
}

/* (%record? x type) */
static value f_is_record(call *c) {
  return truth(c->l, ouro_type_of(c->args[0]) == ouro_type_of(c->args[1]));
}

/* (%record-access record type index), and with a fourth argument the field is set. */
static value f_record_access(call *c) {
  if (!need(c, 1, K_RECORD)) return NULL;
  const ouro_type *type = ouro_type_of(c->args[1]);
  ouro_record *record = (ouro_record *)c->args[0];
  size_t i;
  if (ouro_type_of(record) != type)
    return fail(c->l, c->args[0], "not a %s:", ouro_type_name(type));
  if (!need_index(c, 2, ouro_record_count(type), &i)) return NULL;
  if (c->n == 3) return ouro_ref(ouro_record_get(record, i));
  ouro_record_set(record, i, c->args[3]);
  return ouro_ref(c->l->none);
}

size_t utf8_length(const char *text) {
  size_t n = 1;
  while (n < 4 && (text[n] & 0xC0) == 0x80) n++;
  return n;
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
  return char_new(c->l, at_index(STR(c->args[0]), i));
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
    at = at + strlen(strcpy(at, CHAR(CAR(v))));
  if (v == c->l->nil) made = OURO_OBJECT(ouro_str_new(c->l->heap, text, (size_t)(at - text)));
  else fail(c->l, CAR(v), "list->string: not a character:");
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

/* clang-format off */
const builtin_spec builtins_data[] = {
    {"eq?", f_eqv, 2, 2, 0}, {"eqv?", f_eqv, 2, 2, 0},
    {"not", f_not, 1, 1, 0}, {"null?", f_null, 1, 1, 0},
    {"pair?", f_is, 1, 1, K_PAIR}, {"vector?", f_is, 1, 1, K_VECTOR},
    {"string?", f_is, 1, 1, K_STR}, {"symbol?", f_is, 1, 1, K_SYMBOL},
    {"exact?", f_is, 1, 1, K_INT}, {"inexact?", f_is, 1, 1, K_FLOAT},
    {"char?", f_is, 1, 1, K_CHAR}, {"error-object?", f_is, 1, 1, K_CONDITION},
    {"%closure?", f_is, 1, 1, K_CLOSURE}, {"%builtin?", f_is, 1, 1, K_BUILTIN},
    {"list?", f_is_list, 1, 1, 0},
    {"cons", f_cons, 2, 2, 0}, {"car", f_cxr, 1, 1, 2}, {"cdr", f_cxr, 1, 1, 3},
    {"caar", f_cxr, 1, 1, 4}, {"cadr", f_cxr, 1, 1, 5},
    {"cdar", f_cxr, 1, 1, 6}, {"cddr", f_cxr, 1, 1, 7},
    {"caddr", f_cxr, 1, 1, 11}, {"cdddr", f_cxr, 1, 1, 15}, {"cadddr", f_cxr, 1, 1, 23},
    {"set-car!", f_set_pair, 2, 2, 0}, {"set-cdr!", f_set_pair, 2, 2, 1},
    {"assq", f_assv, 2, 2, 0}, {"assv", f_assv, 2, 2, 0},
    {"length", f_length, 1, 1, 0}, {"reverse", f_reverse, 1, 1, 0},
    {"make-vector", f_make_vector, 1, 2, 0}, {"vector-length", f_vector_length, 1, 1, 0},
    {"vector-ref", f_vector_access, 2, 2, 0}, {"vector-set!", f_vector_access, 3, 3, 0},
    {"list->vector", f_list_to_vector, 1, 1, 0}, {"%record-type", f_record_type, 2, 2, 0},
    {"%record", f_record, 1, 1, 0}, {"%record?", f_is_record, 2, 2, 0},
    {"%record-access", f_record_access, 3, 4, 0},
    {"string-length", f_string_length, 1, 1, 0}, {"string-ref", f_string_ref, 2, 2, 0},
    {"substring", f_substring, 3, 3, 0}, {"string-append", f_string_append, 0, -1, 0},
    {"list->string", f_list_to_string, 1, 1, 0}, {"%string-order", f_string_order, 2, 2, 0},
    {"string->symbol", f_convert, 1, 1, K_STR}, {"symbol->string", f_convert, 1, 1, K_SYMBOL},
    {0}};
/* clang-format on */
