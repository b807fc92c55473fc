/* SPDX-License-Identifier: MIT */
/* Classes, dominators and retained sizes against a model that removes nodes one by one. */
#include "test.h"

#include "analyze/small.h"

/* --- The model -------------------------------------------------------------------------------- */

enum { MODEL_MOST = 12 };

/* Row from: bit to is set if it refers to it. */
typedef struct model {
  int n;
  uint32_t to[MODEL_MOST];
  uint32_t roots, unseen, immortal; /* nodes */
} model;

/* What is reached from `from` without passing through `without`. */
static uint32_t model_spread(const model *m, uint32_t from, uint32_t without) {
  uint32_t reached = 0, front = from & ~without;
  while (front) {
    reached |= front;
    uint32_t next = 0;
    for (int i = 0; i < m->n; i++)
      if (front >> i & 1) next |= m->to[i];
    front = next & ~reached & ~without;
  }
  return reached;
}

static uint64_t model_size(int node) { return 16 + (1ull << node) * 100; }

static uint64_t model_bytes(const model *m, uint32_t nodes) {
  uint64_t bytes = 0;
  for (int i = 0; i < m->n; i++)
    if (nodes >> i & 1) bytes += model_size(i);
  return bytes;
}

/* The nodes right below the one above all. */
static uint32_t model_tops(const model *m) {
  return m->roots | m->immortal | (m->unseen & ~model_spread(m, m->roots, 0));
}

static uint64_t model_retained(const model *m, int node) {
  uint32_t alive = model_spread(m, model_tops(m), 0);
  if (!(alive >> node & 1)) return model_size(node);
  return model_bytes(m, alive & ~model_spread(m, model_tops(m), 1u << node));
}

static reach_class model_class(const model *m, int node) {
  if (model_spread(m, m->roots, 0) >> node & 1) return REACH_ROOT;
  return model_spread(m, model_tops(m), 0) >> node & 1 ? REACH_UNSEEN : REACH_GARBAGE;
}

/* Whether all ways to `node` lead through `above`. */
static bool model_dominates(const model *m, int above, int node) {
  return !(model_spread(m, model_tops(m), 1u << above) >> node & 1);
}

/* --- Comparing -------------------------------------------------------------------------------- */

static void draw(small *h, const model *m) {
  uint32_t type = small_type(h, SNAPSHOT_OTHER, "node");
  for (int i = 0; i < m->n; i++) {
    small_node(h, type, model_size(i));
    if (m->immortal >> i & 1) small_flags(h, i, SNAPSHOT_IMMORTAL);
    if (m->unseen >> i & 1) small_count(h, i, 1 + i % 3);
    if (m->roots >> i & 1) small_root(h, i, (snapshot_root_kind)(i % SNAPSHOT_ROOT_KINDS), "r");
  }
  for (int i = 0; i < m->n; i++)
    for (int j = 0; j < m->n; j++)
      if (m->to[i] >> j & 1) small_edge(h, i, j);
}

/* The dominator is the last of those through which all ways lead: it retains the least of them. */
static void check_dominator(const small *h, const model *m, int node) {
  int nearest = -1;
  for (int a = 0; a < m->n; a++)
    if (a != node && model_dominates(m, a, node) &&
        (nearest < 0 || model_retained(m, a) < model_retained(m, nearest)))
      nearest = a;
  graph_node want = nearest < 0 ? GRAPH_NONE : small_at(h, nearest);
  CHECK_EQ(h->r.idom[small_at(h, node)], want);
}

static void check_order(const small *h) {
  bool *met = calloc(h->g.nodes, sizeof *met);
  for (graph_node i = 0; i < h->r.ordered; i++) {
    graph_node node = h->r.order[i], above = h->r.idom[node];
    CHECK(!met[node] && h->r.class[node] != REACH_GARBAGE);
    CHECK(above == GRAPH_NONE || met[above]);
    met[node] = true;
  }
  CHECK_EQ(h->r.ordered, h->r.objects[REACH_ROOT] + h->r.objects[REACH_UNSEEN]);
  free(met);
}

static void check_node(const small *h, const model *m, int i) {
  graph_node node = small_at(h, i);
  bool counted = !(m->immortal >> i & 1);
  CHECK_EQ(h->r.class[node], model_class(m, i));
  CHECK_EQ(h->r.retained[node], model_retained(m, i));
  CHECK_EQ(reach_unexplained(&h->g, node),
           counted && m->unseen >> i & 1 ? (uint32_t)(1 + i % 3) : 0u);
  CHECK_EQ(reach_overexplained(&h->g, node), 0);
  if (model_class(m, i) == REACH_GARBAGE) CHECK_EQ(h->r.idom[node], GRAPH_NONE);
  else check_dominator(h, m, i);
}

