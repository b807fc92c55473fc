/* SPDX-License-Identifier: MIT */
/*
 * Requests for memory that a test may refuse, malloc's and whole pages. The program is linked with
 * --wrap for each of them (CMakeLists.txt) and says in refuses() which ones.
 */
#ifndef OURO_TESTS_ANALYZE_REFUSING_H
#define OURO_TESTS_ANALYZE_REFUSING_H

#include <stdbool.h>
#include <stddef.h>

/* Asked once for each request, in their order. */
static bool refuses(void);

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_os_map(size_t size);
void *__real_os_remap(void *p, size_t size, size_t new_size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_os_map(size_t size);
void *__wrap_os_remap(void *p, size_t size, size_t new_size);

void *__wrap_malloc(size_t size) { return refuses() ? NULL : __real_malloc(size); }

void *__wrap_calloc(size_t count, size_t size) {
  return refuses() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size) { return refuses() ? NULL : __real_realloc(p, size); }

void *__wrap_os_map(size_t size) { return refuses() ? NULL : __real_os_map(size); }

void *__wrap_os_remap(void *p, size_t size, size_t new_size) {
  return refuses() ? NULL : __real_os_remap(p, size, new_size);
}

#endif
