/* SPDX-License-Identifier: MIT */
#include "print_heap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "duration.h"
#include "snapshot/literal.h"
#include "table.h"

/* --- Texts --- */

const char *heap_clean(snapshot_text text, char out[HEAP_TEXT]) {
  const unsigned char *from = (const unsigned char *)text.text;
  size_t at = 0, used = 0;
  while (at < text.length) {
    uint32_t point = 0;
    size_t length = literal_character(from + at, text.length - at, &point);
    bool good = length > 0 && !literal_obeyed(point);
    size_t wanted = good ? length : 1;
    if (used + wanted >= HEAP_TEXT) break;
    if (good) memcpy(out + used, from + at, length);
    else out[used] = '?';
    used += wanted;
    at += length > 0 ? length : 1;
  }
  out[used] = '\0';
  return out;
}

const char *heap_clean_string(const char *text, char out[HEAP_TEXT]) {
  return heap_clean((snapshot_text){text, (uint32_t)strnlen(text, HEAP_TEXT)}, out);
}

static bool begins_character(char c) { return ((unsigned char)c & 0xC0) != 0x80; }

static size_t characters_of(const char *text) {
  size_t count = 0;
  for (; *text != '\0'; text++) count += begins_character(*text);
  return count;
}

/* Where the n-th character begins. */
static char *character(char *text, size_t n) {
  for (; *text != '\0'; text++)
    if (begins_character(*text) && n-- == 0) break;
  return text;
}

static const char *ellipsis(void) { return table_is_ascii() ? "..." : "\u2026"; }

/* Of a dotted name the end says most, of a value, quoted or a number, the beginning. */
static bool is_value(const char *text) {
  if (text[0] == 'b' || text[0] == '-') text++;
  return text[0] == '\'' || text[0] == '"' || (text[0] >= '0' && text[0] <= '9');
}

char *heap_shorten(char *text, size_t characters) {
  const char *mark = ellipsis();
  size_t have = characters_of(text), room = characters - characters_of(mark);
  if (have <= characters) return text;
  char *kept = character(text, have - room);
  bool dotted = strchr(text, ' ') == NULL && strchr(kept, '.') != NULL && !is_value(text);
  if (!dotted) {
    strcpy(character(text, room), mark);
    return text;
  }
  memmove(text + strlen(mark), kept, strlen(kept) + 1);
  memcpy(text, mark, strlen(mark));
  return text;
}

/* --- Names --- */

const char *heap_type(const graph *g, graph_node n, char out[HEAP_TEXT]) {
  heap_clean(snapshot_type_of(g->from, g->type[n]).name, out);
  if (out[0] == '\0') strcpy(out, "?");
  return out;
}

const char *heap_address(const graph *g, graph_node n, char out[HEAP_ADDRESS]) {
  snprintf(out, HEAP_ADDRESS, "0x%" PRIx64, graph_address(g, n));
  return out;
}

static const char *titled_word(snapshot_type_kind kind) {
  switch (kind) {
  case SNAPSHOT_TYPE: return "class";
  case SNAPSHOT_MODULE: return "module";
  case SNAPSHOT_FUNCTION: return "function";
  case SNAPSHOT_METHOD: return "method";
  case SNAPSHOT_CODE: return "code of";
  case SNAPSHOT_FRAME: return "frame";
  case SNAPSHOT_GENERATOR: return "generator";
  default: return NULL;
  }
}

const char *heap_name(const graph *g, graph_node n, char out[HEAP_TEXT]) {
  char type[HEAP_TEXT], title[HEAP_TEXT];
  snapshot_text_kind kind;
  snapshot_text text;
  uint64_t address = graph_address(g, n);
  const char *word = titled_word(snapshot_type_of(g->from, g->type[n]).kind);
  bool titled = snapshot_text_of(g->from, address, &kind, &text) && kind == SNAPSHOT_TITLE;
  if (!titled) {
    snprintf(out, HEAP_TEXT, "%.280s at 0x%" PRIx64, heap_type(g, n, type), address);
  } else {
    if (word == NULL) word = heap_type(g, n, type);
    snprintf(out, HEAP_TEXT, "%.120s %.180s", word, heap_clean(text, title));
  }
  char again[HEAP_TEXT]; /* what was cut within a character */
  return strcpy(out, heap_clean_string(out, again));
}

const char *heap_value(const graph *g, graph_node n, char out[HEAP_TEXT]) {
  snapshot_content content;
  out[0] = '\0';
  if (!snapshot_content_of(g->from, graph_address(g, n), &content)) return out;
  return literal_write(&content, out, HEAP_TEXT);
}

const char *heap_name_and_value(const graph *g, graph_node n, char out[HEAP_TEXT]) {
  char value[HEAP_TEXT], whole[2 * HEAP_TEXT + 4];
  heap_name(g, n, out);
  if (heap_value(g, n, value)[0] == '\0') return out;
  snprintf(whole, sizeof whole, "%s: %s", out, value);
  return heap_clean_string(whole, out);
}

