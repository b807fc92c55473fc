/* SPDX-License-Identifier: MIT */
/* Output, control, errors, and what the library says of itself. */
#include "lisp.h"
#include <time.h>

static value nothing(const call *c) { return ouro_ref(c->l->none); }

/* write (index 1) and display */
static value f_display(call *c) {
  print(c->l, c->l->out, c->args[0], c->self->index);
  return nothing(c);
}

static value f_exit(call *c) {
  value status = c->n ? c->args[0] : c->l->yes;
  c->l->exiting = true;
  c->l->status = is(c->l, status, K_INT) ? (int)INT(status) : status == c->l->no;
  return fail(c->l, NULL, "exit");
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
  return nothing(c);
}

/* What returns from the function that calls this. */
static value f_escape(call *c) {
  escape *k = make(c->l, K_ESCAPE);
  if (!k) return NULL;
  k->depth = c->l->depth;
  k->live = true;
  k->outer = c->l->escapes;
  c->l->escapes = ouro_ref(k);
  return OURO_OBJECT(k);
}

static value f_live(call *c) { return truth(c->l, ((escape *)c->args[0])->live); }
static value f_escape_done(call *c) { return escape_end(c->l), nothing(c); }

/* --- Macros: see syntax-rules in prelude.scm -------------------------------------------------- */

static value f_is_identifier(call *c) { return truth(c->l, is_identifier(c->l, c->args[0])); }

static value f_same_name(call *c) {
  return truth(c->l,
               is_identifier(c->l, c->args[0]) && bare(c->l, c->args[0]) == bare(c->l, c->args[1]));
}

static value f_alias(call *c) {
  alias *a = make(c->l, K_ALIAS);
  if (a) a->name = ouro_ref(c->args[0]);
  return OURO_OBJECT(a);
}

/* --- Ouro ------------------------------------------------------------------------------------- */

/* (collect [generation]): how many unreachable objects were found. */
static value f_collect(call *c) {
  size_t generation = OURO_GENERATIONS - 1;
  if (c->n > 0 && !need_index(c, 0, OURO_GENERATIONS, &generation)) return NULL;
  int64_t found = ouro_collect(c->l->heap, (int)generation);
  return found < 0 ? NULL : int_new(c->l, found);
}

/* The numbers as ((name . number) ...). */
static value facts(call *c, const char *const *names, const uint64_t *numbers, size_t n) {
  value list = ouro_ref(c->l->nil);
  while (list && n-- > 0) {
    value fact = cons(c->l, symbol(c->l, names[n]), int_new(c->l, (int64_t)numbers[n]));
    list = cons(c->l, fact, list);
  }
  return list;
}

/* (step microseconds): works on the collection of the oldest generation. */
static value f_step(call *c) {
  static const char *const names[] = {"finished", "examined", "found", "longest-ns"};
  size_t budget;
  if (!need_index(c, 0, SIZE_MAX / 1000, &budget)) return NULL;
  ouro_step_report did = ouro_step(c->l->heap, budget * 1000);
  const uint64_t numbers[] = {did.finished, did.examined, did.found, did.longest_ns};
  return facts(c, names, numbers, 4);
}

static value f_gc_stats(call *c) {
  static const char *const names[] = {"collections-0", "collections-1", "collections-2",
                                      "slices",        "longest-ns",    "tracked",
                                      "live-bytes",    "resident-bytes"};
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
  return facts(c, names, numbers, 8);
}

static value f_runtime(call *c) {
  return OURO_OBJECT(ouro_float_new(c->l->heap, (double)clock() / CLOCKS_PER_SEC));
}

const builtin_spec builtins_system[] = {{"display", f_display, 1, 1, false},
                                        {"write", f_display, 1, 1, true},
                                        {"exit", f_exit, 0, 1, 0},
                                        {"apply", NULL, 2, -1, 0},
                                        {"error", f_error, 1, -1, 0},
                                        {"error-object-message", f_condition_part, 1, 1, 0},
                                        {"error-object-irritants", f_condition_part, 1, 1, 1},
                                        {"%fatal", f_fatal, 1, 1, 0},
                                        {"%on-error", f_on_error, 1, 1, 0},
                                        {"%live?", f_live, 1, 1, 0},
                                        {"%escape", f_escape, 0, 0, 0},
                                        {"%escape-done", f_escape_done, 0, 0, 0},
                                        {"%identifier?", f_is_identifier, 1, 1, 0},
                                        {"%same-name?", f_same_name, 2, 2, 0},
                                        {"%alias", f_alias, 1, 1, 0},
                                        {"collect", f_collect, 0, 1, 0},
                                        {"step", f_step, 1, 1, 0},
                                        {"gc-stats", f_gc_stats, 0, 0, 0},
                                        {"runtime", f_runtime, 0, 0, 0},
                                        {0}};
