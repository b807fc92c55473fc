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

static bool compile_quote(function *f, value form, scope *s, bool tail) {
  (void)s, (void)tail;
  return shaped(f->l, form, 2, 2) && push_indexed(f, OP_CONST, SECOND(form));
}

static bool push_none(function *f) { return push_indexed(f, OP_CONST, f->l->none); }
static bool drop(function *f) { return f->depth--, put(f, OP_POP, 0); }

static bool compile_if(function *f, value form, scope *s, bool tail) {
  lisp *l = f->l;
  if (!shaped(l, form, 3, 4) || !compile(f, SECOND(form), s, false)) return false;
  size_t over = f->length;
  uint32_t depth = --f->depth;
  if (!put(f, OP_JUMP_FALSE, 0) || !compile(f, THIRD(form), s, tail)) return false;
  size_t end = f->length;
  f->depth = depth;
  if (!put(f, OP_JUMP, 0)) return false;
  f->code[over].at = (uint32_t)f->length;
  value last = CDR(CDR(CDR(form)));
  if (!(last == l->nil ? push_none(f) : compile(f, CAR(last), s, tail))) return false;
  f->code[end].at = (uint32_t)f->length;
  return true;
}

/* One form after the other: the last one's value. */
static bool compile_sequence(function *f, value forms, scope *s, bool tail) {
  for (; CDR(forms) != f->l->nil; forms = CDR(forms))
    if (!compile(f, CAR(forms), s, false) || !drop(f)) return false;
  return compile(f, CAR(forms), s, tail);
}

static bool compile_begin(function *f, value form, scope *s, bool tail) {
  if (!shaped(f->l, form, 1, ANY)) return false;
  return CDR(form) == f->l->nil ? push_none(f) : compile_sequence(f, CDR(form), s, tail);
}

static bool store_global(function *f, enum op op, cell *c) {
  size_t at = c ? index_in(f->constants, c) : SIZE_MAX;
  f->depth--;
  return at != SIZE_MAX && put(f, op, at);
}

static bool compile_set(function *f, value form, scope *s, bool tail) {
  (void)tail;
  lisp *l = f->l;
  if (!shaped(l, form, 3, 3)) return false;
  if (!is_symbol(l, SECOND(form))) return fail(l, form, "bad syntax:");
  variable *v = scope_find(s, SECOND(form));
  if (!compile(f, THIRD(form), s, false)) return false;
  bool good =
      v ? store_variable(f, v, false) : store_global(f, OP_SET_GLOBAL, cell_of(l, SECOND(form)));
  return good && push_none(f);
}

static bool compile_function(function *f, value form, scope *s, bool tail) {
  (void)tail;
  return shaped(f->l, form, 3, ANY) &&
         compile_lambda(f, f->l->no, SECOND(form), CDR(CDR(form)), s, NULL);
}

static bool names(lisp *l, value form, const scope *s, compile_fn fn) {
  value syntax = syntax_of(l, form, s);
  return syntax && is(l, syntax, K_SPECIAL) && ((special *)syntax)->compile == fn;
}

bool is_begin(lisp *l, value form, const scope *s) { return names(l, form, s, compile_begin); }

/* A value for a name: functions get to know theirs. */
static bool compile_named(function *f, value name, value form, scope *s, const variable *self) {
  lisp *l = f->l;
  if (!names(l, form, s, compile_function) || list_length(l, form) < 3)
    return compile(f, form, s, false);
  return compile_lambda(f, name, SECOND(form), CDR(CDR(form)), s, self);
}

/* (define name value) or (define (name . params) body ...): the name, or NULL. */
static value defined_name(lisp *l, value form) {
  if (!shaped(l, form, 3, ANY)) return NULL;
  bool procedure = is(l, SECOND(form), K_PAIR);
  value name = procedure ? CAR(SECOND(form)) : SECOND(form);
  if (!is_symbol(l, name)) return fail(l, form, "bad syntax:");
  return procedure || shaped(l, form, 3, 3) ? name : NULL;
}

static bool compile_defined(function *f, value form, scope *s, const variable *self) {
  value name = SECOND(form);
  if (!is(f->l, name, K_PAIR)) return compile_named(f, name, THIRD(form), s, self);
  return compile_lambda(f, CAR(name), CDR(name), CDR(CDR(form)), s, self);
}

static bool define_local(function *f, value form, scope *s, value name) {
  variable *v = scope_has(s, name); /* which compile_body has declared */
  if (!v) return fail(f->l, form, "no place for a definition:");
  if (!compile_defined(f, form, s, v) || !store_variable(f, v, true)) return false;
  return v->ready = true;
}

