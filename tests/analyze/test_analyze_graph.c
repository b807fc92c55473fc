/* SPDX-License-Identifier: MIT */
/* The graph is what was drawn: nodes, facts, edges both ways, names of edges; and what a file may
 * say that no writer would. */
#include "test.h"

#include "analyze/small.h"
#include "os/os.h"

TEST(two_nodes_and_an_attribute) {
  small h = {0};
  uint32_t node = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
  int a = small_node(&h, node, 48), b = small_node(&h, node, 56);
  small_attribute(&h, a, b, "next");
  small_root(&h, a, SNAPSHOT_ROOT_MODULE, "app");
  small_open(&h);
  CHECK_EQ(h.g.nodes, 2);
  CHECK_EQ(h.g.edges, 1);
  CHECK_EQ(h.g.out[0], small_at(&h, b));
  CHECK_EQ(h.g.in[0], small_at(&h, a));
  CHECK_EQ(graph_size(&h.g, small_at(&h, b)), 56);
  CHECK_EQ(h.g.root_count, 1);
  CHECK_EQ(h.g.roots[0].node, small_at(&h, a));
  snapshot_edge edge;
  CHECK(graph_label(&h.g, small_at(&h, a), small_at(&h, b), &edge));
  CHECK_EQ(edge.kind, SNAPSHOT_ATTRIBUTE);
  CHECK(!memcmp(snapshot_name(h.s, edge.label).text, "next", 4));
  CHECK(!graph_label(&h.g, small_at(&h, b), small_at(&h, a), &edge));
  small_close(&h);
}

TEST(an_empty_heap_is_a_graph) {
  small h = {0};
  small_open(&h);
  small_reach(&h);
  CHECK_EQ(h.g.nodes, 0);
  CHECK_EQ(graph_find(&h.g, 64), GRAPH_NONE);
  CHECK_EQ(h.r.ordered, 0);
  small_close(&h);
}

/* --- Against what was drawn ------------------------------------------------------------------- */

enum { RANDOM_NODES = 400, RANDOM_EDGES = 2000 };

/* Addresses far apart and close by, in no order; none twice. */
static void scatter(small *h) {
  static const uint64_t far[] = {0, 0x10000000, 0x7f1230000000, 0x1000000000000000, 0x20000000};
  uint64_t at = 8;
  for (int i = 0; i < h->node_count; i++) {
    at += 8 * (1 + test_random() % (test_random() % 4 ? 8 : 3000));
    small_place(h, i, far[test_random() % 5] + at);
  }
  for (int i = h->node_count - 1; i > 0; i--) {
    int j = (int)(test_random() % (uint64_t)(i + 1));
    uint64_t swap = h->nodes[i].address;
    small_place(h, i, h->nodes[j].address);
    small_place(h, j, swap);
  }
}

static void draw_random(small *h) {
  for (int t = 0; t < 5; t++) small_type(h, SNAPSHOT_OTHER, "t");
  int nodes = 1 + (int)(test_random() % RANDOM_NODES);
  for (int i = 0; i < nodes; i++) {
    small_node(h, (uint32_t)(test_random() % 5), test_random() >> (test_random() % 64));
    small_flags(h, i, (uint32_t)(test_random() % 256));
    small_count(h, i, (int64_t)(test_random() % 3));
  }
  for (uint64_t e = test_random() % RANDOM_EDGES; e > 0; e--) {
    int from = (int)(test_random() % (uint64_t)nodes), to = (int)(test_random() % (uint64_t)nodes);
    small_item(h, from, test_random() % 10 ? to : -1 - to, e);
  }
  for (uint64_t r = test_random() % 10; r > 0; r--)
    small_root(h, (int)(test_random() % (uint64_t)nodes), SNAPSHOT_ROOT_THREAD, "t");
  scatter(h);
}

static void check_facts(const small *h) {
  uint64_t *counts = small_counts(h);
  for (int i = 0; i < h->node_count; i++) {
    graph_node node = small_at(h, i);
    const small_object *o = &h->nodes[i];
    CHECK_NE(node, GRAPH_NONE);
    CHECK_EQ(graph_address(&h->g, node), o->address);
    CHECK_EQ(h->g.type[node], o->type);
    CHECK_EQ(h->g.flags[node], o->flags);
    CHECK_EQ(graph_size(&h->g, node), o->size);
    if (graph_counted(&h->g, node)) CHECK_EQ(h->g.count[node], counts[i]);
    CHECK_EQ(graph_find(&h->g, o->address + 1), GRAPH_NONE);
  }
  for (graph_node n = 1; n < h->g.nodes; n++)
    CHECK_LT(graph_address(&h->g, n - 1), graph_address(&h->g, n));
  free(counts);
}

