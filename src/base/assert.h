/* SPDX-License-Identifier: MIT */
/*
 * Three levels of checks, chosen by OURO_CHECK_LEVEL:
 *   OURO_ASSERT (level 1, always on) guards against using memory that is not ours; off hot paths;
 *   OURO_CHECK  (level 2, dev builds) states what the surrounding code relies on;
 *   OURO_SLOW   (level 3, stress builds) may walk a whole pool or heap.
 */
#ifndef OURO_SRC_BASE_ASSERT_H
#define OURO_SRC_BASE_ASSERT_H

#include <ouro/base.h>

/* Prints "ouro: FILE:LINE: assertion failed: TEXT" to stderr and aborts. */
_Noreturn void ouro__assert_failed(const char *file, int line, const char *text);

#define OURO_ASSERT(c) ((c) ? (void)0 : ouro__assert_failed(__FILE__, __LINE__, #c))
#define OURO_CHECK(c)                                                                              \
  (OURO_CHECK_LEVEL < 2 || (c) ? (void)0 : ouro__assert_failed(__FILE__, __LINE__, #c))
#define OURO_SLOW(c)                                                                               \
  (OURO_CHECK_LEVEL < 3 || (c) ? (void)0 : ouro__assert_failed(__FILE__, __LINE__, #c))

#endif
