/* SPDX-License-Identifier: MIT */
/*
 * The verdict on drawn programs (M4, M5, M6, M7, M8): each class and each holder with what it says,
 * and beside each the same program when it has all it needs: no leak is told.
 */
#include "test.h"

#include "verdicts.h"

static const int growing[] = {500, 1500, 2500}, still[] = {2500, 2500, 2500},
                 filled[] = {100, 2500, 2500};

/* --- Reachable growth ------------------------------------------------------------------------ */

typedef struct expected {
  drawing *draw;
  verdict_class class;
  verdict_holder holder;
  const char *says[3];
} expected;

static const expected held[] = {
    {draw_global, VERDICT_GROWTH, HOLDER_GLOBAL, {"shop.cache.CACHE", "module shop.cache"}},
    {draw_registry_of_class, VERDICT_GROWTH, HOLDER_CLASS, {"shop.cache.Model.instances"}},
    {draw_lru, VERDICT_GROWTH, HOLDER_CACHE, {"lru_cache(maxsize", ".total"}},
    {draw_closure, VERDICT_GROWTH, HOLDER_CLOSURE, {"shop.cache.memo", ".memoized"}},
    {draw_listeners, VERDICT_GROWTH, HOLDER_HANDLER, {"function shop.cache.later", ".waiting"}},
    {draw_handlers, VERDICT_GROWTH, HOLDER_HANDLER, {"shop.cache.handlers"}},
    {draw_frame, VERDICT_GROWTH, HOLDER_FRAME, {"serve app.py:12", "local seen"}},
    {draw_tracebacks, VERDICT_GROWTH, HOLDER_TRACEBACK, {"ValueError", "tb_frame local request"}},
    {draw_tasks, VERDICT_GROWTH, HOLDER_TASK, {"_asyncio.Task", ".pending"}},
    {draw_thread, VERDICT_GROWTH, HOLDER_THREAD, {"thread MainThread", "['requests']"}},
    {draw_weak_keys, VERDICT_GROWTH, HOLDER_REGISTRY, {"weakref.WeakKeyDictionary", ".notes"}},
    {draw_forgotten, VERDICT_UNSEEN, HOLDER_NONE, {"shop.models.Session", "C code"}},
    {draw_list_in_c, VERDICT_UNSEEN, HOLDER_NONE, {"C code", "list, 2,500 items"}},
};
#define HELD (sizeof held / sizeof *held)

static void check_finding(const finding *f, const expected *e, size_t i) {
  if (f->class != e->class || f->holder != e->holder)
    TEST_FAIL("%zu: %s, %s: %s", i, verdict_class_name(f->class), verdict_holder_name(f->holder),
              f->title);
  for (int k = 0; k < 3 && e->says[k]; k++)
    if (!finding_says(f, e->says[k])) TEST_FAIL("%zu: not \"%s\": %s", i, e->says[k], f->title);
  CHECK(f->bytes >= 2000 * PROGRAM_SESSION && f->bytes <= 2000 * (PROGRAM_SESSION + 700));
  CHECK_EQ(f->objects, 2000);
  CHECK(f->share > 0.9 && f->share <= 1);
  CHECK(f->advice[0] && f->next[0]);
}

/* M4, M7, M8: who holds it, what it is called, and what to do. */
TEST(each_holder_is_found_and_named) {
  for (size_t i = 0; i < HELD; i++) {
    moments m;
    moments_draw(&m, held[i].draw, growing, 3, NULL);
    check_finding(moments_first(&m), &held[i], i);
    CHECK_EQ(m.v.count, 1);
    moments_close(&m);
  }
}

/* M6: the same when nothing comes any more, from the beginning or since the second look. */
TEST(what_does_not_grow_is_no_leak) {
  for (size_t i = 0; i < 2 * HELD; i++) {
    moments m;
    moments_draw(&m, held[i / 2].draw, i % 2 ? still : filled, 3, NULL);
    const finding *f = moments_first(&m);
    if (f->class != VERDICT_NO_GROWTH) TEST_FAIL("%zu: %s", i, f->title);
    CHECK_EQ(m.v.count, 1);
    moments_close(&m);
  }
}

