/* SPDX-License-Identifier: MIT */
/* A snapshot as text, one line per fact, in the file's order. */
#ifndef OURO_TESTS_SNAPSHOT_DUMP_H
#define OURO_TESTS_SNAPSHOT_DUMP_H

#include <inttypes.h>
#include <stdio.h>

#include "snapshot/reader.h"

static inline void dump_text(FILE *to, const char *before, snapshot_text text) {
  fprintf(to, "%s\"%.*s\"", before, (int)text.length, text.length ? text.text : "");
}

static inline void dump_edge(FILE *to, const snapshot *s, const snapshot_edge *edge) {
  static const char *const words[SNAPSHOT_LABEL_ROOM] = {
      "unnamed", "index", "key", "value", "attribute", "local", "cellvar", "internal"};
  fprintf(to, "  %s", words[edge->kind]);
  if (edge->kind == SNAPSHOT_INDEX) fprintf(to, " %" PRIu64, edge->label);
  if (edge->kind == SNAPSHOT_VALUE) fprintf(to, " of %" PRIx64, edge->label);
  if (snapshot_label_named(edge->kind)) dump_text(to, " ", snapshot_name(s, edge->label));
  fprintf(to, " -> %" PRIx64 "\n", edge->target);
}

static inline void dump_object(FILE *to, const snapshot *s, const snapshot_object *o) {
  snapshot_text_kind kind;
  snapshot_text text;
  snapshot_content content;
  fprintf(to, "object %" PRIx64, o->address);
  dump_text(to, " ", snapshot_type_of(s, o->type).name);
  fprintf(to, " flags %x size %" PRIu64 " count %" PRIu64 " digest %x", o->flags, o->size, o->count,
          o->digest);
  if (o->more) fputs(" more", to);
  if (snapshot_text_of(s, o->address, &kind, &text)) {
    fprintf(to, " text %d", (int)kind);
    dump_text(to, " ", text);
  }
  if (snapshot_content_of(s, o->address, &content)) {
    fprintf(to, " content %d%s", (int)content.form, content.cut ? " cut" : "");
    dump_text(to, " ", content.text);
  }
  fputc('\n', to);
}

static inline void dump_objects(FILE *to, const snapshot *s) {
  snapshot_cursor c = {0};
  snapshot_edge edge;
  for (size_t i = 0; i < snapshot_object_blocks(s); i++) {
    if (!cursor_begin(&c, s, i)) break;
    while (cursor_object(&c)) {
      dump_object(to, s, &c.object);
      while (cursor_edge(&c, &edge)) dump_edge(to, s, &edge);
    }
    if (c.damaged) fputs("damaged\n", to);
  }
  cursor_finish(&c);
}

static inline void dump_tables(FILE *to, const snapshot *s) {
  snapshot_totals t = snapshot_count(s);
  snapshot_text key, value;
  for (size_t i = 0; snapshot_nth_fact(s, i, &key, &value); i++) {
    dump_text(to, "fact ", key);
    dump_text(to, " ", value);
    fputc('\n', to);
  }
  for (uint32_t i = 0; i < t.types; i++) {
    snapshot_type type = snapshot_type_of(s, i);
    fprintf(to, "type %u kind %d flags %x address %" PRIx64 " size %" PRIu64, i, (int)type.kind,
            type.flags, type.address, type.size);
    dump_text(to, " ", type.name);
    fputc('\n', to);
  }
  for (uint64_t i = 0; i < t.roots; i++) {
    snapshot_root root = snapshot_nth_root(s, i);
    fprintf(to, "root kind %d target %" PRIx64, (int)root.kind, root.target);
    dump_text(to, " ", root.text);
    fputc('\n', to);
  }
}

static inline void dump_snapshot(FILE *to, const snapshot *s) {
  snapshot_totals t = snapshot_count(s);
  fprintf(to,
          "complete %d objects %" PRIu64 " edges %" PRIu64 " types %" PRIu64 " names %" PRIu64
          " texts %" PRIu64 " roots %" PRIu64 "\n",
          snapshot_complete(s), t.objects, t.edges, t.types, t.names, t.texts, t.roots);
  dump_tables(to, s);
  dump_objects(to, s);
}

#endif