/* Out edges in the order in which they were drawn; in edges are as many, and by source. */
static void check_edges(const small *h) {
  const graph *g = &h->g;
  uint32_t *at = calloc(g->nodes + 1, sizeof *at);
  uint64_t lost = 0;
  memcpy(at, g->first_out, g->nodes * sizeof *at);
  for (int e = 0; e < h->edge_count; e++) {
    const small_reference *edge = &h->edges[e];
    if (edge->to < 0) lost++;
    else CHECK_EQ(g->out[at[small_at(h, edge->from)]++], small_at(h, edge->to));
  }
  CHECK_EQ(g->lost, lost);
  CHECK_EQ(g->edges, (uint64_t)h->edge_count - lost);
  CHECK(!memcmp(at, g->first_out + 1, g->nodes * sizeof *at));
  memcpy(at, g->first_in, g->nodes * sizeof *at);
  for (graph_node n = 0; n < g->nodes; n++)
    for (uint32_t e = g->first_out[n]; e < g->first_out[n + 1]; e++)
      CHECK_EQ(g->in[at[g->out[e]]++], n);
  CHECK(!memcmp(at, g->first_in + 1, g->nodes * sizeof *at));
  free(at);
}

typedef struct named {
  const small *h;
  int from, next; /* the edge that must come next */
} named;

static bool check_named(void *to, const snapshot_edge *edge) {
  named *n = to;
  while (n->h->edges[n->next].from != n->from) n->next++;
  const small_reference *want = &n->h->edges[n->next++];
  CHECK_EQ(edge->kind, want->kind);
  CHECK_EQ(edge->label, want->index);
  if (want->to >= 0) CHECK_EQ(edge->target, n->h->nodes[want->to].address);
  return true;
}

static void check_names(const small *h) {
  for (int i = 0; i < h->node_count; i++) {
    named n = {.h = h, .from = i};
    graph_edges(&h->g, small_at(h, i), check_named, &n);
    while (n.next < h->edge_count && h->edges[n.next].from != i) n.next++;
    CHECK_EQ(n.next, h->edge_count);
  }
}

static void check_roots(const small *h) {
  CHECK_EQ(h->g.root_count, (size_t)h->root_count);
  for (size_t i = 0; i < h->g.root_count; i++) {
    const graph_root *root = &h->g.roots[i];
    CHECK_EQ(root->node, small_at(h, h->roots[root->root].node));
    if (i > 0) CHECK_LE(root[-1].node, root->node);
  }
}

TEST(random_heaps_come_back_as_graphs) {
  for (int round = 0; round < 300; round++) {
    small h = {0};
    draw_random(&h);
    small_open(&h);
    CHECK_EQ(h.g.nodes, (graph_node)h.node_count);
    check_facts(&h);
    check_edges(&h);
    check_names(&h);
    check_roots(&h);
    small_close(&h);
  }
}

/* One object whose edges need many blocks, and small ones before and after it. */
TEST(an_object_that_continues_is_one_node) {
  enum { MANY = 600000 };
  small h = {0};
  uint32_t type = small_type(&h, SNAPSHOT_LIST, "list");
  int first = small_node(&h, type, 1), wide = small_node(&h, type, 2),
      last = small_node(&h, type, 3);
  small_item(&h, first, wide, 0);
  for (uint64_t i = 0; i < MANY; i++) small_item(&h, wide, i % 2 ? first : last, i);
  small_item(&h, last, first, 7);
  small_open(&h);
  CHECK(snapshot_object_blocks(h.s) > 2);
  CHECK_EQ(h.g.nodes, 3);
  CHECK_EQ(graph_out_degree(&h.g, small_at(&h, wide)), MANY);
  CHECK_EQ(graph_size(&h.g, small_at(&h, wide)), 2);
  CHECK_EQ(h.g.block[small_at(&h, wide)], 0);
  CHECK_EQ(h.g.block[small_at(&h, last)], snapshot_object_blocks(h.s) - 1);
  check_facts(&h);
  check_edges(&h);
  check_names(&h);
  small_close(&h);
}