static void check_sums(const small *h, const reach *r) {
  uint64_t objects = 0, bytes = 0;
  for (int c = 0; c < REACH_CLASSES; c++) objects += r->objects[c], bytes += r->bytes[c];
  CHECK_EQ(objects, h->g.nodes);
  for (graph_node n = 0; n < h->g.nodes; n++) bytes -= graph_size(&h->g, n);
  CHECK_EQ(bytes, 0);
}

static void compare(const model *m) {
  small h = {0};
  draw(&h, m);
  small_open(&h);
  small_reach(&h);
  for (int i = 0; i < m->n; i++) check_node(&h, m, i);
  check_order(&h);
  check_sums(&h, &h.r);
  reach classes;
  CHECK(reach_classify(&classes, &h.g));
  CHECK(!memcmp(classes.class, h.r.class, h.g.nodes));
  check_sums(&h, &classes);
  reach_finish(&classes);
  small_close(&h);
}

/* --- Tests ------------------------------------------------------------------------------------ */

/* Who alone keeps what. */
TEST(every_graph_of_up_to_three_nodes) {
  for (int n = 1; n <= 3; n++)
    for (uint32_t edges = 0; edges < 1u << (n * n); edges++)
      for (uint32_t held = 0; held < 1u << (2 * n); held++) {
        model m = {.n = n, .roots = held & ((1u << n) - 1), .unseen = held >> n};
        for (int i = 0; i < n; i++) m.to[i] = edges >> (i * n) & ((1u << n) - 1);
        compare(&m);
      }
}

static uint32_t random_nodes(int n, uint32_t of_eight) {
  uint32_t nodes = 0;
  for (int i = 0; i < n; i++) nodes |= (uint32_t)(test_random() % 8 < of_eight) << i;
  return nodes;
}

static model random_model(void) {
  model m = {.n = 1 + (int)(test_random() % MODEL_MOST)};
  uint32_t dense = 1 + (uint32_t)(test_random() % 3);
  for (int i = 0; i < m.n; i++) m.to[i] = random_nodes(m.n, dense);
  m.roots = random_nodes(m.n, (uint32_t)(test_random() % 3));
  m.unseen = random_nodes(m.n, (uint32_t)(test_random() % 3));
  m.immortal = random_nodes(m.n, (uint32_t)(test_random() % 2));
  return m;
}

TEST(M4_retained_is_what_goes_with_a_node) {
  for (int round = 0; round < 10000; round++) {
    model m = random_model();
    compare(&m);
  }
}

/* Forward steps of a few, backward ones far: long paths, which is what compression is for. */
static void draw_ladder(small *h, int length) {
  uint32_t type = small_type(h, SNAPSHOT_OTHER, "step");
  for (int i = 0; i < length; i++) small_node(h, type, 10);
  for (int i = 0; i + 1 < length; i++) small_edge(h, i, i + 1);
  for (int i = 0; i + 7 < length; i += 3) small_edge(h, i, i + 7);
  for (int i = 5; i < length; i += 11) small_edge(h, i, (int)(test_random() % (uint64_t)i));
  small_root(h, 0, SNAPSHOT_ROOT_MODULE, "m");
}

/* Dominators by their definition, for heaps too large for the model: sets meet until nothing
 * changes (Cooper, Harvey and Kennedy, 2001). */
static graph_node meet(const reach *r, const graph_node *rank, graph_node a, graph_node b) {
  while (a != b) {
    if (a == GRAPH_NONE || b == GRAPH_NONE) return GRAPH_NONE;
    if (rank[a] > rank[b]) a = r->idom[a];
    else b = r->idom[b];
  }
  return a;
}

/* idom is a fixed point of "what all my holders have above them in common". */
static void check_fixed_point(const small *h) {
  const graph *g = &h->g;
  graph_node *rank = calloc(g->nodes, sizeof *rank);
  for (graph_node i = 0; i < h->r.ordered; i++) rank[h->r.order[i]] = i;
  for (graph_node i = 0; i < h->r.ordered; i++) {
    graph_node node = h->r.order[i], common = node;
    if (node == small_at(h, 0)) continue;
    for (uint32_t e = g->first_in[node]; e < g->first_in[node + 1]; e++) {
      graph_node from = g->in[e];
      if (h->r.class[from] == REACH_GARBAGE || from == node) continue;
      common = common == node ? from : meet(&h->r, rank, common, from);
    }
    CHECK_EQ(h->r.idom[node], common);
  }
  free(rank);
}