static bool define_global(function *f, value form, value name) {
  cell *c = cell_of(f->l, name);
  if (c) ouro_assign(&c->syntax, NULL);
  return c && compile_defined(f, form, NULL, NULL) && store_global(f, OP_DEFINE, c);
}

static bool compile_define(function *f, value form, scope *s, bool tail) {
  (void)tail;
  value name = defined_name(f->l, form);
  bool good = name && (s ? define_local(f, form, s, name) : define_global(f, form, name));
  return good && push_none(f);
}

/* (define-syntax name procedure): the procedure from form to form is made now. */
static bool compile_define_syntax(function *f, value form, scope *s, bool tail) {
  (void)tail;
  lisp *l = f->l;
  if (!shaped(l, form, 3, 3)) return false;
  if (s || !is_symbol(l, SECOND(form))) return fail(l, form, "no place for a definition:");
  cell *c = cell_of(l, SECOND(form));
  value procedure = c ? eval_form(l, THIRD(form)) : NULL;
  bool good = procedure && is(l, procedure, K_CLOSURE);
  if (good) ouro_assign(&c->syntax, procedure);
  else if (procedure) fail(l, form, "not a macro:");
  ouro_unref(procedure);
  return good && push_none(f);
}

/* Takes the scope's variables from under the result. */
static bool leave_scope(function *f, scope *s, bool tail) {
  f->depth -= (uint32_t)s->vars->length;
  return tail || s->vars->length == 0 || put(f, OP_SLIDE, s->vars->length);
}

static bool compile_bindings(function *f, value bindings, scope *outer, scope *s) {
  lisp *l = f->l;
  for (; is(l, bindings, K_PAIR); bindings = CDR(bindings)) {
    value b = CAR(bindings);
    if (!shaped(l, b, 2, 2) || !compile_named(f, CAR(b), SECOND(b), outer, NULL)) return false;
    f->depth--; /* where the value lies, and its variable */
    variable *v = scope_add(f, s, CAR(b), true);
    f->depth++;
    if (!v || !enclose(f, v)) return false;
  }
  return bindings == l->nil || fail(l, bindings, "bad syntax:");
}

/* (%let ((name value) ...) body ...) */
static bool compile_let(function *f, value form, scope *s, bool tail) {
  lisp *l = f->l;
  if (!shaped(l, form, 3, ANY)) return false;
  scope inner = {.outer = s, .vars = ouro_list_new(l->heap)};
  bool good = inner.vars && compile_bindings(f, SECOND(form), s, &inner) &&
              compile_body(f, CDR(CDR(form)), &inner, tail) && leave_scope(f, &inner, tail);
  ouro_unref(inner.vars);
  return good;
}

static bool declare(function *f, value form, scope *s) {
  value name = defined_name(f->l, form);
  variable *v = name ? scope_add(f, s, name, false) : NULL;
  return v && push_undefined(f, v);
}

/* Makes variables of what the body will define: a form may refer to a later one. */
static bool declare_all(function *f, value forms, scope *s) {
  bool good = true;
  for (; good && is(f->l, forms, K_PAIR); forms = CDR(forms)) {
    value form = expand_head(f->l, CAR(forms), s);
    good = form != NULL;
    if (form && is_begin(f->l, form, s)) good = declare_all(f, CDR(form), s);
    else if (form && names(f->l, form, s, compile_define)) good = declare(f, form, s);
    ouro_unref(form);
  }
  return good;
}

bool compile_body(function *f, value forms, scope *s, bool tail) {
  scope inner = {.outer = s, .vars = ouro_list_new(f->l->heap)};
  bool good = inner.vars && declare_all(f, forms, &inner) &&
              compile_sequence(f, forms, &inner, tail) && leave_scope(f, &inner, tail);
  ouro_unref(inner.vars);
  return good;
}

bool define_specials(lisp *l) {
  static const struct {
    const char *name;
    compile_fn compile;
  } table[] = {{"quote", compile_quote},   {"if", compile_if},
               {"begin", compile_begin},   {"set!", compile_set},
               {"%let", compile_let},      {"lambda", compile_function},
               {"define", compile_define}, {"define-syntax", compile_define_syntax}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    cell *c = cell_named(l, table[i].name);
    special *made = c ? make(l, K_SPECIAL) : NULL;
    if (!made) return false;
    made->compile = table[i].compile;
    ouro_assign_new(&c->syntax, made);
  }
  return true;
}
