/* SPDX-License-Identifier: MIT */
/* Part of test.h: prints a value of any scalar type, so that CHECK_EQ can show both sides. */
#ifndef OURO_TEST_SHOW_H
#define OURO_TEST_SHOW_H

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
#define TEST_SHOW(out, v)                                                                          \
  _Generic((v), bool: test_show_bool, float: test_show_double, double: test_show_double,           \
      char: test_show_int, signed char: test_show_int, short: test_show_int, int: test_show_int,   \
      long: test_show_int, long long: test_show_int, unsigned char: test_show_uint,                \
      unsigned short: test_show_uint, unsigned: test_show_uint, unsigned long: test_show_uint,     \
      unsigned long long: test_show_uint, default: test_show_pointer)(out, v)

#endif
