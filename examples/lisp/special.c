/* SPDX-License-Identifier: MIT */
/* The special forms; the other forms are macros in prelude.scm. */
#include "lisp.h"

#define SECOND(v) CAR(CDR(v))
#define THIRD(v) CAR(CDR(CDR(v)))
#define ANY INT64_MAX

static bool shaped(lisp *l, value form, int64_t min, int64_t max) {
  int64_t n = list_length(l, form);
  return (n >= min && n <= max) || fail(l, form, "bad syntax:");
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

static value special_quote(lisp *l, value form, scope *s) {
  (void)s;
  value datum = shaped(l, form, 2, 2) ? strip(l, SECOND(form)) : NULL;
  value n = datum ? (value)node_new(l, N_CONST, datum, 0) : NULL;
  ouro_unref(datum);
  return n;
}

static value special_if(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 3, 4)) return NULL;
  value last = CDR(CDR(CDR(form)));
  value n = node_set(node_new(l, N_IF, l->no, 3), 0, analyse(l, SECOND(form), s));
  if (n) n = node_set((node *)n, 1, analyse(l, THIRD(form), s));
  if (!n) return NULL;
  return node_set((node *)n, 2, analyse(l, last == l->nil ? l->none : CAR(last), s));
}

static value special_begin(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 1, ANY)) return NULL;
  return CDR(form) == l->nil ? analyse(l, l->none, s) : analyse_items(l, N_BODY, CDR(form), s);
}

/* A tree that gives the name a value, which it does not have yet. */
static node *target(lisp *l, node_kind k, value name, scope *s) {
  node *found = (node *)reference(l, name, s);
  node *n = found ? node_new(l, k, found->datum, 1) : NULL;
  ouro_unref(found);
  return n;
}

static value special_set(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 3, 3)) return NULL;
  if (!is_identifier(l, SECOND(form))) return fail(l, form, "bad syntax:");
  node *n = target(l, N_SET, SECOND(form), s);
  if (n && is(l, n->datum, K_VARIABLE)) ((variable *)n->datum)->assigned = true;
  return n ? node_set(n, 0, analyse(l, THIRD(form), s)) : NULL;
}

static value special_lambda(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 3, ANY)) return NULL;
  return analyse_lambda(l, l->no, SECOND(form), CDR(CDR(form)), s, NULL);
}

static bool names(lisp *l, value form, scope *s, value (*fn)(lisp *l, value form, scope *s)) {
  value syntax = syntax_of(l, form, s);
  return syntax && is(l, syntax, K_SPECIAL) && ((special *)syntax)->analyse == fn;
}

bool is_begin(lisp *l, value form, scope *s) { return names(l, form, s, special_begin); }

/* A value for a name: functions get to know theirs. */
static value named_value(lisp *l, value name, value form, scope *s, variable *self) {
  if (!names(l, form, s, special_lambda) || list_length(l, form) < 3) return analyse(l, form, s);
  return analyse_lambda(l, name, SECOND(form), CDR(CDR(form)), s, self);
}

/* (define name value) or (define (name . params) body ...): the name, or NULL. */
static value defined_name(lisp *l, value form) {
  if (!shaped(l, form, 3, ANY)) return NULL;
  bool function = is(l, SECOND(form), K_PAIR);
  value name = function ? CAR(SECOND(form)) : SECOND(form);
  if (!is_identifier(l, name)) return fail(l, form, "bad syntax:");
  return function || shaped(l, form, 3, 3) ? name : NULL;
}

static value defined_value(lisp *l, value form, scope *s, variable *self) {
  value name = SECOND(form);
  if (!is(l, name, K_PAIR)) return named_value(l, name, THIRD(form), s, self);
  return analyse_lambda(l, CAR(name), CDR(name), CDR(CDR(form)), s, self);
}

static value special_define(lisp *l, value form, scope *s) {
  value name = s ? fail(l, form, "no place for a definition:") : defined_name(l, form);
  node *n = name ? target(l, N_DEFINE, name, NULL) : NULL;
  if (!n) return NULL;
  ouro_assign(&((cell *)n->datum)->syntax, NULL);
  return node_set(n, 0, defined_value(l, form, s, NULL));
}

