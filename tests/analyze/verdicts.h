/* SPDX-License-Identifier: MIT */
/* A drawn program at up to eight moments, and the verdict on it. */
#ifndef OURO_TESTS_ANALYZE_VERDICTS_H
#define OURO_TESTS_ANALYZE_VERDICTS_H

#include "analyze/verdict.h"
#include "program.h"

typedef struct moments {
  program at[8];
  size_t count;
  verdict v;
} moments;

/* Draws what there is when `n` were added. */
typedef void drawing(program *p, int n);

/* What is there at all moments. */
static inline void draw_base(program *p, int moment) {
  program_begin(p, moment);
  int list = program_list(p);
  program_put(p, p->space, "SETTINGS", list);
  program_fill(p, list, 300);
}

static inline void moments_close(moments *m) {
  verdict_finish(&m->v);
  for (size_t i = 0; i < m->count; i++) small_close(&m->at[i].h);
  m->count = 0;
}

/* Facts are pairs of key and value for each moment, ended with NULL; NULL: none. */
static inline void moments_draw(moments *m, drawing *draw, const int *n, size_t count,
                                const char *const *const *facts) {
  *m = (moments){.count = count};
  for (size_t i = 0; i < count; i++) {
    draw_base(&m->at[i], (int)i);
    draw(&m->at[i], n[i]);
    for (const char *const *f = facts ? facts[i] : NULL; f && *f; f += 2)
      small_say(&m->at[i].h, f[0], f[1]);
    program_open(&m->at[i]);
  }
}

static inline bool moments_judge(moments *m) {
  const reach *heaps[8];
  for (size_t i = 0; i < m->count; i++) heaps[i] = &m->at[i].h.r;
  return verdict_find(&m->v, heaps, m->count, NULL);
}

static inline const finding *moments_first(moments *m) {
  CHECK(moments_judge(m));
  CHECK(m->v.count >= 1);
  return &m->v.findings[0];
}

static inline bool verdict_has(const verdict *v, verdict_class class) {
  for (size_t i = 0; i < v->count; i++)
    if (v->findings[i].class == class) return true;
  return false;
}

static inline bool finding_says(const finding *f, const char *text) {
  bool said = strstr(f->title, text) || strstr(f->advice, text);
  for (size_t i = 0; i < f->lines; i++) said |= strstr(f->evidence[i], text) != NULL;
  return said;
}

/* --- What may grow --------------------------------------------------------------------------- */

static inline int draw_class(program *p, int space, const char *name) {
  int class = small_node(&p->h, p->type, 1000);
  small_title(&p->h, class, name);
  program_put(p, space, name, class);
  return program_space(p, class);
}

static inline void draw_global(program *p, int n) {
  int dict = program_dict(p);
  program_put(p, p->space, "CACHE", dict);
  for (int i = 0; i < n; i++) program_put(p, dict, "user:17", program_session(p));
}

static inline void draw_registry_of_class(program *p, int n) {
  int list = program_list(p);
  program_put(p, draw_class(p, p->space, "shop.cache.Model"), "instances", list);
  program_fill(p, list, n);
}

static inline void draw_lru(program *p, int n) {
  int cache = program_object(p, SNAPSHOT_LRU_CACHE, "functools._lru_cache_wrapper");
  int dict = program_dict(p);
  program_put(p, draw_class(p, p->space, "shop.cache.Order"), "total", cache);
  small_named(&p->h, cache, dict, SNAPSHOT_INTERNAL, "cache");
  for (int i = 0; i < n; i++) program_put(p, dict, NULL, program_session(p));
}

/* A function with a closure over `held`. */
static inline int draw_function(program *p, const char *title, int held) {
  int function = small_node(&p->h, p->function, 150), closure = small_node(&p->h, p->tuple, 48);
  int cell = small_node(&p->h, p->cell, 40);
  small_title(&p->h, function, title);
  small_attribute(&p->h, function, closure, "__closure__");
  small_named(&p->h, closure, cell, SNAPSHOT_CELLVAR, "held");
  small_attribute(&p->h, cell, held, "cell_contents");
  return function;
}

static inline void draw_closure(program *p, int n) {
  int list = program_list(p);
  program_put(p, p->space, "memoized", draw_function(p, "shop.cache.memo", list));
  program_fill(p, list, n);
}

static inline void draw_listeners(program *p, int n) {
  int list = program_list(p);
  program_put(p, p->space, "waiting", list);
  for (int i = 0; i < n; i++)
    small_item(&p->h, list, draw_function(p, "shop.cache.later", program_session(p)), (uint64_t)i);
}

