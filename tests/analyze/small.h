/* SPDX-License-Identifier: MIT */
/*
 * Heaps drawn in code: nodes, edges and roots go through the writer into a file in memory, and come
 * back as a graph.
 *
 *     small h = {0};
 *     uint32_t node = small_type(&h, SNAPSHOT_INSTANCE, "app.Node");
 *     int a = small_node(&h, node, 48), b = small_node(&h, node, 48);
 *     small_attribute(&h, a, b, "next");
 *     small_root(&h, a, SNAPSHOT_ROOT_MODULE, "app");
 *     small_open(&h);   // h.g, and h.s; small_reach(&h) also makes h.r
 *     ... h.g.out[...], small_at(&h, a) ...
 *     small_close(&h);
 *
 * A node's count is the references drawn to it, and what small_count adds. Node i lies at
 * small_address(i); their order in the graph is the order in which they were drawn, unless
 * small_place moves one.
 */
#ifndef OURO_TESTS_ANALYZE_SMALL_H
#define OURO_TESTS_ANALYZE_SMALL_H

#include <sys/mman.h>

#include "analyze/graph.h"
#include "analyze/reach.h"
#include "snapshot/writer.h"

typedef struct small_object {
  uint64_t address, size;
  int64_t extra; /* references beside those drawn */
  uint32_t type, flags, digest;
  const char *title, *key; /* texts */
} small_object;

typedef struct small_reference {
  int from, to; /* to < 0: an object that is not in the file */
  snapshot_label_kind kind;
  uint64_t index;
  const char *name;
} small_reference;

typedef struct small_kind {
  snapshot_type_kind kind;
  uint32_t flags;
  const char *name;
} small_kind;

typedef struct small_start {
  int node;
  snapshot_root_kind kind;
  const char *text;
} small_start;

typedef struct small_fact {
  const char *key, *value;
} small_fact;

typedef struct small {
  small_object *nodes;
  small_reference *edges;
  small_kind *types;
  small_start *roots;
  small_fact *facts;
  int node_count, edge_count, type_count, root_count, fact_count;
  int file;
  snapshot *s;
  graph g;
  reach r;
  bool reached;
} small;

/* Room for one more in an array whose room is the next power of two. */
#define SMALL_ADD(array, count)                                                                    \
  ((((count) & ((count)-1)) == 0                                                                   \
        ? (void)((array) = realloc((array), ((count) ? 2 * (count) : 1) * sizeof *(array)))        \
        : (void)0),                                                                                \
   &(array)[(count)++])

static inline uint64_t small_address(int node) { return 0x10000 + 64 * (uint64_t)node; }

static inline uint32_t small_type_with(small *h, snapshot_type_kind kind, const char *name,
                                       uint32_t flags) {
  *SMALL_ADD(h->types, h->type_count) = (small_kind){.kind = kind, .name = name, .flags = flags};
  return (uint32_t)h->type_count - 1;
}

static inline uint32_t small_type(small *h, snapshot_type_kind kind, const char *name) {
  return small_type_with(h, kind, name, 0);
}

static inline int small_node(small *h, uint32_t type, uint64_t size) {
  int node = h->node_count;
  *SMALL_ADD(h->nodes, h->node_count) =
      (small_object){.address = small_address(node), .size = size, .type = type};
  return node;
}

/* --- What a node is beyond that --------------------------------------------------------------- */

static inline void small_place(small *h, int node, uint64_t address) {
  h->nodes[node].address = address;
}

static inline void small_flags(small *h, int node, uint32_t flags) { h->nodes[node].flags = flags; }

/* References that nothing in the file shows. */
static inline void small_count(small *h, int node, int64_t extra) { h->nodes[node].extra = extra; }

static inline void small_digest(small *h, int node, uint32_t digest) {
  h->nodes[node].digest = digest;
}

static inline void small_title(small *h, int node, const char *title) {
  h->nodes[node].title = title;
}

/* What a string holds, where it is a key. */
static inline void small_key_text(small *h, int node, const char *text) {
  h->nodes[node].key = text;
}

static inline void small_say(small *h, const char *key, const char *value) {
  *SMALL_ADD(h->facts, h->fact_count) = (small_fact){.key = key, .value = value};
}

/* --- Edges and roots -------------------------------------------------------------------------- */

static inline void small_refer(small *h, small_reference edge) {
  *SMALL_ADD(h->edges, h->edge_count) = edge;
}

static inline void small_edge(small *h, int from, int to) {
  small_refer(h, (small_reference){.from = from, .to = to});
}

static inline void small_named(small *h, int from, int to, snapshot_label_kind kind,
                               const char *name) {
  small_refer(h, (small_reference){.from = from, .to = to, .kind = kind, .name = name});
}

static inline void small_attribute(small *h, int from, int to, const char *name) {
  small_named(h, from, to, SNAPSHOT_ATTRIBUTE, name);
}

static inline void small_item(small *h, int from, int to, uint64_t index) {
  small_refer(h, (small_reference){.from = from, .to = to, .kind = SNAPSHOT_INDEX, .index = index});
}

/* An entry of a mapping: two edges. */
static inline void small_entry(small *h, int from, int key, int value) {
  small_refer(h, (small_reference){.from = from, .to = key, .kind = SNAPSHOT_KEY});
  small_refer(h, (small_reference){.from = from, .to = value, .kind = SNAPSHOT_VALUE});
}

