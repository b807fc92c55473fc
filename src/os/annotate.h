/* SPDX-License-Identifier: MIT */
/*
 * Tells AddressSanitizer and Valgrind which bytes belong to a live block. `annotate_wanted` is
 * asked once per heap; where it is false no block is reported.
 */
#ifndef OURO_SRC_OS_ANNOTATE_H
#define OURO_SRC_OS_ANNOTATE_H

#include <ouro/base.h>

/* Whether one of the tools watches this process. */
bool annotate_wanted(void);

/* Bytes between live blocks: no access is right. */
void annotate_no_access(const void *start, size_t size);

/* A block of `size` bytes begins to live (`zeroed`: with defined contents), or ends. */
void annotate_born(const void *block, size_t size, bool zeroed);
void annotate_died(const void *block, size_t size);

/* A leak checker follows what live blocks point to; it knows of no memory but malloc's and the
 * statics. */
void annotate_roots(const void *start, size_t size);
void annotate_no_roots(const void *start, size_t size);

/* Bytes become usable again without a block of their own: before a range is reused or unmapped. */
void annotate_access(const void *start, size_t size);

#endif
