/* SPDX-License-Identifier: MIT */
/* Sizes as people write and read them: 512M, 1.5G, 65536; "1.5 GiB". K, M, G, T are powers of 1024.
 */
#ifndef OURO_CLI_SIZE_H
#define OURO_CLI_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Digits, at most one point, then K, M, G or T with or without "B" or "iB", in either case. False:
 * not a size, or more than fits. */
bool size_parse(const char *text, uint64_t *bytes);

/* Whole numbers up to `most`. */
bool size_parse_count(const char *text, uint64_t most, uint64_t *value);

#define SIZE_TEXT 32

/* Writes "512 B", "1.5 MiB", with '-' before it where `negative`. Returns `out`. */
const char *size_format(uint64_t bytes, bool negative, char out[SIZE_TEXT]);

#endif
