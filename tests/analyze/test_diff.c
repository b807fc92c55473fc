/* SPDX-License-Identifier: MIT */
/* What grew between snapshots, by type and by holder (M3, M4), beside sums made the simple way. */
#include "test.h"

#include "analyze/diff.h"
#include "analyze/program.h"

typedef struct rows {
  diff_row *at;
  size_t count;
} rows;

static rows holders(program *before, program *after) {
  rows r;
  CHECK(diff_holders(&before->h.r, &after->h.r, &r.at, &r.count));
  for (size_t i = 1; i < r.count; i++)
    CHECK((int64_t)(r.at[i].bytes[1] - r.at[i].bytes[0]) <=
          (int64_t)(r.at[i - 1].bytes[1] - r.at[i - 1].bytes[0]));
  return r;
}

static bool named(snapshot_text text, const char *name) {
  return text.length == strlen(name) && memcmp(text.text, name, text.length) == 0;
}

static void close_both(program *before, program *after, rows r) {
  free(r.at);
  small_close(&before->h);
  small_close(&after->h);
}

/* --- By type --------------------------------------------------------------------------------- */

static void draw_random(program *p, int turn, uint64_t seed) {
  test_seed = seed;
  program_begin(p, turn);
  int lists[4], extra = turn ? (int)(test_random() % 60) : 0;
  for (int i = 0; i < 4; i++) {
    static const char *const names[] = {"a", "b", "c", "d"};
    lists[i] = program_list(p);
    program_put(p, p->space, names[i], lists[i]);
  }
  for (int i = 0; i < 40 + extra; i++) {
    int object = test_random() % 2 ? program_session(p) : program_list(p);
    small_item(&p->h, lists[test_random() % 4], object, 0);
    if (test_random() % 3 == 0) small_item(&p->h, lists[test_random() % 4], object, 1);
    if (test_random() % 5 == 0) small_edge(&p->h, object, lists[test_random() % 4]);
  }
  for (int i = 0; i < 5; i++) small_count(&p->h, program_session(p), test_random() % 2);
  program_open(p);
}

static void sum_type(const program *p, snapshot_text type, uint64_t *objects, uint64_t *bytes) {
  const graph *g = &p->h.g;
  *objects = *bytes = 0;
  for (graph_node n = 0; n < g->nodes; n++) {
    snapshot_text name = snapshot_type_of(p->h.s, g->type[n]).name;
    if (name.length != type.length || memcmp(name.text, type.text, type.length)) continue;
    ++*objects;
    *bytes += graph_size(g, n);
  }
}

TEST(rows_by_type_are_sums_of_all_objects) {
  for (uint64_t seed = 1; seed < 60; seed++) {
    program before, after;
    rows r;
    draw_random(&before, 0, seed);
    draw_random(&after, 1, seed);
    CHECK(diff_types(&before.h.g, &after.h.g, &r.at, &r.count));
    int64_t all = 0;
    for (size_t i = 0; i < r.count; i++) {
      uint64_t objects[2], bytes[2];
      sum_type(&before, r.at[i].type, &objects[0], &bytes[0]);
      sum_type(&after, r.at[i].type, &objects[1], &bytes[1]);
      CHECK_EQ(r.at[i].objects[0], objects[0]);
      CHECK_EQ(r.at[i].objects[1], objects[1]);
      CHECK_EQ(r.at[i].bytes[0], bytes[0]);
      CHECK_EQ(r.at[i].bytes[1], bytes[1]);
      CHECK(objects[0] != objects[1] || bytes[0] != bytes[1]);
      CHECK_EQ(r.at[i].holder, 0);
      all += (int64_t)(bytes[1] - bytes[0]);
    }
    int64_t grown = 0;
    for (int c = 0; c < REACH_CLASSES; c++)
      grown += (int64_t)(after.h.r.bytes[c] - before.h.r.bytes[c]);
    CHECK_EQ(all, grown);
    close_both(&before, &after, r);
  }
}

/* --- By holder ------------------------------------------------------------------------------- */

/* M3: each byte that came is in one row. */
TEST(rows_by_holder_add_up_to_what_lives_more) {
  for (uint64_t seed = 1; seed < 60; seed++) {
    program before, after;
    draw_random(&before, 0, seed);
    draw_random(&after, 1, seed * 7);
    rows r = holders(&before, &after);
    int64_t sum = 0, live = 0;
    for (size_t i = 0; i < r.count; i++) sum += (int64_t)(r.at[i].bytes[1] - r.at[i].bytes[0]);
    for (int c = REACH_UNSEEN; c < REACH_CLASSES; c++)
      live += (int64_t)(after.h.r.bytes[c] - before.h.r.bytes[c]);
    CHECK_EQ(sum, live);
    close_both(&before, &after, r);
  }
}

