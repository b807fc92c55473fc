/* SPDX-License-Identifier: MIT */
/*
 * Forms to instructions of a stack machine, in one pass.
 *
 * `depth` is how many values lie above the frame's base at this point of the code: parameters
 * first, then local variables and what is being computed, in order of arrival. So a local variable
 * is a place on the stack, known here. Each compile_... leaves one value more on the stack, or the
 * code has returned, where `tail` says that its value is the function's.
 *
 * Closures copy what they capture, unless the variable lives in a box:
 *
 *     boxed  <=>  (assigned and captured by a closure) or looked at before it has its value
 *
 * That is known only at the end of a form; where a box turns out to be needed the form is compiled
 * once more. A function that calls itself by the name it is defined as finds itself in its own
 * frame, without a reference to itself: so most local functions and all loops make no cycle, and
 * their closures are freed by their counts. What refers to a later definition goes through a box
 * and does make one: the collector's work.
 */
#include "lisp.h"

bool put(function *f, enum op op, size_t at) {
  lisp *l = f->l;
  if (f->length == f->room) {
    size_t room = f->room ? 2 * f->room : 16;
    instruction *code = ouro_realloc(l->heap, f->code, room * sizeof *code);
    if (!code) return false;
    f->code = code;
    f->room = room;
  }
  uint16_t line = l->line < UINT16_MAX ? (uint16_t)l->line : UINT16_MAX;
  f->code[f->length++] = (instruction){(uint16_t)op, line, (uint32_t)at};
  return true;
}

bool push(function *f, enum op op, size_t at) {
  if (++f->depth > f->most) f->most = f->depth;
  return put(f, op, at);
}

size_t index_in(ouro_list *list, void *v) {
  for (size_t i = 0; i < list->length; i++)
    if (list->items[i] == v) return i;
  return ouro_list_append(list, v) ? list->length - 1 : SIZE_MAX;
}

/* Pushes a constant, or what a global name stands for. */
bool push_indexed(function *f, enum op op, void *constant) {
  size_t at = index_in(f->made->constants, constant);
  return at != SIZE_MAX && push(f, op, at);
}

enum { ASSIGNED = 1, CAPTURED = 2, EARLY = 4 };

static bool needs_box(const variable *v) {
  return v->flags & EARLY || v->flags == (ASSIGNED | CAPTURED);
}

static bool is_self(const function *f, const variable *v) {
  return f->self == v && !(v->flags & ASSIGNED);
}

variable *own_variable(const function *f, value name) {
  for (size_t i = 0; i < f->vars->length; i++)
    if (((variable *)f->vars->items[i])->name == name) return (variable *)f->vars->items[i];
  return NULL;
}

variable *find_variable(const function *f, value name) {
  variable *v = NULL;
  for (; f && !v; f = f->outer) v = own_variable(f, name);
  return v;
}

/* A variable at the next place of the stack. The second pass knows it from the first. */
variable *add_variable(function *f, value name, bool ready) {
  unit *u = f->unit;
  if (!is_symbol(f->l, name) || own_variable(f, name))
    return (variable *)fail(f->l, name, "no name, or defined twice:");
  variable *v = make(f->l, K_VARIABLE);
  if (!v) return NULL;
  const variable *known = u->again ? (variable *)u->all->items[u->variables++] : NULL;
  v->name = ouro_ref(name);
  v->ready = ready;
  v->level = f->level;
  v->slot = f->depth;
  v->flags = known ? known->flags : 0;
  v->boxed = known && needs_box(known);
  bool good = known || ouro_list_append(u->all, v);
  return ouro_list_append_new(f->vars, v) && good ? v : NULL;
}

/* Notes what the use of `v` in `f` asks of it: see the head of this file. */
static void note_use(const function *f, variable *v) {
  bool itself = false;
  if (f->level != v->level) v->flags |= CAPTURED;
  for (; f->level != v->level; f = f->outer) itself |= f->self == v;
  if (!v->ready && !itself) v->flags |= EARLY;
}

/* Whether what the code finds in place of the variable is a box. */
static bool finds_box(const function *f, const variable *v) {
  if (v->level == f->level) return v->boxed;
  return !is_self(f, v) && finds_box(f->outer, v);
}

/* Pushes what is in the variable's place, or its content where `open`. */
static bool push_variable(function *f, variable *v, bool open) {
  bool box = open && finds_box(f, v);
  if (v->level == f->level) return push(f, box ? OP_LOCAL_BOX : OP_LOCAL, v->slot);
  if (is_self(f, v)) return push(f, OP_SELF, 0);
  size_t at = index_in(f->captures, v);
  return at != SIZE_MAX && push(f, box ? OP_CAPTURED_BOX : OP_CAPTURED, at);
}

static bool compile_name(function *f, value id) {
  variable *v = find_variable(f, id);
  cell *c = v ? NULL : cell_of(f->l, id);
  if (!v) return c && push_indexed(f, OP_GLOBAL, c);
  note_use(f, v);
  return push_variable(f, v, true);
}

/* The value on top goes into the variable; the first one is not an assignment. */
bool store_variable(function *f, variable *v, bool first) {
  f->depth--;
  if (!first) v->flags |= ASSIGNED;
  if (f->level != v->level) v->flags |= CAPTURED;
  if (v->level == f->level) return put(f, v->boxed ? OP_SET_LOCAL_BOX : OP_SET_LOCAL, v->slot);
  size_t at = index_in(f->captures, v);
  return at != SIZE_MAX && put(f, OP_SET_CAPTURED_BOX, at);
}