/* M6: what comes and goes grew from the first to the last look, and not between. */
TEST(up_and_down_is_no_growth) {
  static const int waves[][4] = {{500, 2500, 600, 2500}, {500, 2500, 2000, 1500}};
  for (size_t i = 0; i < 2 * HELD; i++) {
    moments m;
    moments_draw(&m, held[i / 2].draw, waves[i % 2], 4, NULL);
    moments_first(&m);
    CHECK(!verdict_has(&m.v, VERDICT_GROWTH) && !verdict_has(&m.v, VERDICT_UNSEEN));
    moments_close(&m);
  }
}

TEST(two_snapshots_and_eight_say_the_same) {
  static const int eight[] = {0, 400, 800, 1200, 1600, 1800, 2000, 2400};
  for (size_t i = 0; i < HELD; i++) {
    moments m;
    moments_draw(&m, held[i].draw, eight, 8, NULL);
    const finding *f = moments_first(&m);
    CHECK_EQ(f->class, held[i].class);
    CHECK_EQ(f->holder, held[i].holder);
    moments_close(&m);
    moments_draw(&m, held[i].draw, growing, 2, NULL);
    f = moments_first(&m);
    CHECK_EQ(f->class, held[i].class);
    CHECK_EQ(f->holder, held[i].holder);
    moments_close(&m);
  }
}

static void draw_two(program *p, int n) {
  draw_global(p, n);
  draw_tasks(p, n / 4);
}

TEST(findings_come_with_most_bytes_first_and_no_byte_twice) {
  moments m;
  moments_draw(&m, draw_two, growing, 3, NULL);
  moments_first(&m);
  CHECK_EQ(m.v.count, 2);
  CHECK_EQ(m.v.findings[0].holder, HOLDER_GLOBAL);
  CHECK_EQ(m.v.findings[1].holder, HOLDER_TASK);
  uint64_t sum = m.v.findings[0].bytes + m.v.findings[1].bytes;
  CHECK_EQ(sum, m.v.objects_bytes[1] - m.v.objects_bytes[0]);
  moments_close(&m);
}

/* One session is in two tables: no object alone holds it, a path says where. */
static void draw_twice(program *p, int n) {
  int list = program_list(p), index = program_dict(p);
  program_put(p, p->space, "recent", list);
  program_put(p, p->space, "by_name", index);
  for (int i = 0; i < n; i++) {
    int session = program_session(p);
    small_item(&p->h, list, session, (uint64_t)i);
    program_put(p, index, "name", session);
  }
}

TEST(what_two_hold_is_told_of_one_of_them) {
  moments m;
  moments_draw(&m, draw_twice, growing, 3, NULL);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->class, VERDICT_GROWTH);
  CHECK_EQ(f->holder, HOLDER_GLOBAL);
  CHECK(finding_says(f, "shop.cache.recent") || finding_says(f, "shop.cache.by_name"));
  CHECK(f->bytes >= 2000 * PROGRAM_SESSION);
  moments_close(&m);
}

static void draw_larger(program *p, int n) {
  int list = small_node(&p->h, p->list, 88 + 8000 * (uint64_t)n);
  program_put(p, p->space, "ticks", list);
}

TEST(a_table_that_grows_is_named_itself) {
  moments m;
  moments_draw(&m, draw_larger, growing, 3, NULL);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->class, VERDICT_GROWTH);
  CHECK(finding_says(f, "a larger list: module global shop.cache.ticks"));
  CHECK_EQ(f->bytes, 2000 * 8000);
  moments_close(&m);
}

/* A frame that ends soon has it, and so has a module, more steps away. */
static void draw_call_of_global(program *p, int n) {
  int frame = small_node(&p->h, p->frame, 200), list = program_list(p);
  int app = small_node(&p->h, p->session, 48);
  small_flags(&p->h, frame, SNAPSHOT_PSEUDO);
  small_title(&p->h, frame, "get app.py:12");
  small_root(&p->h, frame, SNAPSHOT_ROOT_FRAME, "MainThread");
  small_named(&p->h, frame, list, SNAPSHOT_LOCAL, "pages");
  program_put(p, p->space, "app", app);
  program_put(p, program_space(p, app), "pages", list);
  program_fill(p, list, n);
}

