/* SPDX-License-Identifier: MIT */
/* Numbers: integers of 64 bits, whose overflow is an error, and floats. */
#include "lisp.h"
#include <math.h>

static bool is_number(const lisp *l, value v) { return is(l, v, K_INT) || is(l, v, K_FLOAT); }

static bool need_number(call *c, size_t i) {
  return is_number(c->l, c->args[i]) || need(c, i, K_INT);
}

static double real_of(const lisp *l, value v) {
  return is(l, v, K_INT) ? (double)INT(v) : FLOAT(v);
}

static value int_value(call *c, int64_t i) { return OURO_OBJECT(ouro_int_new(c->l->heap, i)); }
static value float_value(call *c, double d) { return OURO_OBJECT(ouro_float_new(c->l->heap, d)); }

enum { ADD, SUB, MUL, DIV, QUOTIENT, REMAINDER, MODULO };

static int64_t divide(int op, int64_t x, int64_t y) {
  if (y == -1) return op == QUOTIENT ? -x : 0; /* INT64_MIN / -1 traps; the caller has checked */
  int64_t rest = x % y;
  if (op == MODULO && rest != 0 && (rest < 0) != (y < 0)) rest += y;
  return op == QUOTIENT ? x / y : rest;
}

static value int_operation(call *c, int op, int64_t x, int64_t y) {
  int64_t result = 0;
  bool over = false;
  if (op >= DIV && y == 0) return fail(c->l, NULL, "%s: division by zero", c->self->spec.name);
  switch (op) {
  case ADD: over = __builtin_add_overflow(x, y, &result); break;
  case SUB: over = __builtin_sub_overflow(x, y, &result); break;
  case MUL: over = __builtin_mul_overflow(x, y, &result); break;
  default:
    over = x == INT64_MIN && y == -1;
    if (op == DIV && !over && divide(REMAINDER, x, y) != 0)
      return float_value(c, (double)x / (double)y);
    if (!over) result = divide(op == DIV ? QUOTIENT : op, x, y);
  }
  return over ? fail(c->l, NULL, "%s: integer overflow", c->self->spec.name) : int_value(c, result);
}

static value float_operation(call *c, int op, double x, double y) {
  switch (op) {
  case ADD: return float_value(c, x + y);
  case SUB: return float_value(c, x - y);
  case MUL: return float_value(c, x * y);
  case DIV: return float_value(c, x / y);
  case QUOTIENT: return float_value(c, trunc(x / y));
  case REMAINDER: return float_value(c, fmod(x, y));
  default: return float_value(c, x - y * floor(x / y));
  }
}

static value operation(call *c, value a, value b) {
  int op = (int)c->self->spec.index;
  if (is(c->l, a, K_INT) && is(c->l, b, K_INT)) return int_operation(c, op, INT(a), INT(b));
  return float_operation(c, op, real_of(c->l, a), real_of(c->l, b));
}

/* + - * / quotient remainder modulo: one argument stands behind the operation's unit. */
static value arithmetic(call *c) {
  for (size_t i = 0; i < c->n; i++)
    if (!need_number(c, i)) return NULL;
  value result = int_value(c, c->self->spec.index == MUL || c->self->spec.index == DIV);
  size_t i = 0;
  if (c->n > 1 || (c->n == 1 && c->self->spec.index == ADD)) ouro_assign(&result, c->args[i++]);
  for (; result && i < c->n; i++) ouro_assign_new(&result, operation(c, result, c->args[i]));
  return result;
}

static int compare(const lisp *l, value a, value b) {
  if (is(l, a, K_INT) && is(l, b, K_INT)) return (INT(a) > INT(b)) - (INT(a) < INT(b));
  double x = real_of(l, a), y = real_of(l, b);
  return isnan(x) || isnan(y) ? 2 : (x > y) - (x < y);
}

/* = < > <= >=: the bits of index say which results of compare are wanted: below, equal, above. */
static value comparison(call *c) {
  bool holds = true;
  for (size_t i = 0; i < c->n; i++) {
    if (!need_number(c, i)) return NULL;
    int order = i ? compare(c->l, c->args[i - 1], c->args[i]) : 2;
    if (i > 0 && (order == 2 || !(c->self->spec.index >> (order + 1) & 1))) holds = false;
  }
  return ouro_ref(truth(c->l, holds));
}

static value is_number_p(call *c) {
  value v = c->args[0];
  bool whole = is(c->l, v, K_INT) || (is(c->l, v, K_FLOAT) && floor(FLOAT(v)) == FLOAT(v));
  switch (c->self->spec.index) {
  case 0: return ouro_ref(truth(c->l, is_number(c->l, v)));
  case 1: return ouro_ref(truth(c->l, whole));
  case 2: return ouro_ref(truth(c->l, is(c->l, v, K_INT)));
  default: return ouro_ref(truth(c->l, is(c->l, v, K_FLOAT)));
  }
}

enum { SQRT, EXP, LOG, SIN, COS, ATAN, FLOOR, CEILING, ROUND, TRUNCATE, INEXACT };

