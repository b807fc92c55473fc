/* SPDX-License-Identifier: MIT */
#include "annotate.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif

#if defined(HAVE_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#else
#define HAVE_ASAN 0
#define __asan_poison_memory_region(start, size) ((void)(start), (void)(size))
#define __asan_unpoison_memory_region(start, size) ((void)(start), (void)(size))
#define __lsan_register_root_region(start, size) ((void)(start), (void)(size))
#define __lsan_unregister_root_region(start, size) ((void)(start), (void)(size))
#endif

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#define HAVE_VALGRIND 1
#include <valgrind/memcheck.h>
#endif
#endif

#if !defined(HAVE_VALGRIND)
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_MAKE_MEM_NOACCESS(start, size) ((void)(start), (void)(size))
#define VALGRIND_MAKE_MEM_DEFINED(start, size) ((void)(start), (void)(size), 0)
#define VALGRIND_MAKE_MEM_UNDEFINED(start, size) ((void)(start), (void)(size))
#define VALGRIND_MALLOCLIKE_BLOCK(start, size, redzone, zeroed)                                    \
  ((void)(start), (void)(size), (void)(zeroed))
#define VALGRIND_FREELIKE_BLOCK(start, redzone) ((void)(start))
#endif

/* Only memcheck answers this request with -1. Other tools of Valgrind count or trace, and want the
 * paths that an unwatched program takes. */
static bool under_memcheck(void) {
  char probe = 0;
  return RUNNING_ON_VALGRIND && VALGRIND_MAKE_MEM_DEFINED(&probe, sizeof probe) != 0;
}

bool annotate_wanted(void) { return HAVE_ASAN || under_memcheck(); }

void annotate_no_access(const void *start, size_t size) {
  __asan_poison_memory_region(start, size);
  VALGRIND_MAKE_MEM_NOACCESS(start, size);
}

void annotate_born(const void *block, size_t size, bool zeroed) {
  __asan_unpoison_memory_region(block, size);
  VALGRIND_MALLOCLIKE_BLOCK(block, size, 0, zeroed);
}

void annotate_died(const void *block, size_t size) {
  __asan_poison_memory_region(block, size);
  VALGRIND_FREELIKE_BLOCK(block, 0);
}

void annotate_access(const void *start, size_t size) {
  __asan_unpoison_memory_region(start, size);
  VALGRIND_MAKE_MEM_UNDEFINED(start, size);
}

void annotate_roots(const void *start, size_t size) { __lsan_register_root_region(start, size); }

void annotate_no_roots(const void *start, size_t size) {
  __lsan_unregister_root_region(start, size);
}
