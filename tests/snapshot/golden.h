/* SPDX-License-Identifier: MIT */
/*
 * The heap of tests/golden/snapshot-1.ouro: small, with one of everything the format has, but for
 * what only large heaps have (objects that continue in another block).
 */
#ifndef OURO_TESTS_SNAPSHOT_GOLDEN_H
#define OURO_TESTS_SNAPSHOT_GOLDEN_H

#include "snapshot/writer.h"

typedef struct golden_words {
  uint32_t str, dict, list, type, module, order, function, frame; /* types */
  uint32_t items, cache, class, globals;                          /* names */
} golden_words;

#define GOLDEN_TYPE 0x1000u
#define GOLDEN_MODULE 0x7f0000000040u
#define GOLDEN_DICT 0x7f0000000080u
#define GOLDEN_KEY 0x7f00000000c0u
#define GOLDEN_LIST 0x7f0000000100u
#define GOLDEN_ORDER 0x7f0000000140u /* and another one behind it */
#define GOLDEN_FUNCTION 0x7f00000001c0u
#define GOLDEN_FRAME 0x7f0000000200u

static inline uint32_t golden_name(writer *w, const char *name) {
  size_t length = 0;
  while (name[length]) length++;
  return writer_name(w, name, length);
}

static inline golden_words golden_begin(writer *w) {
  golden_words g;
  writer_fact(w, "writer", "cpython");
  writer_fact(w, "python", "3.11.7");
  writer_fact(w, "gc.threshold0", "%d", 700);
  g.str = writer_type(w, SNAPSHOT_STR, 0, 0, 49, "str");
  g.dict = writer_type(w, SNAPSHOT_DICT, SNAPSHOT_TYPE_GC, 0, 64, "dict");
  g.list = writer_type(w, SNAPSHOT_LIST, SNAPSHOT_TYPE_GC, 0, 56, "list");
  g.type = writer_type(w, SNAPSHOT_TYPE, SNAPSHOT_TYPE_GC, 0, 904, "type");
  g.module = writer_type(w, SNAPSHOT_MODULE, SNAPSHOT_TYPE_GC, 0, 72, "module");
  g.order = writer_type(w, SNAPSHOT_INSTANCE,
                        SNAPSHOT_TYPE_HEAP | SNAPSHOT_TYPE_GC | SNAPSHOT_TYPE_FINALIZER,
                        GOLDEN_TYPE, 48, "shop.Order");
  g.function = writer_type(w, SNAPSHOT_FUNCTION, SNAPSHOT_TYPE_GC, 0, 144, "function");
  g.frame = writer_type(w, SNAPSHOT_FRAME, SNAPSHOT_TYPE_GC, 0, 0, "frame");
  g.items = golden_name(w, "items");
  g.cache = golden_name(w, "cache");
  g.class = golden_name(w, "__class__");
  g.globals = golden_name(w, "__globals__");
  return g;
}

static inline void golden_object(writer *w, uint64_t address, uint32_t type, uint32_t flags,
                                 uint64_t size, uint64_t count) {
  writer_object(w, &(writer_object_facts){.address = address,
                                          .type = type,
                                          .flags = flags,
                                          .size = size,
                                          .count = count,
                                          .digest = type == 0 ? 0x0DE57A11 : 0});
}

static inline void golden_named(writer *w, snapshot_label_kind kind, uint32_t name, uint64_t to) {
  writer_run(w, kind, 0, 1);
  writer_named_edge(w, name, to);
}

static inline void golden_plain(writer *w, snapshot_label_kind kind, uint64_t first, uint64_t to) {
  writer_run(w, kind, first, 1);
  writer_edge(w, to);
}

