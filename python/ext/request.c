/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is(const char *text, size_t length, const char *word) {
  return length == strlen(word) && memcmp(text, word, length) == 0;
}

request_kind request_parse(const char *text, size_t length) {
  const char *end = memchr(text, '\n', length);
  if (end == NULL) return length < REQUEST_BYTES_MAX ? REQUEST_INCOMPLETE : REQUEST_TOO_LONG;
  size_t size = (size_t)(end - text);
  if (is(text, size, "ping")) return REQUEST_PING;
  if (is(text, size, "ledger")) return REQUEST_LEDGER;
  if (is(text, size, "give_back")) return REQUEST_GIVE_BACK;
  return REQUEST_UNKNOWN;
}

static void add_list(reply_text *to, const char *format, va_list arguments) {
  size_t room = sizeof to->text - to->used;
  int length = vsnprintf(to->text + to->used, room, format, arguments);
  if (length < 0 || (size_t)length >= room) to->ok = false;
  else to->used += (size_t)length;
}

static void add(reply_text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(reply_text *to, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  add_list(to, format, arguments);
  va_end(arguments);
}

void reply_begin(reply_text *to) {
  to->used = 0;
  to->ok = true;
  add(to, "ouro 1 ok\n");
}

void reply_put(reply_text *to, const char *key, const char *format, ...) {
  va_list arguments;
  add(to, "%s ", key);
  va_start(arguments, format);
  add_list(to, format, arguments);
  va_end(arguments);
  add(to, "\n");
}

void reply_ledger(reply_text *to, const ledger *book) {
  for (int i = 0; i < LEDGER_ROW_COUNT; i++) {
    const ledger_row *row = &ledger_rows[i];
    const char *parent = row->parent[0] != '\0' ? row->parent : "-";
    add(to, "row %s %s %" PRIu64 " %s\n", row->key, parent, book->bytes[i], row->label);
  }
  for (int i = 0; i < LEDGER_MEMO_COUNT; i++) {
    const ledger_memo *memo = &ledger_memos[i];
    add(to, "memo %s %s %" PRIu64 " %s\n", memo->key, memo->unit, book->memo[i], memo->label);
  }
}

void reply_given_back(reply_text *to, service_given_back given) {
  reply_put(to, "given_back.pools", "%zu", given.pools);
  reply_put(to, "given_back.system", "%zu", given.system);
}

void reply_end(reply_text *to) { add(to, ".\n"); }

void reply_error(reply_text *to, const char *format, ...) {
  va_list arguments;
  to->used = 0;
  to->ok = true;
  add(to, "ouro 1 error ");
  va_start(arguments, format);
  add_list(to, format, arguments);
  va_end(arguments);
  add(to, "\n.\n");
}
