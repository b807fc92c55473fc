/* SPDX-License-Identifier: MIT */
/* Paths from roots (M4): shortest, whole, each of another kind; the ends they prefer;
 * signatures. */
#include "test.h"

#include "analyze/path.h"
#include "analyze/small.h"

enum { ROOM = 32 };

typedef struct asked {
  path paths[ROOM];
  size_t count;
} asked;

static asked ask(const small *h, int target, size_t room) {
  asked a;
  path_finder *f = path_finder_make(&h->g);
  CHECK(f);
  a.count = path_find(f, small_at(h, target), a.paths, room);
  CHECK(a.count >= 1 && a.count <= room);
  path_finder_free(f);
  return a;
}

static void forget(asked *a) {
  while (a->count) path_free(&a->paths[--a->count]);
}

static bool passes(const small *h, const path *p, int node) {
  for (size_t i = 0; i < p->length; i++)
    if (p->nodes[i] == small_at(h, node)) return true;
  return false;
}

static snapshot_root_kind root_kind(const small *h, const path *p) {
  return snapshot_nth_root(h->s, p->root).kind;
}

static bool has_edge(const graph *g, graph_node from, graph_node to) {
  for (uint32_t e = g->first_out[from]; e < g->first_out[from + 1]; e++)
    if (g->out[e] == to) return true;
  return false;
}

static uint64_t signature(const small *h, int target) {
  asked a = ask(h, target, 1);
  uint64_t sign = path_signature(&h->g, &a.paths[0]);
  forget(&a);
  return sign;
}

/* --- One path --------------------------------------------------------------------------------- */

TEST(M4_the_shortest_path_is_found) {
  small h = {0};
  uint32_t t = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
  int root = small_node(&h, t, 16), far = small_node(&h, t, 16), near = small_node(&h, t, 16);
  int target = small_node(&h, t, 16);
  small_attribute(&h, root, far, "far");
  small_attribute(&h, far, near, "near");
  small_attribute(&h, near, target, "target");
  small_attribute(&h, root, near, "short");
  small_attribute(&h, target, root, "back");
  small_root(&h, root, SNAPSHOT_ROOT_MODULE, "app");
  small_open(&h);
  asked a = ask(&h, target, 1);
  CHECK_EQ(a.paths[0].end, PATH_ROOT);
  CHECK_EQ(a.paths[0].length, 3);
  CHECK_EQ(a.paths[0].left_out, 0);
  CHECK_EQ(a.paths[0].nodes[0], small_at(&h, root));
  CHECK_EQ(a.paths[0].nodes[1], small_at(&h, near));
  CHECK_EQ(a.paths[0].nodes[2], small_at(&h, target));
  forget(&a);
  small_close(&h);
}

TEST(a_root_is_its_own_path) {
  small h = {0};
  uint32_t t = small_type(&h, SNAPSHOT_MODULE, "module");
  int root = small_node(&h, t, 16);
  small_edge(&h, root, root);
  small_root(&h, root, SNAPSHOT_ROOT_TYPE, "x");
  small_root(&h, root, SNAPSHOT_ROOT_MODULE, "app");
  small_open(&h);
  asked a = ask(&h, root, ROOM);
  CHECK_EQ(a.count, 1);
  CHECK_EQ(a.paths[0].length, 1);
  CHECK_EQ(root_kind(&h, &a.paths[0]), SNAPSHOT_ROOT_MODULE); /* of two, what says more */
  forget(&a);
  small_close(&h);
}

TEST(garbage_has_no_path) {
  small h = {0};
  uint32_t t = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
  int a = small_node(&h, t, 16), b = small_node(&h, t, 16), other = small_node(&h, t, 16);
  small_edge(&h, a, b);
  small_edge(&h, b, a);
  small_edge(&h, a, other);
  small_root(&h, other, SNAPSHOT_ROOT_MODULE, "app");
  small_open(&h);
  asked found = ask(&h, b, ROOM);
  CHECK_EQ(found.count, 1);
  CHECK_EQ(found.paths[0].end, PATH_NONE);
  CHECK_EQ(found.paths[0].length, 1);
  CHECK_EQ(found.paths[0].nodes[0], small_at(&h, b));
  forget(&found);
  small_close(&h);
}