/* --- What no writer of ours writes ------------------------------------------------------------ */

typedef struct file {
  void *memory;
  writer *w;
  int descriptor;
  snapshot *s;
} file;

static file file_begin(void) {
  file f = {.memory = aligned_alloc(16, (writer_size() + 15) & ~(size_t)15)};
  memset(f.memory, 0, writer_size());
  f.descriptor = memfd_create("graph", MFD_CLOEXEC);
  f.w = writer_begin(f.memory, f.descriptor);
  writer_type(f.w, SNAPSHOT_OTHER, 0, 0, 0, "t");
  return f;
}

static void file_object(file *f, uint64_t address, uint64_t size, uint64_t target) {
  writer_object(f->w, &(writer_object_facts){.address = address, .size = size, .count = size});
  writer_run(f->w, SNAPSHOT_UNNAMED, 0, 1);
  writer_edge(f->w, target);
  writer_object_end(f->w);
}

static void file_open(file *f) {
  char path[64], why[SNAPSHOT_WHY] = "";
  snprintf(path, sizeof path, "/proc/self/fd/%d", f->descriptor);
  f->s = snapshot_open(path, why);
  if (!f->s) TEST_FAIL("%s", why);
}

static void file_close(file *f) {
  if (f->s) snapshot_close(f->s);
  close(f->descriptor);
  free(f->memory);
}

TEST(of_two_records_of_one_address_the_first_counts) {
  char why[SNAPSHOT_WHY] = "";
  graph g;
  file f = file_begin();
  file_object(&f, 64, 10, 128);
  file_object(&f, 128, 5ull << 32, 64);
  file_object(&f, 64, 20, 64);
  file_object(&f, 128, 6ull << 32, 128);
  writer_root(f.w, SNAPSHOT_ROOT_NATIVE, 4096, "no such object");
  CHECK_EQ(writer_end(f.w), 0);
  file_open(&f);
  CHECK(graph_build(&g, f.s, NULL, why));
  CHECK_EQ(g.nodes, 2);
  CHECK_EQ(g.edges, 4);
  CHECK_EQ(graph_size(&g, 0), 10);
  CHECK_EQ(graph_size(&g, 1), 5ull << 32);
  CHECK_EQ(g.count[1], UINT32_MAX);
  CHECK_EQ(g.root_count, 0);
  graph_finish(&g);
  file_close(&f);
}

/* --- Blocks in another order ------------------------------------------------------------------ */

/* The file again, its first block of objects last of them; or without it, and without an end that
 * would tell. */
static void file_turn(file *f, bool drop) {
  off_t length = lseek(f->descriptor, 0, SEEK_END), at = sizeof(snapshot_header), first = 0;
  int turned = memfd_create("turned", MFD_CLOEXEC);
  char *bytes = malloc((size_t)length);
  size_t first_size = 0;
  CHECK_EQ(pread(f->descriptor, bytes, (size_t)length, 0), length);
  CHECK_EQ(write(turned, bytes, (size_t)at), at);
  while (at < length) {
    snapshot_block block;
    memcpy(&block, bytes + at, sizeof block);
    size_t size = sizeof block + (block.length + 7) / 8 * 8;
    if (block.kind == SNAPSHOT_END && !drop)
      CHECK_EQ(write(turned, bytes + first, first_size), first_size);
    if (block.kind == SNAPSHOT_OBJECTS && first == 0) first = at, first_size = size;
    else if (block.kind != SNAPSHOT_END || !drop) CHECK_EQ(write(turned, bytes + at, size), size);
    at += (off_t)size;
  }
  free(bytes);
  close(f->descriptor);
  f->descriptor = turned;
}

enum { WIDE = 600000 };

/* An object with many references to itself, and three small ones after it. */
static file file_wide(void) {
  file f = file_begin();
  writer_object(f.w, &(writer_object_facts){.address = 64, .size = 77, .count = 5, .flags = 6});
  writer_run(f.w, SNAPSHOT_INDEX, 0, WIDE);
  for (int i = 0; i < WIDE; i++) writer_edge(f.w, 64 + 64 * (uint64_t)(i % 4));
  writer_object_end(f.w);
  for (uint64_t i = 2; i < 5; i++) file_object(&f, 64 * i, i, 64);
  CHECK_EQ(writer_end(f.w), 0);
  return f;
}