static double function_of(uint32_t which, double x) {
  switch (which) {
  case SQRT: return sqrt(x);
  case EXP: return exp(x);
  case LOG: return log(x);
  case SIN: return sin(x);
  case COS: return cos(x);
  case ATAN: return atan(x);
  case FLOOR: return floor(x);
  case CEILING: return ceil(x);
  case ROUND: return nearbyint(x); /* half to even, as Scheme wants */
  case TRUNCATE: return trunc(x);
  default: return x;
  }
}

static value real_function(call *c) {
  uint32_t which = c->self->spec.index;
  if (!need_number(c, 0)) return NULL;
  if (is(c->l, c->args[0], K_INT) && which >= FLOOR && which != INEXACT)
    return ouro_ref(c->args[0]);
  double x = real_of(c->l, c->args[0]), root = which == SQRT ? sqrt(x) : 0.5;
  if (is(c->l, c->args[0], K_INT) && root * root == x && floor(root) == root && root < 0x1p26)
    return int_value(c, (int64_t)root); /* of a square */
  return float_value(c, function_of(which, x));
}

static value exact(call *c) {
  if (!need_number(c, 0) || is(c->l, c->args[0], K_INT))
    return c->l->error ? NULL : ouro_ref(c->args[0]);
  double d = FLOAT(c->args[0]);
  if (!(floor(d) == d && d >= -0x1p63 && d < 0x1p63))
    return fail(c->l, c->args[0], "exact: no integer of 64 bits:");
  return int_value(c, (int64_t)d);
}

static value number_to_string(call *c) {
  char text[70], *at = text + sizeof text;
  if (!need_number(c, 0) || (c->n > 1 && !need(c, 1, K_INT))) return NULL;
  int64_t base = c->n > 1 ? INT(c->args[1]) : 10;
  if (base < 2 || base > 16) return fail(c->l, c->args[1], "number->string: no such base:");
  if (is(c->l, c->args[0], K_FLOAT))
    return OURO_OBJECT(ouro_str_format(c->l->heap, "%.15g", FLOAT(c->args[0])));
  int64_t i = INT(c->args[0]);
  uint64_t rest = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
  do *--at = "0123456789abcdef"[rest % (uint64_t)base];
  while ((rest /= (uint64_t)base) != 0);
  if (i < 0) *--at = '-';
  return OURO_OBJECT(ouro_str_new(c->l->heap, at, (size_t)(text + sizeof text - at)));
}

static value string_to_number(call *c) {
  bool number;
  if (!need_string(c, 0) || (c->n > 1 && !need(c, 1, K_INT))) return NULL;
  const ouro_str *s = STR(c->args[0]);
  value v = parse_number(c->l, s->bytes, s->length, c->n > 1 ? (int)INT(c->args[1]) : 10, &number);
  return number ? v : ouro_ref(c->l->no);
}

const builtin_spec builtins_numbers[] = {{"+", arithmetic, 0, -1, F_ADD, ADD},
                                         {"-", arithmetic, 1, -1, F_SUB, SUB},
                                         {"*", arithmetic, 0, -1, F_NONE, MUL},
                                         {"/", arithmetic, 1, -1, F_NONE, DIV},
                                         {"quotient", arithmetic, 2, 2, F_NONE, QUOTIENT},
                                         {"remainder", arithmetic, 2, 2, F_NONE, REMAINDER},
                                         {"modulo", arithmetic, 2, 2, F_NONE, MODULO},
                                         {"=", comparison, 1, -1, F_EQUAL, 2},
                                         {"<", comparison, 1, -1, F_LESS, 1},
                                         {">", comparison, 1, -1, F_GREATER, 4},
                                         {"<=", comparison, 1, -1, F_LESS_EQUAL, 3},
                                         {">=", comparison, 1, -1, F_GREATER_EQUAL, 6},
                                         {"number?", is_number_p, 1, 1, F_NONE, 0},
                                         {"integer?", is_number_p, 1, 1, F_NONE, 1},
                                         {"exact?", is_number_p, 1, 1, F_NONE, 2},
                                         {"inexact?", is_number_p, 1, 1, F_NONE, 3},
                                         {"sqrt", real_function, 1, 1, F_NONE, SQRT},
                                         {"exp", real_function, 1, 1, F_NONE, EXP},
                                         {"log", real_function, 1, 1, F_NONE, LOG},
                                         {"sin", real_function, 1, 1, F_NONE, SIN},
                                         {"cos", real_function, 1, 1, F_NONE, COS},
                                         {"atan", real_function, 1, 1, F_NONE, ATAN},
                                         {"floor", real_function, 1, 1, F_NONE, FLOOR},
                                         {"ceiling", real_function, 1, 1, F_NONE, CEILING},
                                         {"round", real_function, 1, 1, F_NONE, ROUND},
                                         {"truncate", real_function, 1, 1, F_NONE, TRUNCATE},
                                         {"inexact", real_function, 1, 1, F_NONE, INEXACT},
                                         {"exact", exact, 1, 1, F_NONE, 0},
                                         {"number->string", number_to_string, 1, 2, F_NONE, 0},
                                         {"string->number", string_to_number, 1, 2, F_NONE, 0},
                                         {0}};
