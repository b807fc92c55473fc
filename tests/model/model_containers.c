/* SPDX-License-Identifier: MIT */
/* All containers under random operations, beside a model; also where each n-th allocation fails and
 * where every allocation collects. OURO_SEED=n replays a run. */
#include "test.h"

#include "model/containers.h"
#include "pool/heap.h"

/* --- A finalizer that allocates and changes a list --- */

static ouro_list *log_of_ends; /* of the heap at hand */
static int record_ends;

static void record_finalize(void *self) {
  ouro_record *record = self;
  record_ends++;
  CHECK_LT(0u, ouro_count(record));
  if (ouro_list_length(log_of_ends) > 50) ouro_list_clear(log_of_ends);
  ouro_list_append_new(log_of_ends, ouro_str_intern(ouro_heap_of(record), "v2", 2));
}

/* --- Operations on lists --- */

static bool list_before(const void *a, const void *b, void *w) {
  return number_of(w, a) < number_of(w, b);
}

static void model_sort(node *n) {
  for (int i = 1; i < n->length; i++)
    for (int k = i; k > 0 && n->value[k] < n->value[k - 1]; k--) {
      int number = n->value[k];
      n->value[k] = n->value[k - 1];
      n->value[k - 1] = number;
    }
}

static void list_insert(world *w, node *n, ouro_list *list, int number) {
  ouro_object *item;
  int at = world_below(w, 2) ? n->length : world_below(w, n->length + 1);
  if (n->length == ROOM || !make(w, number, &item)) return;
  bool done =
      at == n->length ? ouro_list_append(list, item) : ouro_list_insert(list, (size_t)at, item);
  ouro_unref(item);
  w->refused += !done;
  if (done) model_insert(n, at, EMPTY, number);
}

static void list_set(world *w, node *n, ouro_list *list, int number) {
  ouro_object *item;
  if (n->length == 0 || !make(w, number, &item)) return;
  int at = world_below(w, n->length);
  CHECK(ouro_list_set(list, (size_t)at, item));
  ouro_unref(item);
  n->value[at] = number;
}

static void list_remove(world *w, node *n, ouro_list *list) {
  if (n->length == 0) {
    CHECK(!ouro_list_pop(list));
    return;
  }
  int at = world_below(w, n->length), number = n->value[at];
  ouro_object *item = ouro_list_remove(list, (size_t)at);
  CHECK_EQ(number_of(w, item), number);
  model_remove(n, at);
  ouro_unref(item);
}

static void list_reverse(node *n, ouro_list *list) {
  ouro_list_reverse(list);
  for (int low = 0, high = n->length - 1; low < high; low++, high--) {
    int number = n->value[low];
    n->value[low] = n->value[high];
    n->value[high] = number;
  }
}

static void list_operation(world *w, node *n, int number) {
  ouro_list *list = (ouro_list *)(void *)n->object;
  switch (world_below(w, 16)) {
  case 0: ouro_list_clear(list), n->length = 0; break;
  case 1: list_reverse(n, list); break;
  case 2:
    if (ouro_list_sort(list, list_before, w)) model_sort(n);
    else w->refused++;
    break;
  case 3: list_set(w, n, list, number); break;
  case 4:
  case 5:
  case 6: list_remove(w, n, list); break;
  case 7: w->refused += !ouro_list_reserve(list, (size_t)world_below(w, 100)); break;
  default: list_insert(w, n, list, number);
  }
}

/* --- Operations on dictionaries and sets --- */

static void dict_put(world *w, node *n, ouro_dict *dict, int key, int number) {
  ouro_object *k, *v;
  int at = model_find(n->key, n->length, key);
  if ((at == EMPTY && n->length == ROOM) || !make(w, key, &k)) return;
  bool made = make(w, number, &v), done = made && ouro_dict_put(dict, k, v);
  ouro_unref(k);
  ouro_unref(v);
  w->refused += made && !done;
  if (!done) return;
  if (at == EMPTY) model_insert(n, n->length, key, number);
  else n->value[at] = number;
}

