/* SPDX-License-Identifier: MIT */
/* Snapshots of native heaps: what is in one is what lives, by name, with exact counts (M2, R5). */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <ouro/ouro.h>

#include "analyze/reach.h"
#include "snapshot/reader.h"
#include "support/pairs.h"
#include "support/tools.h"

static ouro_heap *heap;

/* --- A snapshot as the reader sees it --- */

enum { SEEN_MAX = 4096 };

typedef struct seen {
  snapshot_object object;
  uint64_t edges, found, roots;
} seen;

static snapshot *opened;
static seen all[SEEN_MAX];
static size_t all_count;

static seen *seen_at(const void *address) {
  for (size_t i = 0; i < all_count; i++)
    if (all[i].object.address == (uint64_t)(uintptr_t)address) return &all[i];
  return NULL;
}

/* Calls `visit` for each object and each of its edges; NULL: the object itself. */
typedef void (*visit_fn)(const snapshot_object *object, const snapshot_edge *edge);

static void each(visit_fn visit) {
  snapshot_cursor c = {0};
  for (size_t block = 0; block < snapshot_object_blocks(opened); block++) {
    CHECK(cursor_begin(&c, opened, block));
    while (cursor_object(&c)) {
      snapshot_edge edge;
      visit(&c.object, NULL);
      while (cursor_edge(&c, &edge)) visit(&c.object, &edge);
    }
    CHECK(!c.damaged);
  }
  cursor_finish(&c);
}

static void note_object(const snapshot_object *object, const snapshot_edge *edge) {
  if (edge || object->more) return;
  CHECK(all_count < SEEN_MAX && !seen_at((void *)(uintptr_t)object->address));
  all[all_count++].object = *object;
}

static void note_edge(const snapshot_object *object, const snapshot_edge *edge) {
  if (!edge) return;
  seen *target = seen_at((void *)(uintptr_t)edge->target);
  CHECK(target); /* no reference leads to anything that is not there */
  seen_at((void *)(uintptr_t)object->address)->edges++;
  target->found++;
}

static void note_roots(void) {
  for (size_t i = 0; i < snapshot_count(opened).roots; i++) {
    snapshot_root root = snapshot_nth_root(opened, i);
    seen *target = seen_at((void *)(uintptr_t)root.target);
    CHECK(target);
    if (root.kind == SNAPSHOT_ROOT_NATIVE) target->roots++;
  }
}

static void read_file(const char *path) {
  char why[SNAPSHOT_WHY];
  opened = snapshot_open(path, why);
  if (!opened) TEST_FAIL("%s", why);
  memset(all, 0, sizeof all);
  all_count = 0;
  each(note_object);
  each(note_edge);
  note_roots();
}

static int memory_file(char path[32]) {
  int file = memfd_create("snapshot", 0);
  CHECK(file >= 0);
  snprintf(path, 32, "/proc/self/fd/%d", file);
  return file;
}

static void take(unsigned flags) {
  char path[32];
  CHECK_EQ(ouro_snapshot_write(heap, memory_file(path), flags), 0);
  read_file(path);
  CHECK(snapshot_complete(opened));
}

/* --- What must always hold --- */

/* The analysis finds nothing to say about the counts, and everything by its address. */
static void check_audit(void) {
  char why[SNAPSHOT_WHY];
  graph g;
  audit_row *rows;
  size_t count;
  CHECK(graph_build(&g, opened, NULL, why));
  CHECK_EQ(g.nodes, all_count);
  CHECK_EQ(g.lost, 0);
  CHECK(audit_types(&g, &rows, &count));
  CHECK_EQ(count, 0);
  free(rows);
  graph_finish(&g);
}

/* Each count is the references that are in the file: nothing is unexplained, nothing too much. */
static void check_counts(void) {
  check_audit();
  for (size_t i = 0; i < all_count; i++) {
    const seen *s = &all[i];
    if (s->object.flags & SNAPSHOT_IMMORTAL) CHECK(s->object.count == 0 && s->roots == 1);
    else CHECK_EQ(s->object.count, s->found + s->roots);
  }
}

static void check_census(void) {
  ouro_type_count rows[64];
  size_t types = ouro_census(heap, rows, 64);
  uint64_t objects = 0;
  for (size_t i = 0; i < types; i++) {
    uint64_t of_type = 0;
    for (size_t k = 0; k < all_count; k++) {
      snapshot_text name = snapshot_type_of(opened, all[k].object.type).name;
      const char *wanted = ouro_type_name(rows[i].type);
      of_type += name.length == strlen(wanted) && !memcmp(name.text, wanted, name.length);
    }
    CHECK_EQ(of_type, rows[i].objects);
    objects += rows[i].objects;
  }
  CHECK_EQ(all_count, objects);
}

