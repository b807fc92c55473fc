/* SPDX-License-Identifier: MIT */
/* Vectors, and records: objects of types that the program makes at run time. */
#include "lisp.h"

#define VECTOR_MAX ((size_t)1 << 40)

static value f_make_vector(call *c) {
  size_t n;
  if (!need_index(c, 0, VECTOR_MAX, &n)) return NULL;
  return OURO_OBJECT(vector_new(c->l, n, c->n > 1 ? c->args[1] : c->l->none));
}

static value f_vector_length(call *c) {
  if (!need(c, 0, K_VECTOR)) return NULL;
  return OURO_OBJECT(ouro_int_new(c->l->heap, (int64_t)VECTOR(c->args[0])->length));
}

static value f_vector_ref(call *c) {
  size_t i;
  if (!need(c, 0, K_VECTOR) || !need_index(c, 1, VECTOR(c->args[0])->length, &i)) return NULL;
  return ouro_ref(VECTOR(c->args[0])->items[i]);
}

static value f_vector_set(call *c) {
  size_t i;
  if (!need(c, 0, K_VECTOR) || !need_index(c, 1, VECTOR(c->args[0])->length, &i)) return NULL;
  ouro_assign(&VECTOR(c->args[0])->items[i], c->args[2]);
  return ouro_ref(c->l->none);
}

static value f_vector_to_list(call *c) {
  if (!need(c, 0, K_VECTOR)) return NULL;
  return vector_to_list(c->l, VECTOR(c->args[0]), 0, VECTOR(c->args[0])->length);
}

static value f_list_to_vector(call *c) {
  if (list_length(c->l, c->args[0]) >= 0) return list_to_vector(c->l, c->args[0]);
  return fail(c->l, c->args[0], "list->vector: not a list:");
}

/* --- Records ---------------------------------------------------------------------------------- */

#define FIELDS_MAX 100

/* (%record-type name (field ...)): each field once or twice. */
static value f_record_type(call *c) {
  const char *names[FIELDS_MAX];
  size_t n = 0;
  for (value field = c->args[1]; is(c->l, field, K_PAIR); field = CDR(field)) {
    size_t at = 0;
    while (at < n && names[at] != STR(CAR(field))->bytes) at++;
    if (n == FIELDS_MAX) return fail(c->l, NULL, "a record with more than 100 fields");
    if (at == n) names[n++] = STR(CAR(field))->bytes;
  }
  ouro_type *type = ouro_record_type(c->l->heap, STR(c->args[0])->bytes, n, names, NULL);
  ouro_record *probe = type ? ouro_record_new(type) : NULL;
  record_type *made = probe ? make(c->l, K_RECORD_TYPE) : NULL;
  if (made) *made = (record_type){made->object, type, probe->object.type};
  ouro_unref(probe);
  return OURO_OBJECT(made);
}

static const record_type *type_of(const call *c) { return (record_type *)(void *)c->self->data; }

/* The field that the procedure is for; NULL: an error. */
static value *field_of(call *c) {
  if (c->args[0]->type == type_of(c)->index)
    return &((ouro_record *)(void *)c->args[0])->fields[c->self->spec.index];
  const char *wanted = ouro_type_name(type_of(c)->type);
  return (value *)fail(c->l, c->args[0], "%s: not a %s:", STR(c->self->name)->bytes, wanted);
}

static value record_make(call *c) {
  ouro_record *made = ouro_record_new(type_of(c)->type);
  for (size_t i = 0; made && i < ouro_record_count(type_of(c)->type); i++)
    ouro_record_set(made, i, i < c->n ? c->args[i] : c->l->none);
  return OURO_OBJECT(made);
}

static value record_is(call *c) {
  return ouro_ref(truth(c->l, c->args[0]->type == type_of(c)->index));
}

static value record_get(call *c) {
  value *field = field_of(c);
  return field ? ouro_ref(*field) : NULL;
}

static value record_set(call *c) {
  value *field = field_of(c);
  if (!field) return NULL;
  ouro_assign(field, c->args[1]);
  return ouro_ref(c->l->none);
}

/* (%record-maker name type fields) (%record-predicate name type) (%record-getter name type field)
 * (%record-setter name type field): procedures that hold the type. */
static value f_record_procedure(call *c) {
  static const builtin_spec specs[] = {{"maker", record_make, 0, 0, F_NONE, 0},
                                       {"predicate", record_is, 1, 1, F_NONE, 0},
                                       {"getter", record_get, 1, 1, F_NONE, 0},
                                       {"setter", record_set, 2, 2, F_NONE, 0}};
  if (!need_symbol(c, 0) || !need(c, 1, K_RECORD_TYPE)) return NULL;
  builtin_spec spec = specs[c->self->spec.index];
  const ouro_type *type = ((record_type *)(void *)c->args[1])->type;
  if (c->self->spec.index == 0) spec.min = spec.max = (int8_t)list_length(c->l, c->args[2]);
  if (c->self->spec.index > 1)
    spec.index = (uint32_t)ouro_record_find(type, STR(c->args[2])->bytes);
  return builtin_new(c->l, &spec, c->args[0], c->args[1]);
}

const builtin_spec builtins_vectors[] = {{"make-vector", f_make_vector, 1, 2, F_NONE, 0},
                                         {"vector-length", f_vector_length, 1, 1, F_NONE, 0},
                                         {"vector-ref", f_vector_ref, 2, 2, F_VECTOR_REF, 0},
                                         {"vector-set!", f_vector_set, 3, 3, F_NONE, 0},
                                         {"vector->list", f_vector_to_list, 1, 1, F_NONE, 0},
                                         {"list->vector", f_list_to_vector, 1, 1, F_NONE, 0},
                                         {"%record-type", f_record_type, 2, 2, F_NONE, 0},
                                         {"%record-maker", f_record_procedure, 3, 3, F_NONE, 0},
                                         {"%record-predicate", f_record_procedure, 2, 2, F_NONE, 1},
                                         {"%record-getter", f_record_procedure, 3, 3, F_NONE, 2},
                                         {"%record-setter", f_record_procedure, 3, 3, F_NONE, 3},
                                         {0}};
