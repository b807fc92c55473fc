/* SPDX-License-Identifier: MIT */
/* The special forms; the other derived forms are syntax-rules in prelude.scm. */
#include "lisp.h"

#define SECOND(v) CAR(CDR(v))
#define THIRD(v) CAR(CDR(CDR(v)))

static bool shaped(lisp *l, value form, int64_t min, int64_t max) {
  int64_t n = list_length(l, form);
  if (n >= min && n <= max) return true;
  fail(l, form, "bad syntax:");
  return false;
}

static value constant_node(lisp *l, OURO_STOLEN value v) {
  return (value)node_new(l, N_CONST, v, 0);
}

static value special_quote(lisp *l, value form, scope *s) {
  (void)s;
  return shaped(l, form, 2, 2) ? constant_node(l, strip(l, SECOND(form))) : NULL;
}

/* The rest of the form, each analysed. */
static value analyse_items(lisp *l, node_kind k, value forms, scope *s) {
  node *n = node_new(l, k, ouro_ref(l->no), (size_t)list_length(l, forms));
  for (size_t i = 0; n && i < n->length; i++, forms = CDR(forms))
    if (!node_set(n, i, analyse(l, CAR(forms), s))) return ouro_unref(n), NULL;
  return (value)n;
}

static value special_if(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 3, 4)) return NULL;
  value n = analyse_items(l, N_IF, CDR(form), s);
  if (!n || ((node *)n)->length == 3) return n;
  node *whole = node_new(l, N_IF, ouro_ref(l->no), 3);
  for (size_t i = 0; whole && i < 2; i++) node_set(whole, i, ouro_ref(((node *)n)->items[i]));
  ouro_unref(n);
  if (whole && !node_set(whole, 2, constant_node(l, ouro_ref(l->none))))
    return ouro_unref(whole), NULL;
  return (value)whole;
}

static value special_or(lisp *l, value form, scope *s) {
  return shaped(l, form, 3, 3) ? analyse_items(l, N_OR, CDR(form), s) : NULL;
}

value special_begin(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 1, INT64_MAX)) return NULL;
  if (CDR(form) == l->nil) return constant_node(l, ouro_ref(l->none));
  return analyse_items(l, N_SEQ, CDR(form), s);
}

static value special_set(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 3, 3)) return NULL;
  if (!is_identifier(l, SECOND(form))) return fail(l, form, "bad syntax:");
  node *target = (node *)reference(l, SECOND(form), s);
  node *n = target ? node_new(l, N_SET, ouro_ref(target->datum), 1) : NULL;
  if (target && target->kind == N_LOCAL) ((variable *)(void *)target->datum)->assigned = true;
  ouro_unref(target);
  if (n && !node_set(n, 0, analyse(l, THIRD(form), s))) return ouro_unref(n), NULL;
  return (value)n;
}

static value special_lambda(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 3, INT64_MAX)) return NULL;
  return analyse_lambda(l, l->no, SECOND(form), CDR(CDR(form)), s, NULL);
}

static bool names(lisp *l, value form, scope *s, special_fn fn) {
  value syntax = syntax_of(l, form, s);
  return syntax && is(l, syntax, K_SPECIAL) && ((special *)(void *)syntax)->analyse == fn;
}

/* A value for a name: functions get to know theirs. */
static value analyse_named(lisp *l, value name, value form, scope *s, variable *self) {
  if (!names(l, form, s, special_lambda) || list_length(l, form) < 3) return analyse(l, form, s);
  return analyse_lambda(l, name, SECOND(form), CDR(CDR(form)), s, self);
}

/* (define name value) or (define (name . params) body ...): its name, or NULL. */
static value defined_name(lisp *l, value form) {
  if (!shaped(l, form, 3, INT64_MAX)) return NULL;
  value target = SECOND(form);
  if (is(l, target, K_PAIR)) return CAR(target);
  return shaped(l, form, 3, 3) ? target : NULL;
}

static value defined_value(lisp *l, value form, scope *s, variable *self) {
  value target = SECOND(form);
  if (is(l, target, K_PAIR))
    return analyse_lambda(l, CAR(target), CDR(target), CDR(CDR(form)), s, self);
  return analyse_named(l, target, THIRD(form), s, self);
}

value special_define(lisp *l, value form, scope *s) {
  value name = defined_name(l, form);
  if (!name) return NULL;
  if (s || !is_identifier(l, name)) return fail(l, form, "no place for a definition:");
  node *target = (node *)reference(l, name, NULL);
  node *n = target ? node_new(l, N_DEFINE, ouro_ref(target->datum), 1) : NULL;
  ouro_unref(target);
  if (n) ouro_assign(&((cell *)(void *)n->datum)->syntax, NULL);
  if (n && !node_set(n, 0, defined_value(l, form, s, NULL))) return ouro_unref(n), NULL;
  return (value)n;
}

static bool is_rule(lisp *l, value rule) {
  return list_length(l, rule) == 2 && is(l, CAR(rule), K_PAIR);
}