/* ['user:1'], [17]; of a key without a text: [Point]. */
static void label_key(const graph *g, uint64_t key, char out[HEAP_TEXT]) {
  char cleaned[HEAP_TEXT];
  snapshot_text_kind kind;
  snapshot_text text;
  graph_node node = graph_find(g, key);
  if (!snapshot_text_of(g->from, key, &kind, &text)) {
    snprintf(out, HEAP_TEXT, "[%.280s]", node == GRAPH_NONE ? "?" : heap_type(g, node, cleaned));
    return;
  }
  const char *format = kind == SNAPSHOT_KEY_STR ? "['%.280s']" : "[%.280s]";
  snprintf(out, HEAP_TEXT, format, heap_clean(text, cleaned));
}

const char *heap_label(const graph *g, const snapshot_edge *edge, char out[HEAP_TEXT]) {
  static const char *const formats[SNAPSHOT_LABEL_KINDS] = {[SNAPSHOT_ATTRIBUTE] = ".%.280s",
                                                            [SNAPSHOT_LOCAL] = "local %.280s",
                                                            [SNAPSHOT_CELLVAR] = "cell %.280s",
                                                            [SNAPSHOT_INTERNAL] = "(%.280s)"};
  char name[HEAP_TEXT];
  switch (edge->kind) {
  case SNAPSHOT_INDEX: snprintf(out, HEAP_TEXT, "[%" PRIu64 "]", edge->label); break;
  case SNAPSHOT_KEY: strcpy(out, "a key"); break;
  case SNAPSHOT_VALUE: label_key(g, edge->label, out); break;
  case SNAPSHOT_ATTRIBUTE:
  case SNAPSHOT_LOCAL:
  case SNAPSHOT_CELLVAR:
  case SNAPSHOT_INTERNAL:
    heap_clean(snapshot_name(g->from, edge->label), name);
    snprintf(out, HEAP_TEXT, formats[edge->kind], name);
    break;
  default: strcpy(out, "->");
  }
  return out;
}

const char *heap_label_kind(snapshot_label_kind kind) {
  static const char *const words[] = {"unnamed",   "index", "key",  "value",
                                      "attribute", "local", "cell", "internal"};
  return kind < SNAPSHOT_LABEL_KINDS ? words[kind] : "unnamed";
}

const char *heap_root_kind(snapshot_root_kind kind) {
  static const char *const words[] = {"module", "frame",  "thread",       "interpreter",
                                      "type",   "native", "uncollectable"};
  return kind < SNAPSHOT_ROOT_KINDS ? words[kind] : "other";
}

const char *heap_class(reach_class class) {
  static const char *const words[] = {"garbage", "unseen", "held"};
  return class < REACH_CLASSES ? words[class] : "held";
}

const char *heap_root(const graph *g, uint32_t root, char out[HEAP_TEXT]) {
  static const char *const words[] = {"", "thread", "thread", "interpreter", "", "native", ""};
  char text[HEAP_TEXT];
  snapshot_root what = snapshot_nth_root(g->from, root);
  heap_clean(what.text, text);
  if (what.kind == SNAPSHOT_ROOT_UNCOLLECTABLE) strcpy(out, "gc.garbage");
  else if (what.kind >= SNAPSHOT_ROOT_KINDS || words[what.kind][0] == '\0') out[0] = '\0';
  else snprintf(out, HEAP_TEXT, "%s%s%.280s", words[what.kind], text[0] != '\0' ? " " : "", text);
  return out;
}

const char *heap_count(uint64_t count, const char *one, char out[HEAP_COUNT]) {
  char digits[DURATION_TEXT];
  snprintf(out, HEAP_COUNT, "%s %.24s%s", duration_format_count(count, digits), one,
           count == 1 ? "" : "s");
  return out;
}

/* --- JSON --- */

json_t *heap_json_whole(uint64_t value) {
  return json_integer(value <= INT64_MAX ? (json_int_t)value : INT64_MAX);
}

json_t *heap_json_node(const graph *g, graph_node n) {
  char text[HEAP_TEXT];
  json_t *node = json_object();
  json_object_set_new(node, "address", heap_json_whole(graph_address(g, n)));
  json_object_set_new(node, "type", json_string(heap_type(g, n, text)));
  json_object_set_new(node, "name", json_string(heap_name(g, n, text)));
  json_object_set_new(node, "size", heap_json_whole(graph_size(g, n)));
  if (heap_value(g, n, text)[0] != '\0') json_object_set_new(node, "value", json_string(text));
  return node;
}

void heap_json_print(json_t *whole) {
  json_dumpf(whole, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(whole);
}