static bool text_is(snapshot_text text, const char *wanted) {
  return text.length == strlen(wanted) && !memcmp(text.text, wanted, text.length);
}

/* --- Names --- */

static const void *wanted_from, *wanted_to;
static snapshot_edge wanted_edge;
static int wanted_found;

static void note_wanted(const snapshot_object *object, const snapshot_edge *edge) {
  if (!edge || object->address != (uint64_t)(uintptr_t)wanted_from) return;
  if (edge->target != (uint64_t)(uintptr_t)wanted_to) return;
  wanted_edge = *edge;
  wanted_found++;
}

static snapshot_edge edge_between(const void *from, const void *to) {
  wanted_from = from, wanted_to = to, wanted_found = 0;
  each(note_wanted);
  CHECK_EQ(wanted_found, 1);
  return wanted_edge;
}

static void check_named(const void *from, const void *to, snapshot_label_kind kind,
                        const char *name) {
  snapshot_edge edge = edge_between(from, to);
  CHECK_EQ(edge.kind, kind);
  CHECK(text_is(snapshot_name(opened, edge.label), name));
}

TEST(m2_references_have_the_names_that_types_declare) {
  heap = quiet_heap("names");
  ouro_type_spec nameless = pair_spec("nameless");
  nameless.ref_names = NULL;
  pair *x = make_pair(plain_pairs(heap), 1, NULL, NULL), *y = ouro_new(plain_pairs(heap));
  pair *z = make_pair(ouro_type_new(heap, &nameless), 2, x, y);
  pair *top = make_pair(plain_pairs(heap), 3, NULL, z);
  const char *const fields[] = {"name", "parent"};
  ouro_record *record = ouro_record_new(ouro_record_type(heap, "person", 2, fields, NULL));
  ouro_record_set(record, 1, top);
  take(0);
  check_named(top, z, SNAPSHOT_ATTRIBUTE, "b");
  check_named(z, x, SNAPSHOT_INTERNAL, "+8");
  check_named(z, y, SNAPSHOT_INTERNAL, "+16");
  check_named(record, top, SNAPSHOT_ATTRIBUTE, "parent");
  check_counts();
}

TEST(m2_containers_have_indexes_keys_and_values) {
  heap = quiet_heap("containers");
  ouro_list *list = ouro_list_new(heap);
  ouro_dict *dict = ouro_dict_new(heap);
  ouro_tuple *tuple = ouro_tuple_new(heap, 3);
  ouro_str *text = ouro_str_text(heap, "colour");
  ouro_int *number = ouro_int_new(heap, -123456789);
  ouro_set *set = ouro_set_new(heap);
  tuple->items[0] = ouro_ref(list), tuple->items[2] = ouro_ref(dict);
  CHECK(ouro_list_append(list, NULL) && ouro_list_append(list, set));
  CHECK(ouro_dict_put(dict, text, list) && ouro_dict_put(dict, number, tuple));
  CHECK(ouro_set_add(set, number) == 1);
  take(0);
  CHECK_EQ(edge_between(tuple, dict).kind, SNAPSHOT_INDEX);
  CHECK_EQ(edge_between(tuple, dict).label, 2);
  CHECK_EQ(edge_between(list, set).label, 1);
  CHECK_EQ(edge_between(dict, text).kind, SNAPSHOT_KEY);
  CHECK_EQ(edge_between(dict, tuple).kind, SNAPSHOT_VALUE);
  CHECK_EQ(edge_between(dict, tuple).label, (uint64_t)(uintptr_t)number);
  CHECK_EQ(edge_between(set, number).kind, SNAPSHOT_UNNAMED);
  check_counts();
}

TEST(m2_keys_have_their_text_unless_redacted) {
  heap = quiet_heap("keys");
  ouro_dict *dict = ouro_dict_new(heap);
  ouro_str *text = ouro_str_text(heap, "colour"), *value = ouro_str_text(heap, "secret");
  ouro_int *number = ouro_int_new(heap, -123456789);
  CHECK(ouro_dict_put(dict, text, value) && ouro_dict_put(dict, number, value));
  snapshot_text_kind kind;
  snapshot_text got;
  take(0);
  CHECK(snapshot_text_of(opened, (uint64_t)(uintptr_t)text, &kind, &got));
  CHECK(kind == SNAPSHOT_KEY_STR && text_is(got, "colour"));
  CHECK(snapshot_text_of(opened, (uint64_t)(uintptr_t)number, &kind, &got));
  CHECK(kind == SNAPSHOT_KEY_INT && text_is(got, "-123456789"));
  CHECK(!snapshot_text_of(opened, (uint64_t)(uintptr_t)value, &kind, &got)); /* a value's is not */
  CHECK_EQ(snapshot_count(opened).texts, 2);
  take(OURO_SNAPSHOT_REDACT);
  CHECK_EQ(snapshot_count(opened).texts, 0);
  CHECK(text_is(snapshot_fact(opened, "keys"), "names"));
}

