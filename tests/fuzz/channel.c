/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: both ends of the control channel. The input is a request, a reply, and a list
 * of edits (three bytes: where, what) to a genuine reply, which must first come through unchanged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reply.h"
#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROW(id, key, parent, label) {key, parent, label},
const ledger_row ledger_rows[LEDGER_ROW_COUNT] = {LEDGER_ROWS(ROW)};
#define MEMO(id, key, unit, label) {key, unit, label},
const ledger_memo ledger_memos[LEDGER_MEMO_COUNT] = {LEDGER_MEMOS(MEMO)};

static void must(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "channel: does not hold: %s\n", what);
  abort();
}

/* --- Requests --- */

/* What a request is, found otherwise: a whole line that is one of these words. */
static request_kind kind_of(const char *text, size_t size) {
  static const struct {
    const char *line;
    request_kind kind;
  } all[] = {{"ping\n", REQUEST_PING},
             {"ledger\n", REQUEST_LEDGER},
             {"gc\n", REQUEST_GC},
             {"give_back\n", REQUEST_GIVE_BACK},
             {"snapshot\n", REQUEST_SNAPSHOT},
             {"snapshot redact\n", REQUEST_SNAPSHOT_REDACTED},
             {"snapshot values\n", REQUEST_SNAPSHOT_VALUES}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    size_t length = strlen(all[i].line);
    if (size >= length && memcmp(text, all[i].line, length) == 0) return all[i].kind;
  }
  return REQUEST_UNKNOWN;
}

static void read_request(const char *text, size_t size) {
  request_kind last = REQUEST_INCOMPLETE;
  size_t most = size < REQUEST_BYTES_MAX ? size : REQUEST_BYTES_MAX;
  for (size_t length = 0; length <= most; length++) {
    request_kind now = request_parse(text, length);
    must(last == REQUEST_INCOMPLETE || now == last, "what follows the line changes nothing");
    last = now;
  }
  must(last != REQUEST_INCOMPLETE || most < REQUEST_BYTES_MAX, "a request has an end");
  if (last == REQUEST_INCOMPLETE || last == REQUEST_TOO_LONG) return;
  must(last == kind_of(text, most), "a request is what its words say, and nothing else is");
}

/* --- Replies --- */

static char text[REPLY_BYTES_MAX + 1];

static void must_lie_in(const char *string, size_t size) {
  must(string >= text && string <= text + size, "a string lies in the text");
  must(memchr(string, '\0', (size_t)(text + size + 1 - string)) != NULL, "a string ends in it");
  for (; *string != '\0'; string++) must((unsigned char)*string >= 0x20, "a string is printable");
}

static void read_reply(size_t size) {
  reply parsed;
  if (reply_parse(text, size, &parsed) != NULL) return;
  if (parsed.error != NULL) must_lie_in(parsed.error, size);
  must(parsed.rows <= REPLY_ROWS_MAX && parsed.memos <= REPLY_MEMOS_MAX, "tables have room");
  for (size_t i = 0; i < parsed.rows; i++) {
    must(parsed.row[i].parent >= -1 && parsed.row[i].parent < (int)i, "parents come first");
    must_lie_in(parsed.row[i].key, size);
    must_lie_in(parsed.row[i].label, size);
  }
  for (size_t i = 0; i < parsed.memos; i++) {
    must_lie_in(parsed.memo[i].key, size);
    must_lie_in(parsed.memo[i].unit, size);
    must_lie_in(parsed.memo[i].label, size);
  }
  for (size_t i = 0; i < parsed.pairs; i++) {
    must_lie_in(parsed.pair[i].key, size);
    must_lie_in(parsed.pair[i].value, size);
  }
  must(parsed.buckets <= REPLY_BUCKETS_MAX, "the histogram has room");
  for (size_t i = 1; i < parsed.buckets; i++)
    must(parsed.bucket[i - 1].most_ns < parsed.bucket[i].most_ns, "buckets grow");
}

static void read_bytes(const uint8_t *data, size_t size) {
  if (size > REPLY_BYTES_MAX) return;
  memcpy(text, data, size);
  read_reply(size);
}

