/* SPDX-License-Identifier: MIT */
/*
 * The machine. All its references are counted ones: each value between `stack` and `top` is a
 * reference, also the function that a frame runs, which lies just below the frame's base:
 *
 *     stack ... [function] [base: arguments, local variables, what is being computed] top
 *
 * So the collector needs to know nothing of the stack to be right; vm_roots only tells it where
 * marking can begin. Calls take no C stack: recursion in Scheme is limited by memory alone.
 */
#include "lisp.h"
#include <string.h>

static void drop_to(lisp *l, value *to) {
  while (l->top > to) ouro_unref(*--l->top);
}

/* Room for `need` values and a frame. Who handles the error that there is none may use the reserve,
 * and gives it back by an escape. */
static bool room_for(lisp *l, size_t need) {
  size_t reserve = l->reserve_used ? 0 : LISP_RESERVE;
  if (OURO_LIKELY((size_t)(l->top - l->stack) + need + reserve <= LISP_STACK &&
                  l->depth + reserve < LISP_FRAMES))
    return true;
  l->reserve_used = true;
  return fail(l, NULL, "recursion too deep");
}

static const instruction *start_of(const code *c) {
  return (const instruction *)c->instructions->bytes;
}

/* Checks the number of arguments; those of a rest parameter become a list. */
static bool arrange(lisp *l, const code *c, size_t n) {
  if (n < c->parameters || (n > c->parameters && !c->rest))
    return fail(l, c->name, "%zu arguments given, %s%u wanted by", n, c->rest ? "at least " : "",
                c->parameters);
  if (!c->rest) return true;
  value list = ouro_ref(l->nil);
  for (; list && n > c->parameters; n--) list = cons(l, *--l->top, list);
  if (list) *l->top++ = list;
  return list != NULL;
}

/* The frame at work gives its place to the call: its values go, then function and arguments come
 * down. Nothing that dies here can call back, as Scheme has no finalizers. */
static void slide_down(lisp *l, size_t count) {
  value *to = l->stack + l->frames[l->depth - 1].base - 1, *from = l->top - count;
  for (value *old = to; old < from; old++) ouro_unref(*old);
  memmove(to, from, count * sizeof *to);
  l->top = to + count;
  l->depth--;
}

static bool call_closure(lisp *l, closure *fn, size_t n, bool tail) {
  const code *c = fn->code;
  if (OURO_UNLIKELY(n != c->parameters || c->rest)) {
    if (!arrange(l, c, n)) return false;
    n = c->parameters + c->rest;
  }
  if (!room_for(l, c->room)) return false;
  if (tail) slide_down(l, n + 1);
  size_t base = (size_t)(l->top - l->stack) - n;
  l->frames[l->depth++] = (frame){fn, start_of(c), base, ++l->calls};
  return true;
}

static value call_builtin(lisp *l, const builtin_spec *b, value *args, size_t n) {
  call c = {l, b, args, n};
  if (OURO_LIKELY(n >= (size_t)b->min && (b->max < 0 || n <= (size_t)b->max))) return b->fn(&c);
  return fail(l, NULL, "%s: wrong number of arguments: %zu", b->name, n);
}

/* The value on top is what the frame returns. */
static void leave_frame(lisp *l) {
  value result = *--l->top;
  drop_to(l, l->stack + l->frames[--l->depth].base - 1);
  *l->top++ = result;
}

/* (apply f a ... list): the stack as for (f a ... items of the list); *n: how many they are. */
static bool spread(lisp *l, size_t *n) {
  value list = *n < 2 ? l->none : l->top[-1];
  int64_t items = list_length(l, list);
  if (items < 0) return fail(l, list, "apply: no list of arguments:");
  if (!room_for(l, (size_t)items)) return false;
  ouro_unref(l->top[-(ptrdiff_t)*n - 1]); /* apply itself */
  memmove(l->top - *n - 1, l->top - *n, *n * sizeof *l->top);
  l->top -= 2; /* where the list now lies */
  value next = list;
  for (; is(l, next, K_PAIR); next = CDR(next)) *l->top++ = ouro_ref(CAR(next));
  *n += (size_t)items - 2;
  ouro_unref(list);
  return true;
}

/* As long as the frame that made it is at work: a later one in its place has another number. */
bool escape_is_live(const lisp *l, const escape *k) {
  return k->depth <= l->depth && l->frames[k->depth - 1].number == k->number;
}

/* (k value): returns it from the call that made k. */
static bool jump(lisp *l, const escape *k, size_t n) {
  if (n != 1 || !escape_is_live(l, k))
    return fail(l, NULL, "an escape was used after its call had returned");
  l->reserve_used = false;
  l->depth = k->depth;
  leave_frame(l);
  return true;
}

/* Calls the function that lies below its n arguments on top of the stack. */
static bool call_value(lisp *l, size_t n, bool tail) {
  value fn = l->top[-(ptrdiff_t)n - 1];
  if (OURO_LIKELY(is(l, fn, K_CLOSURE))) return call_closure(l, (closure *)fn, n, tail);
  if (is(l, fn, K_ESCAPE)) return jump(l, (escape *)fn, n);
  if (!is(l, fn, K_BUILTIN)) return fail(l, fn, "not a procedure:");
  const builtin_spec *b = ((builtin *)fn)->spec;
  if (!b->fn) return spread(l, &n) && call_value(l, n, tail);
  value result = call_builtin(l, b, l->top - n, n);
  if (!result) return false;
  drop_to(l, l->top - n - 1);
  *l->top++ = result;
  if (tail) leave_frame(l);
  return true;
}

