/* SPDX-License-Identifier: MIT */
#include "verdict_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../snapshot/literal.h"

#define VERDICT_VALUE 48 /* bytes of a leaf's, and the end */

verdict_word verdict_bytes(uint64_t bytes) {
  static const char units[] = "KMGT";
  verdict_word word;
  int unit = -1;
  double value = (double)bytes;
  for (; value >= 1023.95 && units[unit + 1]; unit++) value /= 1024;
  if (unit < 0) snprintf(word.text, sizeof word.text, "%" PRIu64 " B", bytes);
  else snprintf(word.text, sizeof word.text, "%.1f %ciB", value, units[unit]);
  return word;
}

verdict_word verdict_number(uint64_t number) {
  char digits[32];
  verdict_word word;
  size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number), at = 0;
  for (size_t i = 0; i < length; i++) {
    if (i > 0 && (length - i) % 3 == 0) word.text[at++] = ',';
    word.text[at++] = digits[i];
  }
  word.text[at] = '\0';
  return word;
}

/* Cuts off what is left of a character whose last bytes are missing. */
static size_t verdict_whole(const char *text, size_t length) {
  size_t start = length;
  while (start > 0 && length - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
    start--;
  if (start == 0 || (unsigned char)text[start - 1] < 0xC0) return length;
  unsigned char lead = (unsigned char)text[start - 1];
  size_t wants = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  return length - start + 1 < wants ? start - 1 : length;
}

verdict_word verdict_clean(snapshot_text text) {
  verdict_word word;
  size_t length = text.length;
  if (length > VERDICT_WORD - 1) length = verdict_whole(text.text, VERDICT_WORD - 1);
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text.text[i];
    word.text[i] = c < ' ' || c == 0x7F ? '?' : (char)c;
  }
  word.text[length] = '\0';
  return word;
}

verdict_word verdict_type(const graph *g, graph_node node) {
  snapshot_text name = snapshot_type_of(g->from, g->type[node]).name;
  if (name.length == 0) name = (snapshot_text){"(no type)", 9};
  return verdict_clean(name);
}

snapshot_text verdict_title(const graph *g, graph_node node) {
  snapshot_text_kind kind;
  snapshot_text text;
  bool found = snapshot_text_of(g->from, graph_address(g, node), &kind, &text);
  return found && kind == SNAPSHOT_TITLE ? text : (snapshot_text){NULL, 0};
}

static verdict_word verdict_cut(verdict_word word, size_t most) {
  if (strlen(word.text) > most) word.text[verdict_whole(word.text, most)] = '\0';
  return word;
}

static verdict_word verdict_titled(const char *word, const graph *g, graph_node node) {
  verdict_word whole;
  snapshot_text title = verdict_title(g, node);
  if (title.length == 0) return verdict_type(g, node);
  snprintf(whole.text, sizeof whole.text, "%s %.80s", word,
           verdict_cut(verdict_clean(title), 80).text);
  return whole;
}

static verdict_word verdict_filled(const graph *g, graph_node node, uint64_t items,
                                   const char *unit) {
  verdict_word whole;
  snprintf(whole.text, sizeof whole.text, "%.60s, %.26s %s%s",
           verdict_cut(verdict_type(g, node), 60).text, verdict_number(items).text, unit,
           items == 1 ? "" : "s");
  return whole;
}

static verdict_word verdict_entries(const graph *g, graph_node node) {
  verdict_word whole;
  uint64_t entries = graph_out_degree(g, node) / 2;
  snprintf(whole.text, sizeof whole.text, "%.60s, %.25s entr%s",
           verdict_cut(verdict_type(g, node), 60).text, verdict_number(entries).text,
           entries == 1 ? "y" : "ies");
  return whole;
}

verdict_word verdict_object(const graph *g, graph_node node) {
  switch (snapshot_type_of(g->from, g->type[node]).kind) {
  case SNAPSHOT_MODULE: return verdict_titled("module", g, node);
  case SNAPSHOT_FUNCTION: return verdict_titled("function", g, node);
  case SNAPSHOT_TYPE: return verdict_titled("class", g, node);
  case SNAPSHOT_FRAME: return verdict_titled("frame", g, node);
  case SNAPSHOT_DICT: return verdict_entries(g, node);
  case SNAPSHOT_LIST:
  case SNAPSHOT_TUPLE:
  case SNAPSHOT_SET: return verdict_filled(g, node, graph_out_degree(g, node), "item");
  default: return verdict_type(g, node);
  }
}

void verdict_say(char line[VERDICT_LINE], const char *format, ...) {
  size_t length = strlen(line);
  va_list values;
  va_start(values, format);
  int wanted = vsnprintf(line + length, VERDICT_LINE - length, format, values);
  va_end(values);
  if (wanted >= 0 && length + (size_t)wanted >= VERDICT_LINE)
    line[verdict_whole(line, VERDICT_LINE - 1)] = '\0';
}

void verdict_say_value(char line[VERDICT_LINE], const char *before, const graph *g,
                       graph_node node) {
  snapshot_content content;
  verdict_word value;
  if (snapshot_content_of(g->from, graph_address(g, node), &content))
    verdict_say(line, "%s%s", before, literal_write(&content, value.text, VERDICT_VALUE));
}

char *verdict_line(finding *f) {
  if (f->lines < VERDICT_LINES) f->lines++;
  char *line = f->evidence[f->lines - 1];
  line[0] = '\0';
  return line;
}

static bool verdict_is_plain(const char *text) {
  for (; *text; text++) {
    bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
    if (!letter && *text != '_' && *text != '.' && (*text < '0' || *text > '9')) return false;
  }
  return true;
}

verdict_word verdict_address(const graph *g, graph_node node) {
  verdict_word word;
  snprintf(word.text, sizeof word.text, "0x%" PRIx64, graph_address(g, node));
  return word;
}

verdict_word verdict_target(const graph *g, graph_node node) {
  verdict_word word = verdict_type(g, node);
  snapshot_text name = snapshot_type_of(g->from, g->type[node]).name;
  if (name.length > 0 && name.length < VERDICT_WORD && verdict_is_plain(word.text)) return word;
  return verdict_address(g, node);
}
