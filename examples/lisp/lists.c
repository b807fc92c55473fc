/* SPDX-License-Identifier: MIT */
/* Pairs, lists, and what tells kinds of values: the rest of lists is in prelude.scm. */
#include "lisp.h"

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

/* memv, and with index 1 assv */
static value f_search(call *c) {
  bool pairs = c->self->index;
  for (value v = c->args[1]; is(c->l, v, K_PAIR); v = CDR(v)) {
    value item = CAR(v);
    if (pairs && !is(c->l, item, K_PAIR)) continue;
    if (eqv(c->l, c->args[0], pairs ? CAR(item) : item)) return ouro_ref(pairs ? item : v);
  }
  return truth(c->l, false);
}

/* clang-format off */
const builtin_spec builtins_lists[] = {
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
    {"length", f_length, 1, 1, 0}, {"reverse", f_reverse, 1, 1, 0},
    {"memq", f_search, 2, 2, 0}, {"memv", f_search, 2, 2, 0},
    {"assq", f_search, 2, 2, 1}, {"assv", f_search, 2, 2, 1},
    {0}};
/* clang-format on */
