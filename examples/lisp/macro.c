/* SPDX-License-Identifier: MIT */
/*
 * syntax-rules. A match makes a list of bindings:
 *
 *     (name . form)                        for a pattern variable
 *     ((pattern ...) . (bindings ...))     for a pattern before `...`, one list per item matched
 *
 * Names that the template itself brings become aliases: identifiers of the same name with another
 * identity. They can bind nothing that the user wrote, and mean what they mean globally.
 */
#include "lisp.h"
#include <string.h>

typedef struct expansion {
  lisp *l;
  macro *m;
  value bindings, renamed;
} expansion;

static bool is_named(const lisp *l, value v, const char *name) {
  return is_identifier(l, v) && strcmp(STR(bare(l, v))->bytes, name) == 0;
}

static bool repeats(const lisp *l, value p) {
  return is(l, p, K_PAIR) && is(l, CDR(p), K_PAIR) && is_named(l, CAR(CDR(p)), "...");
}

/* Adds (key . item) to a list; takes the item. */
static bool bind(lisp *l, value *list, value key, OURO_STOLEN value item) {
  value longer = cons(l, cons(l, ouro_ref(key), item), ouro_ref(*list));
  if (longer) ouro_assign_new(list, longer);
  return longer != NULL;
}

static value lookup(const lisp *l, value list, value key) {
  for (; is(l, list, K_PAIR); list = CDR(list))
    if (CAR(CAR(list)) == key) return CDR(CAR(list));
  return NULL;
}

static bool is_member(const lisp *l, value list, value id) {
  for (; is(l, list, K_PAIR); list = CDR(list))
    if (CAR(list) == id) return true;
  return false;
}

/* 1: matches, 0: does not, -1: out of memory. */
static int match(expansion *x, value p, value form);

static int64_t pairs(const lisp *l, value list) {
  int64_t n = 0;
  for (; is(l, list, K_PAIR); list = CDR(list)) n++;
  return n;
}

static int match_repeated(expansion *x, value p, value form) {
  lisp *l = x->l;
  value rest = CDR(CDR(p)), outer = x->bindings, found = NULL, last = NULL;
  int64_t n = pairs(l, form) - pairs(l, rest);
  int result = n >= 0;
  for (; result == 1 && n > 0; n--, form = CDR(form)) {
    x->bindings = ouro_ref(l->nil);
    result = match(x, CAR(p), CAR(form));
    if (result == 1) result = list_add(l, &found, &last, x->bindings) ? 1 : -1;
    else ouro_unref(x->bindings);
  }
  x->bindings = outer;
  if (!found) found = ouro_ref(l->nil);
  if (result != 1) ouro_unref(found);
  else if (!bind(l, &x->bindings, p, found)) result = -1;
  return result == 1 ? match(x, rest, form) : result;
}

static int match(expansion *x, value p, value form) {
  lisp *l = x->l;
  if (is_identifier(l, p)) {
    if (is_member(l, x->m->literals, p))
      return is_identifier(l, form) && bare(l, form) == bare(l, p);
    if (is_named(l, p, "_")) return 1;
    return bind(l, &x->bindings, p, ouro_ref(form)) ? 1 : -1;
  }
  if (repeats(l, p)) return match_repeated(x, p, form);
  if (!is(l, p, K_PAIR)) return eqv(l, p, form);
  if (!is(l, form, K_PAIR)) return 0;
  int result = match(x, CAR(p), CAR(form));
  return result == 1 ? match(x, CDR(p), CDR(form)) : result;
}

/* Whether the template names a variable of the pattern. */
static bool shares(const lisp *l, value template, value p) {
  if (is(l, template, K_PAIR)) return shares(l, CAR(template), p) || shares(l, CDR(template), p);
  if (is(l, p, K_PAIR)) return shares(l, template, CAR(p)) || shares(l, template, CDR(p));
  return template == p && is_identifier(l, p) && !is_named(l, p, "...");
}

static value instantiate(expansion *x, value t);

