/* SPDX-License-Identifier: MIT */
/* Pairs, lists, and what compares. */
#include "lisp.h"

#define EQUAL_DEPTH 10000 /* of nesting but the last item: what equal? may recurse */

/* 1: equal, 0: not, -1: nested too deep. */
static int equal(const lisp *l, value a, value b, int depth) {
  int same = 1;
  if (depth > EQUAL_DEPTH) return -1;
  for (; a != b && is(l, a, K_PAIR) && is(l, b, K_PAIR); a = CDR(a), b = CDR(b))
    if ((same = equal(l, CAR(a), CAR(b), depth + 1)) != 1) return same;
  if (is_string(l, a) && is_string(l, b)) return ouro_str_compare(STR(a), STR(b)) == 0;
  if (!is(l, a, K_VECTOR) || !is(l, b, K_VECTOR)) return eqv(l, a, b);
  if (VECTOR(a)->length != VECTOR(b)->length) return 0;
  for (size_t i = 0; same == 1 && i < VECTOR(a)->length; i++)
    same = equal(l, VECTOR(a)->items[i], VECTOR(b)->items[i], depth + 1);
  return same;
}

static value too_deep(call *c) { return fail(c->l, NULL, "%s: nested too deep", c->self->name); }

static value f_eq(call *c) { return truth(c->l, eqv(c->l, c->args[0], c->args[1])); }
static value f_equal(call *c) {
  int same = equal(c->l, c->args[0], c->args[1], 0);
  return same < 0 ? too_deep(c) : truth(c->l, same);
}
static value f_not(call *c) { return truth(c->l, c->args[0] == c->l->no); }
static value f_null(call *c) { return truth(c->l, c->args[0] == c->l->nil); }

/* pair? vector? char? exact? inexact? error-object?: index is the kind. */
static value f_is(call *c) { return truth(c->l, is(c->l, c->args[0], (kind)c->self->index)); }

static value f_procedure(call *c) {
  kind k = kind_of(c->l, c->args[0]);
  return truth(c->l, k == K_CLOSURE || k == K_BUILTIN || k == K_ESCAPE);
}

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

static bool need_list(call *c, size_t i) {
  return list_length(c->l, c->args[i]) >= 0 ||
         fail(c->l, c->args[i], "%s: not a list:", c->self->name);
}

static value f_is_list(call *c) { return truth(c->l, list_length(c->l, c->args[0]) >= 0); }

static value f_length(call *c) {
  return need_list(c, 0) ? int_new(c->l, list_length(c->l, c->args[0])) : NULL;
}

static value f_append(call *c) {
  value list = NULL, last = NULL, end = c->n ? c->args[c->n - 1] : c->l->nil;
  for (size_t i = 0; i + 1 < c->n; i++) {
    bool good = need_list(c, i);
    for (value v = c->args[i]; good && v != c->l->nil; v = CDR(v))
      good = list_add(c->l, &list, &last, ouro_ref(CAR(v)));
    if (!good) return ouro_unref(list), NULL;
  }
  if (list) ouro_assign(&CDR(last), end);
  return list ? list : ouro_ref(end);
}

static value f_reverse(call *c) {
  value list = need_list(c, 0) ? ouro_ref(c->l->nil) : NULL;
  for (value v = c->args[0]; list && v != c->l->nil; v = CDR(v))
    list = cons(c->l, ouro_ref(CAR(v)), list);
  return list;
}

/* memv, member, and (bit 1) assv, assoc; bit 0: compare with equal?. */
static value f_search(call *c) {
  int how = c->self->index;
  for (value v = c->args[1]; is(c->l, v, K_PAIR); v = CDR(v)) {
    value item = CAR(v);
    if (how & 2 && !is(c->l, item, K_PAIR)) continue;
    value key = how & 2 ? CAR(item) : item;
    int same = how & 1 ? equal(c->l, c->args[0], key, 0) : eqv(c->l, c->args[0], key);
    if (same < 0) return too_deep(c);
    if (same) return ouro_ref(how & 2 ? item : v);
  }
  return truth(c->l, false);
}

const builtin_spec builtins_lists[] = {{"eq?", f_eq, 2, 2, 0},
                                       {"eqv?", f_eq, 2, 2, 0},
                                       {"equal?", f_equal, 2, 2, 0},
                                       {"not", f_not, 1, 1, 0},
                                       {"null?", f_null, 1, 1, 0},
                                       {"pair?", f_is, 1, 1, K_PAIR},
                                       {"vector?", f_is, 1, 1, K_VECTOR},
                                       {"char?", f_is, 1, 1, K_CHAR},
                                       {"exact?", f_is, 1, 1, K_INT},
                                       {"inexact?", f_is, 1, 1, K_FLOAT},
                                       {"error-object?", f_is, 1, 1, K_CONDITION},
                                       {"procedure?", f_procedure, 1, 1, 0},
                                       {"cons", f_cons, 2, 2, 0},
                                       {"car", f_cxr, 1, 1, 2},
                                       {"cdr", f_cxr, 1, 1, 3},
                                       {"caar", f_cxr, 1, 1, 4},
                                       {"cadr", f_cxr, 1, 1, 5},
                                       {"cdar", f_cxr, 1, 1, 6},
                                       {"cddr", f_cxr, 1, 1, 7},
                                       {"caddr", f_cxr, 1, 1, 11},
                                       {"cdddr", f_cxr, 1, 1, 15},
                                       {"cadddr", f_cxr, 1, 1, 23},
                                       {"set-car!", f_set_pair, 2, 2, 0},
                                       {"set-cdr!", f_set_pair, 2, 2, 1},
                                       {"list?", f_is_list, 1, 1, 0},
                                       {"length", f_length, 1, 1, 0},
                                       {"append", f_append, 0, -1, 0},
                                       {"reverse", f_reverse, 1, 1, 0},
                                       {"memq", f_search, 2, 2, 0},
                                       {"memv", f_search, 2, 2, 0},
                                       {"member", f_search, 2, 2, 1},
                                       {"assq", f_search, 2, 2, 2},
                                       {"assv", f_search, 2, 2, 2},
                                       {"assoc", f_search, 2, 2, 3},
                                       {0}};
