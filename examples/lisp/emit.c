/* SPDX-License-Identifier: MIT */
/*
 * Trees to instructions of a stack machine.
 *
 * `depth` is how many values lie above the frame's base at this point of the code: parameters
 * first, then local variables and what is being computed, in order of arrival. So a local variable
 * is a place on the stack, known here. Each emit_... leaves one value more on the stack, or the
 * code has returned, where `tail` says that its value is the function's.
 */
#include "lisp.h"
#include <string.h>

typedef struct emitter emitter;
struct emitter {
  lisp *l;
  emitter *outer;
  instruction *code;
  size_t length, room;
  ouro_list *constants, *captures; /* captures: variables, in the order of closure.captured */
  const variable *self;
  uint32_t level, depth, most, line;
};

static bool emit(emitter *e, value tree, bool tail);

static bool put(emitter *e, enum op op, uint8_t count, size_t at) {
  if (e->length == e->room) {
    size_t room = e->room ? 2 * e->room : 16;
    instruction *code = ouro_realloc(e->l->heap, e->code, room * sizeof *code);
    if (!code) return false;
    e->code = code;
    e->room = room;
  }
  uint16_t line = e->line < UINT16_MAX ? (uint16_t)e->line : UINT16_MAX;
  e->code[e->length++] = (instruction){(uint8_t)op, count, line, (uint32_t)at};
  return true;
}

static bool push(emitter *e, enum op op, uint8_t count, size_t at) {
  if (++e->depth > e->most) e->most = e->depth;
  return put(e, op, count, at);
}

/* The index of v among the references of a list, added where it is new; SIZE_MAX: no memory. */
static size_t index_in(ouro_list *list, void *v) {
  for (size_t i = 0; i < list->length; i++)
    if (list->items[i] == v) return i;
  return ouro_list_append(list, v) ? list->length - 1 : SIZE_MAX;
}

static bool push_indexed(emitter *e, enum op op, void *constant) {
  size_t at = index_in(e->constants, constant);
  return at != SIZE_MAX && push(e, op, 0, at);
}

/* --- Variables -------------------------------------------------------------------------------- */

static bool boxed(const variable *v) { return (v->assigned && v->captured) || v->early; }

static bool is_self(const emitter *e, const variable *v) { return e->self == v && !v->assigned; }

/* Whether what the code finds in place of the variable is a box. */
static bool finds_box(const emitter *e, const variable *v) {
  if (v->level == e->level) return boxed(v);
  return !is_self(e, v) && finds_box(e->outer, v);
}

/* Pushes what is in the variable's place, or its content where `open`. */
static bool push_variable(emitter *e, variable *v, bool open) {
  bool box = open && finds_box(e, v);
  if (v->level == e->level) return push(e, box ? OP_LOCAL_BOX : OP_LOCAL, 0, v->slot);
  if (is_self(e, v)) return push(e, OP_SELF, 0, 0);
  size_t at = index_in(e->captures, v);
  return at != SIZE_MAX && push(e, box ? OP_CAPTURED_BOX : OP_CAPTURED, 0, at);
}

/* The value on top of the stack becomes a local variable. */
static bool bind_top(emitter *e, variable *v) {
  v->level = e->level;
  v->slot = e->depth - 1;
  return !boxed(v) || put(e, OP_BOX_LOCAL, 0, v->slot);
}

static bool emit_store(emitter *e, const node *n) {
  if (!emit(e, n->items[0], false)) return false;
  e->depth--;
  variable *v = (variable *)n->datum;
  if (!is(e->l, n->datum, K_VARIABLE)) {
    size_t at = index_in(e->constants, v);
    return at != SIZE_MAX && put(e, n->kind == N_DEFINE ? OP_DEFINE : OP_SET_GLOBAL, 0, at);
  }
  if (v->level == e->level) return put(e, boxed(v) ? OP_SET_LOCAL_BOX : OP_SET_LOCAL, 0, v->slot);
  size_t at = index_in(e->captures, v);
  return at != SIZE_MAX && put(e, OP_SET_CAPTURED_BOX, 0, at);
}

/* --- Control ---------------------------------------------------------------------------------- */

static void patch(emitter *e, size_t jump) { e->code[jump].at = (uint32_t)e->length; }

static bool emit_if(emitter *e, const node *n, bool tail) {
  if (!emit(e, n->items[0], false)) return false;
  size_t over = e->length, end = 0;
  e->depth--;
  if (!put(e, OP_JUMP_FALSE, 0, 0) || !emit(e, n->items[1], tail)) return false;
  e->depth--;
  end = e->length;
  if (!tail && !put(e, OP_JUMP, 0, 0)) return false;
  patch(e, over);
  if (!emit(e, n->items[2], tail)) return false;
  if (!tail) patch(e, end);
  return true;
}

static bool emit_sequence(emitter *e, const node *n, size_t from, bool tail) {
  for (size_t i = from; i + 1 < n->length; i++) {
    const node *item = (node *)n->items[i];
    bool stores = item->kind == N_SET || item->kind == N_DEFINE;
    if (!(stores ? emit_store(e, item) : emit(e, n->items[i], false))) return false;
    if (!stores && !put(e, OP_POP, 0, 0)) return false;
    e->depth -= !stores;
  }
  return emit(e, n->items[n->length - 1], tail);
}

/* Takes `count` values from under the result. */
static bool leave(emitter *e, size_t count, bool tail) {
  e->depth -= (uint32_t)count;
  return tail || count == 0 || put(e, OP_SLIDE, 0, count);
}