/* Hands the pending error to `raise` (prelude.scm). False: this is the end. */
static bool raise_error(lisp *l) {
  const frame *f = &l->frames[l->depth - 1];
  value error = take_error(l);
  if (!l->fatal) condition_place(l, error, f->fn->code->file, f->fn->code->name, f->next[-1].line);
  if (l->fatal || !l->raise || !room_for(l, 2)) {
    ouro_assign_new(&l->error, error);
    return false;
  }
  *l->top++ = ouro_ref(l->raise);
  *l->top++ = error;
  return call_closure(l, (closure *)l->raise, 1, false);
}

closure *closure_new(lisp *l, code *c) {
  closure *fn = ouro_new_items(l->type[K_CLOSURE], c->captured);
  if (!fn) return NULL;
  fn->code = ouro_ref(c);
  fn->length = c->captured;
  return fn;
}

static bool make_closure(lisp *l, code *c) {
  closure *fn = closure_new(l, c);
  if (!fn) return false;
  l->top -= c->captured;
  memcpy(fn->captured, l->top, c->captured * sizeof *l->top); /* the references move */
  *l->top++ = OURO_OBJECT(fn);
  return true;
}

static bool wrap_in_box(lisp *l, value *place) {
  cell *box = make(l, K_CELL);
  if (!box) return false;
  box->content = *place;
  *place = OURO_OBJECT(box);
  return true;
}

static bool set_content(value cell_or_box, OURO_STOLEN value content) {
  ouro_assign_new(&((cell *)cell_or_box)->content, content);
  return true;
}

/* The instructions that keep something. */
static bool store(lisp *l, const instruction *i, value *base, const frame *f) {
  value *constants = f->fn->code->constants->items;
  switch (i->op) {
  case OP_CLOSURE: return make_closure(l, (code *)constants[i->at]);
  case OP_NEW_BOX: *l->top++ = NULL; return wrap_in_box(l, l->top - 1);
  case OP_BOX_LOCAL: return wrap_in_box(l, &base[i->at]);
  case OP_SET_LOCAL: ouro_assign_new(&base[i->at], *--l->top); return true;
  case OP_SET_LOCAL_BOX: return set_content(base[i->at], *--l->top);
  case OP_SET_CAPTURED_BOX: return set_content(f->fn->captured[i->at], *--l->top);
  case OP_DEFINE: return set_content(constants[i->at], *--l->top);
  default: break; /* OP_SET_GLOBAL */
  }
  const cell *c = (cell *)constants[i->at];
  if (!c->content) return fail(l, c->name, "unbound variable:");
  return set_content(constants[i->at], *--l->top);
}

static bool push_content(lisp *l, value cell_or_box) {
  const cell *c = (cell *)cell_or_box;
  if (OURO_LIKELY(c->content != NULL)) return *l->top++ = ouro_ref(c->content), true;
  return fail(l, c->name,
              c->name ? "unbound variable:" : "a variable was used before its definition");
}

/* Runs until the first frame has returned: its value is on the stack. False: an error. */
static bool execute(lisp *l) {
  while (l->depth > 0) {
    frame *f = &l->frames[l->depth - 1];
    value *base = l->stack + f->base, *constants = f->fn->code->constants->items;
    const instruction *i = f->next;
    bool good = true, same = true; /* same: this frame goes on */
    for (; good && same; i++) {
      f->next = i + 1;
      switch (i->op) {
      case OP_CONST: *l->top++ = ouro_ref(constants[i->at]); break;
      case OP_LOCAL: *l->top++ = ouro_ref(base[i->at]); break;
      case OP_CAPTURED: *l->top++ = ouro_ref(f->fn->captured[i->at]); break;
      case OP_SELF: *l->top++ = ouro_ref(f->fn); break;
      case OP_LOCAL_BOX: good = push_content(l, base[i->at]); break;
      case OP_CAPTURED_BOX: good = push_content(l, f->fn->captured[i->at]); break;
      case OP_GLOBAL: good = push_content(l, constants[i->at]); break;
      case OP_POP: ouro_unref(*--l->top); break;
      case OP_JUMP: i = start_of(f->fn->code) + i->at - 1; break;
      case OP_JUMP_FALSE: {
        value test = *--l->top;
        if (test == l->no) i = start_of(f->fn->code) + i->at - 1;
        ouro_unref(test);
        break;
      }
      case OP_CALL:
        good = call_value(l, i->at, false);
        same = f + 1 == l->frames + l->depth;
        break;
      case OP_TAIL_CALL: good = call_value(l, i->at, !(same = false)); break;
      case OP_RETURN: leave_frame(l), same = false; break;
      default: good = store(l, i, base, f);
      }
    }
    if (!good && !raise_error(l)) return false;
  }
  return true;
}

value vm_run(lisp *l, value fn, value argument) {
  l->fatal = l->reserve_used = false;
  *l->top++ = ouro_ref(fn);
  if (argument) *l->top++ = ouro_ref(argument);
  if (call_value(l, argument != NULL, false) && execute(l)) return *--l->top;
  drop_to(l, l->stack);
  l->depth = 0;
  return NULL;
}

/* What the frame at work is computing is left out: it lasts too short to matter. */
void vm_roots(void *ctx, ouro_visit_fn visit, void *arg) {
  const lisp *l = ctx;
  if (l->globals) visit(OURO_OBJECT(l->globals), arg);
  size_t end = l->depth ? l->frames[l->depth - 1].base : 0;
  for (size_t i = 0; i < end; i++)
    if (l->stack[i]) visit(l->stack[i], arg);
}
