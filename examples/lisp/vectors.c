/* SPDX-License-Identifier: MIT */
/* Vectors, and records: objects of types that the program makes at run time. */
#include "lisp.h"

#define VECTOR_MAX ((size_t)1 << 40)
#define FIELDS_MAX 100

static value f_make_vector(call *c) {
  size_t n;
  if (!need_index(c, 0, VECTOR_MAX, &n)) return NULL;
  return OURO_OBJECT(vector_new(c->l, n, c->n > 1 ? c->args[1] : c->l->none));
}

static value f_vector_length(call *c) {
  return need(c, 0, K_VECTOR) ? int_new(c->l, (int64_t)VECTOR(c->args[0])->length) : NULL;
}

/* vector-ref, and with a third argument vector-set! */
static value f_vector_access(call *c) {
  size_t i;
  if (!need(c, 0, K_VECTOR) || !need_index(c, 1, VECTOR(c->args[0])->length, &i)) return NULL;
  if (c->n == 2) return ouro_ref(VECTOR(c->args[0])->items[i]);
  ouro_assign(&VECTOR(c->args[0])->items[i], c->args[2]);
  return ouro_ref(c->l->none);
}

static value f_list_to_vector(call *c) {
  return need_list(c, 0) ? list_to_vector(c->l, c->args[0]) : NULL;
}

/* --- Records: what define-record-type (prelude.scm) is made of -------------------------------- */

static value record_new(lisp *l, ouro_type *type) {
  ouro_record *made = type ? ouro_record_new(type) : NULL;
  for (size_t i = 0; made && i < ouro_record_count(type); i++) ouro_record_set(made, i, l->none);
  return OURO_OBJECT(made);
}

/* (%record-type name (field ...)): an empty record stands for its type. */
static value f_record_type(call *c) {
  const char *names[FIELDS_MAX];
  size_t n = 0;
  if (!need(c, 0, K_SYMBOL) || !need_list(c, 1)) return NULL;
  for (value rest = c->args[1]; rest != c->l->nil; rest = CDR(rest)) {
    if (n == FIELDS_MAX || !is_symbol(c->l, CAR(rest)))
      return fail(c->l, c->args[1], "no names of up to %d fields:", FIELDS_MAX);
    names[n++] = STR(CAR(rest))->bytes;
  }
  return record_new(c->l, ouro_record_type(c->l->heap, STR(c->args[0])->bytes, n, names, NULL));
}

/* (%record type) */
static value f_record(call *c) {
  return need(c, 0, K_RECORD) ? record_new(c->l, ouro_type_of(c->args[0])) : NULL;
}

/* (%record? x type) */
static value f_is_record(call *c) {
  return truth(c->l, ouro_type_of(c->args[0]) == ouro_type_of(c->args[1]));
}

/* (%record-access record type index), and with a fourth argument the field is set. */
static value f_record_access(call *c) {
  if (!need(c, 1, K_RECORD)) return NULL;
  const ouro_type *type = ouro_type_of(c->args[1]);
  ouro_record *record = (ouro_record *)c->args[0];
  size_t i;
  if (ouro_type_of(record) != type)
    return fail(c->l, c->args[0], "not a %s:", ouro_type_name(type));
  if (!need_index(c, 2, ouro_record_count(type), &i)) return NULL;
  if (c->n == 3) return ouro_ref(ouro_record_get(record, i));
  ouro_record_set(record, i, c->args[3]);
  return ouro_ref(c->l->none);
}

/* clang-format off */
const builtin_spec builtins_vectors[] = {
    {"make-vector", f_make_vector, 1, 2, 0}, {"vector-length", f_vector_length, 1, 1, 0},
    {"vector-ref", f_vector_access, 2, 2, 0}, {"vector-set!", f_vector_access, 3, 3, 0},
    {"list->vector", f_list_to_vector, 1, 1, 0}, {"%record-type", f_record_type, 2, 2, 0},
    {"%record", f_record, 1, 1, 0}, {"%record?", f_is_record, 2, 2, 0},
    {"%record-access", f_record_access, 3, 4, 0},
    {0}};
/* clang-format on */