TEST(what_continues_may_come_before_what_it_continues) {
  char why[SNAPSHOT_WHY] = "";
  graph g;
  file f = file_wide();
  file_turn(&f, false);
  file_open(&f);
  CHECK(graph_build(&g, f.s, NULL, why));
  CHECK_EQ(g.nodes, 4);
  CHECK_EQ(g.edges, WIDE + 3);
  CHECK_EQ(graph_size(&g, 0), 77);
  CHECK_EQ(g.flags[0], 6);
  CHECK_EQ(g.count[0], 5);
  CHECK_EQ(g.type[0], 0);
  CHECK_EQ(g.block[0], snapshot_object_blocks(f.s) - 1);
  graph_finish(&g);
  file_close(&f);
}

TEST(what_continues_nothing_is_lost) {
  char why[SNAPSHOT_WHY] = "";
  graph g;
  file f = file_wide();
  file_turn(&f, true);
  file_open(&f);
  CHECK(graph_build(&g, f.s, NULL, why));
  CHECK_EQ(g.nodes, 3);
  CHECK_EQ(g.edges, 0);
  CHECK(g.lost > 3);
  CHECK_EQ(graph_find(&g, 64), GRAPH_NONE);
  CHECK_EQ(graph_size(&g, 0), 2);
  graph_finish(&g);
  file_close(&f);
}

/* The writer's last blocks are missing: what came before them is a graph. */
TEST(a_file_that_was_cut_is_a_smaller_graph) {
  char why[SNAPSHOT_WHY] = "";
  graph g;
  file f = file_begin();
  for (uint64_t i = 1; i <= 300000; i++) file_object(&f, 64 * i, i, 64 * (i + 1));
  CHECK_EQ(writer_end(f.w), 0);
  off_t length = lseek(f.descriptor, 0, SEEK_END);
  CHECK_EQ(ftruncate(f.descriptor, length / 2 / 8 * 8), 0);
  file_open(&f);
  CHECK(!snapshot_complete(f.s));
  CHECK(graph_build(&g, f.s, NULL, why));
  CHECK(g.nodes > 50000 && g.nodes < 250000);
  CHECK_EQ(g.lost, 1);
  CHECK_EQ(g.edges, g.nodes - 1);
  CHECK_EQ(graph_size(&g, g.nodes - 1), g.nodes);
  graph_finish(&g);
  file_close(&f);
}

/* Objects 64 KiB apart: the set of addresses must not take a page for each. */
TEST(objects_far_apart_take_little_memory) {
  enum { FAR = 100000 };
  char why[SNAPSHOT_WHY] = "";
  graph g;
  file f = file_begin();
  for (uint64_t i = 1; i <= FAR; i++) file_object(&f, 0x10000 * i, i, 0x10000 * (FAR + 1 - i));
  CHECK_EQ(writer_end(f.w), 0);
  file_open(&f);
  CHECK(graph_build(&g, f.s, NULL, why));
  CHECK_EQ(g.nodes, FAR);
  CHECK_EQ(g.edges, FAR);
  for (graph_node n = 0; n < FAR; n++) {
    CHECK_EQ(g.out[n], FAR - 1 - n);
    CHECK_EQ(graph_address(&g, n), 0x10000 * (uint64_t)(n + 1));
  }
  graph_finish(&g);
  file_close(&f);
}

typedef struct told {
  int calls;
  double last;
} told;

static void tell(void *to, const char *what, double done) {
  told *t = to;
  CHECK(what != NULL && done >= 0 && done <= 1);
  t->calls++;
  usleep(1);
}

TEST(progress_is_between_nothing_and_all) {
  char why[SNAPSHOT_WHY] = "";
  graph g;
  told t = {0};
  file f = file_begin();
  for (uint64_t i = 1; i <= 1000000; i++) file_object(&f, 64 * i, i, 64 * (i + 1));
  CHECK_EQ(writer_end(f.w), 0);
  file_open(&f);
  uint64_t begin = os_clock_ns();
  CHECK(graph_build(&g, f.s, &(graph_progress){tell, &t}, why));
  uint64_t steps = (os_clock_ns() - begin) / 50000000;
  CHECK_LE((uint64_t)t.calls, steps + 1);
  CHECK(steps < 4 || t.calls > 0);
  graph_finish(&g);
  file_close(&f);
}
