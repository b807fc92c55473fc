/* SPDX-License-Identifier: MIT */
/* The words of the control channel (docs/design/channel.md): reading a request, writing a reply. No
 * sockets, no interpreter, no memory of its own. */
#ifndef OURO_EXT_REQUEST_H
#define OURO_EXT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "gc/numbers.h"
#include "ledger.h"
#include "service.h"

#define REQUEST_BYTES_MAX 64

typedef enum request_kind {
  REQUEST_INCOMPLETE, /* no end of line yet */
  REQUEST_TOO_LONG,
  REQUEST_UNKNOWN,
  REQUEST_PING,
  REQUEST_LEDGER,
  REQUEST_GC,
  REQUEST_GIVE_BACK,
  REQUEST_SNAPSHOT,
  REQUEST_SNAPSHOT_REDACTED,
  REQUEST_SNAPSHOT_VALUES
} request_kind;

/* A snapshot's request comes with two descriptors, for the file and for what snaptake_tell says. */
#define REQUEST_PASSED 2

typedef struct request {
  request_kind kind;
  int passed[REQUEST_PASSED]; /* of those kinds only */
} request;

/* What the bytes received so far ask for. Bytes behind the first line are ignored. */
request_kind request_parse(const char *text, size_t length);

/* Whether it is a snapshot's request, and what that is to tell. */
static inline bool request_is_snapshot(request_kind kind) {
  return kind == REQUEST_SNAPSHOT || kind == REQUEST_SNAPSHOT_REDACTED ||
         kind == REQUEST_SNAPSHOT_VALUES;
}
static inline snaptells request_tells(request_kind kind) {
  return kind == REQUEST_SNAPSHOT_REDACTED ? SNAPTELLS_NAMES
         : kind == REQUEST_SNAPSHOT_VALUES ? SNAPTELLS_VALUES
                                           : SNAPTELLS_KEYS;
}

#define REPLY_TEXT_MAX 16384

/* A reply under construction. What does not fit is dropped as a whole and `ok` is false. */
typedef struct reply_text {
  size_t used;
  bool ok;
  char text[REPLY_TEXT_MAX];
} reply_text;

void reply_begin(reply_text *to);
void reply_put(reply_text *to, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void reply_ledger(reply_text *to, const ledger *book);
/* `now`: of the clock that started_ns is of. */
void reply_gc(reply_text *to, const gcnumbers *n, uint64_t now);
void reply_given_back(reply_text *to, service_given_back given);
void reply_end(reply_text *to);

/* Instead of all the above: a reply that says what could not be done. */
void reply_error(reply_text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