TEST(what_lasts_is_the_holder_rather_than_a_call) {
  moments m;
  moments_draw(&m, draw_call_of_global, growing, 3, NULL);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->holder, HOLDER_GLOBAL);
  CHECK(finding_says(f, "shop.cache.app.pages"));
  moments_close(&m);
}

/* The newest call of a thread is written first. */
static void draw_calls(program *p, int n) {
  int pages = program_dict(p), inner = small_node(&p->h, p->frame, 200);
  int outer = small_node(&p->h, p->frame, 200), app = small_node(&p->h, p->session, 48);
  small_flags(&p->h, inner, SNAPSHOT_PSEUDO);
  small_flags(&p->h, outer, SNAPSHOT_PSEUDO);
  small_title(&p->h, inner, "get app.py:12");
  small_title(&p->h, outer, "main app.py:99");
  small_root(&p->h, inner, SNAPSHOT_ROOT_FRAME, "MainThread");
  small_root(&p->h, outer, SNAPSHOT_ROOT_FRAME, "MainThread");
  small_named(&p->h, inner, pages, SNAPSHOT_LOCAL, "pages");
  small_named(&p->h, outer, app, SNAPSHOT_LOCAL, "app");
  small_attribute(&p->h, app, pages, "pages");
  for (int i = 0; i < n; i++) program_put(p, pages, "page", program_session(p));
}

TEST(of_calls_the_oldest_is_the_holder) {
  moments m;
  moments_draw(&m, draw_calls, growing, 3, NULL);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->class, VERDICT_GROWTH);
  CHECK_EQ(f->holder, HOLDER_CACHE);
  CHECK(finding_says(f, "main app.py:99"));
  CHECK(!finding_says(f, "get app.py:12"));
  moments_close(&m);
}

/* --- The collector --------------------------------------------------------------------------- */

static const char *const on[] = {"gc.enabled", "1", "gc.collector", "python", NULL};
static const char *const off[] = {"gc.enabled", "0", "gc.collector", "python", NULL};
static const char *const ours[] = {"gc.enabled", "0", "gc.collector", "ouro", NULL};
static const char *const never[] = {"gc.enabled", "1", "gc.collector", "python", "gc.threshold0",
                                    "0",          NULL};

/* M6: dead cycles are no leak; that they never go is another class. */
TEST(cycles_are_late_or_stay) {
  static const struct {
    const char *const *facts;
    verdict_class class;
  } cases[] = {{on, VERDICT_LATE},
               {off, VERDICT_COLLECTOR_OFF},
               {ours, VERDICT_COLLECTOR_OFF},
               {never, VERDICT_COLLECTOR_OFF}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t count = 1; count <= 3; count++) {
      const char *const *const facts[] = {cases[i].facts, cases[i].facts, cases[i].facts};
      moments m;
      moments_draw(&m, draw_cycles, growing + (3 - count), count, facts);
      const finding *f = moments_first(&m);
      CHECK_EQ(f->class, cases[i].class);
      CHECK(finding_says(f, "shop.models.Session"));
      CHECK(finding_says(f, "make a reference weak: shop.models.Session.parent"));
      CHECK_EQ(f->objects, 2500 * 2 * 4);
      CHECK(!verdict_has(&m.v, VERDICT_GROWTH));
      moments_close(&m);
    }
}

TEST(a_little_garbage_is_no_finding) {
  const char *const *const facts[] = {on, on, on};
  static const int few[] = {3, 1, 8};
  moments m;
  moments_draw(&m, draw_cycles, few, 3, facts);
  CHECK_EQ(moments_first(&m)->class, VERDICT_NO_GROWTH);
  moments_close(&m);
}

TEST(what_the_collector_gave_up_is_told_once) {
  for (size_t count = 1; count <= 3; count++) {
    moments m;
    moments_draw(&m, draw_given_up, growing + (3 - count), count, NULL);
    const finding *f = moments_first(&m);
    CHECK_EQ(f->class, VERDICT_UNCOLLECTABLE);
    CHECK_EQ(f->objects, 2500);
    CHECK(finding_says(f, "gc.garbage"));
    CHECK(!verdict_has(&m.v, VERDICT_GROWTH));
    moments_close(&m);
  }
}