/* --- Types that walk themselves --- */

static void visit_both(const void *self, size_t from, size_t to, ouro_visit_fn visit, void *arg) {
  const pair *p = self;
  void *refs[] = {p->a, p->b};
  for (size_t i = from; i < to && i < 2; i++)
    if (refs[i]) visit(refs[i], arg);
}

static size_t two(const void *self) { return (void)self, 2; }

static void name_left_right(const void *self, size_t index, char *out, size_t room) {
  (void)self;
  snprintf(out, room, index ? "right" : "<left>");
}

TEST(m2_references_of_traverse_are_named_if_they_can) {
  heap = quiet_heap("traverse");
  ouro_type_spec spec = {.name = "hidden", .size = sizeof(pair), .traverse = visit_both};
  pair *x = make_pair(plain_pairs(heap), 1, NULL, NULL), *y = ouro_new(plain_pairs(heap));
  pair *whole = make_pair(ouro_type_new(heap, &spec), 2, ouro_ref(x), ouro_ref(y));
  spec.length = two, spec.name_ref = name_left_right;
  pair *named = make_pair(ouro_type_new(heap, &spec), 3, x, y);
  take(0);
  CHECK_EQ(edge_between(whole, x).kind, SNAPSHOT_UNNAMED);
  CHECK_EQ(edge_between(whole, y).kind, SNAPSHOT_UNNAMED);
  check_named(named, x, SNAPSHOT_INTERNAL, "<left>"); /* no word, so no attribute */
  check_named(named, y, SNAPSHOT_ATTRIBUTE, "right");
  check_counts();
}

/* --- Objects and roots --- */

static pair *said_root;

static void visit_said_root(void *ctx, ouro_visit_fn visit, void *arg) {
  (void)ctx;
  visit(OURO_OBJECT(said_root), arg);
}

static int roots_of(const void *object, snapshot_root_kind kind, const char *text) {
  int n = 0;
  for (size_t i = 0; i < snapshot_count(opened).roots; i++) {
    snapshot_root root = snapshot_nth_root(opened, i);
    n +=
        root.target == (uint64_t)(uintptr_t)object && root.kind == kind && text_is(root.text, text);
  }
  return n;
}

TEST(r5_each_reference_from_outside_is_a_root) {
  heap = quiet_heap("roots");
  pair *inner = make_pair(plain_pairs(heap), 1, NULL, NULL);
  pair *outer = make_pair(plain_pairs(heap), 2, inner, ouro_ref(inner)), *eternal;
  said_root = make_pair(plain_pairs(heap), 3, NULL, NULL);
  ouro_immortalize(eternal = ouro_new(plain_pairs(heap)));
  ouro_gc_set_roots(heap, visit_said_root, NULL);
  for (int i = 0; i < 3; i++) ouro_ref(outer);
  take(0);
  CHECK_EQ(roots_of(outer, SNAPSHOT_ROOT_NATIVE, "outside"), 4);
  CHECK_EQ(roots_of(said_root, SNAPSHOT_ROOT_NATIVE, "root"), 1);
  CHECK_EQ(roots_of(inner, SNAPSHOT_ROOT_NATIVE, "outside"), 0);
  CHECK_EQ(roots_of(eternal, SNAPSHOT_ROOT_NATIVE, "outside"), 1);
  CHECK_EQ(snapshot_count(opened).roots, 6);
  check_counts();
}

TEST(r5_a_count_that_ran_away_is_cut_short_but_told) {
  heap = quiet_heap("leak");
  pair *p = make_pair(plain_pairs(heap), 1, NULL, NULL);
  for (int i = 0; i < 100000; i++) ouro_ref(p);
  take(0);
  CHECK_EQ(seen_at(p)->roots, 4096);
  CHECK_EQ(seen_at(p)->object.count, 100001);
}