static inline void golden_containers(writer *w, const golden_words *g) {
  golden_object(w, GOLDEN_MODULE, g->module, SNAPSHOT_TRACKED | 2, 88, 2);
  golden_named(w, SNAPSHOT_INTERNAL, g->globals, GOLDEN_DICT);
  writer_object_end(w);
  golden_object(w, GOLDEN_DICT, g->dict, SNAPSHOT_TRACKED | 2, 248, 2);
  golden_plain(w, SNAPSHOT_KEY, 0, GOLDEN_KEY);
  golden_plain(w, SNAPSHOT_VALUE, 0, GOLDEN_LIST);
  golden_named(w, SNAPSHOT_ATTRIBUTE, g->cache, GOLDEN_FUNCTION);
  writer_object_end(w);
  golden_object(w, GOLDEN_LIST, g->list, SNAPSHOT_TRACKED | 2, 88, 2);
  writer_run(w, SNAPSHOT_INDEX, 0, 2);
  writer_edge(w, GOLDEN_ORDER);
  writer_edge(w, GOLDEN_ORDER + 64);
  writer_object_end(w);
}

static inline void golden_orders(writer *w, const golden_words *g) {
  for (uint64_t at = GOLDEN_ORDER; at <= GOLDEN_ORDER + 64; at += 64) {
    golden_object(w, at, g->order, SNAPSHOT_TRACKED | SNAPSHOT_FINALIZED, 48, 1);
    golden_named(w, SNAPSHOT_ATTRIBUTE, g->items, GOLDEN_LIST);
    golden_named(w, SNAPSHOT_INTERNAL, g->class, GOLDEN_TYPE);
    writer_object_end(w);
  }
}

static inline void golden_code(writer *w, const golden_words *g) {
  golden_object(w, GOLDEN_FUNCTION, g->function, SNAPSHOT_TRACKED | 1, 160, 1);
  golden_named(w, SNAPSHOT_CELLVAR, g->cache, GOLDEN_KEY);
  golden_plain(w, SNAPSHOT_INDEX, 5, GOLDEN_DICT);
  writer_object_end(w);
  golden_object(w, GOLDEN_FRAME, g->frame, SNAPSHOT_PSEUDO, 0, 0);
  golden_named(w, SNAPSHOT_LOCAL, g->items, GOLDEN_LIST);
  golden_plain(w, SNAPSHOT_UNNAMED, 0, 0x7f0012345678);
  writer_object_end(w);
}

static inline void golden_heap(writer *w) {
  golden_words g = golden_begin(w);
  golden_object(w, GOLDEN_TYPE, g.type, SNAPSHOT_STATIC | SNAPSHOT_IMMORTAL, 904, 1000000000);
  writer_object_end(w);
  golden_containers(w, &g);
  golden_object(w, GOLDEN_KEY, g.str, 0, 57, 3);
  writer_object_end(w);
  golden_orders(w, &g);
  golden_code(w, &g);
  writer_text(w, GOLDEN_MODULE, SNAPSHOT_TITLE, "shop", 4);
  writer_text(w, GOLDEN_KEY, SNAPSHOT_KEY_STR, "pr\xc3\xa9t", 5);
  writer_text(w, GOLDEN_FRAME, SNAPSHOT_TITLE, "shop.py:12 main", 15);
  writer_root(w, SNAPSHOT_ROOT_MODULE, GOLDEN_MODULE, "shop");
  writer_root(w, SNAPSHOT_ROOT_FRAME, GOLDEN_FRAME, "MainThread");
}

/* The whole file; what writer_end says. */
static inline int golden_write(writer *w) {
  golden_heap(w);
  return writer_end(w);
}

/* tests/golden/snapshot-1-contents.ouro: the same with a content of each form, whatever the objects
 * are; one is cut. */
static inline int golden_write_contents(writer *w) {
  static const char *const texts[SNAPSHOT_CONTENT_FORMS] = {"",         "None", "pr\xc3\xa9t",
                                                            "\\x00\\'", "-17",  "0.1"};
  golden_heap(w);
  writer_fact(w, "values", "yes");
  for (uint32_t form = SNAPSHOT_CONTENT_WORD; form < SNAPSHOT_CONTENT_FORMS; form++) {
    size_t length = 0;
    while (texts[form][length]) length++;
    bool cut = form == SNAPSHOT_CONTENT_BYTES;
    writer_content(w, GOLDEN_DICT + 64 * form, form | (cut ? SNAPSHOT_CONTENT_CUT : 0u),
                   texts[form], length);
  }
  return writer_end(w);
}

#endif
