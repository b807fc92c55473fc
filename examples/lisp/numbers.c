/* SPDX-License-Identifier: MIT */
/* Numbers: integers of 64 bits, whose overflow is an error, and floats. */
#include "lisp.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool need_number(call *c, size_t i) {
  return is(c->l, c->args[i], K_FLOAT) || need(c, i, K_INT);
}

static double real_of(const lisp *l, value v) {
  return is(l, v, K_INT) ? (double)INT(v) : FLOAT(v);
}

static value float_new(call *c, double d) { return OURO_OBJECT(ouro_float_new(c->l->heap, d)); }

enum { ADD, SUB, MUL, DIV, QUOTIENT, REMAINDER };

static value int_division(call *c, int64_t x, int64_t y) {
  if (y == 0) return fail(c->l, NULL, "%s: division by zero", c->self->name);
  if (y == -1 && x == INT64_MIN) return fail(c->l, NULL, "%s: integer overflow", c->self->name);
  if (c->self->index == REMAINDER) return int_new(c->l, x % y);
  if (c->self->index == DIV && x % y != 0) return float_new(c, (double)x / (double)y);
  return int_new(c->l, x / y);
}

static value int_operation(call *c, int64_t x, int64_t y) {
  int64_t result;
  bool over;
  switch (c->self->index) {
  case ADD: over = __builtin_add_overflow(x, y, &result); break;
  case SUB: over = __builtin_sub_overflow(x, y, &result); break;
  case MUL: over = __builtin_mul_overflow(x, y, &result); break;
  default: return int_division(c, x, y);
  }
  return over ? fail(c->l, NULL, "%s: integer overflow", c->self->name) : int_new(c->l, result);
}

static value float_operation(call *c, double x, double y) {
  switch (c->self->index) {
  case ADD: return float_new(c, x + y);
  case SUB: return float_new(c, x - y);
  case MUL: return float_new(c, x * y);
  case DIV: return float_new(c, x / y);
  case QUOTIENT: return float_new(c, trunc(x / y));
  default: return float_new(c, fmod(x, y));
  }
}

static value operation(call *c, value a, value b) {
  if (is(c->l, a, K_INT) && is(c->l, b, K_INT)) return int_operation(c, INT(a), INT(b));
  return float_operation(c, real_of(c->l, a), real_of(c->l, b));
}

/* + - * / quotient remainder: one argument stands behind the operation's unit. */
static value f_arithmetic(call *c) {
  for (size_t i = 0; i < c->n; i++)
    if (!need_number(c, i)) return NULL;
  if (c->n == 2) return operation(c, c->args[0], c->args[1]);
  size_t from = c->n > 1;
  value result = from ? ouro_ref(c->args[0]) : int_new(c->l, c->self->index >= MUL);
  for (size_t i = from; result && i < c->n; i++)
    ouro_assign_new(&result, operation(c, result, c->args[i]));
  return result;
}

enum { BELOW = 1, SAME = 2, ABOVE = 4 };

static int order_of(const lisp *l, value a, value b) {
  if (is(l, a, K_INT) && is(l, b, K_INT))
    return INT(a) < INT(b) ? BELOW : INT(a) == INT(b) ? SAME : ABOVE;
  double x = real_of(l, a), y = real_of(l, b);
  return x < y ? BELOW : x == y ? SAME : x > y ? ABOVE : 0;
}

/* = < > <= >=: index says which orders of neighbours are wanted. */
static value f_compare(call *c) {
  bool holds = true;
  for (size_t i = 0; i < c->n; i++) {
    if (!need_number(c, i)) return NULL;
    if (i > 0 && !(order_of(c->l, c->args[i - 1], c->args[i]) & c->self->index)) holds = false;
  }
  return truth(c->l, holds);
}

/* index is the one in this table; inexact is what does nothing to the float. */
static value f_real(call *c) {
  static double (*const functions[])(double) = {NULL, sqrt, exp, log, floor, nearbyint, trunc};
  if (!need_number(c, 0)) return NULL;
  double x = real_of(c->l, c->args[0]);
  return float_new(c, c->self->index ? functions[c->self->index](x) : x);
}

static value f_exact(call *c) {
  if (!need_number(c, 0)) return NULL;
  double d = real_of(c->l, c->args[0]);
  if (is(c->l, c->args[0], K_INT)) return ouro_ref(c->args[0]);
  if (floor(d) == d && d >= -0x1p63 && d < 0x1p63) return int_new(c->l, (int64_t)d);
  return fail(c->l, c->args[0], "exact: no integer of 64 bits:");
}

/* Of a float as few digits as tell it from its neighbours, and a point. */
static value f_number_to_string(call *c) {
  char text[40];
  int digits = 15;
  if (!need_number(c, 0)) return NULL;
  if (is(c->l, c->args[0], K_INT))
    return OURO_OBJECT(ouro_str_format(c->l->heap, "%lld", (long long)INT(c->args[0])));
  double d = FLOAT(c->args[0]);
  do snprintf(text, sizeof text, "%.*g", digits, d);
  while (strtod(text, NULL) != d && ++digits < 18 && !isnan(d));
  bool point = !isfinite(d) || strpbrk(text, ".e");
  return OURO_OBJECT(ouro_str_format(c->l->heap, "%s%s", text, point ? "" : ".0"));
}

/* clang-format off */
const builtin_spec builtins_numbers[] = {
    {"+", f_arithmetic, 0, -1, ADD}, {"-", f_arithmetic, 1, -1, SUB},
    {"*", f_arithmetic, 0, -1, MUL}, {"/", f_arithmetic, 1, -1, DIV},
    {"quotient", f_arithmetic, 2, 2, QUOTIENT}, {"remainder", f_arithmetic, 2, 2, REMAINDER},
    {"=", f_compare, 1, -1, SAME},
    {"<", f_compare, 1, -1, BELOW}, {"<=", f_compare, 1, -1, BELOW | SAME},
    {">", f_compare, 1, -1, ABOVE}, {">=", f_compare, 1, -1, ABOVE | SAME},
    {"inexact", f_real, 1, 1, 0}, {"sqrt", f_real, 1, 1, 1}, {"exp", f_real, 1, 1, 2},
    {"log", f_real, 1, 1, 3}, {"floor", f_real, 1, 1, 4}, {"round", f_real, 1, 1, 5},
    {"truncate", f_real, 1, 1, 6}, {"exact", f_exact, 1, 1, 0},
    {"number->string", f_number_to_string, 1, 1, 0},
    {0}};
/* clang-format on */