TEST(m2_generations_flags_and_sizes) {
  heap = quiet_heap("flags");
  ouro_type_spec kept = pair_spec("kept");
  kept.flags = OURO_UNCOLLECTABLE;
  pair *ring = make_pairs_ring(ouro_type_new(heap, &kept), 1, 2);
  ouro_unref(ring);
  ouro_gc_enable(heap, false);
  CHECK_EQ(ouro_collect(heap, 2), 2);
  ouro_str *text = ouro_str_text(heap, "untracked");
  pair *young = make_pair(ending_pairs(heap), 3, NULL, NULL);
  ouro_list *list = ouro_list_new(heap);
  CHECK(ouro_list_reserve(list, 100));
  ouro_tuple *big = ouro_tuple_new(heap, 1000);
  take(0);
  CHECK_EQ(seen_at(ring)->object.flags, 2 | SNAPSHOT_TRACKED | SNAPSHOT_UNCOLLECTABLE);
  CHECK_EQ(roots_of(ring, SNAPSHOT_ROOT_UNCOLLECTABLE, "garbage list"), 1);
  CHECK_EQ(seen_at(young)->object.flags, SNAPSHOT_TRACKED);
  CHECK_EQ(seen_at(text)->object.flags, 0);
  CHECK_EQ(seen_at(young)->object.size, ouro_usable_size(heap, young));
  CHECK_EQ(seen_at(list)->object.size,
           ouro_usable_size(heap, list) + ouro_usable_size(heap, list->items));
  CHECK(seen_at(big)->object.size >= 1000 * sizeof(void *));
  CHECK_EQ(snapshot_type_of(opened, seen_at(young)->object.type).flags,
           SNAPSHOT_TYPE_GC | SNAPSHOT_TYPE_FINALIZER);
  CHECK_EQ(snapshot_type_of(opened, seen_at(list)->object.type).kind, SNAPSHOT_LIST);
  CHECK_EQ(snapshot_type_of(opened, seen_at(young)->object.type).kind, SNAPSHOT_INSTANCE);
  check_counts();
}

TEST(equal_texts_have_equal_digests) {
  heap = quiet_heap("digests");
  ouro_str *a = ouro_str_text(heap, "the same"), *b = ouro_str_text(heap, "the same");
  ouro_str *c = ouro_str_text(heap, "another");
  take(0);
  CHECK_EQ(seen_at(a)->object.digest, seen_at(b)->object.digest);
  CHECK(seen_at(a)->object.digest && seen_at(a)->object.digest != seen_at(c)->object.digest);
}

TEST(facts_say_where_it_comes_from) {
  heap = quiet_heap("told");
  ouro_unref(make_pairs_ring(plain_pairs(heap), 1, 5));
  CHECK_EQ(ouro_collect(heap, 2), 5);
  take(0);
  CHECK(text_is(snapshot_fact(opened, "writer"), "native"));
  CHECK(text_is(snapshot_fact(opened, "heap"), "told"));
  CHECK(text_is(snapshot_fact(opened, "mode"), "in place"));
  CHECK(text_is(snapshot_fact(opened, "gc.collector"), "native"));
  CHECK_EQ(snapshot_number(opened, "pid", 0), getpid());
  CHECK_EQ(snapshot_number(opened, "gc.collected2", 0), 5);
  CHECK_EQ(snapshot_number(opened, "gc.enabled", 0), 1);
  CHECK_EQ(snapshot_number(opened, "gc.threshold0", 0), 10000);
  CHECK_EQ(snapshot_number(opened, "ledger.heap", 0), stats_of(heap).resident);
  CHECK(snapshot_number(opened, "rss", 0) > MIB);
  uint64_t made = snapshot_number(opened, "alloc.total", 0);
  CHECK_EQ(made, stats_of(heap).allocated);
  CHECK_EQ(made - snapshot_number(opened, "alloc.freed", 0), stats_of(heap).live_blocks);
  CHECK(snapshot_number(opened, "pause_ns", 0) > 0);
}

/* --- Random heaps --- */

static void random_references(ouro_list *lists[], ouro_dict *dicts[], int n) {
  for (int i = 0; i < 10 * n; i++) {
    uint64_t r = test_random();
    ouro_list *from = lists[r % n];
    void *to = r >> 32 & 1 ? (void *)lists[(r >> 8) % n] : (void *)dicts[(r >> 8) % n];
    CHECK(ouro_list_append(from, to));
    ouro_int *key = ouro_int_new(heap, (int64_t)(r >> 16 & 0xfff));
    CHECK(ouro_dict_put(dicts[(r >> 40) % n], key, to));
    ouro_unref(key);
  }
}