/* (define-syntax name (syntax-rules (literal ...) (pattern template) ...)), global. */
static value special_define_syntax(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 3, 3)) return NULL;
  value rules = THIRD(form);
  if (s || !is_symbol(l, SECOND(form)) || list_length(l, rules) < 2)
    return fail(l, form, "bad syntax:");
  for (value r = CDR(CDR(rules)); r != l->nil; r = CDR(r))
    if (!is_rule(l, CAR(r))) return fail(l, CAR(r), "not a rule:");
  cell *c = cell_of(l, SECOND(form));
  macro *m = c ? make(l, K_MACRO) : NULL;
  if (!m) return NULL;
  m->literals = ouro_ref(SECOND(rules));
  m->rules = ouro_ref(CDR(CDR(rules)));
  ouro_assign_new(&c->syntax, m);
  return constant_node(l, ouro_ref(l->none));
}

/* (%let ((name value) ...) body ...) */
static value special_let(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 3, INT64_MAX) || !shaped(l, SECOND(form), 0, INT64_MAX)) return NULL;
  value binding = SECOND(form);
  size_t count = (size_t)list_length(l, binding), i = 0;
  node *n = node_new(l, N_LET, ouro_ref(l->no), count + 1);
  scope inner = {.outer = s};
  bool good = n && (inner.vars = n->vars = ouro_list_new(l->heap));
  for (; good && i < count; i++, binding = CDR(binding)) {
    good = shaped(l, CAR(binding), 2, 2) &&
           node_set(n, i, analyse_named(l, CAR(CAR(binding)), SECOND(CAR(binding)), s, NULL));
    variable *v = good ? scope_add(l, &inner, CAR(CAR(binding))) : NULL;
    if (v) v->ready = true;
    good = v != NULL;
  }
  if (good && node_set(n, i, analyse_body(l, CDR(CDR(form)), &inner))) return (value)n;
  ouro_unref(n);
  return NULL;
}

/* --- Bodies ----------------------------------------------------------------------------------- */

/* Expands the forms until it is known which are definitions; these become variables. */
static bool expand_body(lisp *l, value forms, scope *s, ouro_list *out) {
  for (; is(l, forms, K_PAIR); forms = CDR(forms)) {
    if (is(l, CAR(forms), K_PAIR) && PAIR(CAR(forms))->line) l->line = PAIR(CAR(forms))->line;
    value form = expand_head(l, CAR(forms), s), name = NULL;
    if (!form) return false;
    bool good, splice = names(l, form, s, special_begin);
    if (splice) good = expand_body(l, CDR(form), s, out);
    else if (!names(l, form, s, special_define)) good = ouro_list_append(out, form);
    else
      good = (name = defined_name(l, form)) && scope_add(l, s, name) && ouro_list_append(out, form);
    ouro_unref(form);
    if (!good) return false;
  }
  return true;
}

static value analyse_init(lisp *l, value form, scope *s) {
  variable *v = scope_find(s, defined_name(l, form));
  node *n = node_new(l, N_INIT, ouro_ref(v), 1);
  if (n && !node_set(n, 0, defined_value(l, form, s, v))) return ouro_unref(n), NULL;
  v->ready = true;
  return (value)n;
}

static value analyse_forms(lisp *l, const ouro_list *forms, scope *s) {
  node *n = node_new(l, s->vars->length ? N_BODY : N_SEQ, ouro_ref(l->no), forms->length);
  if (!n) return NULL;
  n->vars = ouro_ref(s->vars);
  for (size_t i = 0; i < n->length; i++) {
    value form = forms->items[i];
    bool defines = s->vars->length > 0 && names(l, form, s, special_define);
    if (!node_set(n, i, defines ? analyse_init(l, form, s) : analyse(l, form, s)))
      return ouro_unref(n), NULL;
  }
  return (value)n;
}

value analyse_body(lisp *l, value forms, scope *s) {
  scope inner = {.outer = s, .vars = ouro_list_new(l->heap)};
  ouro_list *expanded = inner.vars ? ouro_list_new(l->heap) : NULL;
  value n = NULL;
  if (expanded && expand_body(l, forms, &inner, expanded))
    n = expanded->length ? analyse_forms(l, expanded, &inner) : fail(l, NULL, "an empty body");
  ouro_unref(expanded);
  ouro_unref(inner.vars);
  return n;
}

static const struct {
  const char *name;
  special_fn fn;
} table[] = {
    {"quote", special_quote},   {"if", special_if},    {"%or", special_or},
    {"begin", special_begin},   {"set!", special_set}, {"lambda", special_lambda},
    {"define", special_define}, {"%let", special_let}, {"define-syntax", special_define_syntax}};

bool specials_make(lisp *l) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    value name = symbol(l, table[i].name);
    cell *c = name ? cell_of(l, name) : NULL;
    special *made = c ? make(l, K_SPECIAL) : NULL;
    ouro_unref(name);
    if (!made) return false;
    made->analyse = table[i].fn;
    ouro_assign_new(&c->syntax, made);
  }
  return true;
}
