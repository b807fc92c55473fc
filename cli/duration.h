/* SPDX-License-Identifier: MIT */
/* Times, shares and large numbers as people write and read them: 1ms; 25%, 0.25; 1,234,567. */
#ifndef OURO_CLI_DURATION_H
#define OURO_CLI_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/* Digits, at most one point, then us, ms or s; without a unit milliseconds. False: not a time. What
 * is beyond 2^53 us is as good as that. */
bool duration_parse(const char *text, uint64_t *us);

/* A percentage ("25%") or a fraction ("0.25") in thousandths. False: not a share. */
bool duration_parse_share(const char *text, uint64_t *permille);

#define DURATION_TEXT 32

/* Each returns `out`: "976 ns", "1.25 ms", "90 s"; "2.5 %", "1,234,567". */
const char *duration_format(uint64_t ns, char out[DURATION_TEXT]);
const char *duration_format_share(uint64_t part, uint64_t whole, char out[DURATION_TEXT]);
const char *duration_format_count(uint64_t count, char out[DURATION_TEXT]);

#endif
