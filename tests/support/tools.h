/* SPDX-License-Identifier: MIT */
/* Which tool watches this process: some of them need address space or memory of their own. */
#ifndef OURO_TESTS_TOOLS_H
#define OURO_TESTS_TOOLS_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

extern void __asan_init(void) __attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));

static inline bool under_asan(void) { return __asan_init != NULL; }
static inline bool under_tsan(void) { return __tsan_init != NULL; }

static inline bool under_valgrind(void) {
  const char *preload = getenv("LD_PRELOAD");
  return preload && strstr(preload, "vgpreload") != NULL;
}

/* Whether heaps announce their blocks to the tool. */
static inline bool under_watch(void) { return under_asan() || under_valgrind(); }

/* Sanitizers map terabytes: no address space limit works, and freed memory stays in quarantines. */
static inline bool under_sanitizer(void) { return under_asan() || under_tsan(); }

#endif
