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

static bool compile_quote(function *f, value form, bool tail) {
  (void)tail;
  return shaped(f->l, form, 2, 2) && push_indexed(f, OP_CONST, SECOND(form));
}

static bool push_none(function *f) { return push_indexed(f, OP_CONST, f->l->none); }
static bool drop(function *f) { return f->depth--, put(f, OP_POP, 0); }

static bool compile_if(function *f, value form, bool tail) {
  lisp *l = f->l;
  if (!shaped(l, form, 3, 4) || !compile(f, SECOND(form), false)) return false;
  size_t over = f->length;
  uint32_t depth = --f->depth;
  if (!put(f, OP_JUMP_FALSE, 0) || !compile(f, THIRD(form), tail)) return false;
  size_t end = f->length;
  f->depth = depth;
  if (!put(f, OP_JUMP, 0)) return false;
  f->code[over].at = (uint32_t)f->length;
  value last = CDR(CDR(CDR(form)));
  if (!(last == l->nil ? push_none(f) : compile(f, CAR(last), tail))) return false;
  f->code[end].at = (uint32_t)f->length;
  return true;
}

/* One form after the other: the last one's value. */
static bool compile_sequence(function *f, value forms, bool tail) {
  for (; CDR(forms) != f->l->nil; forms = CDR(forms))
    if (!compile(f, CAR(forms), false) || !drop(f)) return false;
  return compile(f, CAR(forms), tail);
}

static bool compile_begin(function *f, value form, bool tail) {
  if (!shaped(f->l, form, 1, ANY)) return false;
  return CDR(form) == f->l->nil ? push_none(f) : compile_sequence(f, CDR(form), tail);
}

static bool store_global(function *f, enum op op, cell *c) {
  size_t at = c ? index_in(f->made->constants, c) : SIZE_MAX;
  f->depth--;
  return at != SIZE_MAX && put(f, op, at);
}

static bool compile_set(function *f, value form, bool tail) {
  (void)tail;
  lisp *l = f->l;
  if (!shaped(l, form, 3, 3)) return false;
  if (!is_symbol(l, SECOND(form))) return fail(l, form, "bad syntax:");
  variable *v = find_variable(f, SECOND(form));
  if (!compile(f, THIRD(form), false)) return false;
  bool good =
      v ? store_variable(f, v, false) : store_global(f, OP_SET_GLOBAL, cell_of(l, SECOND(form)));
  return good && push_none(f);
}

static bool compile_function(function *f, value form, bool tail) {
  (void)tail;
  return shaped(f->l, form, 3, ANY) && compile_lambda(f, f->l->no, form, NULL);
}

static bool names(function *f, value form, enum form special) {
  value syntax = syntax_of(f, form);
  return syntax && is(f->l, syntax, K_BUILTIN) && ((builtin *)syntax)->spec->index == (int)special;
}

/* The value of a definition: a function gets to know its name, and its variable. */
static bool compile_value(function *f, value form, const variable *self) {
  value made = THIRD(form);
  if (!names(f, made, F_LAMBDA) || list_length(f->l, made) < 3) return compile(f, made, false);
  return compile_lambda(f, SECOND(form), made, self);
}

/* (%define name value): the name, or NULL. */
static value defined_name(lisp *l, value form) {
  if (!shaped(l, form, 3, 3)) return NULL;
  return is_symbol(l, SECOND(form)) ? SECOND(form) : fail(l, form, "bad syntax:");
}

static bool define_local(function *f, value form, value name) {
  variable *v = own_variable(f, name); /* which compile_body has declared */
  if (!v) return fail(f->l, form, "no place for a definition:");
  if (!compile_value(f, form, v) || !store_variable(f, v, true)) return false;
  return v->ready = true;
}

static bool define_global(function *f, value form, value name) {
  cell *c = cell_of(f->l, name);
  if (c) ouro_assign(&c->syntax, NULL);
  return c && compile_value(f, form, NULL) && store_global(f, OP_DEFINE, c);
}

static bool compile_define(function *f, value form, bool tail) {
  (void)tail;
  value name = defined_name(f->l, form);
  bool good = name && (f->outer ? define_local(f, form, name) : define_global(f, form, name));
  return good && push_none(f);
}

static bool declare(function *f, value form) {
  value name = defined_name(f->l, form);
  const variable *v = name ? add_variable(f, name, false) : NULL;
  if (!v) return false;
  return v->boxed ? push(f, OP_NEW_BOX, 0) : push_none(f);
}

/* Makes variables of what the body will define: a form may refer to a later one. */
static bool declare_all(function *f, value forms) {
  bool good = true;
  for (; good && is(f->l, forms, K_PAIR); forms = CDR(forms)) {
    value form = expand_head(f, CAR(forms));
    good = form != NULL;
    if (form && names(f, form, F_BEGIN)) good = declare_all(f, CDR(form));
    else if (form && names(f, form, F_DEFINE)) good = declare(f, form);
    ouro_unref(form);
  }
  return good;
}

bool compile_body(function *f, value forms) {
  return declare_all(f, forms) && compile_sequence(f, forms, true);
}

const compile_fn special_forms[] = {compile_quote, compile_if,       compile_begin,
                                    compile_set,   compile_function, compile_define};
const builtin_spec builtins_special[] = {{"quote", NULL, 0, 0, F_QUOTE},
                                         {"if", NULL, 0, 0, F_IF},
                                         {"begin", NULL, 0, 0, F_BEGIN},
                                         {"set!", NULL, 0, 0, F_SET},
                                         {"lambda", NULL, 0, 0, F_LAMBDA},
                                         {"%define", NULL, 0, 0, F_DEFINE},
                                         {0}};