/* --- C code ---------------------------------------------------------------------------------- */

/* M5: more references to the same objects, which others hold too. */
static void draw_counted(program *p, int n) {
  int list = program_list(p), session = program_session(p);
  program_put(p, p->space, "all", list);
  small_item(&p->h, list, session, 0);
  small_count(&p->h, session, n);
}

TEST(forgotten_references_to_what_lives_are_counted) {
  static const int more[] = {0, 40, 80};
  moments m;
  moments_draw(&m, draw_counted, more, 3, NULL);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->class, VERDICT_UNSEEN);
  CHECK(finding_says(f, "80 more references to shop.models.Session"));
  CHECK(finding_says(f, "count 81, references found 1"));
  moments_close(&m);
}

/* M6: what C code takes when it begins, and keeps. */
TEST(references_taken_at_the_beginning_are_no_leak) {
  static const int filled_up[] = {1, 14, 19, 19, 19, 19};
  moments m;
  moments_draw(&m, draw_counted, filled_up, 6, NULL);
  CHECK_EQ(moments_first(&m)->class, VERDICT_NO_GROWTH);
  moments_close(&m);
}

/* A class that a module in C has, with references that no object shows. */
static void draw_native_class(program *p, const char *name, int references) {
  int class = small_node(&p->h, p->type, 1000);
  small_title(&p->h, class, name);
  program_put(p, p->space, name, class);
  small_count(&p->h, class, references);
}

static void draw_dying(program *p, int n) {
  for (int i = 0; i < 100; i++) draw_native_class(p, "shop.native.Other", 1 + i % 3);
  draw_native_class(p, "shop.native.Handle", n);
}

/* M5: objects that do not let go of their class when they die. */
TEST(references_to_one_class_are_counted) {
  static const int more[] = {10, 50, 90};
  moments m;
  moments_draw(&m, draw_dying, more, 3, NULL);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->class, VERDICT_UNSEEN);
  CHECK_EQ(m.v.count, 1);
  CHECK(finding_says(f, "80 more references to class shop.native.Handle"));
  CHECK(finding_says(f, "10 → 50 → 90"));
  CHECK(finding_says(f, "count 91, references found 1"));
  CHECK(finding_says(f, "tp_dealloc"));
  moments_close(&m);
}

static void draw_imported(program *p, int n) {
  for (int i = 0; i < n; i++) draw_native_class(p, "shop.native.Other", 1 + i % 3);
}

/* M6: a few to each of many classes that come with what is imported. */
TEST(references_to_many_classes_are_no_leak) {
  static const int more[] = {10, 50, 90}, before[] = {90, 90, 90}, waves[] = {10, 90, 60};
  moments m;
  moments_draw(&m, draw_imported, more, 3, NULL);
  CHECK_EQ(moments_first(&m)->class, VERDICT_NO_GROWTH);
  moments_close(&m);
  moments_draw(&m, draw_dying, before, 3, NULL);
  CHECK_EQ(moments_first(&m)->class, VERDICT_NO_GROWTH);
  moments_close(&m);
  moments_draw(&m, draw_dying, waves, 3, NULL);
  CHECK_EQ(moments_first(&m)->class, VERDICT_NO_GROWTH);
  moments_close(&m);
}

/* Classes made anew that never die, since C code holds each. */
static void draw_classes(program *p, int n) {
  for (int i = 0; i < n; i++) {
    int class = small_node(&p->h, p->type, 1000);
    small_title(&p->h, class, "shop.native.Connection");
    small_count(&p->h, class, 1);
  }
}

TEST(classes_that_never_die_are_named) {
  moments m;
  moments_draw(&m, draw_classes, growing, 3, NULL);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->class, VERDICT_UNSEEN);
  CHECK(finding_says(f, "2,000 more type shop.native.Connection alive"));
  CHECK(finding_says(f, "tp_dealloc"));
  moments_close(&m);
}

static void draw_constants(program *p, int n) {
  for (int i = 0; i < n; i++) small_count(&p->h, small_node(&p->h, p->str, 4000), 1);
}