static void dict_get_or_remove(world *w, node *n, ouro_dict *dict, int key, bool removal) {
  ouro_object *k, *found;
  int at = model_find(n->key, n->length, key);
  if (!make(w, key, &k)) return;
  CHECK_EQ(ouro_dict_get(dict, k, &found), at != EMPTY);
  CHECK_EQ(number_of(w, found), at == EMPTY ? EMPTY : n->value[at]);
  if (removal) {
    CHECK_EQ(ouro_dict_remove(dict, k), at != EMPTY);
    if (at != EMPTY) model_remove(n, at);
  }
  ouro_unref(k);
}

/* Removes every other entry while it iterates. */
static void dict_thin(node *n, ouro_dict *dict) {
  ouro_object *key, *value;
  size_t position = 0;
  for (int i = 0; ouro_dict_next(dict, &position, &key, &value); i++)
    if (i % 2) CHECK_EQ(ouro_dict_remove(dict, key), 1);
  for (int i = (n->length - 1) | 1; i > 0; i -= 2)
    if (i < n->length) model_remove(n, i);
}

static void dict_operation(world *w, node *n, int number) {
  ouro_dict *dict = (ouro_dict *)(void *)n->object;
  int key = choose_key(w, n);
  switch (world_below(w, 16)) {
  case 0: ouro_dict_clear(dict), n->length = 0; break;
  case 1: dict_thin(n, dict); break;
  case 2:
  case 3: dict_get_or_remove(w, n, dict, key, false); break;
  case 4:
  case 5:
  case 6:
  case 7: dict_get_or_remove(w, n, dict, key, true); break;
  default: dict_put(w, n, dict, key, number);
  }
}

static void set_add(world *w, node *n, ouro_set *set, int number, ouro_object *member) {
  int at = model_find(n->value, n->length, number);
  if (at == EMPTY && n->length == ROOM) return;
  int result = ouro_set_add(set, member);
  w->refused += result < 0;
  if (result >= 0) CHECK_EQ(result, at == EMPTY);
  else CHECK_EQ(at, EMPTY);
  if (result == 1) model_insert(n, n->length, EMPTY, number);
}

static void set_remove(node *n, ouro_set *set, int at, const ouro_object *member) {
  CHECK_EQ(ouro_set_remove(set, member), at != EMPTY);
  if (at != EMPTY) model_remove(n, at);
}

static void set_operation(world *w, node *n) {
  ouro_set *set = (ouro_set *)(void *)n->object;
  int number = choose_key(w, n), what = world_below(w, 12);
  ouro_object *member;
  if (!make(w, number, &member)) return;
  int at = model_find(n->value, n->length, number);
  CHECK_EQ(ouro_set_has(set, member), at != EMPTY);
  if (what == 0) ouro_set_clear(set), n->length = 0;
  else if (what > 4) set_add(w, n, set, number, member);
  else set_remove(n, set, at, member);
  ouro_unref(member);
}

/* --- The world --- */

static void record_operation(world *w, node *n, int number) {
  ouro_object *value;
  int at = world_below(w, FIELDS);
  char name[] = {(char)('a' + at), 0};
  if (!make(w, number, &value)) return;
  if (world_below(w, 2)) ouro_record_set((ouro_record *)(void *)n->object, (size_t)at, value);
  else CHECK(ouro_record_set_named((ouro_record *)(void *)n->object, name, value));
  ouro_unref(value);
  n->value[at] = number;
}

static ouro_object *make_tuple_node(world *w, node *n) {
  ouro_object *items[FIELDS] = {NULL};
  bool made = true;
  for (int i = 0; i < FIELDS; i++) {
    n->value[i] = choose_number(w);
    made &= make(w, n->value[i], &items[i]);
  }
  ouro_tuple *tuple = made ? ouro_tuple_of(w->heap, FIELDS, items) : NULL;
  for (int i = 0; i < FIELDS; i++) ouro_unref(items[i]);
  return OURO_OBJECT(tuple);
}

