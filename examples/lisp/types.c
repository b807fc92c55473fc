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

#define AT(Struct, field) (uint16_t) offsetof(Struct, field)
static const uint16_t pair_refs[] = {AT(pair, car), AT(pair, cdr), 0};
static const uint16_t cell_refs[] = {AT(cell, name), AT(cell, content), AT(cell, syntax), 0};
static const uint16_t code_refs[] = {AT(code, name), AT(code, file), AT(code, constants),
                                     AT(code, instructions), 0};
static const uint16_t closure_refs[] = {AT(closure, code), 0};
static const uint16_t condition_refs[] = {AT(condition, message), AT(condition, irritants),
                                          AT(condition, file), AT(condition, name), 0};
static const uint16_t variable_refs[] = {AT(variable, name), 0};

/* clang-format off */
#define TYPE(k, text, Struct, ...) [k] = {.name = text, .size = sizeof(Struct), __VA_ARGS__}
#define LEAF .flags = OURO_ACYCLIC
#define ITEMS(Struct, field)                                                                       \
  .item_size = sizeof(value),                                                                      \
  .items = {.kind = OURO_ITEMS_INLINE, .at = AT(Struct, field), .length = AT(Struct, length)}

static const ouro_type_spec specs[KINDS] = {
    TYPE(K_PAIR, "pair", pair, .refs = pair_refs),
    TYPE(K_VECTOR, "vector", vector, ITEMS(vector, items)),
    TYPE(K_CHAR, "char", character, LEAF),
    TYPE(K_CONSTANT, "constant", ouro_object, LEAF),
    TYPE(K_CLOSURE, "procedure", closure, .refs = closure_refs, ITEMS(closure, captured)),
    TYPE(K_BUILTIN, "builtin", builtin, LEAF),
    TYPE(K_ESCAPE, "escape", escape, LEAF),
    TYPE(K_CONDITION, "condition", condition, .refs = condition_refs),
    TYPE(K_CELL, "cell", cell, .refs = cell_refs),
    TYPE(K_CODE, "code", code, .refs = code_refs),
    TYPE(K_VARIABLE, "variable", variable, .refs = variable_refs),
};
/* clang-format on */

/* Remembers by which number objects of a kind are known: `probe` (taken) is one. */
static bool learn(lisp *l, kind k, OURO_STOLEN void *probe) {
  if (!probe) return false;
  l->index[k] = OURO_OBJECT(probe)->type;
  ouro_unref(probe);
  return true;
}

bool types_make(lisp *l) {
  bool good = learn(l, K_INT, ouro_int_new(l->heap, 1 << 20)) &&
              learn(l, K_FLOAT, ouro_float_new(l->heap, 0.5)) &&
              learn(l, K_STR, ouro_str_text(l->heap, "probe"));
  for (int k = K_PAIR; good && k < KINDS; k++) {
    l->type[k] = ouro_type_new(l->heap, &specs[k]);
    good = l->type[k] && learn(l, (kind)k, ouro_new_items(l->type[k], 0));
  }
  return good && (l->nil = make(l, K_CONSTANT)) && (l->yes = make(l, K_CONSTANT)) &&
         (l->no = make(l, K_CONSTANT)) && (l->none = make(l, K_CONSTANT)) &&
         (l->eof = make(l, K_CONSTANT));
}

bool is_kind(const lisp *l, value v, kind k) {
  if (k == K_SYMBOL) return is_symbol(l, v);
  if (k == K_RECORD) return ouro_is_record(v);
  return is(l, v, k) && !(k == K_STR && is_symbol(l, v));
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
  if (!p) return ouro_unref(car), ouro_unref(cdr), NULL;
  p->car = car;
  p->cdr = cdr;
  return OURO_OBJECT(p);
}

value char_new(lisp *l, const char *text) {
  character *c = make(l, K_CHAR);
  if (c) memcpy(c->text, text, utf8_length(text));
  return OURO_OBJECT(c);
}

value symbol(lisp *l, const char *text) {
  return OURO_OBJECT(ouro_str_intern(l->heap, text, strlen(text)));
}

/* The table of globals holds the cells; compiled code holds the cells it names, not the table. */
cell *cell_of(lisp *l, value symbol) {
  value found = NULL;
  if (ouro_dict_get(l->globals, symbol, &found) < 0) return NULL;
  if (found) return (cell *)found;
  cell *c = make(l, K_CELL);
  if (!c) return NULL;
  c->name = ouro_ref(symbol);
  bool kept = ouro_dict_put(l->globals, symbol, c);
  ouro_unref(c);
  return kept ? c : NULL;
}

bool define_builtins(lisp *l, const builtin_spec *spec, bool syntax) {
  for (; spec->name; spec++) {
    value name = symbol(l, spec->name);
    cell *c = name ? cell_of(l, name) : NULL;
    builtin *b = c ? make(l, K_BUILTIN) : NULL;
    ouro_unref(name);
    if (!b) return false;
    b->spec = spec;
    ouro_assign_new(syntax ? &c->syntax : &c->content, b);
  }
  return true;
}

int64_t list_length(const lisp *l, value list) {
  int64_t n = 0;
  for (value half = list; is(l, list, K_PAIR); list = CDR(list)) {
    if (n++ & 1) half = CDR(half);
    if (CDR(list) == half) return -1; /* it goes in circles */
  }
  return list == l->nil ? n : -1;
}

value list_to_vector(lisp *l, value list) {
  vector *v = vector_new(l, (size_t)list_length(l, list), l->none);
  for (size_t i = 0; v && i < v->length; i++, list = CDR(list))
    ouro_assign(&v->items[i], CAR(list));
  return OURO_OBJECT(v);
}

/* Numbers of a kind and characters by value, all else by identity. */
bool eqv(const lisp *l, value a, value b) {
  if (a == b || a->type != b->type) return a == b;
  if (is(l, a, K_INT)) return INT(a) == INT(b);
  if (is(l, a, K_FLOAT)) return FLOAT(a) == FLOAT(b);
  return is(l, a, K_CHAR) && !strcmp(CHAR(a), CHAR(b));
}
