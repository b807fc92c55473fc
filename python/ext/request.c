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
  if (is(text, size, "gc")) return REQUEST_GC;
  if (is(text, size, "give_back")) return REQUEST_GIVE_BACK;
  if (is(text, size, "snapshot")) return REQUEST_SNAPSHOT;
  if (is(text, size, "snapshot redact")) return REQUEST_SNAPSHOT_REDACTED;
  if (is(text, size, "snapshot values")) return REQUEST_SNAPSHOT_VALUES;
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

static void put_number(reply_text *to, const char *key, uint64_t number) {
  reply_put(to, key, "%" PRIu64, number);
}

static void put_pauses(reply_text *to, const gcnumbers *n, uint64_t now) {
  put_number(to, "since_ns", now > n->started_ns ? now - n->started_ns : 0);
  put_number(to, "pauses.count", n->pauses);
  put_number(to, "pauses.total_ns", n->pauses_ns);
  put_number(to, "pauses.p50_ns", gcnumbers_quantile(n, 500));
  put_number(to, "pauses.p99_ns", gcnumbers_quantile(n, 990));
  put_number(to, "pauses.p999_ns", gcnumbers_quantile(n, 999));
  put_number(to, "pauses.longest_ns", n->longest_ns);
  put_number(to, "slices.count", n->slices);
  put_number(to, "slices.total_ns", n->slices_ns);
  put_number(to, "young.count", n->young);
  put_number(to, "young.total_ns", n->young_ns);
  put_number(to, "young.untimed", n->untimed);
  put_number(to, "explicit.count", n->explicits);
  put_number(to, "explicit.total_ns", n->explicits_ns);
}

static void put_cycles(reply_text *to, const gcnumbers *n) {
  put_number(to, "cycles.finished", n->cycles);
  put_number(to, "cycles.running", n->in_cycle);
  if (n->in_cycle != 0) reply_put(to, "cycles.phase", "%s", gcnumbers_phase(n->phase));
  put_number(to, "objects.examined", n->examined);
  put_number(to, "objects.found", n->found);
  put_number(to, "objects.freed", n->freed);
  put_number(to, "objects.uncollectable", n->uncollectable);
  put_number(to, "objects.old", n->old);
  put_number(to, "objects.promoted", n->pending);
  put_number(to, "garbage.most", n->floating);
  put_number(to, "garbage.worst_permille", n->floating_worst);
  put_number(to, "tables.bytes", n->table_bytes);
}

/* A type's name is the program's: what could break a line, or drive a terminal, is left out. */
static void put_name(reply_text *to, const char *key, const char *name) {
  char clean[GCNUMBERS_WHY];
  size_t length = 0;
  for (; *name != '\0' && length < sizeof clean - 1; name++)
    if ((unsigned char)*name >= 0x20 && *name != 0x7F) clean[length++] = *name;
  clean[length] = '\0';
  if (length > 0) reply_put(to, key, "%s", clean);
}

static void put_exceptions(reply_text *to, const gcnumbers *n) {
  put_number(to, "atomic.longest_ns", n->atomic_ns);
  if (n->atomic_ns > 0) {
    reply_put(to, "atomic.phase", "%s", gcnumbers_phase(n->atomic_phase));
    put_number(to, "atomic.members", n->atomic_members);
    put_name(to, "atomic.type", n->atomic_type);
  }
  for (int i = 0; i < GCREASON_COUNT; i++)
    add(to, "memo escalation.%s count %" PRIu64 " %s\n", gcreason_names[i], n->escalations[i],
        gcreason_texts[i]);
  for (unsigned i = 0; i < GCNUMBERS_BUCKETS; i++)
    if (n->bucket[i] > 0)
      add(to, "bucket %" PRIu64 " %" PRIu64 "\n", gcnumbers_bucket_ns(i), n->bucket[i]);
}

void reply_gc(reply_text *to, const gcnumbers *n, uint64_t now) {
  reply_put(to, "collector", "%s", n->on != 0 ? "ouro" : "python");
  if (n->on == 0) {
    put_name(to, "why", n->why);
    return;
  }
  put_number(to, "budget_ns", n->budget_ns);
  put_number(to, "limit_permille", n->limit_permille);
  put_number(to, "quiet", n->quiet);
  put_pauses(to, n, now);
  put_cycles(to, n);
  put_exceptions(to, n);
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