TEST(m2_random_heaps_are_told_exactly) {
  for (int round = 0; round < 20; round++) {
    heap = quiet_heap("random");
    int n = 1 + (int)(test_random() % 40);
    ouro_list *lists[40];
    ouro_dict *dicts[40];
    for (int i = 0; i < n; i++) lists[i] = ouro_list_new(heap), dicts[i] = ouro_dict_new(heap);
    random_references(lists, dicts, n);
    for (int i = 0; i < n; i++)
      if (test_random() % 2) ouro_unref(lists[i]); /* held by others, or garbage */
    take(0);
    check_census();
    check_counts();
    snapshot_close(opened);
    ouro_heap_destroy(heap);
  }
}

TEST(a_heap_without_objects) {
  heap = quiet_heap("empty");
  take(0);
  CHECK_EQ(all_count, 0);
  CHECK(text_is(snapshot_fact(opened, "writer"), "native"));
}

/* --- Trouble --- */

TEST(no_memory_is_told) {
  heap = quiet_heap("no memory");
  make_chain(plain_pairs(heap), 1000);
  char path[32];
  int file = memory_file(path), failures = 0;
  for (int n = 1;; n++, failures++) {
    ouro_heap_fail(heap, (uint64_t)n, 0);
    int error = ouro_snapshot_write(heap, file, 0);
    ouro_heap_fail(heap, 0, 0);
    if (error == 0) break;
    CHECK_EQ(error, ENOMEM);
  }
  CHECK_EQ(failures, 3); /* the writer, the places of pages, those of objects */
}

TEST(a_heap_at_its_limit) {
  ouro_heap_options options = quiet_options("limit");
  options.limit = 8 * MIB;
  heap = ouro_heap_new(&options);
  ouro_type *pairs = plain_pairs(heap);
  pair *chain = NULL, *next;
  uint64_t n = 0;
  while ((next = make_pair(pairs, 1, chain, NULL))) chain = next, n++;
  char path[32], why[SNAPSHOT_WHY];
  CHECK_EQ(ouro_snapshot_write(heap, memory_file(path), 0), 0);
  CHECK(opened = snapshot_open(path, why));
  CHECK_EQ(snapshot_count(opened).objects, n);
  CHECK_EQ(snapshot_count(opened).edges, n - 1);
  CHECK_EQ(snapshot_count(opened).roots, 1);
}

TEST(a_full_disk_is_told) {
  heap = quiet_heap("full");
  make_chain(plain_pairs(heap), 1000);
  CHECK_EQ(ouro_snapshot_write(heap, open("/dev/full", O_WRONLY), 0), ENOSPC);
  CHECK_EQ(ouro_snapshot_write(heap, -1, 0), EBADF);
}

/* Files may not grow beyond a size that ends within the heap: what was written reads. */
TEST(a_file_cut_short_reads_up_to_there) {
  heap = quiet_heap("cut");
  make_chain(plain_pairs(heap), 300000);
  char path[32], why[SNAPSHOT_WHY];
  int file = memory_file(path);
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit = {600000, 600000};
  CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  int error = ouro_snapshot_write(heap, file, 0);
  CHECK(error == EFBIG);
  CHECK(opened = snapshot_open(path, why));
  CHECK(!snapshot_complete(opened) && snapshot_object_blocks(opened) > 0);
}

/* --- By a child --- */

static int ended_with(int64_t child) {
  int status = -1;
  CHECK_EQ(waitpid((pid_t)child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(a_child_writes_the_moment_it_was_asked) {
  if (under_tsan()) SKIP("its runtime does not know children that it has not made");
  heap = quiet_heap("child");
  pair *chain = make_chain(plain_pairs(heap), 1000);
  char path[] = "/tmp/ouro-snapshot-XXXXXX";
  close(mkstemp(path));
  int64_t child = ouro_snapshot(heap, path, 0);
  CHECK(child > 0);
  ouro_unref(chain); /* the program goes on; the file says what was */
  CHECK_EQ(ended_with(child), 0);
  read_file(path);
  unlink(path);
  CHECK(snapshot_complete(opened));
  CHECK_EQ(all_count, 1000);
  CHECK(text_is(snapshot_fact(opened, "mode"), "fork"));
  CHECK_EQ(snapshot_number(opened, "pid", 0), getpid());
  check_counts();
}

TEST(a_child_that_cannot_be_or_cannot_write) {
  if (under_tsan()) SKIP("its runtime does not know children that it has not made");
  heap = quiet_heap("no child");
  make_chain(plain_pairs(heap), 10);
  CHECK_EQ(ouro_snapshot(heap, "/nowhere/at/all", 0), -ENOENT);
  CHECK_EQ(ended_with(ouro_snapshot(heap, "/dev/full", 0)), ENOSPC);
}