/* M3: an address that means another object now means nothing. */
TEST(the_same_heap_elsewhere_has_not_grown) {
  for (int turn = 1; turn < 4; turn++) {
    program before, after;
    for (program *p = &before;; p = &after) {
      program_begin(p, p == &before ? 0 : turn);
      int list = program_list(p);
      program_put(p, p->space, "CACHE", list);
      program_fill(p, list, 300);
      program_open(p);
      if (p == &after) break;
    }
    rows r = holders(&before, &after);
    CHECK_EQ(r.count, 0);
    close_both(&before, &after, r);
  }
}

static void draw_caches(program *p, int turn, int first, int second) {
  program_begin(p, turn);
  int a = program_dict(p), b = program_dict(p);
  program_put(p, p->space, "CACHE", a);
  program_put(p, p->space, "INDEX", b);
  for (int i = 0; i < first; i++) program_put(p, a, "user", program_session(p));
  for (int i = 0; i < second; i++) program_put(p, b, "user", program_session(p));
  p->owner = a;
  program_open(p);
}

/* M4: the holder is the dictionary, by its name in the module; sessions count in full. */
TEST(what_grows_is_held_by_the_one_dictionary_that_got_it) {
  program before, after;
  draw_caches(&before, 0, 100, 500);
  draw_caches(&after, 1, 900, 500);
  rows r = holders(&before, &after);
  CHECK(r.count >= 1);
  CHECK(named(r.at[0].type, "shop.models.Session"));
  CHECK_EQ(r.at[0].before, small_at(&before.h, before.owner));
  CHECK_EQ(r.at[0].after, small_at(&after.h, after.owner));
  CHECK_EQ(r.at[0].objects[0], 100);
  CHECK_EQ(r.at[0].objects[1], 900);
  CHECK_EQ(r.at[0].bytes[1] - r.at[0].bytes[0], 800 * PROGRAM_SESSION);
  CHECK(r.at[0].holder != 0);
  CHECK_EQ(r.count, 2); /* and the keys */
  CHECK_EQ(r.at[1].holder, r.at[0].holder);
  close_both(&before, &after, r);
}

static void draw_histories(program *p, int turn, int sessions, int each) {
  program_begin(p, turn);
  int cache = program_dict(p), session = -1;
  program_put(p, p->space, "CACHE", cache);
  for (int i = 0; i < sessions; i++) {
    int history = program_list(p);
    session = small_node(&p->h, p->session, 48);
    small_attribute(&p->h, session, history, "history");
    for (int k = 0; k < each; k++)
      small_item(&p->h, history, small_node(&p->h, p->str, 200), (uint64_t)k);
    program_put(p, cache, NULL, session);
  }
  program_open(p);
}

/* M4: ten sessions stay, and each gets longer: their lists hold what grew, not what holds them. */
TEST(what_grows_inside_of_what_stays_is_held_inside) {
  program before, after;
  draw_histories(&before, 0, 10, 10);
  draw_histories(&after, 1, 11, 1000);
  rows r = holders(&before, &after);
  CHECK(named(r.at[0].type, "str"));
  CHECK_EQ(r.at[0].objects[1], 11000);
  CHECK_EQ(after.h.g.type[r.at[0].after], after.list);
  close_both(&before, &after, r);
}

static void draw_chain(program *p, int turn, int length) {
  program_begin(p, turn);
  int node = -1;
  for (int i = 0; i < length; i++) {
    int next = small_node(&p->h, p->session, 400);
    if (node < 0) program_put(p, p->space, "HEAD", p->owner = next);
    else small_attribute(&p->h, node, next, "next");
    node = next;
  }
  program_open(p);
}

/* M4: a chain is one row, held by where it begins. */
TEST(a_list_of_links_is_held_by_its_first) {
  program before, after;
  draw_chain(&before, 0, 1000);
  draw_chain(&after, 1, 5000);
  rows r = holders(&before, &after);
  CHECK_EQ(r.count, 1);
  CHECK_EQ(r.at[0].after, small_at(&after.h, after.owner));
  CHECK_EQ(r.at[0].bytes[1] - r.at[0].bytes[0], 4000 * 400);
  CHECK(r.at[0].objects[1] >= 4990 && r.at[0].objects[1] <= 5000);
  CHECK(r.at[0].objects[0] >= 990 && r.at[0].objects[0] <= 1000);
  close_both(&before, &after, r);
}

static void draw_shared(program *p, int turn, int count) {
  program_begin(p, turn);
  int function = small_node(&p->h, p->function, 150), list = program_list(p);
  small_title(&p->h, function, "shop.cache.get");
  program_put(p, p->space, "get", function);
  program_put(p, p->space, "LOG", list);
  program_put(p, program_module(p, "shop.views"), "get", function);
  small_attribute(&p->h, function, p->space, "__globals__");
  program_fill(p, list, count);
  p->owner = list;
  program_open(p);
}