/* (define-syntax name procedure): the procedure from form to form is made now. */
static value special_define_syntax(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 3, 3)) return NULL;
  cell *c = !s && is_symbol(l, SECOND(form)) ? cell_of(l, SECOND(form)) : NULL;
  value tree = c ? analyse(l, THIRD(form), NULL) : fail(l, form, "no place for a definition:");
  value procedure = tree ? eval_tree(l, tree) : NULL;
  if (procedure && !is(l, procedure, K_CLOSURE)) fail(l, form, "not a macro:");
  else if (procedure) ouro_assign(&c->syntax, procedure);
  ouro_unref(procedure);
  return procedure && !l->error ? (value)node_new(l, N_CONST, l->none, 0) : NULL;
}

/* (%let ((name value) ...) body ...) */
static value special_let(lisp *l, value form, scope *s) {
  if (!shaped(l, form, 3, ANY) || !shaped(l, SECOND(form), 0, ANY)) return NULL;
  size_t count = (size_t)list_length(l, SECOND(form)), i = 0;
  scope inner = {.outer = s, .vars = ouro_list_new(l->heap)};
  node *n = inner.vars ? node_new(l, N_LET, l->no, count + 1) : NULL;
  if (n) n->vars = inner.vars;
  else ouro_unref(inner.vars);
  for (value b = SECOND(form); n && i < count; i++, b = CDR(b)) {
    bool good = shaped(l, CAR(b), 2, 2);
    value v = good ? named_value(l, CAR(CAR(b)), SECOND(CAR(b)), s, NULL) : NULL;
    n = (node *)node_set(n, i, v);
    if (n && !scope_add(l, &inner, CAR(CAR(b)), true)) return ouro_unref(n), NULL;
  }
  return n ? node_set(n, i, analyse_body(l, CDR(CDR(form)), &inner)) : NULL;
}

/* --- Bodies ----------------------------------------------------------------------------------- */

/* Expands the forms until it is known which are definitions; these become variables. */
static bool expand_body(lisp *l, value forms, scope *s, ouro_list *out) {
  bool good = true;
  for (; good && is(l, forms, K_PAIR); forms = CDR(forms)) {
    value form = expand_head(l, CAR(forms), s), name = NULL;
    if (!form) return false;
    if (is_begin(l, form, s)) good = expand_body(l, CDR(form), s, out);
    else if (!names(l, form, s, special_define)) good = ouro_list_append(out, form);
    else
      good = (name = defined_name(l, form)) && scope_add(l, s, name, false) &&
             ouro_list_append(out, form);
    ouro_unref(form);
  }
  return good;
}

static value analyse_init(lisp *l, value form, scope *s) {
  variable *v = scope_find(s, defined_name(l, form));
  value n = node_set(node_new(l, N_SET, OURO_OBJECT(v), 1), 0, defined_value(l, form, s, v));
  v->ready = true;
  return n;
}

value analyse_body(lisp *l, value forms, scope *s) {
  scope inner = {.outer = s, .vars = ouro_list_new(l->heap)};
  ouro_list *expanded = ouro_list_new(l->heap);
  bool good = inner.vars && expanded && expand_body(l, forms, &inner, expanded);
  if (good && expanded->length == 0) good = fail(l, NULL, "an empty body");
  node *n = good ? node_new(l, N_BODY, l->no, expanded->length) : NULL;
  if (n) n->vars = ouro_ref(inner.vars);
  for (size_t i = 0; n && i < expanded->length; i++) {
    value form = expanded->items[i];
    bool init = names(l, form, &inner, special_define);
    n = (node *)node_set(n, i, init ? analyse_init(l, form, &inner) : analyse(l, form, &inner));
  }
  ouro_unref(expanded);
  ouro_unref(inner.vars);
  return (value)n;
}

bool specials_make(lisp *l) {
  static const struct {
    const char *name;
    value (*analyse)(lisp *l, value form, scope *s);
  } table[] = {{"quote", special_quote},   {"if", special_if},

               {"begin", special_begin},   {"set!", special_set},
               {"%let", special_let},      {"lambda", special_lambda},
               {"define", special_define}, {"define-syntax", special_define_syntax}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    value name = symbol(l, table[i].name);
    cell *c = name ? cell_of(l, name) : NULL;
    special *made = c ? make(l, K_SPECIAL) : NULL;
    ouro_unref(name);
    if (!made) return false;
    made->analyse = table[i].analyse;
    ouro_assign_new(&c->syntax, made);
  }
  return true;
}
