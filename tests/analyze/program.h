/* SPDX-License-Identifier: MIT */
/*
 * The heap of a small Python program at some moment, drawn: a module "shop.cache" with globals, to
 * which a test hangs what it is about. Two moments of one program are two drawings; where objects
 * lie differs from drawing to drawing, as `turn` says.
 */
#ifndef OURO_TESTS_ANALYZE_PROGRAM_H
#define OURO_TESTS_ANALYZE_PROGRAM_H

#include "small.h"

typedef struct program {
  small h;
  uint32_t module, dict, list, tuple, str, function, cell, type, session, frame;
  int space, owner; /* the module's dictionary, the module */
  int turn;
} program;

static inline int program_key(program *p, const char *text) {
  int key = small_node(&p->h, p->str, 56);
  if (text) small_key_text(&p->h, key, text);
  return key;
}

/* An entry of a dictionary under a key of its own; NULL: a key without a text. */
static inline void program_put(program *p, int dict, const char *key, int value) {
  small_entry(&p->h, dict, program_key(p, key), value);
}

static inline int program_space(program *p, int owner) {
  int space = small_node(&p->h, p->dict, 232);
  small_attribute(&p->h, owner, space, "__dict__");
  return space;
}

/* Returns the module's dictionary. */
static inline int program_module(program *p, const char *name) {
  int module = small_node(&p->h, p->module, 72);
  small_title(&p->h, module, name);
  small_root(&p->h, module, SNAPSHOT_ROOT_MODULE, name);
  return program_space(p, module);
}

static inline void program_begin(program *p, int turn) {
  static const char *const names[] = {"module", "dict", "list", "tuple", "str", "function", "cell"};
  *p = (program){.turn = turn};
  small *h = &p->h;
  for (int i = 0; i < turn; i++) small_type(h, SNAPSHOT_OTHER, "imported.meanwhile");
  p->module = small_type(h, SNAPSHOT_MODULE, names[0]);
  p->dict = small_type(h, SNAPSHOT_DICT, names[1]);
  p->list = small_type(h, SNAPSHOT_LIST, names[2]);
  p->tuple = small_type(h, SNAPSHOT_TUPLE, names[3]);
  p->str = small_type(h, SNAPSHOT_STR, names[4]);
  p->function = small_type(h, SNAPSHOT_FUNCTION, names[5]);
  p->cell = small_type(h, SNAPSHOT_CELL, names[6]);
  p->type = small_type(h, SNAPSHOT_TYPE, "type");
  p->session = small_type(h, SNAPSHOT_INSTANCE, "shop.models.Session");
  p->frame = small_type(h, SNAPSHOT_FRAME, "running frame");
  p->owner = h->node_count;
  p->space = program_module(p, "shop.cache");
}

static inline int program_list(program *p) { return small_node(&p->h, p->list, 88); }

static inline int program_dict(program *p) { return small_node(&p->h, p->dict, 232); }

static inline int program_object(program *p, snapshot_type_kind kind, const char *type) {
  return small_node(&p->h, small_type(&p->h, kind, type), 64);
}

/* A session with a dictionary and a text of its own. */
#define PROGRAM_SESSION (48 + 104 + 56 + 1000)
static inline int program_session(program *p) {
  int session = small_node(&p->h, p->session, 48), own = small_node(&p->h, p->dict, 104);
  small_attribute(&p->h, session, own, "__dict__");
  program_put(p, own, "text", small_node(&p->h, p->str, 1000));
  return session;
}

/* So many new sessions in a list. */
static inline void program_fill(program *p, int list, int count) {
  for (int i = 0; i < count; i++) small_item(&p->h, list, program_session(p), (uint64_t)i);
}

/* Objects lie elsewhere in each turn, in another order. */
static inline void program_place(program *p) {
  int n = p->h.node_count;
  for (int i = 0; i < n; i++) {
    int at = p->turn % 2 ? n - 1 - i : i;
    small_place(&p->h, i, 0x10000 + 64 * (uint64_t)(at + 17 * p->turn));
  }
}

static inline void program_open(program *p) {
  program_place(p);
  small_open(&p->h);
  small_reach(&p->h);
}

#endif