TEST(M5_paths_end_at_references_that_nothing_shows) {
  small h = {0};
  uint32_t t = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
  int held = small_node(&h, t, 16), next = small_node(&h, t, 16), target = small_node(&h, t, 16);
  int above = small_node(&h, t, 16);
  small_count(&h, held, 3);
  small_count(&h, above, 1);
  small_edge(&h, above, held);
  small_edge(&h, held, next);
  small_edge(&h, next, target);
  small_open(&h);
  asked a = ask(&h, target, ROOM);
  CHECK_EQ(a.count, 1); /* no path leads through another end */
  CHECK_EQ(a.paths[0].end, PATH_UNSEEN);
  CHECK_EQ(a.paths[0].length, 3);
  CHECK_EQ(a.paths[0].nodes[0], small_at(&h, held));
  forget(&a);
  small_close(&h);
}

TEST(a_root_comes_before_an_unseen_reference) {
  small h = {0};
  uint32_t t = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
  int root = small_node(&h, t, 16), middle = small_node(&h, t, 16), target = small_node(&h, t, 16);
  int leak = small_node(&h, t, 16);
  small_edge(&h, root, middle);
  small_edge(&h, middle, target);
  small_edge(&h, leak, target);
  small_count(&h, leak, 1);
  small_root(&h, root, SNAPSHOT_ROOT_FRAME, "main");
  small_open(&h);
  asked a = ask(&h, target, ROOM);
  CHECK_EQ(a.count, 2);
  CHECK_EQ(a.paths[0].end, PATH_ROOT);
  CHECK_EQ(a.paths[0].length, 3);
  CHECK_EQ(a.paths[1].end, PATH_UNSEEN);
  CHECK_EQ(a.paths[1].length, 2);
  forget(&a);
  small_close(&h);
}

/* --- What is preferred ------------------------------------------------------------------------ */

/* root -> ... -> target, `steps` of them; returns the root. */
static int draw_way(small *h, int target, int steps) {
  int node = target;
  for (int i = 0; i < steps; i++) {
    int above = small_node(h, 0, 16);
    small_attribute(h, above, node, "x");
    node = above;
  }
  return node;
}

TEST(M4_a_holder_that_lasts_comes_before_a_call) {
  for (int steps = 1; steps < 14; steps++) {
    small h = {0};
    small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
    int target = small_node(&h, 0, 16);
    small_root(&h, draw_way(&h, target, 2), SNAPSHOT_ROOT_FRAME, "main");
    small_root(&h, draw_way(&h, target, steps), SNAPSHOT_ROOT_MODULE, "app");
    small_open(&h);
    asked a = ask(&h, target, 1);
    bool lasts = steps <= 2 + PATH_DETOUR;
    CHECK_EQ(root_kind(&h, &a.paths[0]), lasts ? SNAPSHOT_ROOT_MODULE : SNAPSHOT_ROOT_FRAME);
    CHECK_EQ(a.paths[0].length, 1 + (lasts ? steps : 2));
    forget(&a);
    small_close(&h);
  }
}

TEST(M4_else_the_call_that_began_first) {
  small h = {0};
  small_type(&h, SNAPSHOT_FRAME, "running frame");
  int target = small_node(&h, 0, 16), other = draw_way(&h, target, 3), calls[3];
  for (int i = 0; i < 3; i++) { /* the newest first */
    calls[i] = draw_way(&h, target, i == 0 ? 1 : 2);
    small_root(&h, calls[i], SNAPSHOT_ROOT_FRAME, "main");
  }
  small_root(&h, draw_way(&h, small_node(&h, 0, 16), 1), SNAPSHOT_ROOT_FRAME, "other");
  /* The first of its thread too, not as near. */
  small_root(&h, other, SNAPSHOT_ROOT_FRAME, "other");
  small_open(&h);
  asked a = ask(&h, target, 1);
  CHECK_EQ(a.paths[0].nodes[0], small_at(&h, calls[2]));
  CHECK_EQ(a.paths[0].length, 3);
  forget(&a);
  a = ask(&h, calls[0], 1); /* a call is a root all the same */
  CHECK_EQ(a.paths[0].length, 1);
  forget(&a);
  small_close(&h);
}