/* M4: a function imported elsewhere holds the module's names too; they are named all the same. */
TEST(globals_have_names_where_no_module_alone_holds_them) {
  program before, after;
  draw_shared(&before, 0, 100);
  draw_shared(&after, 1, 800);
  rows r = holders(&before, &after);
  CHECK_EQ(r.count, 1);
  CHECK_EQ(r.at[0].before, small_at(&before.h, before.owner));
  CHECK_EQ(r.at[0].after, small_at(&after.h, after.owner));
  close_both(&before, &after, r);
}

static void draw_call(program *p, int turn, const char *title, int count) {
  program_begin(p, turn);
  int frame = small_node(&p->h, p->frame, 200), list = program_list(p);
  small_flags(&p->h, frame, SNAPSHOT_PSEUDO);
  small_title(&p->h, frame, title);
  small_root(&p->h, frame, SNAPSHOT_ROOT_FRAME, "MainThread");
  small_named(&p->h, frame, list, SNAPSHOT_LOCAL, "seen");
  program_fill(p, list, count);
  p->owner = list;
  program_open(p);
}

/* M4: the line that a call is at moves on; it is the same call. */
TEST(a_call_that_goes_on_is_the_same_holder) {
  program before, after;
  draw_call(&before, 0, "serve app.py:12", 200);
  draw_call(&after, 1, "serve app.py:30", 900);
  rows r = holders(&before, &after);
  CHECK_EQ(r.count, 1);
  CHECK_EQ(r.at[0].before, small_at(&before.h, before.owner));
  CHECK_EQ(r.at[0].after, small_at(&after.h, after.owner));
  close_both(&before, &after, r);
}

/* M4: what came with its holder is held by that. */
TEST(a_new_container_holds_what_is_in_it) {
  program before, after;
  draw_caches(&before, 0, 0, 10);
  program_begin(&after, 1);
  int a = program_dict(&after), b = program_dict(&after), fresh = program_list(&after);
  program_put(&after, after.space, "CACHE", a);
  program_put(&after, after.space, "INDEX", b);
  for (int i = 0; i < 10; i++) program_put(&after, b, "user", program_session(&after));
  program_put(&after, after.space, "FRESH", fresh);
  program_fill(&after, fresh, 500);
  program_open(&after);
  rows r = holders(&before, &after);
  CHECK(named(r.at[0].type, "shop.models.Session"));
  CHECK_EQ(r.at[0].before, GRAPH_NONE);
  CHECK_EQ(r.at[0].after, small_at(&after.h, fresh));
  close_both(&before, &after, r);
}

TEST(garbage_is_nobody_s_growth) {
  program before, after;
  for (program *p = &before;; p = &after) {
    program_begin(p, p == &after);
    for (int i = 0; i < (p == &after ? 500 : 5); i++) {
      int session = program_session(p);
      small_attribute(&p->h, session, session, "self");
    }
    program_open(p);
    if (p == &after) break;
  }
  rows r = holders(&before, &after);
  CHECK_EQ(r.count, 0);
  close_both(&before, &after, r);
}

/* M4: a call that is in one snapshot only, or an import, has not made a new holder. */
static void draw_passing(program *p, int turn, bool called, bool imported, int count) {
  program_begin(p, turn);
  int list = program_list(p), function = small_node(&p->h, p->function, 150);
  int frame = small_node(&p->h, p->frame, 200);
  program_put(p, p->space, "PAGES", list);
  small_title(&p->h, function, "shop.cache.get");
  program_put(p, p->space, "get", function);
  small_attribute(&p->h, function, p->space, "__globals__");
  if (imported) program_put(p, program_module(p, "shop.views"), "get", function);
  small_flags(&p->h, frame, SNAPSHOT_PSEUDO);
  small_title(&p->h, frame, called ? "get cache.py:7" : "idle cache.py:9");
  small_root(&p->h, frame, SNAPSHOT_ROOT_FRAME, "MainThread");
  if (called) small_named(&p->h, frame, list, SNAPSHOT_LOCAL, "pages");
  program_fill(p, list, count);
  p->owner = list;
  program_open(p);
}

TEST(a_call_that_passes_and_an_import_change_no_holder) {
  for (int how = 0; how < 16; how++) {
    program before, after;
    draw_passing(&before, 0, how & 1, how & 2, 600);
    draw_passing(&after, 1, how & 4, how & 8, 700);
    rows r = holders(&before, &after);
    bool found = false;
    for (size_t i = 0; i < r.count; i++) {
      if (!named(r.at[i].type, "shop.models.Session")) continue;
      CHECK(!found);
      found = true;
      CHECK_EQ(r.at[i].objects[0], 600);
      CHECK_EQ(r.at[i].objects[1], 700);
      CHECK_EQ(r.at[i].bytes[1] - r.at[i].bytes[0], 100 * PROGRAM_SESSION);
      CHECK_EQ(r.at[i].before, small_at(&before.h, before.owner));
      CHECK_EQ(r.at[i].after, small_at(&after.h, after.owner));
    }
    CHECK(found);
    close_both(&before, &after, r);
  }
}