value syntax_of(const function *f, value form) {
  if (!is(f->l, form, K_PAIR) || !is_symbol(f->l, CAR(form)) || find_variable(f, CAR(form)))
    return NULL;
  const cell *c = cell_of(f->l, CAR(form));
  return c ? c->syntax : NULL;
}

value expand_head(const function *f, value form) {
  lisp *l = f->l;
  value syntax = syntax_of(f, ouro_ref(form));
  while (syntax && is(l, syntax, K_CLOSURE)) {
    value next = vm_run(l, syntax, form);
    if (l->error && is(l, l->error, K_CONDITION)) ((condition *)l->error)->line = 0;
    ouro_assign_new(&form, next);
    syntax = form ? syntax_of(f, form) : NULL;
  }
  return form;
}

static bool compile_call(function *f, value form, bool tail) {
  lisp *l = f->l;
  int64_t n = list_length(l, form);
  uint32_t line = l->line, depth = f->depth;
  if (n < 0) return fail(l, form, "a call that is no list:");
  for (value rest = form; rest != l->nil; rest = CDR(rest))
    if (!compile(f, CAR(rest), false)) return false;
  l->line = line;
  f->depth = depth;
  return push(f, tail ? OP_TAIL_CALL : OP_CALL, (size_t)n - 1);
}

bool compile(function *f, value form, bool tail) {
  lisp *l = f->l;
  if (is_symbol(l, form)) return compile_name(f, form);
  if (form == l->nil) return fail(l, NULL, "() is not a form");
  if (!is(l, form, K_PAIR)) return push_indexed(f, OP_CONST, form);
  if (l->nesting >= LISP_MAX_DEPTH) return fail(l, NULL, "nested too deep");
  if (((pair *)form)->line) l->line = ((pair *)form)->line;
  l->nesting++;
  value expanded = expand_head(f, form), syntax = expanded ? syntax_of(f, expanded) : NULL;
  bool good = false;
  if (syntax) good = special_forms[((builtin *)syntax)->spec->index](f, expanded, tail);
  else if (expanded && is(l, expanded, K_PAIR)) good = compile_call(f, expanded, tail);
  else if (expanded) good = compile(f, expanded, tail);
  l->nesting--;
  ouro_unref(expanded);
  return good;
}

static bool begin_function(function *f, lisp *l, function *outer, value name) {
  *f = (function){.l = l, .outer = outer, .level = outer ? outer->level + 1 : 1};
  f->captures = ouro_list_new(l->heap);
  f->vars = ouro_list_new(l->heap);
  f->made = make(l, K_CODE);
  if (!f->made) return false;
  f->made->name = ouro_ref(name);
  f->made->file = ouro_ref(l->file);
  f->made->constants = ouro_list_new(l->heap);
  return f->captures && f->vars && f->made->constants;
}

static bool finish_function(function *f) {
  code *c = f->made;
  if (!put(f, OP_RETURN, 0)) return false;
  c->instructions = ouro_bytes_new(f->l->heap, f->code, f->length * sizeof *f->code);
  c->captured = (uint32_t)f->captures->length;
  c->room = f->most + 2;
  return c->instructions != NULL;
}

static void end_function(function *f) {
  ouro_free(f->l->heap, f->code);
  ouro_unref(f->made);
  ouro_unref(f->captures);
  ouro_unref(f->vars);
}

static bool compile_parameters(function *f, value params) {
  code *c = f->made;
  for (; params != f->l->nil && !c->rest; f->most = ++f->depth) {
    c->rest = !is(f->l, params, K_PAIR);
    const variable *v = add_variable(f, c->rest ? params : CAR(params), true);
    if (!v || (v->boxed && !put(f, OP_BOX_LOCAL, v->slot))) return false;
    if (c->rest) continue;
    c->parameters++;
    params = CDR(params);
  }
  return true;
}

bool compile_lambda(function *f, value name, value lambda, const variable *self) {
  function inner;
  uint32_t depth = f->depth;
  bool good = begin_function(&inner, f->l, f, name);
  inner.unit = f->unit;
  inner.self = self;
  good = good && compile_parameters(&inner, CAR(CDR(lambda))) &&
         compile_body(&inner, CDR(CDR(lambda))) && finish_function(&inner);
  for (size_t i = 0; good && i < inner.captures->length; i++)
    good = push_variable(f, (variable *)inner.captures->items[i], false);
  f->depth = depth;
  good = good && push_indexed(f, OP_CLOSURE, inner.made);
  end_function(&inner);
  return good;
}

static code *compile_pass(lisp *l, unit *u, value form) {
  function f;
  bool good = begin_function(&f, l, NULL, l->no);
  f.unit = u;
  good = good && compile(&f, form, true) && finish_function(&f);
  code *made = good ? ouro_ref(f.made) : NULL;
  end_function(&f);
  return made;
}

closure *compile_form(lisp *l, value form) {
  unit u = {.all = ouro_list_new(l->heap)};
  code *made = u.all ? compile_pass(l, &u, form) : NULL;
  for (size_t i = 0; made && i < u.all->length; i++)
    u.again |= needs_box((variable *)u.all->items[i]);
  if (u.again) ouro_assign_new(&made, compile_pass(l, &u, form));
  ouro_unref(u.all);
  closure *fn = made ? closure_new(l, made) : NULL;
  ouro_unref(made);
  return fn;
}
