/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include <string.h>

#include "size.h"

/* Control characters could drive the terminal that the text is printed on. */
static bool printable(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c != '\n' && (c < 0x20 || c == 0x7F)) return false;
  }
  return true;
}

/* Cuts the text at the first `separator`; NULL if there is none. The rest moves to behind it. */
static char *cut(char **rest, char separator) {
  char *word = *rest;
  char *end = strchr(word, separator);
  if (end == NULL) return NULL;
  *end = '\0';
  *rest = end + 1;
  return word;
}

static int row_index(const reply *from, const char *key) {
  for (size_t i = 0; i < from->rows; i++)
    if (strcmp(from->row[i].key, key) == 0) return (int)i;
  return -1;
}

static bool number(const char *text, uint64_t *value) {
  return text != NULL && size_parse_count(text, UINT64_MAX, value);
}

static const char *add_row(reply *to, char *line) {
  if (to->rows == REPLY_ROWS_MAX) return "too many rows";
  reply_row *row = &to->row[to->rows];
  row->key = cut(&line, ' ');
  const char *parent = cut(&line, ' ');
  const char *bytes = cut(&line, ' ');
  if (!number(bytes, &row->bytes)) return "a row without a number";
  row->label = line;
  row->parent = strcmp(parent, "-") == 0 ? -1 : row_index(to, parent);
  if (row->parent < 0 && strcmp(parent, "-") != 0) return "a row before its parent";
  to->rows++;
  return NULL;
}

static const char *add_memo(reply *to, char *line) {
  if (to->memos == REPLY_MEMOS_MAX) return "too many memos";
  reply_memo *memo = &to->memo[to->memos];
  memo->key = cut(&line, ' ');
  memo->unit = cut(&line, ' ');
  if (!number(cut(&line, ' '), &memo->value)) return "a memo without a number";
  memo->label = line;
  to->memos++;
  return NULL;
}

static const char *add_bucket(reply *to, char *line) {
  if (to->buckets == REPLY_BUCKETS_MAX) return "too many buckets";
  reply_bucket *bucket = &to->bucket[to->buckets];
  if (!number(cut(&line, ' '), &bucket->most_ns) || !number(line, &bucket->count))
    return "a bucket without numbers";
  if (to->buckets > 0 && bucket->most_ns <= bucket[-1].most_ns) return "buckets out of order";
  to->buckets++;
  return NULL;
}

static const char *add_pair(reply *to, const char *key, const char *value) {
  if (to->pairs == REPLY_PAIRS_MAX) return "too many values";
  to->pair[to->pairs++] = (reply_pair){key, value};
  return NULL;
}

static const char *add_line(reply *to, char *line) {
  const char *kind = cut(&line, ' ');
  if (kind == NULL) return "a line without a value";
  if (strcmp(kind, "row") == 0) return add_row(to, line);
  if (strcmp(kind, "memo") == 0) return add_memo(to, line);
  if (strcmp(kind, "bucket") == 0) return add_bucket(to, line);
  return add_pair(to, kind, line);
}

static const char *read_head(const char *line, reply *out) {
  static const char ok[] = "ouro 1 ok", failed[] = "ouro 1 error ";
  if (strcmp(line, ok) == 0) return NULL;
  if (strncmp(line, failed, sizeof failed - 1) == 0) {
    out->error = line + sizeof failed - 1;
    return NULL;
  }
  return strncmp(line, "ouro ", 5) == 0 ? "another version of the protocol" : "not Ouro's protocol";
}

const char *reply_parse(char *text, size_t length, reply *out) {
  text[length] = '\0';
  out->error = NULL;
  out->rows = out->memos = out->pairs = out->buckets = 0;
  if (!printable(text, length)) return "not text";
  char *rest = text;
  const char *line = cut(&rest, '\n');
  const char *wrong = line == NULL ? "it breaks off" : read_head(line, out);
  while (wrong == NULL) {
    char *next = cut(&rest, '\n');
    if (next == NULL) return "it breaks off";
    if (strcmp(next, ".") == 0) return *rest == '\0' ? NULL : "it does not end at its end";
    wrong = add_line(out, next);
  }
  return wrong;
}

const char *reply_value(const reply *from, const char *key) {
  for (size_t i = 0; i < from->pairs; i++)
    if (strcmp(from->pair[i].key, key) == 0) return from->pair[i].value;
  return NULL;
}

bool reply_number(const reply *from, const char *key, uint64_t *value) {
  bool is_one = number(reply_value(from, key), value);
  if (!is_one) *value = 0;
  return is_one;
}