TEST(modules_say_more_than_types_and_calls_least) {
  static const snapshot_root_kind kinds[] = {SNAPSHOT_ROOT_FRAME, SNAPSHOT_ROOT_TYPE,
                                             SNAPSHOT_ROOT_INTERPRETER, SNAPSHOT_ROOT_THREAD,
                                             SNAPSHOT_ROOT_MODULE};
  for (size_t k = 0; k < 10; k++) { /* in both orders */
    size_t most = 1 + k / 2;
    small h = {0};
    uint32_t t = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
    int target = small_node(&h, t, 16);
    for (size_t i = 0; i < most; i++) {
      int root = small_node(&h, t, 16);
      small_edge(&h, root, target);
      small_root(&h, root, kinds[k % 2 ? most - 1 - i : i], "x");
    }
    small_open(&h);
    asked a = ask(&h, target, 1);
    CHECK_EQ(a.paths[0].length, 2);
    CHECK_EQ(root_kind(&h, &a.paths[0]), kinds[most - 1]);
    forget(&a);
    small_close(&h);
  }
}

TEST(references_with_names_are_preferred) {
  for (int named = 0; named < 3; named++) {
    small h = {0};
    uint32_t t = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
    int root = small_node(&h, t, 16), target = small_node(&h, t, 16), ways[3];
    for (int i = 0; i < 3; i++) {
      ways[i] = small_node(&h, t, 16);
      if (i == named) small_attribute(&h, root, ways[i], "named");
      else small_edge(&h, root, ways[i]);
      small_edge(&h, ways[i], target);
    }
    small_root(&h, root, SNAPSHOT_ROOT_MODULE, "app");
    small_open(&h);
    asked a = ask(&h, target, 1);
    CHECK_EQ(a.paths[0].nodes[1], small_at(&h, ways[named]));
    forget(&a);
    small_close(&h);
  }
}

TEST(a_modules_namespace_is_preferred) {
  for (int first = 0; first < 2; first++) {
    small h = {0};
    uint32_t module = small_type(&h, SNAPSHOT_MODULE, "module");
    uint32_t dict = small_type(&h, SNAPSHOT_DICT, "dict"),
             t = small_type(&h, SNAPSHOT_LIST, "list");
    int root = small_node(&h, module, 16), target = small_node(&h, t, 16), names = -1;
    for (int i = 0; i < 2; i++) {
      bool space = i == first;
      int way = small_node(&h, space ? dict : t, 16);
      if (space) names = way;
      small_named(&h, root, way, space ? SNAPSHOT_INTERNAL : SNAPSHOT_ATTRIBUTE, "x");
      small_edge(&h, way, target);
    }
    small_root(&h, root, SNAPSHOT_ROOT_MODULE, "app");
    small_open(&h);
    asked a = ask(&h, target, 1);
    CHECK_EQ(a.paths[0].nodes[1], small_at(&h, names));
    forget(&a);
    small_close(&h);
  }
}

/* --- Several paths ---------------------------------------------------------------------------- */

TEST(M4_other_holders_and_other_roots_have_paths_of_their_own) {
  small h = {0};
  uint32_t t = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
  int one = small_node(&h, t, 16), two = small_node(&h, t, 16), shared = small_node(&h, t, 16);
  int own = small_node(&h, t, 16), target = small_node(&h, t, 16);
  small_edge(&h, one, shared);
  small_edge(&h, two, shared);
  small_edge(&h, shared, target);
  small_edge(&h, one, own);
  small_edge(&h, own, target);
  small_root(&h, one, SNAPSHOT_ROOT_MODULE, "one");
  small_root(&h, two, SNAPSHOT_ROOT_MODULE, "two");
  small_open(&h);
  asked a = ask(&h, target, ROOM);
  CHECK_EQ(a.count, 3);
  bool by_own = false, by_shared = false, from_two = false;
  for (size_t i = 0; i < a.count; i++) {
    CHECK_EQ(a.paths[i].end, PATH_ROOT);
    CHECK_EQ(a.paths[i].length, 3);
    by_own |= passes(&h, &a.paths[i], own);
    by_shared |= passes(&h, &a.paths[i], shared);
    from_two |= passes(&h, &a.paths[i], two);
  }
  CHECK(by_own && by_shared && from_two);
  forget(&a);
  small_close(&h);
}

