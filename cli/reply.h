/* SPDX-License-Identifier: MIT */
/* The reader of what a program answers on its control channel (docs/design/channel.md). It trusts
 * nothing: the other side may be any program of any version. */
#ifndef OURO_CLI_REPLY_H
#define OURO_CLI_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_BYTES_MAX ((size_t)256 << 10)
#define REPLY_ROWS_MAX 128
#define REPLY_MEMOS_MAX 128
#define REPLY_PAIRS_MAX 64
#define REPLY_BUCKETS_MAX 256

/* A row of the tree; `parent` is the index of a row before it, -1 at the root. */
typedef struct reply_row {
  const char *key, *label;
  uint64_t bytes;
  int parent;
} reply_row;

typedef struct reply_memo {
  const char *key, *unit, *label;
  uint64_t value;
} reply_memo;

typedef struct reply_pair {
  const char *key, *value;
} reply_pair;

/* How many pauses were at most so long, and longer than the bucket before. */
typedef struct reply_bucket {
  uint64_t most_ns, count;
} reply_bucket;

/* All strings point into the text given to reply_parse. */
typedef struct reply {
  const char *error; /* what the program said it could not do; NULL: the rest is its answer */
  size_t rows, memos, pairs, buckets;
  reply_row row[REPLY_ROWS_MAX];
  reply_memo memo[REPLY_MEMOS_MAX];
  reply_pair pair[REPLY_PAIRS_MAX];
  reply_bucket bucket[REPLY_BUCKETS_MAX]; /* from short to long */
} reply;

/* Reads a whole reply of `length` bytes; text[length] must be writable. Cuts `text` into strings.
 * NULL, or a static text that says what is wrong with it. */
const char *reply_parse(char *text, size_t length, reply *out);

/* The value of a pair, NULL if there is none. */
const char *reply_value(const reply *from, const char *key);

/* The same as a number. False: there is none, and `*value` is 0. */
bool reply_number(const reply *from, const char *key, uint64_t *value);

#endif
