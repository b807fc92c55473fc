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

/* --- Room ------------------------------------------------------------------------------------- */

static bool grow_stack(lisp *l, size_t wanted) {
  size_t used = (size_t)(l->top - l->stack), room = 2 * l->stack_room;
  if (wanted > LISP_MAX_STACK) return fail(l, NULL, "recursion too deep");
  if (room < wanted) room = wanted;
  value *stack = ouro_realloc(l->heap, l->stack, room * sizeof *stack);
  if (!stack) return false;
  l->stack = stack;
  l->top = stack + used;
  l->stack_room = room;
  return true;
}

static bool grow_frames(lisp *l) {
  size_t room = 2 * l->frames_room;
  frame *frames = ouro_realloc(l->heap, l->frames, room * sizeof *frames);
  if (!frames) return false;
  l->frames = frames;
  l->frames_room = room;
  return true;
}

#define FRAMES_RESERVE 32

/* The first failure leaves the reserve to those who handle it. */
static bool make_room(lisp *l, size_t need) {
  size_t used = (size_t)(l->top - l->stack), wanted = used + need + LISP_RESERVE;
  if (l->reserve_used && used + need <= l->stack_room && l->depth < l->frames_room) return true;
  l->reserve_used = !(wanted <= l->stack_room || grow_stack(l, wanted)) ||
                    !(l->depth + FRAMES_RESERVE < l->frames_room || grow_frames(l));
  return !l->reserve_used;
}

/* Room for `need` values and a frame. */
static inline bool room_for(lisp *l, size_t need) {
  size_t used = (size_t)(l->top - l->stack);
  if (OURO_UNLIKELY(used + need + LISP_RESERVE > l->stack_room ||
                    l->depth + FRAMES_RESERVE >= l->frames_room))
    return make_room(l, need);
  return true;
}

/* --- Calls ------------------------------------------------------------------------------------ */

static const instruction *start_of(const code *c) {
  return (const instruction *)(const void *)c->instructions->bytes;
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
  l->frames[l->depth++] = (frame){fn, start_of(c), base};
  return true;
}

