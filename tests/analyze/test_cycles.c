/* SPDX-License-Identifier: MIT */
/* Cycles (C7, M8): which there are, a shortest one of each component, the edge to make weak. */
#include "test.h"

#include "analyze/cycles.h"
#include "analyze/small.h"

#define ALL (1u << REACH_GARBAGE | 1u << REACH_UNSEEN | 1u << REACH_ROOT)

typedef struct found {
  cycle_group *groups;
  size_t count;
} found;

static found find(small *h, unsigned wanted) {
  found f;
  if (!h->reached) small_reach(h);
  CHECK(cycles_find(&h->r, wanted, &f.groups, &f.count));
  return f;
}

static bool text_is(snapshot_text text, const char *word) {
  return text.length == strlen(word) && !memcmp(text.text, word, text.length);
}

/* The step has this attribute's name. */
static bool is_called(const small *h, const cycle_group *g, size_t step, const char *word) {
  const snapshot_edge *edge = &g->edges[step];
  return snapshot_label_named(edge->kind) && text_is(snapshot_name(h->s, edge->label), word);
}

static uint32_t draw_type(small *h) { return small_type(h, SNAPSHOT_INSTANCE, "app.Node"); }

static void draw_nodes(small *h, uint32_t type, int count, uint64_t size) {
  for (int i = 0; i < count; i++) small_node(h, type, size);
}

/* --- Which ------------------------------------------------------------------------------------ */

TEST(C2_the_ring_of_three) {
  small h = {0};
  uint32_t t = small_type_with(&h, SNAPSHOT_INSTANCE, "app.Node", SNAPSHOT_TYPE_FINALIZER);
  draw_nodes(&h, t, 5, 48);
  small_attribute(&h, 0, 1, "next");
  small_attribute(&h, 1, 2, "next");
  small_attribute(&h, 2, 0, "next");
  small_attribute(&h, 2, 3, "tail"); /* held by the cycle, not in it */
  small_attribute(&h, 4, 0, "head");
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.count, 1);
  const cycle_group *g = f.groups;
  CHECK_EQ(g->class, REACH_GARBAGE);
  CHECK_EQ(g->components, 1);
  CHECK_EQ(g->objects, 3);
  CHECK_EQ(g->bytes, 144);
  CHECK_EQ(g->finalizers, 3);
  CHECK_EQ(g->length, 3);
  CHECK_EQ(g->steps, 3);
  for (size_t i = 0; i < 3; i++) {
    CHECK_EQ(g->nodes[i], small_at(&h, (int)i));
    CHECK_EQ(g->edges[i].target, h.nodes[(i + 1) % 3].address);
    CHECK(is_called(&h, g, i, "next"));
  }
  free(f.groups);
  small_close(&h);
}

TEST(an_object_that_holds_itself) {
  small h = {0};
  draw_nodes(&h, draw_type(&h), 2, 48);
  small_attribute(&h, 0, 0, "me");
  small_attribute(&h, 0, 1, "other");
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.count, 1);
  CHECK_EQ(f.groups->length, 1);
  CHECK_EQ(f.groups->objects, 1);
  CHECK_EQ(f.groups->weak, 0);
  free(f.groups);
  small_close(&h);
}

TEST(no_cycles_no_groups) {
  small h = {0};
  draw_nodes(&h, draw_type(&h), 4, 48);
  for (int i = 0; i < 4; i++)
    for (int j = i + 1; j < 4; j++) small_edge(&h, i, j);
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.count, 0);
  free(f.groups);
  small_close(&h);
}

TEST(C7_classes_are_told_apart) {
  small h = {0};
  draw_nodes(&h, draw_type(&h), 6, 48);
  for (int i = 0; i < 6; i++) small_attribute(&h, i, i ^ 1, "peer");
  small_root(&h, 0, SNAPSHOT_ROOT_MODULE, "app");
  small_count(&h, 2, 1);
  small_open(&h);
  for (unsigned wanted = 0; wanted <= ALL; wanted++) {
    found f = find(&h, wanted);
    unsigned classes = 0;
    for (size_t i = 0; i < f.count; i++) {
      CHECK_EQ(f.groups[i].objects, 2);
      classes |= 1u << f.groups[i].class;
    }
    CHECK_EQ(classes, wanted);
    free(f.groups);
  }
  small_close(&h);
}

