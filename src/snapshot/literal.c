/* SPDX-License-Identifier: MIT */
#include "literal.h"

#include <stdio.h>
#include <string.h>

#define LITERAL_ESCAPE 12 /* the longest one, \U0010ffff, and what ends it */
#define LITERAL_MORE "..."

size_t literal_character(const unsigned char *at, size_t left, uint32_t *point) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
  if (length == 0 || at[0] > 0xF4 || length > left) return 0;
  *point = length == 1 ? at[0] : at[0] & (0x7Fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((at[i] & 0xC0) != 0x80) return 0;
    *point = *point << 6 | (at[i] & 0x3F);
  }
  bool valid = *point >= least[length] && *point <= 0x10FFFF && (*point & 0xFFFFF800) != 0xD800;
  return valid ? length : 0;
}

/* Terminals obey the first two ranges; the others reorder or end lines, or are not seen. */
bool literal_obeyed(uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x200B && point <= 0x200F) ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2060 && point <= 0x206F) ||
         point == 0xFEFF || (point >= 0xE0000 && point <= 0xE0FFF);
}

/* What stands for a character between quotes; its length. */
static size_t literal_escape(uint32_t point, char quote, char out[LITERAL_ESCAPE]) {
  const char *format = point < 0x100 ? "\\x%02x" : point < 0x10000 ? "\\u%04x" : "\\U%08x";
  switch (point) {
  case '\n': return (size_t)snprintf(out, LITERAL_ESCAPE, "\\n");
  case '\r': return (size_t)snprintf(out, LITERAL_ESCAPE, "\\r");
  case '\t': return (size_t)snprintf(out, LITERAL_ESCAPE, "\\t");
  default: break;
  }
  if (literal_obeyed(point)) return (size_t)snprintf(out, LITERAL_ESCAPE, format, point);
  if (point != '\\' && point != (unsigned char)quote) return 0;
  return (size_t)snprintf(out, LITERAL_ESCAPE, "\\%c", (char)point);
}

/* The next character of a str as it is to be shown; how many bytes of the text it was. */
static size_t literal_next(const unsigned char *at, size_t left, char quote,
                           char out[LITERAL_ESCAPE], size_t *shown) {
  uint32_t point = 0;
  size_t length = literal_character(at, left, &point);
  *shown = length > 0 ? literal_escape(point, quote, out) : 1;
  if (length == 0) out[0] = '?';
  else if (*shown == 0) memcpy(out, at, *shown = length);
  return length > 0 ? length : 1;
}

/* Escapes, quotes and numbers as the writer put them; nothing else belongs there. */
static size_t literal_plain(const unsigned char *at, char out[LITERAL_ESCAPE], size_t *shown) {
  out[0] = at[0] >= ' ' && at[0] < 0x7F ? (char)at[0] : '?';
  return *shown = 1;
}

/* Python prefers the quote that needs no escape. */
static char literal_quote(snapshot_text text) {
  bool single = text.length && memchr(text.text, '\'', text.length);
  return single && !memchr(text.text, '"', text.length) ? '"' : '\'';
}

const char *literal_write(const snapshot_content *content, char *out, size_t room) {
  const unsigned char *from = (const unsigned char *)content->text.text;
  bool str = content->form == SNAPSHOT_CONTENT_STR, bytes = content->form == SNAPSHOT_CONTENT_BYTES;
  char quote = str ? literal_quote(content->text) : '\'', next[LITERAL_ESCAPE];
  size_t used = 0, at = 0, shown, end = room - sizeof LITERAL_MORE - 1,
         length = content->text.length;
  if (bytes) out[used++] = 'b';
  if (str || bytes) out[used++] = quote;
  while (at < length) {
    size_t taken = str ? literal_next(from + at, length - at, quote, next, &shown)
                       : literal_plain(from + at, next, &shown);
    if (used + shown > end) break;
    memcpy(out + used, next, shown);
    used += shown;
    at += taken;
  }
  if (str || bytes) out[used++] = quote;
  strcpy(out + used, at < length || content->cut ? LITERAL_MORE : "");
  return out;
}
