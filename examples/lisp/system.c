/* SPDX-License-Identifier: MIT */
/* Output, control, errors, and what the library says of itself. */
#include "lisp.h"
#include <time.h>

/* write (index 1) and display */
static value f_display(call *c) {
  print(c->l, c->l->out, c->args[0], c->self->index);
  return ouro_ref(c->l->none);
}

static value f_exit(call *c) {
  value status = c->n ? c->args[0] : c->l->yes;
  c->l->exiting = true;
  c->l->status = is(c->l, status, K_INT) ? (int)INT(status) : status == c->l->no;
  return fail(c->l, NULL, "exit");
}

static value f_runtime(call *c) {
  return OURO_OBJECT(ouro_float_new(c->l->heap, (double)clock() / CLOCKS_PER_SEC));
}

/* --- Errors and control: the rest is in prelude.scm ------------------------------------------- */

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
  ouro_assign(&c->l->error, c->args[0]);
  return NULL;
}

/* (%on-error raise): what the machine calls. */
static value f_on_error(call *c) {
  if (!need(c, 0, K_CLOSURE)) return NULL;
  ouro_assign(&c->l->raise, c->args[0]);
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

/* --- Ouro ------------------------------------------------------------------------------------- */

/* (collect [generation]): how many unreachable objects were found. */
static value f_collect(call *c) {
  size_t generation = OURO_GENERATIONS - 1;
  if (c->n > 0 && !need_index(c, 0, OURO_GENERATIONS, &generation)) return NULL;
  int64_t found = ouro_collect(c->l->heap, (int)generation);
  return found < 0 ? NULL : int_new(c->l, found);
}

typedef struct fact {
  const char *name;
  uint64_t number;
} fact;

/* The facts as ((name . number) ...). */
static value list_of(lisp *l, const fact *facts, size_t n) {
  value list = ouro_ref(l->nil);
  while (list && n-- > 0) {
    value pair = cons(l, symbol(l, facts[n].name), int_new(l, (int64_t)facts[n].number));
    list = cons(l, pair, list);
  }
  return list;
}

/* (step microseconds): works on the collection of the oldest generation. */
static value f_step(call *c) {
  size_t budget;
  if (!need_index(c, 0, SIZE_MAX / 1000, &budget)) return NULL;
  ouro_step_report did = ouro_step(c->l->heap, budget * 1000);
  const fact facts[] = {{"finished", did.finished},
                        {"examined", did.examined},
                        {"found", did.found},
                        {"longest-ns", did.longest_ns}};
  return list_of(c->l, facts, sizeof facts / sizeof *facts);
}

static value f_gc_stats(call *c) {
  ouro_gc_stats gc;
  ouro_heap_stats heap;
  ouro_gc_stats_read(c->l->heap, &gc);
  ouro_heap_stats_read(c->l->heap, &heap);
  const fact facts[] = {{"collections-0", gc.generation[0].collections},
                        {"collections-1", gc.generation[1].collections},
                        {"collections-2", gc.generation[2].collections},
                        {"slices", gc.slices},
                        {"longest-ns", gc.longest_atomic_ns},
                        {"tracked", gc.tracked},
                        {"live-bytes", heap.live},
                        {"resident-bytes", heap.resident}};
  return list_of(c->l, facts, sizeof facts / sizeof *facts);
}

/* clang-format off */
const builtin_spec builtins_system[] = {
    {"display", f_display, 1, 1, false}, {"write", f_display, 1, 1, true},
    {"exit", f_exit, 0, 1, 0}, {"runtime", f_runtime, 0, 0, 0},
    {"apply", NULL, 2, -1, 0}, {"error", f_error, 1, -1, 0},
    {"error-object-message", f_condition_part, 1, 1, 0},
    {"error-object-irritants", f_condition_part, 1, 1, 1},
    {"%fatal", f_fatal, 1, 1, 0}, {"%on-error", f_on_error, 1, 1, 0},
    {"%escape", f_escape, 0, 0, 0}, {"%live?", f_is_live, 1, 1, 0},
    {"collect", f_collect, 0, 1, 0}, {"step", f_step, 1, 1, 0}, {"gc-stats", f_gc_stats, 0, 0, 0},
    {0}};
/* clang-format on */
