/* SPDX-License-Identifier: MIT */
/*
 * The types of the interpreter's objects.
 *
 * Each says with `refs` and `items` where its references lie. That is all Ouro needs to destroy an
 * object without recursion, to find cycles and to explain who holds what: no function of this
 * program traverses or clears anything.
 */
#include "lisp.h"
#include <string.h>

#define REF(Struct, field) (uint16_t) offsetof(Struct, field)
static const uint16_t pair_refs[] = {REF(pair, car), REF(pair, cdr), 0};
static const uint16_t box_refs[] = {REF(box, content), 0};
static const uint16_t cell_refs[] = {REF(cell, name), REF(cell, content), REF(cell, syntax), 0};
static const uint16_t code_refs[] = {REF(code, name), REF(code, file), REF(code, constants),
                                     REF(code, instructions), 0};
static const uint16_t closure_refs[] = {REF(closure, code), 0};
static const uint16_t builtin_refs[] = {REF(builtin, name), REF(builtin, data), 0};
static const uint16_t escape_refs[] = {REF(escape, outer), REF(escape, handlers),
                                       REF(escape, winds), 0};
static const uint16_t condition_refs[] = {REF(condition, message), REF(condition, irritants),
                                          REF(condition, file), REF(condition, name), 0};
static const uint16_t alias_refs[] = {REF(alias, name), 0};
static const uint16_t macro_refs[] = {REF(macro, literals), REF(macro, rules), 0};
static const uint16_t variable_refs[] = {REF(variable, name), 0};
static const uint16_t node_refs[] = {REF(node, datum), REF(node, vars), REF(node, self), 0};

/* Names of the references, for reports such as ouro_path_to_root. */
static const char *const pair_names[] = {"car", "cdr"};
static const char *const cell_names[] = {"name", "value", "syntax"};
static const char *const closure_names[] = {"code"};

#define FIXED(kind_, text, Struct, refs_)                                                          \
  [kind_] = {.name = text, .size = sizeof(Struct), .refs = refs_}
#define LEAF(kind_, text, Struct)                                                                  \
  [kind_] = {.name = text, .size = sizeof(Struct), .flags = OURO_ACYCLIC}
#define ITEMS(Struct, field)                                                                       \
  { .kind = OURO_ITEMS_INLINE, .at = REF(Struct, field), .length = REF(Struct, length) }

static const ouro_type_spec specs[KINDS] = {
    [K_PAIR] = {.name = "pair", .size = sizeof(pair), .refs = pair_refs, .ref_names = pair_names},
    [K_VECTOR] = {.name = "vector",
                  .size = sizeof(vector),
                  .item_size = sizeof(value),
                  .items = ITEMS(vector, items)},
    LEAF(K_CHAR, "char", character),
    LEAF(K_CONSTANT, "constant", constant),
    FIXED(K_BOX, "box", box, box_refs),
    [K_CELL] = {.name = "global", .size = sizeof(cell), .refs = cell_refs, .ref_names = cell_names},
    FIXED(K_CODE, "code", code, code_refs),
    [K_CLOSURE] = {.name = "procedure",
                   .size = sizeof(closure),
                   .item_size = sizeof(value),
                   .refs = closure_refs,
                   .ref_names = closure_names,
                   .items = ITEMS(closure, captured)},
    FIXED(K_BUILTIN, "builtin", builtin, builtin_refs),
    FIXED(K_ESCAPE, "escape", escape, escape_refs),
    FIXED(K_CONDITION, "condition", condition, condition_refs),
    LEAF(K_RECORD_TYPE, "record-type", record_type),
    FIXED(K_ALIAS, "alias", alias, alias_refs),
    FIXED(K_MACRO, "macro", macro, macro_refs),
    LEAF(K_SPECIAL, "special form", special),
    FIXED(K_VARIABLE, "variable", variable, variable_refs),
    [K_NODE] = {.name = "node",
                .size = sizeof(node),
                .item_size = sizeof(value),
                .refs = node_refs,
                .items = ITEMS(node, items)},
};

/* Remembers by which number objects of a kind are known: `probe` (taken) is one. */
static bool learn(lisp *l, kind k, OURO_STOLEN void *probe) {
  if (!probe) return false;
  uint16_t index = OURO_OBJECT(probe)->type;
  l->index[k] = index;
  if (index < LISP_KINDS) l->kinds[index] = (uint8_t)k;
  ouro_unref(probe);
  return index < LISP_KINDS;
}

static value constant_new(lisp *l, const char *text) {
  constant *c = make(l, K_CONSTANT);
  if (c) c->text = text;
  return OURO_OBJECT(c);
}

