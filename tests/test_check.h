/* SPDX-License-Identifier: MIT */
/* Part of test.h: the checks. CHECK_EQ and its like show both sides, of any scalar type. */
#ifndef OURO_TEST_CHECK_H
#define OURO_TEST_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef char test_text[64];
static inline char *test_show_int(char *out, long long v) { return sprintf(out, "%lld", v), out; }
static inline char *test_show_uint(char *out, unsigned long long v) {
  return sprintf(out, v < 10 ? "%llu" : "%llu (0x%llx)", v, v), out;
}
static inline char *test_show_bool(char *out, bool v) { return strcpy(out, v ? "true" : "false"); }
static inline char *test_show_double(char *out, double v) { return sprintf(out, "%.9g", v), out; }
static inline char *test_show_pointer(char *out, const volatile void *v) {
  return sprintf(out, "%p", (void *)v), out;
}
/* clang-format off */
#define TEST_SHOW(out, v)                                                                          \
  _Generic((v), bool: test_show_bool, float: test_show_double, double: test_show_double,           \
      char: test_show_int, signed char: test_show_int, short: test_show_int, int: test_show_int,   \
      long: test_show_int, long long: test_show_int, unsigned char: test_show_uint,                \
      unsigned short: test_show_uint, unsigned: test_show_uint, unsigned long: test_show_uint,     \
      unsigned long long: test_show_uint, default: test_show_pointer)(out, v)
/* clang-format on */

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) TEST_FAIL("CHECK(%s)", #condition);                                          \
  } while (0)
#define TEST_COMPARE(a, relation, b)                                                               \
  do {                                                                                             \
    __auto_type test_a = (a);                                                                      \
    __auto_type test_b = (b);                                                                      \
    test_text text_a, text_b;                                                                      \
    if (!(test_a relation test_b))                                                                 \
      TEST_FAIL("want %s %s %s, have %s and %s", #a, #relation, #b, TEST_SHOW(text_a, test_a),     \
                TEST_SHOW(text_b, test_b));                                                        \
  } while (0)
#define CHECK_EQ(a, b) TEST_COMPARE(a, ==, b)
#define CHECK_NE(a, b) TEST_COMPARE(a, !=, b)
#define CHECK_LT(a, b) TEST_COMPARE(a, <, b)
#define CHECK_LE(a, b) TEST_COMPARE(a, <=, b)
#define CHECK_STR(a, b)                                                                            \
  do {                                                                                             \
    const char *test_a = (a), *test_b = (b);                                                       \
    if (strcmp(test_a, test_b)) TEST_FAIL("%s: want \"%s\", have \"%s\"", #a, test_b, test_a);     \
  } while (0)

#endif