TEST(cycles_through_the_same_types_are_one_group) {
  small h = {0};
  uint32_t a = draw_type(&h), b = small_type(&h, SNAPSHOT_INSTANCE, "app.Leaf");
  for (int i = 0; i < 30; i++) { /* ten rings of a, a, b, wherever they begin */
    small_node(&h, i % 3 == i / 3 % 3 ? b : a, 48);
    small_attribute(&h, i, i % 3 == 2 ? i - 2 : i + 1, "next");
  }
  draw_nodes(&h, b, 3, 1000); /* a ring of others, larger */
  for (int i = 0; i < 3; i++) small_attribute(&h, 30 + i, 30 + (i + 1) % 3, "next");
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.count, 2);
  CHECK_EQ(f.groups[0].components, 1);
  CHECK_EQ(f.groups[0].bytes, 3000);
  CHECK_EQ(f.groups[1].components, 10);
  CHECK_EQ(f.groups[1].objects, 30);
  CHECK_EQ(f.groups[1].bytes, 30 * 48);
  free(f.groups);
  small_close(&h);
}

TEST(the_example_is_the_smallest_component) {
  for (int k = 0; k < 2; k++) {
    small h = {0};
    draw_nodes(&h, draw_type(&h), 5, 48); /* rings of two, one has a tail that comes back */
    int alone = k ? 0 : 3, first = k ? 2 : 0;
    small_attribute(&h, alone, alone + 1, "next");
    small_attribute(&h, alone + 1, alone, "next");
    for (int i = 0; i < 3; i++) small_attribute(&h, first + i, first + (i + 1) % 3, "next");
    small_attribute(&h, first + 1, first, "next");
    small_open(&h);
    found f = find(&h, ALL);
    CHECK_EQ(f.count, 1);
    CHECK_EQ(f.groups->components, 2);
    CHECK_EQ(f.groups->nodes[0], small_at(&h, alone));
    free(f.groups);
    small_close(&h);
  }
}

/* --- Shortest --------------------------------------------------------------------------------- */

/* A ring of `length`, to which `chords` are added that lead forward, so that the shortest cycle is
 * known: each chord from i to i + `jump` shortens it once. */
static void check_ring(int length, int jump) {
  small h = {0};
  draw_nodes(&h, draw_type(&h), length, 16);
  for (int i = 0; i < length; i++) small_edge(&h, i, (i + 1) % length);
  if (jump) small_edge(&h, length / 3, length / 3 + jump);
  small_open(&h);
  CHECK(reach_classify(&h.r, &h.g));
  h.reached = true;
  found f = find(&h, ALL);
  CHECK_EQ(f.count, 1);
  CHECK_EQ(f.groups->objects, length);
  CHECK_EQ(f.groups->length, jump ? length - jump + 1 : length);
  CHECK_EQ(f.groups->steps, f.groups->length < CYCLES_STEPS ? f.groups->length : CYCLES_STEPS);
  free(f.groups);
  small_close(&h);
}

TEST(a_ring_with_a_chord) {
  check_ring(10, 0);
  check_ring(100, 40);
  check_ring(CYCLES_EXACT, 2000);
}

TEST(a_ring_of_a_hundred_thousand) { check_ring(100000, 0); }

TEST(a_large_component_has_a_cycle_from_a_sample) {
  small h = {0};
  int count = 20000;
  draw_nodes(&h, draw_type(&h), count, 16);
  for (int i = 1; i < count; i++) { /* a tree whose nodes know their parents */
    small_attribute(&h, (i - 1) / 2, i, "child");
    small_attribute(&h, i, (i - 1) / 2, "parent");
  }
  small_root(&h, 0, SNAPSHOT_ROOT_MODULE, "app");
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.count, 1);
  CHECK_EQ(f.groups->objects, count);
  CHECK_EQ(f.groups->length, 2);
  CHECK(is_called(&h, f.groups, f.groups->weak, "parent"));
  free(f.groups);
  small_close(&h);
}

/* --- The edge to make weak -------------------------------------------------------------------- */

TEST(M8_the_reference_back_to_an_owner_is_made_weak) {
  static const char *const words[] = {"parent", "_owner", "__self", "prev"};
  for (size_t k = 0; k < 8; k++) {
    small h = {0};
    draw_nodes(&h, draw_type(&h), 2, 48);
    small_attribute(&h, 0, 1, k < 4 ? "child" : words[k - 4]);
    small_attribute(&h, 1, 0, k < 4 ? words[k] : "child");
    small_open(&h);
    found f = find(&h, ALL);
    CHECK_EQ(f.groups->nodes[f.groups->weak], small_at(&h, k < 4));
    free(f.groups);
    small_close(&h);
  }
}

