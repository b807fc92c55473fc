/* SPDX-License-Identifier: MIT */
/*
 * Writes a snapshot of a heap that never was, for tests and benchmarks of any size:
 *
 *     snapshot_generate FILE OBJECTS [SEED]
 *
 * Half of the objects are leaves. The others, here called boxes, come in families of 16 neighbours:
 * the first of a family holds all of it, each holds the next one and some hold the first again, so
 * there are cycles. Families form a tree, eight to one, whose root is a module; one in a hundred of
 * its last ones is held by nobody. A box holds leaves near it, a leaf that many share, and now and
 * then any box. Counts are right. Objects of one size lie together in pools, as allocators do it,
 * and types are as uneven as in programs. The same seed gives the same file.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapshot/writer.h"

enum {
  POOL = 256, /* objects */
  CLASSES = 16,
  TYPES_PER_CLASS = 20,
  FAMILY = 16,
  CHILDREN = 8,
  SHARED_LEAVES = 512,
  NAMES = 1000,
  EDGES_MOST = 2 * (FAMILY + CHILDREN + 8)
};

typedef struct pool {
  uint64_t address;
  uint8_t size_class, box;
} pool;

typedef struct heap {
  uint64_t objects, seed, boxes, leaves;
  uint32_t pools;
  pool *pool;
  uint32_t *box_pools, *leaf_pools; /* their numbers */
  uint32_t *counts;                 /* by object */
  writer *out;
} heap;

typedef struct edges {
  uint64_t object[EDGES_MOST]; /* numbers */
  int count;
} edges;