static ouro_object *make_container(world *w, node *n) {
  n->length = n->kind >= RECORD ? FIELDS : 0;
  for (int i = 0; i < FIELDS; i++) n->value[i] = EMPTY;
  switch (n->kind) {
  case LIST: return OURO_OBJECT(ouro_list_new(w->heap));
  case DICT: return OURO_OBJECT(ouro_dict_new(w->heap));
  case SET: return OURO_OBJECT(ouro_set_new(w->heap));
  case RECORD: return OURO_OBJECT(ouro_record_new(w->record_type));
  default: return make_tuple_node(w, n);
  }
}

/* Binds a root to something new or to something that is there; what it held may become garbage. */
static void root_operation(world *w) {
  int r = world_below(w, ROOTS), old = w->root[r], i = choose_node(w, false);
  ouro_object *dropped = old == EMPTY ? NULL : w->nodes[old - VALUES].object;
  if (world_below(w, 3) == 0) i = choose_node(w, true);
  if (i == EMPTY || world_below(w, 12) == 0) {
    w->root[r] = EMPTY;
  } else if (w->reachable[i]) {
    w->root[r] = VALUES + i;
    ouro_ref(w->nodes[i].object);
  } else {
    node made = {.kind = world_below(w, KINDS)};
    made.object = make_container(w, &made);
    w->refused += !made.object;
    if (!made.object) return;
    w->nodes[i] = made;
    w->root[r] = VALUES + i;
  }
  ouro_unref(dropped);
}

static void step(world *w) {
  int i = choose_node(w, true), number = choose_number(w);
  if (i == EMPTY || world_below(w, 6) == 0) root_operation(w);
  else if (w->nodes[i].kind == LIST) list_operation(w, &w->nodes[i], number);
  else if (w->nodes[i].kind == DICT) dict_operation(w, &w->nodes[i], number);
  else if (w->nodes[i].kind == SET) set_operation(w, &w->nodes[i]);
  else if (w->nodes[i].kind == RECORD) record_operation(w, &w->nodes[i], number);
  reach_all(w);
}

static void compare(const world *w, int at) {
  for (int i = 0; i < NODES; i++)
    if (w->reachable[i] && !same_node(w, &w->nodes[i]))
      TEST_FAIL("step %d: node %d of kind %d is not as the model says", at, i, w->nodes[i].kind);
}

/* After a full collection what is left is what the model can reach. */
static void compare_counts(world *w) {
  static const char *const names[] = {"list", "dict", "set", "record"};
  uint64_t count[KINDS] = {[LIST] = 1}; /* the log */
  if (ouro_collect(w->heap, 2) < 0) return;
  for (int i = 0; i < NODES; i++) count[w->nodes[i].kind] += w->reachable[i];
  for (int kind = LIST; kind <= RECORD; kind++)
    CHECK_EQ(objects_of(w->heap, names[kind]), count[kind]);
  CHECK(objects_ok(w->heap));
}

/* A finalizer may log while the log is made, so it is made first. */
static bool world_start(world *w, ouro_heap *heap, uint64_t seed) {
  static const char *const names[] = {"a", "b", "c"};
  *w = (world){.heap = heap, .seed = seed};
  for (int r = 0; r < ROOTS; r++) w->root[r] = EMPTY;
  log_of_ends = ouro_list_new(heap);
  if (!log_of_ends) return false;
  w->record_type = ouro_record_type(heap, "record", FIELDS, names, record_finalize);
  return w->record_type != NULL;
}

static void world_end(world *w) {
  for (int r = 0; r < ROOTS; r++)
    if (w->root[r] != EMPTY) ouro_unref(w->nodes[w->root[r] - VALUES].object);
  for (int r = 0; r < ROOTS; r++) w->root[r] = EMPTY;
  reach_all(w);
  compare_counts(w);
  ouro_list_clear(log_of_ends);
  static const char *const values[] = {"str", "bytes", "tuple", "float"};
  for (int i = 0; i < 4; i++) CHECK_EQ(objects_of(w->heap, values[i]), 0u);
  ouro_unref(log_of_ends);
  CHECK(objects_ok(w->heap));
}