static value rename_id(expansion *x, value id) {
  value known = lookup(x->l, x->renamed, id);
  if (known) return ouro_ref(known);
  alias *a = make(x->l, K_ALIAS);
  if (!a) return NULL;
  a->name = ouro_ref(id);
  return bind(x->l, &x->renamed, id, ouro_ref(a)) ? OURO_OBJECT(a) : (ouro_unref(a), NULL);
}

#define REPEATED_MAX 8 /* patterns with `...` that one repeated template may draw from */

/* Puts the bindings of the next round before the outer ones. False: out of memory; *end: no more. */
static bool next_round(expansion *x, value *lists, size_t n, value outer, bool *end) {
  ouro_assign(&x->bindings, outer);
  for (size_t i = 0; i < n; i++) {
    *end = !is(x->l, lists[i], K_PAIR);
    if (*end) return true;
    for (value b = CAR(lists[i]); is(x->l, b, K_PAIR); b = CDR(b))
      if (!bind(x->l, &x->bindings, CAR(CAR(b)), ouro_ref(CDR(CAR(b))))) return false;
    lists[i] = CDR(lists[i]);
  }
  return true;
}

static value repeat(expansion *x, value t, value outer) {
  lisp *l = x->l;
  value lists[REPEATED_MAX], made = NULL, last = NULL;
  size_t n = 0;
  for (value b = outer; is(l, b, K_PAIR) && n < REPEATED_MAX; b = CDR(b))
    if (is(l, CAR(CAR(b)), K_PAIR) && shares(l, CAR(t), CAR(CAR(CAR(b))))) lists[n++] = CDR(CAR(b));
  if (n == 0) return fail(l, t, "syntax-rules: nothing to repeat in");
  for (;;) {
    bool end = false, good = next_round(x, lists, n, outer, &end);
    if (good && end) break;
    value item = good ? instantiate(x, CAR(t)) : NULL;
    if (!item || !list_add(l, &made, &last, item)) return ouro_unref(made), NULL;
  }
  ouro_assign(&x->bindings, outer);
  value rest = instantiate(x, CDR(CDR(t)));
  if (!made) return rest;
  ouro_assign_new(&CDR(last), rest ? rest : ouro_ref(l->nil));
  return rest ? made : (ouro_unref(made), NULL);
}

static value instantiate(expansion *x, value t) {
  lisp *l = x->l;
  if (is_identifier(l, t)) {
    value bound = lookup(l, x->bindings, t);
    return bound ? ouro_ref(bound) : rename_id(x, t);
  }
  if (!is(l, t, K_PAIR)) return ouro_ref(t);
  if (!repeats(l, t)) {
    value car = instantiate(x, CAR(t));
    return cons(l, car, car ? instantiate(x, CDR(t)) : NULL);
  }
  value outer = ouro_ref(x->bindings), made = repeat(x, t, outer);
  ouro_assign_new(&x->bindings, outer);
  return made;
}

value macro_expand(lisp *l, macro *m, value form) {
  value made = NULL;
  int matched = 0;
  for (value rule = m->rules; matched == 0 && is(l, rule, K_PAIR); rule = CDR(rule)) {
    expansion x = {l, m, ouro_ref(l->nil), ouro_ref(l->nil)};
    matched = match(&x, CDR(CAR(CAR(rule))), CDR(form));
    if (matched == 1) made = instantiate(&x, CAR(CDR(CAR(rule))));
    ouro_unref(x.bindings);
    ouro_unref(x.renamed);
  }
  return matched == 0 ? fail(l, form, "bad syntax:") : made;
}

static bool has_alias(const lisp *l, value v) {
  for (; is(l, v, K_PAIR); v = CDR(v))
    if (has_alias(l, CAR(v))) return true;
  return is(l, v, K_ALIAS);
}

value strip(lisp *l, value form) {
  if (!has_alias(l, form)) return ouro_ref(form);
  if (!is(l, form, K_PAIR)) return ouro_ref(bare(l, form));
  value car = strip(l, CAR(form));
  return cons(l, car, car ? strip(l, CDR(form)) : NULL);
}
