/* SPDX-License-Identifier: MIT */
#include "utf8.h"

#include <string.h>

/* A row of table 3-7: which first bytes, how many bytes follow, what the second one may be. Further
 * ones may be 80 to BF. */
typedef struct utf8_row {
  uint8_t first, last, more, second_low, second_high;
} utf8_row;

static const utf8_row utf8_rows[] = {
    {0x00, 0x7F, 0, 0, 0},       {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF},
    {0xE1, 0xEC, 2, 0x80, 0xBF}, {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF},
    {0xF0, 0xF0, 3, 0x90, 0xBF}, {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
};

static const utf8_row *utf8_row_of(uint8_t first) {
  for (size_t i = 0; i < sizeof utf8_rows / sizeof *utf8_rows; i++)
    if (first >= utf8_rows[i].first && first <= utf8_rows[i].last) return &utf8_rows[i];
  return NULL;
}

static bool utf8_continues(char byte) { return (byte & 0xC0) == 0x80; }

/* How many bytes the code point at `at` has; 0: none that is well-formed. */
static size_t utf8_step(const uint8_t *at, size_t left) {
  const utf8_row *row = utf8_row_of(*at);
  if (!row || row->more >= left) return 0;
  if (row->more && (at[1] < row->second_low || at[1] > row->second_high)) return 0;
  for (size_t i = 2; i <= row->more; i++)
    if (!utf8_continues((char)at[i])) return 0;
  return (size_t)row->more + 1;
}

/* Bytes at the start that are ASCII, whole words of them: most text is all ASCII. */
static size_t utf8_ascii(const uint8_t *at, size_t left) {
  size_t done = 0;
  uint64_t word;
  for (; left - done >= sizeof word; done += sizeof word) {
    memcpy(&word, at + done, sizeof word);
    if (word & 0x8080808080808080u) break;
  }
  return done;
}

bool utf8_is_valid(const char *bytes, size_t length) {
  const uint8_t *at = (const uint8_t *)bytes;
  size_t done = 0;
  while (done < length) {
    done += utf8_ascii(at + done, length - done);
    if (done == length) break;
    size_t step = utf8_step(at + done, length - done);
    if (step == 0) return false;
    done += step;
  }
  return true;
}

size_t utf8_count(const char *bytes, size_t length) {
  size_t count = 0;
  for (size_t i = 0; i < length; i++) count += !utf8_continues(bytes[i]);
  return count;
}

size_t utf8_fitting(const char *bytes, size_t length, size_t most) {
  if (length <= most) return length;
  while (most > 0 && utf8_continues(bytes[most])) most--;
  return most;
}
