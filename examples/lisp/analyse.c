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

node *node_new(lisp *l, node_kind k, value datum, size_t items) {
  node *n = ouro_new_items(l->type[K_NODE], items);
  if (!n) return NULL;
  n->kind = (uint8_t)k;
  n->datum = ouro_ref(datum);
  n->line = l->line;
  n->length = items;
  return n;
}

value node_set(OURO_STOLEN node *n, size_t i, OURO_STOLEN value item) {
  if (n && item) return n->items[i] = item, OURO_OBJECT(n);
  ouro_unref(n);
  ouro_unref(item);
  return NULL;
}

static variable *scope_has(const scope *s, value id) {
  for (size_t i = 0; s->vars && i < s->vars->length; i++)
    if (((variable *)s->vars->items[i])->name == id) return (variable *)s->vars->items[i];
  return NULL;
}

variable *scope_add(lisp *l, scope *s, value name, bool ready) {
  if (!is_identifier(l, name) || scope_has(s, name))
    return (variable *)fail(l, name, "no name, or defined twice:");
  variable *v = make(l, K_VARIABLE);
  if (!v) return NULL;
  v->name = ouro_ref(name);
  v->ready = ready;
  return ouro_list_append_new(s->vars, v) ? v : NULL;
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
    v->captured |= s->boundary;
    itself |= s->boundary && s->self == v;
  }
  v->early |= !v->ready && !itself;
}

value reference(lisp *l, value id, scope *s) {
  variable *v = scope_find(s, id);
  if (v) note_use(v, s);
  value datum = v ? OURO_OBJECT(v) : OURO_OBJECT(cell_of(l, bare(l, id)));
  return datum ? OURO_OBJECT(node_new(l, v ? N_LOCAL : N_GLOBAL, datum, 0)) : NULL;
}

value syntax_of(lisp *l, value form, scope *s) {
  value found = NULL;
  if (!is(l, form, K_PAIR) || !is_identifier(l, CAR(form)) || scope_find(s, CAR(form))) return NULL;
  ouro_dict_get(l->globals, bare(l, CAR(form)), &found);
  return found ? ((cell *)found)->syntax : NULL;
}

#define EXPANSIONS_MAX 10000 /* of one form: a macro that ends does with far fewer */

value expand_head(lisp *l, value form, scope *s) {
  value syntax = syntax_of(l, form, s);
  ouro_ref(form);
  for (int n = 0; syntax && is(l, syntax, K_CLOSURE); n++) {
    value next = n < EXPANSIONS_MAX ? vm_run(l, syntax, form)
                                    : fail(l, CAR(form), "a macro that does not end:");
    if (l->error && is(l, l->error, K_CONDITION)) ((condition *)l->error)->line = 0;
    ouro_assign_new(&form, next);
    syntax = form ? syntax_of(l, form, s) : NULL;
  }
  return form;
}

value analyse_items(lisp *l, node_kind k, value forms, scope *s) {
  value n = (value)node_new(l, k, l->no, (size_t)list_length(l, forms));
  for (size_t i = 0; n && forms != l->nil; i++, forms = CDR(forms))
    n = node_set((node *)n, i, analyse(l, CAR(forms), s));
  return n;
}

static value analyse_expanded(lisp *l, value form, scope *s) {
  value syntax = syntax_of(l, form, s);
  if (syntax) return ((special *)syntax)->analyse(l, form, s);
  if (!is(l, form, K_PAIR)) return analyse(l, form, s);
  if (list_length(l, form) < 0) return fail(l, form, "a call that is no list:");
  return analyse_items(l, N_CALL, form, s);
}

value analyse(lisp *l, value form, scope *s) {
  if (is_identifier(l, form)) return reference(l, form, s);
  if (form == l->nil) return fail(l, NULL, "() is not a form");
  if (!is(l, form, K_PAIR)) return (value)node_new(l, N_CONST, form, 0);
  if (l->nesting >= LISP_MAX_DEPTH) return fail(l, NULL, "nested too deep");
  if (((pair *)form)->line) l->line = ((pair *)form)->line;
  l->nesting++;
  value expanded = expand_head(l, form, s);
  value result = expanded ? analyse_expanded(l, expanded, s) : NULL;
  l->nesting--;
  ouro_unref(expanded);
  return result;
}

/* Parameters to variables; *rest: the last one gets a list. */
static bool add_parameters(lisp *l, scope *s, value params, bool *rest) {
  for (; is(l, params, K_PAIR); params = CDR(params))
    if (!scope_add(l, s, CAR(params), true)) return false;
  *rest = params != l->nil;
  return !*rest || scope_add(l, s, params, true);
}

value analyse_lambda(lisp *l, value name, value params, value forms, scope *s, variable *self) {
  scope inner = {.outer = s, .self = self, .boundary = true};
  node *n = node_new(l, N_LAMBDA, name, 1);
  if (!n) return NULL;
  n->self = ouro_ref(self);
  inner.vars = n->vars = ouro_list_new(l->heap);
  bool good = n->vars && add_parameters(l, &inner, params, &n->rest);
  return node_set(n, 0, good ? analyse_body(l, forms, &inner) : NULL);
}