value builtin_call(lisp *l, const builtin *b, value *args, size_t n) {
  call c = {l, b, args, n};
  if (OURO_LIKELY(n >= (size_t)b->spec.min && (b->spec.max < 0 || n <= (size_t)b->spec.max)))
    return b->spec.fn(&c);
  return fail(l, NULL, "%s: wrong number of arguments: %zu", b->spec.name, n);
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

void escape_end(lisp *l) {
  escape *k = l->escapes;
  l->escapes = k->outer;
  k->outer = NULL;
  k->live = false;
  ouro_unref(k);
}

/* (k value): returns it from the call that made k, where no dynamic-wind lies between. Otherwise
 * the prelude's `rewind` runs what is to be run, and calls k again. */
static bool jump(lisp *l, escape *k, size_t n) {
  if (n != 1) return fail(l, NULL, "an escape takes one value");
  if (!k->live) return fail(l, NULL, "an escape was used after its call had returned");
  if (k->winds != l->winds) {
    memmove(l->top - 1, l->top - 2, 2 * sizeof *l->top);
    l->top[-2] = ouro_ref(l->rewind); /* below k and the value */
    l->top++;
    return call_closure(l, (closure *)(void *)l->rewind, 2, false);
  }
  value result = *--l->top;
  ouro_ref(k);
  while (k->live) escape_end(l);
  ouro_assign(&l->handlers, k->handlers);
  l->depth = k->depth;
  l->reserve_used = false;
  drop_to(l, l->stack + l->frames[l->depth - 1].base);
  *l->top++ = result;
  leave_frame(l);
  ouro_unref(k);
  return true;
}

/* Calls the function that lies below its n arguments on top of the stack. */
static bool call_value(lisp *l, size_t n, bool tail) {
  value fn = l->top[-(ptrdiff_t)n - 1];
  if (OURO_LIKELY(is(l, fn, K_CLOSURE))) return call_closure(l, (closure *)(void *)fn, n, tail);
  if (is(l, fn, K_ESCAPE)) return jump(l, (escape *)(void *)fn, n);
  if (!is(l, fn, K_BUILTIN)) return fail(l, fn, "not a procedure:");
  const builtin *b = (builtin *)(void *)fn;
  if (b->spec.fast == F_APPLY) return spread(l, &n) && call_value(l, n, tail);
  value result = builtin_call(l, b, l->top - n, n);
  if (!result) return false;
  drop_to(l, l->top - n - 1);
  *l->top++ = result;
  if (tail) leave_frame(l);
  return true;
}

/* Hands the pending error to the program's handlers. False: there is none, or none can be called. */
static bool raise_error(lisp *l) {
  const frame *f = &l->frames[l->depth - 1];
  value error = take_error(l);
  condition_place(l, error, f->fn->code->file, f->fn->code->name, f->next[-1].line);
  if (l->fatal || l->exiting || !l->raise || l->handlers == l->nil || !room_for(l, 2)) {
    ouro_assign_new(&l->error, error);
    return false;
  }
  *l->top++ = ouro_ref(l->raise);
  *l->top++ = error;
  return call_closure(l, (closure *)(void *)l->raise, 1, false);
}

/* --- Instructions ----------------------------------------------------------------------------- */

/* The sum, difference ... in a's place if nobody else sees a. */
static inline value int_result(lisp *l, value a, int64_t result) {
  if (a->count != 1) return OURO_OBJECT(ouro_int_new(l->heap, result));
  INT(a) = result;
  return ouro_ref(a);
}

static inline value fast_arithmetic(lisp *l, enum fast f, value *a) {
  int64_t result;
  if (!is(l, a[0], K_INT) || !is(l, a[1], K_INT)) return NULL;
  int64_t x = INT(a[0]), y = INT(a[1]);
  switch (f) {
  case F_ADD: return __builtin_add_overflow(x, y, &result) ? NULL : int_result(l, a[0], result);
  case F_SUB: return __builtin_sub_overflow(x, y, &result) ? NULL : int_result(l, a[0], result);
  case F_EQUAL: return ouro_ref(truth(l, x == y));
  case F_LESS: return ouro_ref(truth(l, x < y));
  case F_GREATER: return ouro_ref(truth(l, x > y));
  case F_LESS_EQUAL: return ouro_ref(truth(l, x <= y));
  default: return ouro_ref(truth(l, x >= y));
  }
}

static inline value fast_vector_ref(lisp *l, value v, value at) {
  if (!is(l, v, K_VECTOR) || !is(l, at, K_INT)) return NULL;
  return (uint64_t)INT(at) < VECTOR(v)->length ? ouro_ref(VECTOR(v)->items[INT(at)]) : NULL;
}

/* What most calls of the most frequent builtins come to; NULL: call the builtin. */
static inline value fast_call(lisp *l, enum fast f, value *a, size_t n) {
  if (f == F_NONE || n != (f < F_CONS || f == F_NOT || f == F_NULL || f == F_PAIR ? 1 : 2))
    return NULL;
  switch (f) {
  case F_CAR: return is(l, a[0], K_PAIR) ? ouro_ref(CAR(a[0])) : NULL;
  case F_CDR: return is(l, a[0], K_PAIR) ? ouro_ref(CDR(a[0])) : NULL;
  case F_CONS: return cons_ref(l, a[0], a[1]);
  case F_NULL: return ouro_ref(truth(l, a[0] == l->nil));
  case F_PAIR: return ouro_ref(truth(l, is(l, a[0], K_PAIR)));
  case F_NOT: return ouro_ref(truth(l, a[0] == l->no));
  case F_EQ: return ouro_ref(truth(l, eqv(l, a[0], a[1])));
  case F_VECTOR_REF: return fast_vector_ref(l, a[0], a[1]);
  default: return fast_arithmetic(l, f, a);
  }
}

/* A call of a global that was a builtin when the call was compiled. */
static inline bool call_primitive(lisp *l, value fn, size_t n, bool *same) {
  value *args = l->top - n;
  if (OURO_UNLIKELY(!is(l, fn, K_BUILTIN))) {
    memmove(args + 1, args, n * sizeof *args);
    *args = ouro_ref(fn);
    l->top++;
    *same = false;
    return call_value(l, n, false);
  }
  const builtin *b = (builtin *)(void *)fn;
  value result = fast_call(l, (enum fast)b->spec.fast, args, n);
  if (!result && !(result = builtin_call(l, b, args, n))) return false;
  drop_to(l, args);
  *l->top++ = result;
  return true;
}

static bool make_closure(lisp *l, code *c) {
  closure *fn = ouro_new_items(l->type[K_CLOSURE], c->captured);
  if (!fn) return false;
  fn->code = ouro_ref(c);
  fn->length = c->captured;
  l->top -= c->captured;
  memcpy(fn->captured, l->top, c->captured * sizeof *l->top); /* the references move */
  *l->top++ = OURO_OBJECT(fn);
  return true;
}

static bool wrap_in_box(lisp *l, value *place) {
  box *b = make(l, K_BOX);
  if (!b) return false;
  b->content = *place;
  *place = OURO_OBJECT(b);
  return true;
}

/* The instructions that keep something. */
static bool store(lisp *l, const instruction *i, value *base, const frame *f) {
  value *constants = f->fn->code->constants->items;
  switch (i->op) {
  case OP_CLOSURE: return make_closure(l, (code *)(void *)constants[i->at]);
  case OP_NEW_BOX: *l->top++ = NULL; return wrap_in_box(l, l->top - 1);
  case OP_BOX_LOCAL: return wrap_in_box(l, &base[i->at]);
  case OP_SET_LOCAL: ouro_assign_new(&base[i->at], *--l->top); return true;
  case OP_SET_LOCAL_BOX: ouro_assign_new(&((box *)base[i->at])->content, *--l->top); return true;
  case OP_SET_CAPTURED_BOX:
    ouro_assign_new(&((box *)f->fn->captured[i->at])->content, *--l->top);
    return true;
  default: break;
  }
  cell *c = (cell *)(void *)constants[i->at];
  if (i->op == OP_SET_GLOBAL && !c->content) return fail(l, c->name, "unbound variable:");
  ouro_assign_new(&c->content, *--l->top);
  return true;
}

static bool push_content(lisp *l, value content, value name) {
  if (OURO_LIKELY(content != NULL)) return *l->top++ = ouro_ref(content), true;
  return fail(l, name, name ? "unbound variable:" : "a variable was used before its definition");
}

static void slide(lisp *l, size_t count) {
  value result = *--l->top;
  drop_to(l, l->top - count);
  *l->top++ = result;
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
      case OP_LOCAL_BOX: good = push_content(l, ((box *)base[i->at])->content, NULL); break;
      case OP_CAPTURED_BOX:
        good = push_content(l, ((box *)f->fn->captured[i->at])->content, NULL);
        break;
      case OP_GLOBAL:
        good =
            push_content(l, ((cell *)constants[i->at])->content, ((cell *)constants[i->at])->name);
        break;
      case OP_POP: ouro_unref(*--l->top); break;
      case OP_SLIDE: slide(l, i->at); break;
      case OP_JUMP: i = start_of(f->fn->code) + i->at - 1; break;
      case OP_JUMP_FALSE: {
        value test = *--l->top;
        if (test == l->no) i = start_of(f->fn->code) + i->at - 1;
        ouro_unref(test);
        break;
      }
      case OP_JUMP_OR:
        if (l->top[-1] != l->no) i = start_of(f->fn->code) + i->at - 1;
        else ouro_unref(*--l->top);
        break;
      case OP_PRIMITIVE:
        good = call_primitive(l, ((cell *)constants[i->at])->content, i->count, &same);
        break;
      case OP_CALL: good = call_value(l, i->at, same = false); break;
      case OP_TAIL_CALL: good = call_value(l, i->at, !(same = false)); break;
      case OP_RETURN:
        leave_frame(l);
        same = false;
        break;
      default: good = store(l, i, base, f);
      }
    }
    if (!good && !raise_error(l)) return false;
  }
  return true;
}

static void unwind(lisp *l) {
  while (l->escapes) escape_end(l);
  drop_to(l, l->stack);
  l->depth = 0;
  ouro_assign(&l->handlers, l->nil);
  ouro_assign(&l->winds, l->nil);
}

value vm_run(lisp *l, code *program) {
  l->fatal = l->reserve_used = false;
  if (!make_closure(l, program)) return NULL;
  if (call_closure(l, (closure *)(void *)l->top[-1], 0, false) && execute(l)) return *--l->top;
  unwind(l);
  return NULL;
}

/* What the frame at work is computing is left out: it lasts too short to matter. */
void vm_roots(void *ctx, ouro_visit_fn visit, void *arg) {
  const lisp *l = ctx;
  if (l->globals) visit(OURO_OBJECT(l->globals), arg);
  size_t end = l->depth ? l->frames[l->depth - 1].base : 0;
  for (size_t i = 0; i < end; i++) visit(l->stack[i], arg);
}