static inline void small_root(small *h, int node, snapshot_root_kind kind, const char *text) {
  *SMALL_ADD(h->roots, h->root_count) = (small_start){.node = node, .kind = kind, .text = text};
}

/* --- Into a file and back --------------------------------------------------------------------- */

static inline bool small_root_counts(snapshot_root_kind kind) {
  return kind == SNAPSHOT_ROOT_THREAD || kind == SNAPSHOT_ROOT_INTERPRETER ||
         kind == SNAPSHOT_ROOT_NATIVE;
}

static inline uint64_t *small_counts(const small *h) {
  uint64_t *counts = calloc((size_t)h->node_count + 1, sizeof *counts);
  for (int i = 0; i < h->node_count; i++) counts[i] = (uint64_t)h->nodes[i].extra;
  for (int e = 0; e < h->edge_count; e++)
    if (h->edges[e].to >= 0) counts[h->edges[e].to]++;
  for (int r = 0; r < h->root_count; r++)
    counts[h->roots[r].node] += small_root_counts(h->roots[r].kind);
  return counts;
}

static inline void small_write_edge(const small *h, writer *w, const small_reference *edge) {
  uint64_t target = edge->to >= 0 ? h->nodes[edge->to].address
                                  : UINT64_C(0x7f0000000000) + 64 * (uint64_t)-edge->to;
  writer_run(w, edge->kind, edge->index, 1);
  if (!snapshot_label_named(edge->kind)) writer_edge(w, target);
  else writer_named_edge(w, writer_name(w, edge->name, strlen(edge->name)), target);
}

/* `next` and `first`: the edges of each node as a list, in the order in which they were drawn. */
static inline void small_write_node(const small *h, writer *w, int i, uint64_t count, int edge,
                                    const int *next) {
  const small_object *o = &h->nodes[i];
  const bool none = o->flags & (SNAPSHOT_IMMORTAL | SNAPSHOT_PSEUDO);
  writer_object(w, &(writer_object_facts){.address = o->address,
                                          .type = o->type,
                                          .flags = o->flags,
                                          .size = o->size,
                                          .count = none ? 0 : count,
                                          .digest = o->digest});
  for (; edge >= 0; edge = next[edge]) small_write_edge(h, w, &h->edges[edge]);
  writer_object_end(w);
  if (o->title) writer_text(w, o->address, SNAPSHOT_TITLE, o->title, strlen(o->title));
  if (o->key) writer_text(w, o->address, SNAPSHOT_KEY_STR, o->key, strlen(o->key));
}

static inline void small_write_nodes(const small *h, writer *w) {
  uint64_t *counts = small_counts(h);
  int *first = malloc(((size_t)h->node_count + 1) * sizeof *first);
  int *next = malloc(((size_t)h->edge_count + 1) * sizeof *next);
  for (int i = 0; i < h->node_count; i++) first[i] = -1;
  for (int e = h->edge_count; e-- > 0; first[h->edges[e].from] = e)
    next[e] = first[h->edges[e].from];
  for (int i = 0; i < h->node_count; i++) small_write_node(h, w, i, counts[i], first[i], next);
  free(next);
  free(first);
  free(counts);
}

/* Writes the heap to a descriptor. */
static inline void small_write(const small *h, int file) {
  void *memory = aligned_alloc(16, (writer_size() + 15) & ~(size_t)15);
  memset(memory, 0, writer_size());
  writer *w = writer_begin(memory, file);
  for (int i = 0; i < h->fact_count; i++) writer_fact(w, h->facts[i].key, "%s", h->facts[i].value);
  for (int i = 0; i < h->type_count; i++)
    writer_type(w, h->types[i].kind, h->types[i].flags, 0, 0, h->types[i].name);
  small_write_nodes(h, w);
  for (int i = 0; i < h->root_count; i++)
    writer_root(w, h->roots[i].kind, h->nodes[h->roots[i].node].address, h->roots[i].text);
  CHECK_EQ(writer_end(w), 0);
  free(memory);
}

/* The snapshot alone. */
static inline void small_snapshot(small *h) {
  char path[64], why[SNAPSHOT_WHY] = "";
  h->file = memfd_create("small", MFD_CLOEXEC);
  CHECK(h->file >= 0);
  small_write(h, h->file);
  snprintf(path, sizeof path, "/proc/self/fd/%d", h->file);
  h->s = snapshot_open(path, why);
  if (!h->s) TEST_FAIL("snapshot_open: %s", why);
}

static inline void small_open(small *h) {
  char why[SNAPSHOT_WHY] = "";
  small_snapshot(h);
  if (!graph_build(&h->g, h->s, NULL, why)) TEST_FAIL("graph_build: %s", why);
}

static inline void small_reach(small *h) {
  CHECK(reach_build(&h->r, &h->g, NULL));
  h->reached = true;
}

/* The graph's number of a node. */
static inline graph_node small_at(const small *h, int node) {
  return graph_find(&h->g, h->nodes[node].address);
}

/* And everything is as at first. */
static inline void small_close(small *h) {
  if (h->reached) reach_finish(&h->r);
  if (h->s) graph_finish(&h->g), snapshot_close(h->s), close(h->file);
  free(h->nodes);
  free(h->edges);
  free(h->types);
  free(h->roots);
  free(h->facts);
  *h = (small){0};
}

#endif