/* instance -> its dictionary -> instance -> its dictionary -> the first instance */
TEST(M8_an_edge_that_can_be_weak_is_chosen) {
  small h = {0};
  uint32_t t = draw_type(&h), dict = small_type(&h, SNAPSHOT_DICT, "dict");
  uint32_t str = small_type(&h, SNAPSHOT_STR, "str");
  int a = small_node(&h, t, 48), names = small_node(&h, dict, 232), b = small_node(&h, t, 48);
  int more = small_node(&h, dict, 232), child = small_node(&h, str, 50);
  int parent = small_node(&h, str, 50);
  small_key_text(&h, child, "child");
  small_key_text(&h, parent, "parent");
  small_attribute(&h, a, names, "__dict__");
  small_entry(&h, names, child, b);
  small_attribute(&h, b, more, "__dict__");
  small_entry(&h, more, parent, a);
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.count, 1);
  CHECK_EQ(f.groups->length, 4);
  CHECK_EQ(f.groups->nodes[0], small_at(&h, a)); /* from an instance on */
  CHECK_EQ(f.groups->weak, 3);
  CHECK_EQ(f.groups->edges[3].kind, SNAPSHOT_VALUE);
  free(f.groups);
  small_close(&h);
}

TEST(M8_no_advice_where_no_reference_can_be_weak) {
  small h = {0};
  uint32_t list = small_type(&h, SNAPSHOT_LIST, "list");
  draw_nodes(&h, list, 2, 64);
  small_item(&h, 0, 1, 0);
  small_item(&h, 1, 0, 0);
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.groups->length, 2);
  CHECK_EQ(f.groups->weak, SIZE_MAX);
  free(f.groups);
  small_close(&h);
}

/* A class and its order of bases; a function and the names of its module. */
TEST(M8_no_advice_about_what_belongs_to_the_language) {
  small h = {0};
  uint32_t type = small_type(&h, SNAPSHOT_TYPE, "type"),
           dict = small_type(&h, SNAPSHOT_DICT, "dict");
  uint32_t tuple = small_type(&h, SNAPSHOT_TUPLE, "tuple"),
           str = small_type(&h, SNAPSHOT_STR, "str");
  uint32_t function = small_type(&h, SNAPSHOT_FUNCTION, "function");
  int class = small_node(&h, type, 1000), order = small_node(&h, tuple, 56);
  small_attribute(&h, class, order, "__mro__");
  small_item(&h, order, class, 0);
  int code = small_node(&h, function, 136), names = small_node(&h, dict, 232);
  int name = small_node(&h, str, 50);
  small_key_text(&h, name, "parent");
  small_attribute(&h, code, names, "__globals__");
  small_entry(&h, names, name, code);
  int other = small_node(&h, type, 1000), space = small_node(&h, dict, 200);
  small_attribute(&h, other, space, "__dict__");
  small_entry(&h, space, name, other);
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.count, 3);
  for (size_t i = 0; i < f.count; i++) CHECK_EQ(f.groups[i].weak, SIZE_MAX);
  free(f.groups);
  small_close(&h);
}

TEST(M8_a_closed_over_self_is_made_weak) {
  small h = {0};
  uint32_t t = draw_type(&h), function = small_type(&h, SNAPSHOT_FUNCTION, "function");
  uint32_t tuple = small_type(&h, SNAPSHOT_TUPLE, "tuple"),
           cell = small_type(&h, SNAPSHOT_CELL, "cell");
  int object = small_node(&h, t, 48), code = small_node(&h, function, 136);
  int closure = small_node(&h, tuple, 56), self = small_node(&h, cell, 40);
  small_attribute(&h, object, code, "callback");
  small_named(&h, code, closure, SNAPSHOT_INTERNAL, "__closure__");
  small_named(&h, closure, self, SNAPSHOT_CELLVAR, "self");
  small_named(&h, self, object, SNAPSHOT_INTERNAL, "cell_contents");
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.groups->length, 4);
  CHECK_EQ(f.groups->weak, 3);
  free(f.groups);
  small_close(&h);
}

/* Two cycles share the edge from 0 to 1: only its loss ends both, whatever the others are
 * called. */
TEST(M8_the_edge_that_ends_all_cycles_is_made_weak) {
  small h = {0};
  draw_nodes(&h, draw_type(&h), 4, 48);
  small_attribute(&h, 0, 1, "next");
  small_attribute(&h, 1, 2, "a");
  small_attribute(&h, 2, 0, "parent");
  small_attribute(&h, 1, 3, "b");
  small_attribute(&h, 3, 0, "parent");
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.groups->length, 3);
  CHECK(is_called(&h, f.groups, f.groups->weak, "next"));
  free(f.groups);
  small_close(&h);
}

/* Each node also has a cycle of its own, longer: no edge ends all, but 0 to 1 is on two
 * shortest. */
TEST(M8_else_the_edge_on_most_shortest_cycles) {
  small h = {0};
  draw_nodes(&h, draw_type(&h), 10, 48);
  static const int edges[][2] = {{0, 1}, {1, 2}, {2, 0}, {1, 3}, {3, 0}, {0, 4}, {4, 5},
                                 {5, 6}, {6, 0}, {1, 7}, {7, 8}, {8, 9}, {9, 1}};
  for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
    small_attribute(&h, edges[i][0], edges[i][1], edges[i][1] == 0 ? "parent" : "next");
  small_open(&h);
  found f = find(&h, ALL);
  CHECK_EQ(f.groups->length, 3);
  CHECK_EQ(f.groups->nodes[f.groups->weak], small_at(&h, 0));
  free(f.groups);
  small_close(&h);
}