/* M5: one snapshot tells of what stands out, not of what C code always holds. */
TEST(one_snapshot_shows_what_c_code_holds) {
  moments m;
  moments_draw(&m, draw_forgotten, growing + 2, 1, NULL);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->class, VERDICT_UNSEEN);
  CHECK_EQ(f->objects, 2500);
  moments_close(&m);
  moments_draw(&m, draw_constants, growing + 2, 1, NULL);
  CHECK_EQ(moments_first(&m)->class, VERDICT_CANNOT_TELL);
  moments_close(&m);
}

/* --- Memory beside objects ------------------------------------------------------------------- */

#define MIB(n) #n "000000"
static const char *const plain[] = {"rss", MIB(40), "ledger.resident", MIB(40), "pid", "17", NULL};
static const char *const native1[] = {
    "rss", MIB(50), "ledger.resident", MIB(50), "ledger.malloc.used", MIB(10), NULL};
static const char *const native2[] = {
    "rss", MIB(60), "ledger.resident", MIB(60), "pid", "17", "ledger.malloc.used", MIB(20), NULL};
static const char *const kept1[] = {
    "rss", MIB(50), "ledger.resident", MIB(50), "ledger.heap.pinned", MIB(10), NULL};
static const char *const kept2[] = {
    "rss", MIB(60), "ledger.resident", MIB(60), "pid", "17", "ledger.heap.pinned", MIB(20), NULL};
static const char *const pages1[] = {
    "rss", MIB(50), "ledger.resident", MIB(50), "ledger.heap.purgeable", MIB(10), NULL};
static const char *const pages2[] = {
    "rss", MIB(60), "ledger.resident", MIB(60), "ledger.heap.purgeable", MIB(20), NULL};

static const finding *first_of(moments *m, const char *const *a, const char *const *b,
                               const char *const *c) {
  const char *const *const facts[] = {a, b, c};
  moments_draw(m, draw_nothing, still, 3, facts);
  return moments_first(m);
}

/* M6: memory that is not in objects, and memory that is free. */
TEST(the_ledger_tells_native_from_kept_memory) {
  moments m;
  const finding *f = first_of(&m, plain, native1, native2);
  CHECK_EQ(f->class, VERDICT_NATIVE);
  CHECK_EQ(f->bytes, 20000000);
  CHECK_EQ(strcmp(f->next, "ledger 17"), 0);
  moments_close(&m);
  f = first_of(&m, plain, kept1, kept2);
  CHECK_EQ(f->class, VERDICT_RETAINED);
  CHECK_EQ(f->bytes, 20000000);
  CHECK(finding_says(f, "no leak"));
  moments_close(&m);
}

/* M6: pages that the heap is about to give back, and what native memory did before. */
TEST(free_pages_and_a_peak_are_no_growth) {
  moments m;
  CHECK_EQ(first_of(&m, plain, pages1, pages2)->class, VERDICT_NO_GROWTH);
  moments_close(&m);
  CHECK_EQ(first_of(&m, plain, native2, native2)->class, VERDICT_NO_GROWTH);
  moments_close(&m);
  CHECK_EQ(first_of(&m, plain, plain, plain)->class, VERDICT_NO_GROWTH);
  moments_close(&m);
}

static void draw_buffers(program *p, int n) {
  int list = program_list(p);
  uint32_t type = small_type(&p->h, SNAPSHOT_OTHER, "_io.StringIO");
  program_put(p, p->space, "logs", list);
  for (int i = 0; i < n; i++) small_item(&p->h, list, small_node(&p->h, type, 600), (uint64_t)i);
}

/* Buffers that objects of a type in C own go with what holds these. */
TEST(native_memory_of_objects_is_their_holder_s) {
  const char *const *const facts[] = {plain, native1, native2};
  moments m;
  moments_draw(&m, draw_buffers, growing, 3, facts);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->class, VERDICT_GROWTH);
  CHECK(finding_says(f, "shop.cache.logs"));
  CHECK(finding_says(f, "for each _io.StringIO"));
  CHECK(f->bytes > 18000000);
  CHECK(!verdict_has(&m.v, VERDICT_NATIVE));
  moments_close(&m);
}

/* --- No growth ------------------------------------------------------------------------------- */

