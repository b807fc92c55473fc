/* SPDX-License-Identifier: MIT */
#include "duration.h"

#include <stdio.h>
#include <string.h>

#define MOST 9007199254740992.0 /* 2^53 */

/* Digits with at most one point between them; `*at` moves behind them. One division at the end: the
 * value is then the nearest double to what was written, as it is in Python. */
static bool decimal(const char **at, double *value) {
  const char *from = *at, *point = NULL;
  double scale = 1;
  *value = 0;
  for (;; (*at)++) {
    if (**at == '.' && point == NULL && *at > from) {
      point = *at;
    } else if (**at >= '0' && **at <= '9') {
      *value = *value * 10 + (**at - '0');
      if (point != NULL) scale *= 10;
    } else {
      break;
    }
  }
  *value /= scale;
  return *at > from && (*at)[-1] != '.';
}

/* `value` in units of 1/factor, to the nearest. */
static uint64_t scaled(double value, double factor) {
  double number = value * factor + 0.5;
  return (uint64_t)(number < MOST ? number : MOST);
}

bool duration_parse(const char *text, uint64_t *us) {
  static const struct {
    const char *name;
    double us;
  } units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"", 1e3}};
  double value;
  if (!decimal(&text, &value)) return false;
  while (*text == ' ') text++;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (strcmp(text, units[i].name) != 0) continue;
    *us = scaled(value, units[i].us);
    return true;
  }
  return false;
}

bool duration_parse_share(const char *text, uint64_t *permille) {
  double value;
  if (!decimal(&text, &value)) return false;
  while (*text == ' ') text++;
  bool percent = strcmp(text, "%") == 0;
  *permille = scaled(value, percent ? 10 : 1000);
  return percent || *text == '\0';
}

const char *duration_format(uint64_t ns, char out[DURATION_TEXT]) {
  static const char *const units[] = {"ns", "us", "ms", "s"};
  double value = (double)ns;
  int unit = 0;
  for (; value >= 999.5 && unit < 3; unit++) value /= 1000;
  snprintf(out, DURATION_TEXT, value < 999.5 ? "%.3g %s" : "%.0f %s", value, units[unit]);
  return out;
}

const char *duration_format_share(uint64_t part, uint64_t whole, char out[DURATION_TEXT]) {
  double percent = whole > 0 ? 100.0 * (double)part / (double)whole : 0;
  snprintf(out, DURATION_TEXT, percent < 10 ? "%.2g %%" : "%.0f %%", percent);
  return out;
}

const char *duration_format_count(uint64_t count, char out[DURATION_TEXT]) {
  char *at = out + DURATION_TEXT - 1;
  *at = '\0';
  for (int digits = 0; digits == 0 || count > 0; digits++, count /= 10) {
    if (digits > 0 && digits % 3 == 0) *--at = ',';
    *--at = (char)('0' + count % 10);
  }
  return memmove(out, at, strlen(at) + 1);
}
