/* SPDX-License-Identifier: MIT */
/* Output, control, errors, and what the library says of itself. */
#include "lisp.h"

/* (%put text): what display and write are made of */
static value f_put(call *c) {
  if (!need(c, 0, K_STR)) return NULL;
  fwrite(STR(c->args[0])->bytes, 1, STR(c->args[0])->length, c->l->out);
  return ouro_ref(c->l->none);
}

/* (%describe x): of what has no notation, its type and name */
static value f_describe(call *c) {
  value v = c->args[0];
  const char *name = "", *type = ouro_type_name(ouro_type_of(v));
  if (is(c->l, v, K_BUILTIN)) name = ((builtin *)v)->spec->name;
  if (is(c->l, v, K_CLOSURE) && ((closure *)v)->code->name != c->l->no)
    name = STR(((closure *)v)->code->name)->bytes;
  return OURO_OBJECT(ouro_str_format(c->l->heap, "#<%s%s%s>", type, *name ? " " : "", name));
}

static value f_error(call *c) {
  value irritants = ouro_ref(c->l->nil);
  for (size_t i = c->n; irritants && i-- > 1;)
    irritants = cons(c->l, ouro_ref(c->args[i]), irritants);
  ouro_assign_new(&c->l->error, condition_new(c->l, c->args[0], irritants));
  return NULL;
}

static value f_condition_part(call *c) {
  if (!need(c, 0, K_CONDITION)) return NULL;
  const condition *error = (condition *)c->args[0];
  return ouro_ref(c->self->index ? error->irritants : error->message);
}

/* Ends the program with an error that nobody handles. */
static value f_fatal(call *c) {
  c->l->fatal = true;
  if (!is(c->l, c->args[0], K_CONDITION)) return fail(c->l, c->args[0], "uncaught:");
  ouro_assign(&c->l->error, c->args[0]);
  return NULL;
}

/* (%on-error raise write): what the machine calls, and what prints a value. */
static value f_on_error(call *c) {
  if (!need(c, 0, K_CLOSURE) || !need(c, 1, K_CLOSURE)) return NULL;
  ouro_assign(&c->l->raise, c->args[0]);
  ouro_assign(&c->l->write, c->args[1]);
  return ouro_ref(c->l->none);
}

/* What returns from the function that calls this. */
static value f_escape(call *c) {
  escape *k = make(c->l, K_ESCAPE);
  if (!k) return NULL;
  k->depth = c->l->depth;
  k->number = c->l->frames[k->depth - 1].number;
  return OURO_OBJECT(k);
}

static value f_is_live(call *c) {
  return need(c, 0, K_ESCAPE) ? truth(c->l, escape_is_live(c->l, (escape *)c->args[0])) : NULL;
}

/* (%set-syntax! name procedure): a macro is a procedure from form to form. */
static value f_set_syntax(call *c) {
  cell *it = need(c, 0, K_SYMBOL) && need(c, 1, K_CLOSURE) ? cell_of(c->l, c->args[0]) : NULL;
  if (!it) return NULL;
  ouro_assign(&it->syntax, c->args[1]);
  return ouro_ref(c->l->none);
}

/* (collect [generation]): how many unreachable objects were found. */
static value f_collect(call *c) {
  size_t generation = OURO_GENERATIONS - 1;
  if (c->n > 0 && !need_index(c, 0, OURO_GENERATIONS, &generation)) return NULL;
  int64_t found = ouro_collect(c->l->heap, (int)generation);
  return found < 0 ? NULL : int_new(c->l, found);
}

/* In the order of the names in prelude.scm. */
static value list_of(lisp *l, const uint64_t *numbers, size_t n) {
  value list = ouro_ref(l->nil);
  while (list && n-- > 0) list = cons(l, int_new(l, (int64_t)numbers[n]), list);
  return list;
}

/* (%gc-step microseconds): works on the collection of the oldest generation. */
static value f_step(call *c) {
  size_t budget;
  if (!need_index(c, 0, SIZE_MAX / 1000, &budget)) return NULL;
  ouro_step_report did = ouro_step(c->l->heap, budget * 1000);
  return list_of(c->l, (uint64_t[]){did.finished, did.examined, did.found, did.longest_ns}, 4);
}

static value f_gc_stats(call *c) {
  ouro_gc_stats gc;
  ouro_heap_stats heap;
  ouro_gc_stats_read(c->l->heap, &gc);
  ouro_heap_stats_read(c->l->heap, &heap);
  const uint64_t numbers[] = {gc.generation[0].collections,
                              gc.generation[1].collections,
                              gc.generation[2].collections,
                              gc.slices,
                              gc.longest_atomic_ns,
                              gc.tracked,
                              heap.live,
                              heap.resident};
  return list_of(c->l, numbers, sizeof numbers / sizeof *numbers);
}

/* clang-format off */
const builtin_spec builtins_system[] = {
    {"%put", f_put, 1, 1, 0}, {"%describe", f_describe, 1, 1, 0},
    {"apply", NULL, 2, -1, 0}, {"error", f_error, 1, -1, 0},
    {"error-object-message", f_condition_part, 1, 1, 0},
    {"error-object-irritants", f_condition_part, 1, 1, 1},
    {"%fatal", f_fatal, 1, 1, 0}, {"%on-error", f_on_error, 2, 2, 0},
    {"%set-syntax!", f_set_syntax, 2, 2, 0},
    {"%escape", f_escape, 0, 0, 0}, {"%live?", f_is_live, 1, 1, 0},
    {"collect", f_collect, 0, 1, 0}, {"%gc-step", f_step, 1, 1, 0},
    {"%gc-stats", f_gc_stats, 0, 0, 0},
    {0}};
/* clang-format on */