static const char *const made0[] = {"alloc.total", "1000000", "time", "1700000000", NULL};
static const char *const made1[] = {"alloc.total", "2000000", "time", "1700000010", NULL};
static const char *const made2[] = {"alloc.total", "91000000", "time", "1700000010", NULL};

TEST(objects_made_again_and_again_are_churn) {
  moments m;
  const finding *f = first_of(&m, made0, made2, made2);
  CHECK_EQ(f->class, VERDICT_CHURN);
  CHECK(finding_says(f, "90,000,000 blocks"));
  CHECK(finding_says(f, "9,000,000 a second"));
  moments_close(&m);
  CHECK_EQ(first_of(&m, made0, made1, made1)->class, VERDICT_NO_GROWTH); /* 100,000 a second */
  moments_close(&m);
  CHECK_EQ(first_of(&m, made2, made2, made2)->class, VERDICT_NO_GROWTH);
  moments_close(&m);
}

static void draw_room(program *p, int n) {
  int list = program_list(p);
  program_put(p, p->space, "indexes", list);
  for (int i = 0; i < n; i++)
    small_item(&p->h, list, small_node(&p->h, p->dict, 4000), (uint64_t)i);
}

TEST(room_that_nobody_needs_is_waste) {
  moments m;
  for (size_t count = 1; count <= 3; count++) {
    moments_draw(&m, draw_room, still, count, NULL);
    const finding *f = moments_first(&m);
    CHECK_EQ(f->class, VERDICT_WASTE);
    CHECK(finding_says(f, "far larger than their contents"));
    CHECK(finding_says(f, ".indexes"));
    moments_close(&m);
  }
}

TEST(one_snapshot_shows_who_holds_most_and_tells_no_growth) {
  moments m;
  moments_draw(&m, draw_global, growing + 2, 1, NULL);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->class, VERDICT_CANNOT_TELL);
  CHECK(finding_says(f, "shop.cache.CACHE"));
  CHECK(!verdict_has(&m.v, VERDICT_GROWTH));
  moments_close(&m);
}

static const char *const grown1[] = {"rss", MIB(60), NULL};
static const char *const grown2[] = {"rss", MIB(80), NULL};

TEST(growth_that_no_object_shows_is_not_guessed_at) {
  static const char *const small_process[] = {"rss", MIB(40), NULL};
  moments m;
  const finding *f = first_of(&m, small_process, grown1, grown2);
  CHECK_EQ(f->class, VERDICT_CANNOT_TELL);
  CHECK(strstr(m.v.unseen, "no ledger") != NULL);
  CHECK_EQ(m.v.resident[0], 40000000);
  CHECK_EQ(m.v.resident[1], 80000000);
  moments_close(&m);
}

/* --- Words ----------------------------------------------------------------------------------- */

static void draw_hostile(program *p, int n) {
  int dict = program_dict(p);
  uint32_t type = small_type(&p->h, SNAPSHOT_INSTANCE, "evil.\033[2J%s%n\xC3\xA9\xC3\xA9 \n type");
  program_put(p, p->space, "a\033]0;title\a%s\xE2\x82\xAC\xE2\x82\xAC", dict);
  for (int i = 0; i < n; i++)
    program_put(p, dict, "%d\xE2\x82\xAC\n", small_node(&p->h, type, 2000));
}

static void check_clean(const char *line) {
  for (; *line; line++) CHECK((unsigned char)*line >= ' ' && *line != 0x7F);
}

TEST(texts_of_the_program_do_nothing) {
  moments m;
  moments_draw(&m, draw_hostile, growing, 3, NULL);
  const finding *f = moments_first(&m);
  CHECK_EQ(f->class, VERDICT_GROWTH);
  check_clean(f->title);
  for (size_t i = 0; i < f->lines; i++) check_clean(f->evidence[i]);
  CHECK(strncmp(f->next, "path %s 0x", 10) == 0);
  moments_close(&m);
}

TEST(every_class_and_holder_has_a_word) {
  for (int c = 0; c < VERDICT_CLASSES; c++) CHECK(verdict_class_name((verdict_class)c)[0]);
  for (int h = 1; h < HOLDER_KINDS; h++) CHECK(verdict_holder_name((verdict_holder)h)[0]);
}
