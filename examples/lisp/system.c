/* SPDX-License-Identifier: MIT */
/* Output, control, errors, and what the library says of itself. */
#include "lisp.h"
#include <time.h>

static value nothing(const call *c) { return ouro_ref(c->l->none); }
static value int_of(const call *c, int64_t i) { return OURO_OBJECT(ouro_int_new(c->l->heap, i)); }

static value f_display(call *c) {
  return print(c->l, c->l->out, c->args[0], c->self->spec.index), nothing(c);
}
static value f_newline(call *c) { return fputc('\n', c->l->out), nothing(c); }

static value f_exit(call *c) {
  value status = c->n ? c->args[0] : c->l->yes;
  c->l->exiting = true;
  c->l->status = is(c->l, status, K_INT) ? (int)INT(status) : status == c->l->no;
  return fail(c->l, NULL, "exit");
}

/* --- Errors and control: the rest is in prelude.scm -------------------------------------------- */

static value f_error(call *c) {
  value irritants = ouro_ref(c->l->nil);
  for (size_t i = c->n; irritants && i-- > 1;)
    irritants = cons(c->l, ouro_ref(c->args[i]), irritants);
  ouro_assign_new(&c->l->error, condition_new(c->l, c->args[0], irritants));
  return NULL;
}

static value f_condition_part(call *c) {
  if (!need(c, 0, K_CONDITION)) return NULL;
  const condition *error = (condition *)(void *)c->args[0];
  return ouro_ref(c->self->spec.index ? error->irritants : error->message);
}

/* Ends the program with an error that nobody handles. */
static value f_fatal(call *c) {
  c->l->fatal = true;
  ouro_assign(&c->l->error, c->args[0]);
  return NULL;
}

static value *control(const call *c) {
  return c->self->spec.index ? &c->l->winds : &c->l->handlers;
}
static value f_control(call *c) { return ouro_ref(*control(c)); }
static value f_set_control(call *c) { return ouro_assign(control(c), c->args[0]), nothing(c); }

/* (%hooks raise rewind): what the machine calls. */
static value f_hooks(call *c) {
  if (!need(c, 0, K_CLOSURE) || !need(c, 1, K_CLOSURE)) return NULL;
  ouro_assign(&c->l->raise, c->args[0]);
  ouro_assign(&c->l->rewind, c->args[1]);
  return nothing(c);
}

/* What returns from the function that calls this. */
static value f_escape(call *c) {
  escape *k = make(c->l, K_ESCAPE);
  if (!k) return NULL;
  k->handlers = ouro_ref(c->l->handlers);
  k->winds = ouro_ref(c->l->winds);
  k->depth = c->l->depth;
  k->live = true;
  k->outer = c->l->escapes;
  c->l->escapes = ouro_ref(k);
  return OURO_OBJECT(k);
}

static value f_escape_done(call *c) { return escape_end(c->l), nothing(c); }

/* --- Ouro ------------------------------------------------------------------------------------- */

/* (collect [generation]): how many unreachable objects were found. */
static value f_collect(call *c) {
  size_t generation = OURO_GENERATIONS - 1;
  if (c->n > 0 && !need_index(c, 0, OURO_GENERATIONS, &generation)) return NULL;
  int64_t found = ouro_collect(c->l->heap, (int)generation);
  return found < 0 ? NULL : int_of(c, found);
}

static bool add_fact(const call *c, value *facts, const char *name, uint64_t number) {
  value fact = cons(c->l, symbol(c->l, name), int_of(c, (int64_t)number));
  *facts = cons(c->l, fact, *facts);
  return *facts != NULL;
}

/* (step microseconds): works on the collection of the oldest generation. */
static value f_step(call *c) {
  size_t budget;
  if (!need_index(c, 0, SIZE_MAX / 1000, &budget)) return NULL;
  ouro_step_report did = ouro_step(c->l->heap, budget * 1000);
  value facts = ouro_ref(c->l->nil);
  if (add_fact(c, &facts, "longest-ns", did.longest_ns) &&
      add_fact(c, &facts, "found", did.found) && add_fact(c, &facts, "examined", did.examined))
    add_fact(c, &facts, "finished", did.finished);
  return facts;
}

static value f_gc_stats(call *c) {
  ouro_gc_stats stats;
  ouro_heap_stats heap;
  ouro_gc_stats_read(c->l->heap, &stats);
  ouro_heap_stats_read(c->l->heap, &heap);
  uint64_t runs = 0, collected = 0;
  for (int g = 0; g < OURO_GENERATIONS; g++) {
    runs += stats.generation[g].collections;
    collected += stats.generation[g].collected;
  }
  value facts = ouro_ref(c->l->nil);
  if (add_fact(c, &facts, "resident", heap.resident) && add_fact(c, &facts, "live", heap.live) &&
      add_fact(c, &facts, "tracked", stats.tracked) &&
      add_fact(c, &facts, "longest-atomic-ns", stats.longest_atomic_ns) &&
      add_fact(c, &facts, "slices", stats.slices) && add_fact(c, &facts, "collected", collected))
    add_fact(c, &facts, "collections", runs);
  return facts;
}

static value f_runtime(call *c) {
  return OURO_OBJECT(ouro_float_new(c->l->heap, (double)clock() / CLOCKS_PER_SEC));
}

const builtin_spec builtins_system[] = {
    {"display", f_display, 1, 1, F_NONE, false},
    {"write", f_display, 1, 1, F_NONE, true},
    {"newline", f_newline, 0, 0, F_NONE, 0},
    {"exit", f_exit, 0, 1, F_NONE, 0},
    {"apply", NULL, 2, -1, F_APPLY, 0},
    {"error", f_error, 1, -1, F_NONE, 0},
    {"error-object-message", f_condition_part, 1, 1, F_NONE, 0},
    {"error-object-irritants", f_condition_part, 1, 1, F_NONE, 1},
    {"%fatal", f_fatal, 1, 1, F_NONE, 0},
    {"%handlers", f_control, 0, 0, F_NONE, 0},
    {"%winds", f_control, 0, 0, F_NONE, 1},
    {"%set-handlers!", f_set_control, 1, 1, F_NONE, 0},
    {"%set-winds!", f_set_control, 1, 1, F_NONE, 1},
    {"%hooks", f_hooks, 2, 2, F_NONE, 0},
    {"%escape", f_escape, 0, 0, F_NONE, 0},
    {"%escape-done", f_escape_done, 0, 0, F_NONE, 0},
    {"collect", f_collect, 0, 1, F_NONE, 0},
    {"step", f_step, 1, 1, F_NONE, 0},
    {"gc-stats", f_gc_stats, 0, 0, F_NONE, 0},
    {"runtime", f_runtime, 0, 0, F_NONE, 0},
    {0}};