static bool emit_let(emitter *e, const node *n, bool tail) {
  size_t count = n->length - 1;
  for (size_t i = 0; i < count; i++)
    if (!emit(e, n->items[i], false) || !bind_top(e, (variable *)n->vars->items[i])) return false;
  return emit_sequence(e, n, count, tail) && leave(e, count, tail);
}

static bool emit_body(emitter *e, const node *n, bool tail) {
  size_t count = n->vars ? n->vars->length : 0;
  for (size_t i = 0; i < count; i++) {
    variable *v = (variable *)n->vars->items[i];
    v->level = e->level;
    v->slot = e->depth;
    if (!(boxed(v) ? push(e, OP_NEW_BOX, 0, 0) : push_indexed(e, OP_CONST, e->l->undefined)))
      return false;
  }
  return emit_sequence(e, n, 0, tail) && leave(e, count, tail);
}

/* A global that is a builtin now is called without being pushed; the machine checks that it still
 * is one. `apply` calls in its turn, so it is called like a function. */
static bool is_primitive(const emitter *e, const node *fn, size_t arguments) {
  if (fn->kind != N_GLOBAL || arguments > UINT8_MAX) return false;
  value content = ((cell *)fn->datum)->content;
  return content && is(e->l, content, K_BUILTIN) && ((builtin *)content)->spec->fn;
}

static bool emit_call(emitter *e, const node *n, bool tail) {
  const node *fn = (node *)n->items[0];
  size_t arguments = n->length - 1;
  bool primitive = is_primitive(e, fn, arguments);
  for (size_t i = primitive; i < n->length; i++)
    if (!emit(e, n->items[i], false)) return false;
  e->line = n->line;
  e->depth -= (uint32_t)(n->length - primitive);
  if (!primitive) return push(e, tail ? OP_TAIL_CALL : OP_CALL, 0, arguments);
  size_t at = index_in(e->constants, fn->datum);
  if (at == SIZE_MAX || !push(e, OP_PRIMITIVE, (uint8_t)arguments, at)) return false;
  return !tail || put(e, OP_RETURN, 0, 0);
}

/* --- Functions -------------------------------------------------------------------------------- */

static code *finish(emitter *e, value name, size_t parameters, bool rest) {
  code *c = make(e->l, K_CODE);
  if (!c) return NULL;
  c->name = ouro_ref(name);
  c->file = ouro_ref(e->l->file);
  c->constants = ouro_ref(e->constants);
  c->instructions = ouro_bytes_new(e->l->heap, e->code, e->length * sizeof *e->code);
  c->parameters = (uint32_t)(parameters - rest);
  c->rest = rest;
  c->captured = (uint32_t)e->captures->length;
  c->room = e->most + 2;
  if (c->instructions) return c;
  ouro_unref(c);
  return NULL;
}

static void emitter_end(emitter *e) {
  ouro_free(e->l->heap, e->code);
  ouro_unref(e->constants);
  ouro_unref(e->captures);
}

static bool emitter_begin(emitter *e, lisp *l, emitter *outer, const variable *self) {
  *e = (emitter){.l = l, .outer = outer, .self = self, .level = outer ? outer->level + 1 : 1};
  e->constants = ouro_list_new(l->heap);
  e->captures = ouro_list_new(l->heap);
  e->line = outer ? outer->line : l->line;
  return e->constants && e->captures;
}

static bool emit_parameters(emitter *e, const ouro_list *vars) {
  for (size_t i = 0; i < vars->length; i++) {
    e->most = ++e->depth;
    if (!bind_top(e, (variable *)vars->items[i])) return false;
  }
  return true;
}

static bool emit_lambda(emitter *e, const node *n) {
  emitter inner;
  code *made = NULL;
  bool good = emitter_begin(&inner, e->l, e, n->self) && emit_parameters(&inner, n->vars) &&
              emit(&inner, n->items[0], true) &&
              (made = finish(&inner, n->datum, n->vars->length, n->rest));
  uint32_t depth = e->depth;
  for (size_t i = 0; good && i < inner.captures->length; i++)
    good = push_variable(e, (variable *)inner.captures->items[i], false);
  e->depth = depth;
  size_t at = good ? index_in(e->constants, made) : SIZE_MAX;
  ouro_unref(made);
  emitter_end(&inner);
  return at != SIZE_MAX && push(e, OP_CLOSURE, 0, at);
}

static bool emit_simple(emitter *e, const node *n) {
  switch (n->kind) {
  case N_CONST: return push_indexed(e, OP_CONST, n->datum);
  case N_LOCAL: return push_variable(e, (variable *)n->datum, true);
  case N_LAMBDA: return emit_lambda(e, n);
  case N_GLOBAL: return push_indexed(e, OP_GLOBAL, n->datum);
  default: return emit_store(e, n) && push_indexed(e, OP_CONST, e->l->none);
  }
}

static bool emit(emitter *e, value tree, bool tail) {
  const node *n = (node *)tree;
  e->line = n->line;
  switch (n->kind) {
  case N_IF: return emit_if(e, n, tail);
  case N_LET: return emit_let(e, n, tail);
  case N_BODY: return emit_body(e, n, tail);
  case N_CALL: return emit_call(e, n, tail);
  default: return emit_simple(e, n) && (!tail || put(e, OP_RETURN, 0, 0));
  }
}

closure *compile(lisp *l, value tree) {
  emitter e;
  code *made = NULL;
  if (emitter_begin(&e, l, NULL, NULL) && emit(&e, tree, true)) made = finish(&e, l->no, 0, false);
  emitter_end(&e);
  closure *fn = made ? closure_new(l, made) : NULL;
  ouro_unref(made);
  return fn;
}