static inline void draw_handlers(program *p, int n) {
  int list = program_list(p);
  program_put(p, p->space, "handlers", list);
  program_fill(p, list, n);
}

static inline void draw_frame(program *p, int n) {
  int frame = small_node(&p->h, p->frame, 200), list = program_list(p);
  small_flags(&p->h, frame, SNAPSHOT_PSEUDO);
  small_title(&p->h, frame, "serve app.py:12");
  small_root(&p->h, frame, SNAPSHOT_ROOT_FRAME, "MainThread");
  small_named(&p->h, frame, list, SNAPSHOT_LOCAL, "seen");
  program_fill(p, list, n);
}

static inline void draw_tracebacks(program *p, int n) {
  int list = program_list(p);
  uint32_t error = small_type(&p->h, SNAPSHOT_EXCEPTION, "ValueError");
  uint32_t traceback = small_type(&p->h, SNAPSHOT_TRACEBACK, "traceback");
  program_put(p, p->space, "errors", list);
  for (int i = 0; i < n; i++) {
    int e = small_node(&p->h, error, 80), t = small_node(&p->h, traceback, 64);
    int frame = small_node(&p->h, p->frame, 300);
    small_item(&p->h, list, e, (uint64_t)i);
    small_attribute(&p->h, e, t, "__traceback__");
    small_attribute(&p->h, t, frame, "tb_frame");
    small_named(&p->h, frame, program_session(p), SNAPSHOT_LOCAL, "request");
  }
}

static inline void draw_tasks(program *p, int n) {
  int set = small_node(&p->h, small_type(&p->h, SNAPSHOT_SET, "set"), 200);
  uint32_t task = small_type(&p->h, SNAPSHOT_TASK, "_asyncio.Task");
  program_put(p, p->space, "pending", set);
  for (int i = 0; i < n; i++) {
    int t = small_node(&p->h, task, 200);
    small_edge(&p->h, set, t);
    small_attribute(&p->h, t, program_session(p), "result");
  }
}

static inline void draw_thread(program *p, int n) {
  int dict = program_dict(p), list = program_list(p);
  small_root(&p->h, dict, SNAPSHOT_ROOT_THREAD, "MainThread: dictionary");
  program_put(p, dict, "requests", list);
  program_fill(p, list, n);
}

static inline void draw_weak_keys(program *p, int n) {
  int notes = program_object(p, SNAPSHOT_INSTANCE, "weakref.WeakKeyDictionary");
  int data = program_dict(p);
  uint32_t weak = small_type(&p->h, SNAPSHOT_WEAKREF, "weakref.ReferenceType");
  program_put(p, p->space, "notes", notes);
  small_attribute(&p->h, notes, data, "data");
  for (int i = 0; i < n; i++)
    small_entry(&p->h, data, small_node(&p->h, weak, 72), program_session(p));
}

/* C code forgot to drop references: nobody refers to these. */
static inline void draw_forgotten(program *p, int n) {
  for (int i = 0; i < n; i++) small_count(&p->h, program_session(p), 1);
}

/* A list that a variable in C holds. */
static inline void draw_list_in_c(program *p, int n) {
  int list = program_list(p);
  small_count(&p->h, list, 1);
  program_fill(p, list, n);
}

static inline void draw_cycles(program *p, int n) {
  for (int i = 0; i < n; i++) {
    int parent = program_session(p), child = program_session(p);
    small_attribute(&p->h, parent, child, "child");
    small_attribute(&p->h, child, parent, "parent");
  }
}

static inline void draw_given_up(program *p, int n) {
  int list = program_list(p);
  program_put(p, p->space, "garbage", list);
  for (int i = 0; i < n; i++) {
    int session = program_session(p);
    small_flags(&p->h, session, SNAPSHOT_UNCOLLECTABLE | SNAPSHOT_TRACKED);
    small_root(&p->h, session, SNAPSHOT_ROOT_UNCOLLECTABLE, "gc.garbage");
    small_item(&p->h, list, session, (uint64_t)i);
  }
}

static inline void draw_chain_of_links(program *p, int n) {
  int node = -1;
  for (int i = 0; i < n; i++) {
    int next = small_node(&p->h, p->session, 400);
    if (node < 0) program_put(p, p->space, "HEAD", next);
    else small_attribute(&p->h, node, next, "next");
    node = next;
  }
}

static inline void draw_nothing(program *p, int n) {
  (void)p;
  (void)n;
}

#endif