TEST(one_finder_answers_many_questions) {
  small h = {0};
  uint32_t t = small_type(&h, SNAPSHOT_LIST, "list");
  int root = small_node(&h, t, 16);
  for (int i = 1; i < 300; i++) small_edge(&h, (i - 1) / 2, small_node(&h, t, 16));
  small_root(&h, root, SNAPSHOT_ROOT_MODULE, "app");
  small_open(&h);
  path_finder *f = path_finder_make(&h.g);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 300; i++) {
      path p[4];
      CHECK_EQ(path_find(f, small_at(&h, i), p, 4), 1);
      size_t length = 1;
      for (int k = i; k > 0; k = (k - 1) / 2) length++;
      CHECK_EQ(p[0].length, length);
      path_free(&p[0]);
    }
  }
  path_finder_free(f);
  small_close(&h);
}

/* --- Long paths ------------------------------------------------------------------------------- */

static void draw_chain(small *h, int length) {
  uint32_t t = small_type(h, SNAPSHOT_INSTANCE, "app.Node");
  for (int i = 0; i < length; i++) {
    small_node(h, t, 16);
    if (i) small_edge(h, i - 1, i);
  }
  small_root(h, 0, SNAPSHOT_ROOT_MODULE, "app");
  small_open(h);
}

TEST(long_paths_leave_out_their_middle) {
  static const int lengths[] = {PATH_LENGTH_MAX - 1, PATH_LENGTH_MAX, PATH_LENGTH_MAX + 1, 200000};
  for (size_t k = 0; k < 4; k++) {
    small h = {0};
    int length = lengths[k];
    draw_chain(&h, length);
    asked a = ask(&h, length - 1, 1);
    const path *p = &a.paths[0];
    CHECK_EQ(p->length + p->left_out, length);
    CHECK_EQ(p->length, length < PATH_LENGTH_MAX ? length : PATH_LENGTH_MAX);
    for (size_t i = 0; i < p->length; i++)
      CHECK_EQ(p->nodes[i], small_at(&h, (int)(i < p->length / 2 ? i : i + p->left_out)));
    forget(&a);
    small_close(&h);
  }
}

/* --- Against every path there is -------------------------------------------------------------- */

enum { NODES_MAX = 12 };

typedef struct drawn {
  int nodes, target;
  bool edge[NODES_MAX][NODES_MAX], root[NODES_MAX];
} drawn;

static void draw_random(small *h, drawn *d) {
  *d = (drawn){.nodes = 1 + (int)(test_random() % NODES_MAX)};
  uint32_t t = small_type(h, SNAPSHOT_INSTANCE, "app.Node");
  for (int i = 0; i < d->nodes; i++) small_node(h, t, 16);
  int edges = (int)(test_random() % (unsigned)(3 * d->nodes));
  for (int i = 0; i < edges; i++) {
    int from = (int)(test_random() % (unsigned)d->nodes),
        to = (int)(test_random() % (unsigned)d->nodes);
    d->edge[from][to] = true;
    if (test_random() % 2) small_edge(h, from, to);
    else small_attribute(h, from, to, "x");
  }
  for (int i = 0; i < d->nodes; i++)
    if ((d->root[i] = test_random() % 4 == 0)) small_root(h, i, SNAPSHOT_ROOT_MODULE, "app");
  d->target = (int)(test_random() % (unsigned)d->nodes);
}

/* Steps from the target up to each node, over nodes that are no roots; 0: none. `first` >= 0: only
 * through this first step. */
