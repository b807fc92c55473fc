/* SPDX-License-Identifier: MIT */
/*
 * Forms to trees. Names become variables, and each variable learns whether it needs a box:
 *
 *     boxed  <=>  (assigned and captured by a closure) or looked at before it has its value
 *
 * A function that calls itself by the name it is defined as finds itself in its own frame, without
 * a reference to itself: so most local functions and all loops make no cycle, and their closures
 * are freed by their counts. What refers to a later definition goes through a box and does make
 * one: the collector's work.
 */
#include "lisp.h"

node *node_new(lisp *l, node_kind k, OURO_STOLEN value datum, size_t items) {
  node *n = datum ? ouro_new_items(l->type[K_NODE], items) : NULL;
  if (!n) {
    ouro_unref(datum);
    return NULL;
  }
  n->kind = (uint8_t)k;
  n->datum = datum;
  n->line = l->line;
  n->length = items;
  return n;
}

variable *scope_add(lisp *l, scope *s, value name) {
  if (!is_identifier(l, name)) return (variable *)fail(l, name, "not a name:");
  for (size_t i = 0; i < s->vars->length; i++)
    if (((variable *)(void *)s->vars->items[i])->name == name)
      return (variable *)fail(l, name, "defined twice:");
  variable *v = make(l, K_VARIABLE);
  if (!v) return NULL;
  v->name = ouro_ref(name);
  return ouro_list_append_new(s->vars, v) ? v : NULL;
}

static variable *scope_has(const scope *s, value id) {
  for (size_t i = 0; s->vars && i < s->vars->length; i++) {
    variable *v = (variable *)(void *)s->vars->items[i];
    if (v->name == id) return v;
  }
  return NULL;
}

variable *scope_find(scope *s, value id) {
  variable *v = NULL;
  for (; s && !v; s = s->outer) v = scope_has(s, id);
  return v;
}

/* Notes what the use of `v` in `s` asks of it: see the head of this file. */
static void note_use(variable *v, const scope *s) {
  bool itself = false;
  for (; scope_has(s, v->name) != v; s = s->outer) {
    if (s->boundary) v->captured = true;
    if (s->boundary && s->self == v) itself = true;
  }
  if (!v->ready && !itself) v->early = true;
}

value reference(lisp *l, value id, scope *s) {
  variable *v = scope_find(s, id);
  if (v) note_use(v, s);
  value datum = v ? OURO_OBJECT(v) : (value)cell_of(l, bare(l, id));
  if (!datum) return NULL;
  return (value)node_new(l, v ? N_LOCAL : N_GLOBAL, ouro_ref(datum), 0);
}

value syntax_of(lisp *l, value form, scope *s) {
  value found = NULL;
  if (!is(l, form, K_PAIR) || !is_identifier(l, CAR(form)) || scope_find(s, CAR(form))) return NULL;
  ouro_dict_get(l->globals, bare(l, CAR(form)), &found);
  return found ? ((cell *)(void *)found)->syntax : NULL;
}

#define EXPANSIONS_MAX 10000 /* of one form: a macro that ends does with far fewer */

value expand_head(lisp *l, value form, scope *s) {
  value syntax = syntax_of(l, form, s);
  ouro_ref(form);
  for (int n = 0; form && syntax && is(l, syntax, K_MACRO); n++) {
    value next = n < EXPANSIONS_MAX ? macro_expand(l, (macro *)(void *)syntax, form)
                                    : fail(l, CAR(form), "this macro does not end:");
    ouro_unref(form);
    form = next;
    syntax = form ? syntax_of(l, form, s) : NULL;
  }
  return form;
}

static value analyse_call(lisp *l, value form, scope *s) {
  int64_t length = list_length(l, form);
  if (length < 0) return fail(l, form, "a call that is no list:");
  node *n = node_new(l, N_CALL, ouro_ref(l->no), (size_t)length);
  for (size_t i = 0; n && i < n->length; i++, form = CDR(form))
    if (!node_set(n, i, analyse(l, CAR(form), s))) return ouro_unref(n), NULL;
  return (value)n;
}

static value analyse_expanded(lisp *l, value form, scope *s) {
  value syntax = syntax_of(l, form, s);
  if (syntax) return ((special *)(void *)syntax)->analyse(l, form, s);
  return is(l, form, K_PAIR) ? analyse_call(l, form, s) : analyse(l, form, s);
}

value analyse(lisp *l, value form, scope *s) {
  if (is_identifier(l, form)) return reference(l, form, s);
  if (form == l->nil) return fail(l, NULL, "() is not a form");
  if (!is(l, form, K_PAIR)) return (value)node_new(l, N_CONST, ouro_ref(form), 0);
  if (l->nesting >= LISP_MAX_DEPTH) return fail(l, NULL, "nested too deep");
  if (PAIR(form)->line) l->line = PAIR(form)->line;
  l->nesting++;
  value expanded = expand_head(l, form, s);
  value result = expanded ? analyse_expanded(l, expanded, s) : NULL;
  l->nesting--;
  ouro_unref(expanded);
  return result;
}

/* Parameters to variables; *rest: the last one gets a list. */
static bool add_parameters(lisp *l, scope *s, value params, bool *rest) {
  for (; is(l, params, K_PAIR); params = CDR(params)) {
    variable *v = scope_add(l, s, CAR(params));
    if (!v) return false;
    v->ready = true;
  }
  *rest = params != l->nil;
  variable *v = *rest ? scope_add(l, s, params) : NULL;
  if (v) v->ready = true;
  return !*rest || v;
}

value analyse_lambda(lisp *l, value name, value params, value forms, scope *s, variable *self) {
  scope inner = {.outer = s, .self = self, .boundary = true};
  node *n = node_new(l, N_LAMBDA, ouro_ref(name), 1);
  if (!n) return NULL;
  n->self = ouro_ref(self);
  inner.vars = n->vars = ouro_list_new(l->heap);
  if (n->vars && add_parameters(l, &inner, params, &n->rest) &&
      node_set(n, 0, analyse_body(l, forms, &inner)))
    return (value)n;
  ouro_unref(n);
  return NULL;
}