/* A ledger whose numbers come from the input. */
static void write_reply(const uint8_t *data, size_t size, reply_text *to, ledger *book) {
  size_t have = size < sizeof *book ? size : sizeof *book;
  memset(book, 0, sizeof *book);
  memcpy(book, data, have);
  reply_begin(to);
  reply_put(to, "pid", "%d", 4711);
  reply_ledger(to, book);
  reply_end(to);
  must(to->ok && to->used < sizeof to->text, "the longest ledger fits");
}

static void must_come_through(const reply_text *from, const ledger *book) {
  static reply parsed;
  memcpy(text, from->text, from->used);
  must(reply_parse(text, from->used, &parsed) == NULL && !parsed.error, "a reply can be read");
  must(strcmp(reply_value(&parsed, "pid"), "4711") == 0, "pairs come through");
  must(parsed.rows == LEDGER_ROW_COUNT && parsed.memos == LEDGER_MEMO_COUNT, "so do all rows");
  for (int i = 0; i < LEDGER_ROW_COUNT; i++) {
    const reply_row *row = &parsed.row[i];
    const char *parent = row->parent < 0 ? "" : parsed.row[row->parent].key;
    must(row->bytes == book->bytes[i], "numbers come through");
    must(strcmp(row->label, ledger_rows[i].label) == 0, "labels come through");
    must(strcmp(parent, ledger_rows[i].parent) == 0, "parents come through");
  }
}

/* --- The collector's numbers --- */

static void must_be_borders(uint64_t ns) {
  unsigned bucket = gcnumbers_bucket_of(ns);
  must(bucket < GCNUMBERS_BUCKETS, "each length has a bucket");
  must(ns <= gcnumbers_bucket_ns(bucket) || ns > INT64_MAX, "that is not too short for it");
  must(bucket == 0 || ns > gcnumbers_bucket_ns(bucket - 1), "and no longer than it must be");
}

/* Numbers from the input; what the collector would keep in step is. */
static void make_numbers(const uint8_t *data, size_t size, gcnumbers *n) {
  memset(n, 0, sizeof *n);
  memcpy(n, data, size < sizeof *n ? size : sizeof *n);
  n->why[sizeof n->why - 1] = n->atomic_type[sizeof n->atomic_type - 1] = '\0';
  for (int i = 0; i < GCNUMBERS_BUCKETS; i++) n->bucket[i] &= UINT64_MAX >> 8;
  must_be_borders(n->budget_ns);
}

static void must_be_ordered(const gcnumbers *n) {
  uint64_t last = 0;
  for (unsigned permille = 0; permille <= 1000; permille += 50) {
    uint64_t now = gcnumbers_quantile(n, permille);
    must(now >= last && now <= n->longest_ns, "quantiles grow");
    last = now;
  }
}

static void read_numbers(const uint8_t *data, size_t size) {
  static reply_text written;
  static reply parsed;
  gcnumbers n;
  uint64_t old, written_pauses = 0, read_pauses = 0;
  make_numbers(data, size, &n);
  must_be_ordered(&n);
  reply_begin(&written);
  reply_gc(&written, &n, n.started_ns + size);
  reply_end(&written);
  must(written.ok, "the longest account fits");
  memcpy(text, written.text, written.used);
  must(reply_parse(text, written.used, &parsed) == NULL && !parsed.error, "it can be read");
  must(strcmp(reply_value(&parsed, "collector"), n.on ? "ouro" : "python") == 0,
       "so can the state");
  if (n.on == 0) return;
  for (int i = 0; i < GCNUMBERS_BUCKETS; i++) written_pauses += n.bucket[i];
  for (size_t i = 0; i < parsed.buckets; i++) read_pauses += parsed.bucket[i].count;
  must(written_pauses == read_pauses, "all pauses come through");
  must(reply_number(&parsed, "objects.old", &old) && old == n.old, "numbers come through");
  must(parsed.memos == GCREASON_COUNT, "so do all reasons");
}

/* --- Damage --- */

static void read_edited(const uint8_t *data, size_t size) {
  static reply_text genuine;
  ledger book;
  write_reply(data, size, &genuine, &book);
  must_come_through(&genuine, &book);
  memcpy(text, genuine.text, genuine.used);
  for (; size >= 3; data += 3, size -= 3)
    text[((size_t)data[0] << 8 | data[1]) % genuine.used] = (char)data[2];
  read_reply(genuine.used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  read_request((const char *)data, size);
  read_bytes(data, size);
  read_numbers(data, size);
  read_edited(data, size);
  read_edited(data, size < 6 ? size : 6);
  return 0;
}
