/* SPDX-License-Identifier: MIT */
/*
 * What glibc's malloc has taken from the system, recognised from outside. glibc tells how much it
 * holds (mallinfo2), never where. Where follows from three layouts that have been the same
 * since 2.10 and that debuggers rely on:
 *
 *   main arena      the [heap] mapping
 *   other arenas    heaps at multiples of 64 MiB, starting with a struct heap_info:
 *                     arena's address, previous heap, size, size made accessible
 *   large requests  a mapping each, with a chunk header at its start, or farther on for alignment:
 *                     bytes in front of it, length of the rest | IS_MMAPPED
 *                   (since 2.43 the length leaves the header out)
 *
 * Neighbouring anonymous mappings are merged by the kernel, so a structure may start at any page. A
 * page that looks like one by chance would need two words that agree with each other and with the
 * mapping.
 */
#ifndef OURO_EXT_GLIBC_H
#define OURO_EXT_GLIBC_H

#include "procfs.h"

#define GLIBC_HEAP_BYTES ((uintptr_t)64 << 20)

/* If an arena's heap starts at `at` and fits before `end`: its accessible length, else 0. */
size_t glibc_heap_at(const procfs_memory *memory, uintptr_t at, uintptr_t end);

enum { GLIBC_HEAD_WORDS = 32 };

/* If a large request's mapping starts at `at`, with these words, and ends at or before `end`: its
 * length, else 0. */
size_t glibc_mapped_at(const procfs_memory *memory, uintptr_t at, uintptr_t end,
                       const uint64_t head[GLIBC_HEAD_WORDS]);

/* Bytes in use and free in the arenas, mapped chunks not counted. Zero where the C library cannot
 * say. */
void glibc_arena_bytes(uint64_t *used, uint64_t *free);

#endif