static uint64_t mix(uint64_t seed, uint64_t what, uint64_t salt) {
  uint64_t z = seed + what * 0x9E3779B97F4A7C15u + salt * 0xD1B54A32D192ED03u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

static void *memory(size_t count, size_t size) {
  void *p = calloc(count ? count : 1, size);
  if (p) return p;
  fputs("snapshot_generate: out of memory\n", stderr);
  exit(1);
}

static uint64_t size_of_class(unsigned size_class) { return 16 * (uint64_t)(size_class + 1); }

/* Half of the rest at each step: 0 is as frequent as all others together. */
static unsigned uneven(uint64_t random, unsigned below) {
  unsigned n = random ? (unsigned)__builtin_ctzll(random) : 0;
  return n < below ? n : 0;
}

static void lay_out(heap *h) {
  uint64_t address = 0x7f0000000000u;
  uint32_t boxes = 0, leaves = 0;
  for (uint32_t i = 0; i < h->pools; i++) {
    pool *p = &h->pool[i];
    uint64_t random = mix(h->seed, i, 1);
    p->box = i % 2 == 0; /* the first one is: the root is a box */
    p->size_class = (uint8_t)((p->box ? 2 : 0) + uneven(random, CLASSES - 2));
    p->address = address;
    address += size_of_class(p->size_class) * POOL + (random >> 60 == 0 ? 1 << 20 : 0);
    if (p->box) h->box_pools[boxes++] = i;
    else h->leaf_pools[leaves++] = i;
    uint64_t here = h->objects - (uint64_t)i * POOL;
    *(p->box ? &h->boxes : &h->leaves) += here < POOL ? here : POOL;
  }
}

static uint64_t box(const heap *h, uint64_t n) {
  return (uint64_t)h->box_pools[n / POOL] * POOL + n % POOL;
}

static uint64_t leaf(const heap *h, uint64_t n) {
  return (uint64_t)h->leaf_pools[n / POOL] * POOL + n % POOL;
}

static uint64_t address_of(const heap *h, uint64_t object) {
  const pool *p = &h->pool[object / POOL];
  return p->address + object % POOL * size_of_class(p->size_class);
}

/* ---- who holds whom ---- */

static void hold(edges *e, uint64_t object) { e->object[e->count++] = object; }

static bool is_orphan(const heap *h, uint64_t family) {
  bool last = family * CHILDREN + 1 > (h->boxes - 1) / FAMILY;
  return last && mix(h->seed, family, 2) % 100 == 0;
}

static void hold_family(const heap *h, uint64_t n, edges *e) {
  for (uint64_t i = n + 1; i < n + FAMILY && i < h->boxes; i++) hold(e, box(h, i));
  for (uint64_t i = 1; i <= CHILDREN; i++) {
    uint64_t child = n / FAMILY * CHILDREN + i;
    if (child * FAMILY < h->boxes && !is_orphan(h, child)) hold(e, box(h, child * FAMILY));
  }
}

static void edges_of_box(const heap *h, uint64_t n, edges *e) {
  uint64_t random = mix(h->seed, n, 3);
  e->count = 0;
  if (n % FAMILY == 0) hold_family(h, n, e);
  else if (n % FAMILY < FAMILY - 1 && n + 1 < h->boxes) hold(e, box(h, n + 1));
  if (random % 4 == 0) hold(e, box(h, n - n % FAMILY));
  if (n < h->leaves) hold(e, leaf(h, n));
  if (h->leaves) hold(e, leaf(h, (random >> 8) % SHARED_LEAVES % h->leaves));
  if (random >> 2 & 1 && n + 1 < h->leaves) hold(e, leaf(h, n + 1));
  if ((random >> 3) % 8 == 0) hold(e, box(h, (random >> 16) % h->boxes));
}

static void count_references(heap *h) {
  edges e;
  for (uint64_t n = 0; n < h->boxes; n++) {
    edges_of_box(h, n, &e);
    for (int i = 0; i < e.count; i++) h->counts[e.object[i]]++;
  }
  h->counts[0]++; /* the module table's */
}

/* ---- the file ---- */

static snapshot_type_kind kind_of(bool is_box, unsigned size_class) {
  static const snapshot_type_kind leaves[] = {SNAPSHOT_STR, SNAPSHOT_NUMBER, SNAPSHOT_BYTES,
                                              SNAPSHOT_OTHER};
  static const snapshot_type_kind boxes[] = {SNAPSHOT_TUPLE, SNAPSHOT_DICT, SNAPSHOT_INSTANCE,
                                             SNAPSHOT_LIST};
  return is_box ? boxes[size_class % 4] : leaves[size_class % 4];
}

static void write_types(heap *h) {
  for (unsigned i = 0; i < 2 * CLASSES * TYPES_PER_CLASS; i++) {
    unsigned is_box = i / (CLASSES * TYPES_PER_CLASS), size_class = i / TYPES_PER_CLASS % CLASSES;
    char name[40];
    snprintf(name, sizeof name, "app.%s%u", is_box ? "Box" : "Leaf", i);
    writer_type(h->out, kind_of(is_box, size_class), SNAPSHOT_TYPE_HEAP | is_box * SNAPSHOT_TYPE_GC,
                0, size_of_class(size_class), name);
  }
  for (unsigned i = 0; i < NAMES; i++) {
    char name[20];
    writer_name(h->out, name, (size_t)snprintf(name, sizeof name, "field%u", i));
  }
}

/* Keys and values in turn; what is left over is a field. */
static void write_mapping(heap *h, const edges *e) {
  for (int i = 0; i + 1 < e->count; i += 2) {
    writer_run(h->out, SNAPSHOT_KEY, 0, 1);
    writer_edge(h->out, address_of(h, e->object[i]));
    writer_run(h->out, SNAPSHOT_VALUE, 0, 1);
    writer_edge(h->out, address_of(h, e->object[i + 1]));
  }
  writer_run(h->out, SNAPSHOT_INTERNAL, 0, (uint64_t)e->count % 2);
  if (e->count % 2) writer_named_edge(h->out, 0, address_of(h, e->object[e->count - 1]));
}

static void write_edges(heap *h, snapshot_type_kind kind, uint32_t type, const edges *e) {
  if (kind == SNAPSHOT_DICT) {
    write_mapping(h, e);
    return;
  }
  bool named = kind == SNAPSHOT_INSTANCE;
  writer_run(h->out, named ? SNAPSHOT_ATTRIBUTE : SNAPSHOT_INDEX, 0, (uint64_t)e->count);
  for (int i = 0; i < e->count; i++) {
    uint64_t target = address_of(h, e->object[i]);
    if (named) writer_named_edge(h->out, (type * 7 + (uint32_t)i) % NAMES, target);
    else writer_edge(h->out, target);
  }
}

static void write_object(heap *h, uint64_t object, uint64_t *boxes) {
  const pool *p = &h->pool[object / POOL];
  uint64_t random = mix(h->seed, object, 4);
  uint32_t type = (p->box * CLASSES + p->size_class) * TYPES_PER_CLASS;
  edges e;
  type += uneven(random, TYPES_PER_CLASS);
  writer_object(h->out, &(writer_object_facts){
                            .address = address_of(h, object),
                            .type = type,
                            .flags = p->box ? SNAPSHOT_TRACKED | 2 : 0,
                            .size = size_of_class(p->size_class),
                            .count = h->counts[object],
                        });
  if (p->box) {
    edges_of_box(h, (*boxes)++, &e);
    write_edges(h, kind_of(true, p->size_class), type, &e);
  }
  writer_object_end(h->out);
}

static void write_key_text(heap *h, uint64_t n) {
  char text[24];
  int length = snprintf(text, sizeof text, "key %" PRIu64, n);
  writer_text(h->out, address_of(h, leaf(h, n)), SNAPSHOT_KEY_STR, text, (size_t)length);
}

static int write_heap(heap *h) {
  uint64_t boxes = 0;
  writer_fact(h->out, "writer", "native");
  writer_fact(h->out, "command", "snapshot_generate");
  writer_fact(h->out, "gc.collector", "none");
  write_types(h);
  for (uint64_t i = 0; i < h->objects; i++) write_object(h, i, &boxes);
  for (uint64_t i = 0; i < SHARED_LEAVES && i < h->leaves; i++) write_key_text(h, i);
  if (h->objects) {
    writer_text(h->out, address_of(h, 0), SNAPSHOT_TITLE, "app", 3);
    writer_root(h->out, SNAPSHOT_ROOT_MODULE, address_of(h, 0), "app");
  }
  return writer_end(h->out);
}

static heap make_heap(uint64_t objects, uint64_t seed) {
  heap h = {.objects = objects, .seed = seed, .pools = (uint32_t)((objects + POOL - 1) / POOL)};
  h.pool = memory(h.pools, sizeof *h.pool);
  h.box_pools = memory(h.pools, sizeof *h.box_pools);
  h.leaf_pools = memory(h.pools, sizeof *h.leaf_pools);
  h.counts = memory(objects, sizeof *h.counts);
  lay_out(&h);
  if (objects) count_references(&h);
  return h;
}

static void free_heap(heap *h) {
  free(h->pool);
  free(h->box_pools);
  free(h->leaf_pools);
  free(h->counts);
  free(h->out);
}

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4) {
    fputs("usage: snapshot_generate FILE OBJECTS [SEED]\n", stderr);
    return 2;
  }
  int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return perror(argv[1]), 1;
  heap h = make_heap(strtoull(argv[2], NULL, 10), argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
  h.out = writer_begin(memory(1, writer_size()), file);
  int error = write_heap(&h);
  printf("%" PRIu64 " objects, %" PRIu64 " bytes\n", writer_objects(h.out), writer_bytes(h.out));
  free_heap(&h);
  if (close(file) != 0 || error) return fprintf(stderr, "%s: %s\n", argv[1], strerror(error)), 1;
  return 0;
}