static void distances(const drawn *d, int first, int distance[NODES_MAX]) {
  for (int i = 0; i < d->nodes; i++) distance[i] = 0;
  for (int far = 1; far <= d->nodes; far++)
    for (int from = 0; from < d->nodes; from++)
      for (int to = 0; to < d->nodes; to++) {
        if (!d->edge[from][to] || distance[from] || from == d->target) continue;
        bool start = to == d->target && far == 1 && (first < 0 || from == first);
        bool on = to != d->target && far > 1 && distance[to] == far - 1 && !d->root[to];
        if (start || on) distance[from] = far;
      }
}

static int shortest(const drawn *d, int first) {
  int distance[NODES_MAX], least = 0;
  distances(d, first, distance);
  for (int i = 0; i < d->nodes; i++)
    if (d->root[i] && distance[i] && (!least || distance[i] < least)) least = distance[i];
  return least;
}

static int node_of(const small *h, const drawn *d, graph_node node) {
  for (int i = 0; i < d->nodes; i++)
    if (small_at(h, i) == node) return i;
  TEST_FAIL("a node from nowhere");
}

static void check_path(const small *h, const drawn *d, const path *p) {
  CHECK_EQ(p->end, PATH_ROOT);
  CHECK_EQ(p->nodes[p->length - 1], small_at(h, d->target));
  CHECK_EQ(h->g.roots[0].node == GRAPH_NONE, false);
  CHECK(d->root[node_of(h, d, p->nodes[0])]);
  CHECK_EQ(snapshot_nth_root(h->s, p->root).target, graph_address(&h->g, p->nodes[0]));
  for (size_t i = 0; i + 1 < p->length; i++) {
    CHECK(has_edge(&h->g, p->nodes[i], p->nodes[i + 1]));
    if (i) CHECK(!d->root[node_of(h, d, p->nodes[i])]);
  }
}

static void check_all(const small *h, const drawn *d) {
  asked a = ask(h, d->target, ROOM);
  bool steps[NODES_MAX] = {0}, ends[NODES_MAX] = {0};
  int distance[NODES_MAX];
  distances(d, -1, distance);
  int least = shortest(d, -1);
  bool held = least || d->root[d->target];
  CHECK_EQ(a.paths[0].end, held ? PATH_ROOT : PATH_NONE);
  if (held) CHECK_EQ(a.paths[0].length, d->root[d->target] ? 1 : least + 1);
  for (size_t i = 0; held && i < a.count; i++) {
    const path *p = &a.paths[i];
    check_path(h, d, p);
    if (i) CHECK_LE(a.paths[i - 1].length, p->length);
    int end = node_of(h, d, p->nodes[0]);
    int step = p->length > 1 ? node_of(h, d, p->nodes[p->length - 2]) : d->target;
    CHECK(!steps[step] || !ends[end]); /* another step or another root */
    if (!steps[step] && step != d->target) CHECK_EQ(p->length, shortest(d, step) + 1);
    steps[step] = ends[end] = true;
  }
  for (int i = 0; i < d->nodes; i++) {
    if (i == d->target) continue;
    CHECK_EQ(steps[i], d->edge[i][d->target] && shortest(d, i));
    CHECK_EQ(ends[i], d->root[i] && distance[i]);
  }
  forget(&a);
}

TEST(M4_paths_of_random_graphs) {
  for (int i = 0; i < 3000; i++) {
    small h = {0};
    drawn d;
    draw_random(&h, &d);
    small_open(&h);
    check_all(&h, &d);
    small_close(&h);
  }
}

