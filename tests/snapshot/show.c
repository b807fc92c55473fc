/* SPDX-License-Identifier: MIT */
/*
 * Prints a snapshot as lines of JSON, for tests in other languages:
 *
 *     snapshot_show FILE
 *
 * One line per fact, type, root, text and object; an object has its edges as lists (target, label
 * kind, label). Texts that are not UTF-8 are printed byte by byte.
 */
#include <inttypes.h>
#include <stdio.h>

#include "snapshot/reader.h"

static const char *const label_names[SNAPSHOT_LABEL_KINDS] = {
    "", "index", "key", "value", "attribute", "local", "cellvar", "internal"};
static const char *const kind_names[SNAPSHOT_TYPE_KINDS] = {
    "other",   "instance",  "dict",      "list",         "tuple",     "set",    "str",
    "bytes",   "number",    "type",      "module",       "function",  "method", "code",
    "cell",    "frame",     "traceback", "exception",    "generator", "task",   "context",
    "weakref", "lru_cache", "partial",   "thread_local", "capsule"};
static const char *const root_names[SNAPSHOT_ROOT_KINDS] = {
    "module", "frame", "thread", "interpreter", "type", "native", "uncollectable"};
static const char *const text_names[SNAPSHOT_TEXT_KINDS] = {"title", "str", "int"};
static const char *const form_names[SNAPSHOT_CONTENT_FORMS] = {"",      "word", "str",
                                                               "bytes", "int",  "float"};

static void put_text(snapshot_text text) {
  putchar('"');
  for (uint32_t i = 0; i < text.length; i++) {
    unsigned char c = (unsigned char)text.text[i];
    if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) printf("\\u%04x", c);
    else putchar(c);
  }
  putchar('"');
}

static void put_facts(const snapshot *s) {
  snapshot_text key, value;
  for (size_t n = 0; snapshot_nth_fact(s, n, &key, &value); n++) {
    printf("{\"fact\": ");
    put_text(key);
    printf(", \"value\": ");
    put_text(value);
    printf("}\n");
  }
}

static void put_types(const snapshot *s, uint64_t count) {
  for (uint32_t id = 0; id < count; id++) {
    snapshot_type type = snapshot_type_of(s, id);
    printf("{\"type\": %" PRIu32 ", \"kind\": \"%s\", \"flags\": %" PRIu32 ", \"at\": %" PRIu64
           ", \"size\": %" PRIu64 ", \"name\": ",
           id, kind_names[type.kind], type.flags, type.address, type.size);
    put_text(type.name);
    printf("}\n");
  }
}

static void put_roots(const snapshot *s, uint64_t count) {
  for (size_t n = 0; n < count; n++) {
    snapshot_root root = snapshot_nth_root(s, n);
    printf("{\"root\": \"%s\", \"target\": %" PRIu64 ", \"text\": ", root_names[root.kind],
           root.target);
    put_text(root.text);
    printf("}\n");
  }
}

static void put_label(const snapshot *s, const snapshot_edge *edge) {
  if (snapshot_label_named(edge->kind)) put_text(snapshot_name(s, edge->label));
  else printf("%" PRIu64, edge->label);
}

static void put_edges(const snapshot *s, snapshot_cursor *cursor) {
  snapshot_edge edge;
  for (int n = 0; cursor_edge(cursor, &edge); n++) {
    printf("%s[%" PRIu64 ", \"%s\", ", n ? ", " : "", edge.target, label_names[edge.kind]);
    put_label(s, &edge);
    putchar(']');
  }
}

static void put_object(const snapshot *s, snapshot_cursor *cursor) {
  const snapshot_object *o = &cursor->object;
  snapshot_text_kind kind;
  snapshot_text text;
  snapshot_content content;
  printf("{\"at\": %" PRIu64 ", \"type\": %" PRIu32 ", \"flags\": %" PRIu32 ", \"size\": %" PRIu64
         ", \"count\": %" PRIu64 ", \"digest\": %" PRIu32 ", \"more\": %s",
         o->address, o->type, o->flags, o->size, o->count, o->digest, o->more ? "true" : "false");
  if (snapshot_text_of(s, o->address, &kind, &text)) {
    printf(", \"%s\": ", text_names[kind]);
    put_text(text);
  }
  if (snapshot_content_of(s, o->address, &content)) {
    printf(", \"form\": \"%s\", \"cut\": %s, \"content\": ", form_names[content.form],
           content.cut ? "true" : "false");
    put_text(content.text);
  }
  printf(", \"edges\": [");
  put_edges(s, cursor);
  printf("]}\n");
}

static int put_objects(const snapshot *s) {
  snapshot_cursor cursor = {0};
  for (size_t block = 0; block < snapshot_object_blocks(s); block++) {
    if (!cursor_begin(&cursor, s, block)) return 1;
    while (cursor_object(&cursor)) put_object(s, &cursor);
    if (cursor.damaged) return 1;
  }
  cursor_finish(&cursor);
  return 0;
}

int main(int argc, char **argv) {
  char why[SNAPSHOT_WHY];
  snapshot *s = argc == 2 ? snapshot_open(argv[1], why) : NULL;
  if (!s) {
    fprintf(stderr, "snapshot_show: %s\n", argc == 2 ? why : "give the name of one file");
    return 2;
  }
  snapshot_totals totals = snapshot_count(s);
  printf("{\"complete\": %s, \"objects\": %" PRIu64 ", \"edges\": %" PRIu64 "}\n",
         snapshot_complete(s) ? "true" : "false", totals.objects, totals.edges);
  put_facts(s);
  put_types(s, totals.types);
  put_roots(s, totals.roots);
  int status = put_objects(s);
  snapshot_close(s);
  return status;
}
