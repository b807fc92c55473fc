/* SPDX-License-Identifier: MIT */
#include "size.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char units[] = "KMGT";

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The factor that a suffix stands for, 0 if it is none. */
static uint64_t unit_of(const char *suffix) {
  if (*suffix == '\0' || strcasecmp(suffix, "b") == 0) return 1;
  for (int i = 0; units[i] != '\0'; i++) {
    if (strncasecmp(suffix, &units[i], 1) != 0) continue;
    const char *rest = suffix + 1;
    bool known = *rest == '\0' || strcasecmp(rest, "b") == 0 || strcasecmp(rest, "ib") == 0;
    return known ? (uint64_t)1 << (10 * (i + 1)) : 0;
  }
  return 0;
}

static bool digits(const char **at, uint64_t *value) {
  *value = 0;
  for (; is_digit(**at); (*at)++)
    if (__builtin_mul_overflow(*value, 10, value) ||
        __builtin_add_overflow(*value, (uint64_t)(**at - '0'), value))
      return false;
  return true;
}

bool size_parse(const char *text, uint64_t *bytes) {
  const char *at = text;
  uint64_t whole;
  double fraction = 0;
  if (!is_digit(*at) || !digits(&at, &whole)) return false;
  if (*at == '.') {
    if (!is_digit(*++at)) return false;
    for (double place = 0.1; is_digit(*at); at++, place /= 10) fraction += place * (*at - '0');
  }
  while (*at == ' ') at++;
  uint64_t unit = unit_of(at);
  if (unit == 0 || __builtin_mul_overflow(whole, unit, bytes)) return false;
  return !__builtin_add_overflow(*bytes, (uint64_t)(fraction * (double)unit), bytes);
}

bool size_parse_count(const char *text, uint64_t most, uint64_t *value) {
  const char *at = text;
  return is_digit(*at) && digits(&at, value) && *at == '\0' && *value <= most;
}

const char *size_format(uint64_t bytes, bool negative, char out[SIZE_TEXT]) {
  const char *sign = negative && bytes != 0 ? "-" : "";
  int unit = -1;
  double value = (double)bytes;
  for (; value >= 1023.95 && units[unit + 1] != '\0'; unit++) value /= 1024;
  if (unit < 0) snprintf(out, SIZE_TEXT, "%s%u B", sign, (unsigned)bytes);
  else snprintf(out, SIZE_TEXT, "%s%.1f %ciB", sign, value, units[unit]);
  return out;
}