bool types_make(lisp *l) {
  if (!learn(l, K_INT, ouro_int_new(l->heap, 1 << 20))) return false;
  if (!learn(l, K_FLOAT, ouro_float_new(l->heap, 0.5))) return false;
  if (!learn(l, K_STR, ouro_str_text(l->heap, "probe"))) return false;
  for (int k = K_PAIR; k < KINDS; k++) {
    l->type[k] = ouro_type_new(l->heap, &specs[k]);
    if (!l->type[k] || !learn(l, (kind)k, ouro_new_items(l->type[k], 0))) return false;
  }
  return (l->nil = constant_new(l, "()")) && (l->yes = constant_new(l, "#t")) &&
         (l->no = constant_new(l, "#f")) && (l->none = constant_new(l, "#<none>")) &&
         (l->eof = constant_new(l, "#<eof>")) && (l->undefined = constant_new(l, "#<undefined>"));
}

vector *vector_new(lisp *l, size_t length, value fill) {
  vector *v = ouro_new_items(l->type[K_VECTOR], length);
  if (!v) return NULL;
  v->length = length;
  for (size_t i = 0; i < length; i++) v->items[i] = ouro_ref(fill);
  return v;
}

value cons(lisp *l, OURO_STOLEN value car, OURO_STOLEN value cdr) {
  pair *p = car && cdr ? OURO_MAKE(pair, l->type[K_PAIR]) : NULL;
  if (!p) {
    ouro_unref(car);
    ouro_unref(cdr);
    return NULL;
  }
  p->car = car;
  p->cdr = cdr;
  return OURO_OBJECT(p);
}

value cons_ref(lisp *l, value car, value cdr) { return cons(l, ouro_ref(car), ouro_ref(cdr)); }

value symbol(lisp *l, const char *text) {
  return OURO_OBJECT(ouro_str_intern(l->heap, text, strlen(text)));
}

/* The table of globals holds the cells; compiled code holds the cells it names, not the table. */
cell *cell_of(lisp *l, value symbol) {
  value found = NULL;
  if (ouro_dict_get(l->globals, symbol, &found) < 0) return NULL;
  if (found) return (cell *)(void *)found;
  cell *c = make(l, K_CELL);
  if (!c) return NULL;
  c->name = ouro_ref(symbol);
  bool kept = ouro_dict_put(l->globals, symbol, c);
  ouro_unref(c);
  return kept ? c : NULL;
}

bool define(lisp *l, const char *name, value content) {
  value id = symbol(l, name);
  cell *c = id ? cell_of(l, id) : NULL;
  ouro_unref(id);
  if (c) ouro_assign(&c->content, content);
  return c != NULL;
}

value builtin_new(lisp *l, const builtin_spec *spec, value name, value data) {
  builtin *b = make(l, K_BUILTIN);
  if (!b) return NULL;
  b->spec = *spec;
  b->name = ouro_ref(name);
  b->data = ouro_ref(data);
  return OURO_OBJECT(b);
}

bool define_builtins(lisp *l, const builtin_spec *spec) {
  for (; spec->name; spec++) {
    value name = symbol(l, spec->name);
    value b = name ? builtin_new(l, spec, name, NULL) : NULL;
    bool made = b && define(l, spec->name, b);
    ouro_unref(b);
    ouro_unref(name);
    if (!made) return false;
  }
  return true;
}

int64_t list_length(const lisp *l, value list) {
  int64_t n = 0;
  for (; is(l, list, K_PAIR); list = CDR(list)) n++;
  return list == l->nil ? n : -1;
}

bool list_add(lisp *l, value *list, value *last, OURO_STOLEN value item) {
  value p = cons(l, item, ouro_ref(l->nil));
  if (!p) return false;
  if (*last) ouro_assign_new(&CDR(*last), p);
  else *list = p;
  *last = p;
  return true;
}

value list_to_vector(lisp *l, value list) {
  vector *v = vector_new(l, (size_t)list_length(l, list), l->none);
  if (!v) return NULL;
  for (size_t i = 0; i < v->length; i++, list = CDR(list)) ouro_assign(&v->items[i], CAR(list));
  return OURO_OBJECT(v);
}

value vector_to_list(lisp *l, const vector *v, size_t from, size_t to) {
  value list = ouro_ref(l->nil);
  while (list && to > from) list = cons(l, ouro_ref(v->items[--to]), list);
  return list;
}

/* Numbers of a kind and characters by value, all else by identity. */
bool eqv(const lisp *l, value a, value b) {
  if (a == b) return true;
  if (a->type != b->type) return false;
  if (is(l, a, K_INT)) return INT(a) == INT(b);
  if (is(l, a, K_FLOAT)) return FLOAT(a) == FLOAT(b);
  return is(l, a, K_CHAR) && ((character *)(void *)a)->code == ((character *)(void *)b)->code;
}
