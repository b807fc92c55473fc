/* SPDX-License-Identifier: MIT */
/* Asks a snapshot everything that can be asked, and touches each byte of the answers. */
#ifndef OURO_TESTS_SNAPSHOT_EVERYTHING_H
#define OURO_TESTS_SNAPSHOT_EVERYTHING_H

#include "snapshot/literal.h"
#include "snapshot/reader.h"

typedef struct everything {
  uint64_t sum; /* of all that was read, so that nothing is left out by the compiler */
  uint64_t objects, edges, texts;
  bool damaged;
} everything;

static inline void touch_text(everything *e, snapshot_text text) {
  for (uint32_t i = 0; i < text.length; i++) e->sum += (uint8_t)text.text[i];
}

static inline void ask_text_of(everything *e, const snapshot *s, uint64_t address) {
  snapshot_text_kind kind;
  snapshot_text text;
  snapshot_content content;
  char shown[64];
  if (snapshot_content_of(s, address, &content)) {
    touch_text(e, content.text);
    e->sum += content.form + content.cut + (uint8_t)literal_write(&content, shown, sizeof shown)[0];
  }
  if (!snapshot_text_of(s, address, &kind, &text)) return;
  touch_text(e, text);
  e->texts++;
  e->sum += kind;
}

static inline void ask_tables(everything *e, const snapshot *s) {
  snapshot_totals totals = snapshot_count(s);
  snapshot_text key, value;
  for (size_t i = 0; snapshot_nth_fact(s, i, &key, &value); i++) {
    touch_text(e, key);
    touch_text(e, value);
  }
  for (uint64_t i = 0; i <= totals.types; i++) {
    snapshot_type type = snapshot_type_of(s, (uint32_t)i);
    e->sum += type.kind + type.flags + type.address + type.size;
    touch_text(e, type.name);
  }
  for (uint64_t i = 0; i <= totals.names; i++) touch_text(e, snapshot_name(s, i));
  for (uint64_t i = 0; i <= totals.roots; i++) {
    snapshot_root root = snapshot_nth_root(s, i);
    e->sum += root.kind + root.target;
    touch_text(e, root.text);
    ask_text_of(e, s, root.target);
  }
  touch_text(e, snapshot_fact(s, "writer"));
  e->sum += snapshot_number(s, "pid", 7) + snapshot_file_bytes(s) + snapshot_complete(s);
  e->sum += snapshot_holds_contents(s);
}

static inline void ask_block(everything *e, const snapshot *s, snapshot_cursor *c, size_t block) {
  snapshot_edge edge;
  if (!cursor_begin(c, s, block)) return;
  while (cursor_object(c)) {
    e->objects += !c->object.more;
    e->sum += c->object.address + c->object.size + c->object.count + c->object.type;
    e->sum += c->object.flags + c->object.digest;
    ask_text_of(e, s, c->object.address);
    while (cursor_edge(c, &edge)) {
      e->edges++;
      e->sum += edge.target + edge.kind + edge.label;
      if (snapshot_label_named(edge.kind)) touch_text(e, snapshot_name(s, edge.label));
    }
  }
  e->damaged |= c->damaged;
}

static inline everything ask_everything(const snapshot *s) {
  everything e = {0};
  snapshot_cursor c = {0};
  ask_tables(&e, s);
  for (size_t i = 0; i <= snapshot_object_blocks(s); i++) ask_block(&e, s, &c, i);
  cursor_finish(&c);
  return e;
}

#endif