static void play(ouro_heap *heap, uint64_t seed, int steps, int every) {
  world w;
  CHECK(world_start(&w, heap, seed));
  for (int i = 1; i <= steps; i++) {
    step(&w);
    compare(&w, i);
    if (i % every == 0) compare_counts(&w);
  }
  CHECK_EQ(w.refused, 0);
  world_end(&w);
}

TEST(random_operations) {
  for (int life = 0; life < 4; life++) {
    ouro_heap *h = quiet_heap("model");
    play(h, test_random(), 5000, 100);
    ouro_heap_destroy(h);
  }
}

TEST(random_operations_hardened) {
  ouro_heap_options options = quiet_options("model");
  options.hardened = true;
  ouro_heap *h = ouro_heap_new(&options);
  play(h, test_random(), 5000, 100);
  ouro_heap_destroy(h);
}

/* Young collections and slices come at any moment. */
TEST(random_operations_with_low_thresholds) {
  for (int life = 0; life < 5; life++) {
    ouro_heap *h = quiet_heap("model");
    ouro_gc_set_thresholds(h, (const uint32_t[]){3, 2, 2});
    ouro_gc_set_pause(h, life % 2 ? 0 : 1000);
    play(h, test_random(), 5000, 100);
    ouro_heap_destroy(h);
  }
}

TEST(a_collection_at_every_allocation) {
  for (uint32_t n = 1; n <= 3; n++) {
    ouro_heap *h = quiet_heap("model");
    ouro_gc_set_stress(h, n);
    play(h, test_random(), 2500, 100);
    ouro_heap_destroy(h);
  }
}

/* --- Refused memory --- */

/* Plays the script; operations that are refused change nothing. */
static void play_refused(ouro_heap *heap, uint64_t seed, int steps, uint64_t n, uint64_t every) {
  world w;
  ouro_heap_fail(heap, n, every);
  bool started = world_start(&w, heap, seed);
  for (int i = 1; started && i <= steps; i++) {
    step(&w);
    if (i % 10 == 0) compare(&w, i);
  }
  ouro_heap_fail(heap, 0, 0);
  if (started) {
    compare(&w, steps);
    world_end(&w);
  }
}

/* Until the script ends before its n-th allocation. */
static void refuse_each(int steps, uint64_t every, uint32_t stress) {
  uint64_t seed = test_random(), n = 1;
  for (bool done = false; !done; n++) {
    ouro_heap *h = quiet_heap("model");
    ouro_gc_set_stress(h, stress);
    play_refused(h, seed, steps, n, every);
    CHECK(heap_ok(h));
    done = heap_in(h)->faults == 0;
    ouro_heap_destroy(h);
    CHECK_LT(n, 5000u);
  }
  CHECK_LT(40u, n);
}

TEST(the_nth_allocation_fails) { refuse_each(150, 0, 0); }

TEST(all_allocations_from_the_nth_on_fail) { refuse_each(150, 1, 0); }

TEST(every_fifth_allocation_fails) { refuse_each(150, 5, 0); }

TEST(the_nth_allocation_fails_where_each_collects) { refuse_each(120, 0, 1); }

/* A limit in place of injected faults: collections are tried before anything is refused. */
TEST(random_operations_under_a_limit) {
  for (int life = 0; life < 2; life++) {
    ouro_heap *h = quiet_heap("model");
    world w;
    CHECK(world_start(&w, h, test_random()));
    ouro_heap_set_limit(h, (size_t)(6 + life) * 64 * KIB);
    for (int i = 1; i <= 5000; i++) {
      step(&w);
      compare(&w, i);
    }
    world_end(&w);
    ouro_heap_destroy(h);
  }
}