/* As above, some roots are calls of one thread; `least` of those that last, and of the calls. */
TEST(M4_first_paths_of_random_graphs_with_calls) {
  for (int i = 0; i < 2000; i++) {
    small h = {0};
    drawn d;
    draw_random(&h, &d);
    int distance[NODES_MAX], least[2] = {0, 0}, oldest = -1;
    for (int r = 0; r < h.root_count; r++)
      if (test_random() % 2) h.roots[r].kind = SNAPSHOT_ROOT_FRAME;
    small_open(&h);
    distances(&d, -1, distance);
    for (int r = 0; r < h.root_count; r++) {
      int far = distance[h.roots[r].node], *of = &least[h.roots[r].kind == SNAPSHOT_ROOT_FRAME];
      if (far && (!*of || far < *of)) *of = far;
    }
    bool lasts = least[0] && (!least[1] || least[0] <= least[1] + PATH_DETOUR);
    for (int r = 0; r < h.root_count; r++) { /* the newest first */
      int far = distance[h.roots[r].node];
      if (h.roots[r].kind == SNAPSHOT_ROOT_FRAME && far && far <= least[1] + PATH_DETOUR)
        oldest = h.roots[r].node;
    }
    asked a = ask(&h, d.target, 1);
    const path *p = &a.paths[0];
    if (d.root[d.target]) CHECK_EQ(p->length, 1);
    else if (lasts) CHECK_EQ(p->length, least[0] + 1);
    else if (oldest >= 0) CHECK_EQ(p->nodes[0], small_at(&h, oldest));
    else CHECK_EQ(p->end, PATH_NONE);
    if (p->end == PATH_ROOT) check_path(&h, &d, p);
    forget(&a);
    small_close(&h);
  }
}

/* --- Signatures ------------------------------------------------------------------------------- */

/* module -> its dictionary -> `global` -> list -> two sessions by index; returns the first. */
static int draw_sessions(small *h, const char *module_name, const char *global, bool other_order) {
  if (other_order) small_type(h, SNAPSHOT_OTHER, "unrelated");
  uint32_t session = small_type(h, SNAPSHOT_INSTANCE, "shop.Session");
  uint32_t module = small_type(h, SNAPSHOT_MODULE, "module");
  uint32_t dict = small_type(h, SNAPSHOT_DICT, "dict"), list = small_type(h, SNAPSHOT_LIST, "list");
  uint32_t str = small_type(h, SNAPSHOT_STR, "str");
  if (other_order) small_node(h, str, 50);
  int root = small_node(h, module, 64), names = small_node(h, dict, 232);
  int key = small_node(h, str, 50), items = small_node(h, list, 100);
  small_key_text(h, key, global);
  small_named(h, root, names, SNAPSHOT_INTERNAL, "__dict__");
  small_entry(h, names, key, items);
  int first = small_node(h, session, 48), second = small_node(h, session, 48);
  small_item(h, items, first, 0);
  small_item(h, items, second, 1);
  small_root(h, root, SNAPSHOT_ROOT_MODULE, module_name);
  small_open(h);
  return first;
}

static uint64_t signature_of(const char *module_name, const char *global, bool other_order) {
  small h = {0};
  int first = draw_sessions(&h, module_name, global, other_order);
  uint64_t sign = signature(&h, first);
  CHECK_EQ(signature(&h, first + 1), sign);
  small_close(&h);
  return sign;
}

TEST(M3_things_held_alike_have_one_signature) {
  uint64_t sign = signature_of("shop", "SESSIONS", false);
  CHECK_EQ(signature_of("shop", "SESSIONS", true), sign);
  CHECK_NE(signature_of("shop", "OTHERS", false), sign);
  CHECK_NE(signature_of("bank", "SESSIONS", false), sign);
}

TEST(attributes_tell_paths_apart_and_keys_do_not) {
  small h = {0};
  uint32_t t = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
  uint32_t dict = small_type(&h, SNAPSHOT_DICT, "dict"), str = small_type(&h, SNAPSHOT_STR, "str");
  int root = small_node(&h, t, 16), map = small_node(&h, dict, 232), by[2], under[2];
  static const char *const words[] = {"left", "right"};
  small_attribute(&h, root, map, "map");
  for (int i = 0; i < 2; i++) {
    by[i] = small_node(&h, t, 16);
    under[i] = small_node(&h, t, 16);
    int key = small_node(&h, str, 50);
    small_key_text(&h, key, words[i]);
    small_attribute(&h, root, by[i], words[i]);
    small_entry(&h, map, key, under[i]);
  }
  small_root(&h, root, SNAPSHOT_ROOT_FRAME, "main");
  small_open(&h);
  CHECK_NE(signature(&h, by[0]), signature(&h, by[1]));
  CHECK_EQ(signature(&h, under[0]), signature(&h, under[1]));
  small_close(&h);
}