/* --- Against all cycles of small graphs ------------------------------------------------------- */

enum { NODES_MAX = 9, NEVER = 100 };

typedef struct drawn {
  int nodes, edges[NODES_MAX][NODES_MAX], far[NODES_MAX][NODES_MAX]; /* shortest, of 1 step on */
} drawn;

static void draw_random(small *h, drawn *d) {
  *d = (drawn){.nodes = 1 + (int)(test_random() % NODES_MAX)};
  uint32_t types[2] = {draw_type(h), small_type(h, SNAPSHOT_INSTANCE, "app.Leaf")};
  for (int i = 0; i < d->nodes; i++) small_node(h, types[test_random() % 2], 16 << i % 3);
  int edges = (int)(test_random() % (unsigned)(2 * d->nodes + 2));
  for (int i = 0; i < edges; i++) {
    int from = (int)(test_random() % (unsigned)d->nodes),
        to = (int)(test_random() % (unsigned)d->nodes);
    d->edges[from][to]++;
    small_attribute(h, from, to, "x");
  }
}

static void measure(drawn *d) {
  int n = d->nodes;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) d->far[i][j] = d->edges[i][j] ? 1 : NEVER;
  for (int k = 0; k < n; k++)
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        if (d->far[i][k] + d->far[k][j] < d->far[i][j]) d->far[i][j] = d->far[i][k] + d->far[k][j];
}

static bool together(const drawn *d, int a, int b) {
  return d->far[a][b] < NEVER && d->far[b][a] < NEVER;
}

static int node_of(const small *h, graph_node node) {
  for (int i = 0; i < h->node_count; i++)
    if (small_at(h, i) == node) return i;
  TEST_FAIL("a node from nowhere");
}

static int girth(const drawn *d, int of) {
  int least = NEVER;
  for (int i = 0; i < d->nodes; i++)
    if (together(d, of, i) && d->far[i][i] < least) least = d->far[i][i];
  return least;
}

static bool edge_ends_all(const drawn *d, int from, int to) {
  drawn less = *d;
  less.edges[from][to]--;
  measure(&less);
  return less.far[from][from] >= NEVER && less.far[to][to] >= NEVER;
}

static void check_group(const small *h, const drawn *d, const cycle_group *g) {
  bool one_ends_all = false;
  CHECK_EQ(g->length, g->steps);
  CHECK_EQ(g->length, girth(d, node_of(h, g->nodes[0])));
  for (size_t i = 0; i < g->steps; i++) {
    int from = node_of(h, g->nodes[i]), to = node_of(h, g->nodes[(i + 1) % g->steps]);
    CHECK(d->edges[from][to]);
    CHECK_EQ(g->edges[i].target, h->nodes[to].address);
    CHECK(is_called(h, g, i, "x"));
    one_ends_all |= edge_ends_all(d, from, to);
  }
  CHECK_LT(g->weak, g->steps);
  int from = node_of(h, g->nodes[g->weak]), to = node_of(h, g->nodes[(g->weak + 1) % g->steps]);
  CHECK_EQ(edge_ends_all(d, from, to), one_ends_all);
}

/* Components, objects and bytes by the length of their shortest cycles. */
static void check_sums(const small *h, const drawn *d, const found *f) {
  uint64_t want[NODES_MAX + 1][3] = {0}, have[NODES_MAX + 1][3] = {0};
  for (int i = 0; i < d->nodes; i++) {
    if (d->far[i][i] >= NEVER) continue;
    bool first = true;
    for (int k = 0; k < i; k++) first &= !together(d, i, k);
    uint64_t *w = want[girth(d, i)];
    w[0] += first;
    w[1]++;
    w[2] += h->nodes[i].size;
  }
  for (size_t i = 0; i < f->count; i++) {
    uint64_t *s = have[f->groups[i].length];
    s[0] += f->groups[i].components;
    s[1] += f->groups[i].objects;
    s[2] += f->groups[i].bytes;
    if (i) CHECK_LE(f->groups[i].bytes, f->groups[i - 1].bytes);
  }
  CHECK(!memcmp(want, have, sizeof want));
}

TEST(M8_cycles_of_random_graphs) {
  for (int i = 0; i < 3000; i++) {
    small h = {0};
    drawn d;
    draw_random(&h, &d);
    measure(&d);
    small_open(&h);
    found f = find(&h, ALL);
    for (size_t k = 0; k < f.count; k++) check_group(&h, &d, &f.groups[k]);
    check_sums(&h, &d, &f);
    free(f.groups);
    small_close(&h);
  }
}
