/* SPDX-License-Identifier: MIT */
/* Ouro: compiler and platform macros. The only installed header with `#if` in it. */
#ifndef OURO_BASE_H
#define OURO_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OURO_VERSION_MAJOR 0
#define OURO_VERSION_MINOR 1
#define OURO_VERSION_PATCH 0
#define OURO_VERSION "0.1.0"

#ifdef __cplusplus
#define OURO_BEGIN_DECLS extern "C" {
#define OURO_END_DECLS }
#define OURO_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define OURO_BEGIN_DECLS
#define OURO_END_DECLS
#define OURO_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#if defined(__GNUC__)
#define OURO_API __attribute__((visibility("default")))
#define OURO_LIKELY(x) __builtin_expect(!!(x), 1)
#define OURO_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define OURO_COLD __attribute__((cold, noinline))
#define OURO_FLEXIBLE __extension__ /* before a struct that ends with [], which C++ lacks */
#define OURO_NOINLINE __attribute__((noinline))
#else
#error "Ouro needs a C11 compiler with GNU builtins: gcc 8 or clang 9 and later"
#endif

#if UINTPTR_MAX != 0xFFFFFFFFFFFFFFFFu
#error "Ouro needs a 64-bit address space"
#endif

#ifndef OURO_CHECK_LEVEL
#define OURO_CHECK_LEVEL 1
#endif

/* Index of the lowest set bit of a word that is not zero. */
static inline unsigned ouro_lowest_bit(uint64_t word) { return (unsigned)__builtin_ctzll(word); }

#endif