/* Long branches, and references from elsewhere into them: the way back from one branch to the next
 * is long too. */
static void draw_branches(small *h, int branches) {
  uint32_t type = small_type(h, SNAPSHOT_OTHER, "leaf");
  small_node(h, type, 10);
  for (int b = 0; b < branches; b++) {
    int from = (int)(test_random() % (uint64_t)h->node_count);
    for (uint64_t i = test_random() % 300; i > 0; i--) {
      int node = small_node(h, type, 10);
      small_edge(h, from, node);
      if (test_random() % 4 == 0) small_edge(h, (int)(test_random() % (uint64_t)node), node);
      from = node;
    }
  }
  small_root(h, 0, SNAPSHOT_ROOT_MODULE, "m");
}

TEST(long_ways_end_in_a_fixed_point) {
  for (int round = 0; round < 40; round++) {
    small h = {0};
    if (round % 2) draw_ladder(&h, 2000 + (int)(test_random() % 3000));
    else draw_branches(&h, 30);
    small_open(&h);
    small_reach(&h);
    CHECK_EQ(h.r.objects[REACH_ROOT], h.g.nodes);
    check_order(&h);
    check_fixed_point(&h);
    small_close(&h);
  }
}

TEST(a_list_of_two_million_needs_no_stack) {
  enum { LENGTH = 2000000 };
  small h = {0};
  uint32_t type = small_type(&h, SNAPSHOT_OTHER, "link");
  for (int i = 0; i < LENGTH; i++) small_node(&h, type, 48);
  for (int i = 0; i + 1 < LENGTH; i++) small_edge(&h, i, i + 1), small_edge(&h, i + 1, i);
  small_root(&h, LENGTH / 2, SNAPSHOT_ROOT_FRAME, "main");
  small_open(&h);
  small_reach(&h);
  CHECK_EQ(h.r.retained[small_at(&h, LENGTH / 2)], 48ull * LENGTH);
  CHECK_EQ(h.r.retained[small_at(&h, LENGTH - 1)], 48);
  CHECK_EQ(h.r.retained[small_at(&h, LENGTH - 1000)], 48000);
  CHECK_EQ(h.r.retained[small_at(&h, 999)], 48000);
  small_close(&h);
}

TEST(a_star_of_a_million_and_one_ray_held_twice) {
  enum { RAYS = 1000000 };
  small h = {0};
  uint32_t type = small_type(&h, SNAPSHOT_OTHER, "ray");
  int hub = small_node(&h, type, 100), other = small_node(&h, type, 1);
  for (int i = 0; i < RAYS; i++) small_item(&h, hub, small_node(&h, type, 32), (uint64_t)i);
  small_edge(&h, other, other + 1);
  small_root(&h, hub, SNAPSHOT_ROOT_MODULE, "a");
  small_root(&h, other, SNAPSHOT_ROOT_MODULE, "b");
  small_open(&h);
  small_reach(&h);
  CHECK_EQ(h.r.retained[small_at(&h, hub)], 100 + 32ull * (RAYS - 1));
  CHECK_EQ(h.r.idom[small_at(&h, other + 1)], GRAPH_NONE);
  small_close(&h);
}

TEST(the_largest_come_first) {
  small h = {0};
  uint32_t type = small_type(&h, SNAPSHOT_OTHER, "x");
  int top = small_node(&h, type, 1), a = small_node(&h, type, 5), b = small_node(&h, type, 70),
      c = small_node(&h, type, 5), d = small_node(&h, type, 100), lost = small_node(&h, type, 999);
  small_edge(&h, top, a), small_edge(&h, top, b), small_edge(&h, top, c), small_edge(&h, a, d);
  small_edge(&h, lost, lost);
  small_root(&h, top, SNAPSHOT_ROOT_MODULE, "m");
  small_open(&h);
  small_reach(&h);
  graph_node found[8];
  CHECK_EQ(reach_largest(&h.r, small_at(&h, top), found, 8), 3);
  CHECK_EQ(found[0], small_at(&h, a));
  CHECK_EQ(found[1], small_at(&h, b));
  CHECK_EQ(found[2], small_at(&h, c));
  CHECK_EQ(reach_largest(&h.r, small_at(&h, top), found, 1), 1);
  CHECK_EQ(found[0], small_at(&h, a));
  CHECK_EQ(reach_largest(&h.r, GRAPH_NONE, found, 8), 1);
  CHECK_EQ(found[0], small_at(&h, top));
  CHECK_EQ(reach_largest(&h.r, small_at(&h, top), found, 0), 0);
  small_close(&h);
}
