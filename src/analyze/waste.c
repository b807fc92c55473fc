/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "waste.h"

#define LOST_BYTES 64   /* of a container, at most, that one edge the graph lost can explain */
#define LOST_CHECKS 256 /* containers whose edges are counted in the file for that reason */

#define EXAMPLE_TRIES 1000 /* copies of a value that are tried as the example */
#define EXAMPLE_HOLDERS 4  /* of each that are looked at */

typedef struct waste_value {
  uint32_t digest;
  graph_node node;
} waste_value;

typedef struct waste_equal { /* one of those with the same digest */
  uint64_t size;
  uint32_t type;
  graph_node node;
} waste_equal;

typedef struct waste_instance {
  uint32_t type;
  graph_node node, dict;
} waste_instance;

/* Instances of one type with one set of attribute names. */
typedef struct waste_shape {
  uint32_t type, names, objects; /* objects 0: empty */
  graph_node example;
  uint64_t bytes;
} waste_shape;

typedef struct waste_sum {
  waste_row row;
  uint64_t best; /* of its example */
} waste_sum;

typedef struct waste_finder {
  const graph *g;
  size_t types;
  waste_sum *sums; /* by kind, then type */
  size_t lost_checks;
  waste_value *values;
  size_t value_count, value_room;
  waste_instance *instances;
  size_t instance_count, instance_room;
  uint32_t *names; /* of each small dictionary: a digest of its keys; 0: none */
  waste_shape *shapes;
  size_t shape_count, shape_room;
} waste_finder;

static snapshot_type waste_type(const graph *g, graph_node node) {
  return snapshot_type_of(g->from, g->type[node]);
}

static uint64_t waste_mix(uint64_t x) {
  x = (x ^ x >> 33) * 0xFF51AFD7ED558CCDu;
  x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53u;
  return x ^ x >> 33;
}

static void add_waste(waste_finder *f, waste_kind kind, uint32_t type, uint64_t objects,
                      uint64_t bytes, graph_node example) {
  waste_sum *sum = &f->sums[kind * f->types + type];
  sum->row.kind = kind;
  sum->row.type = type;
  sum->row.objects += objects;
  sum->row.bytes += bytes;
  if (bytes <= sum->best) return;
  sum->best = bytes;
  sum->row.example = example;
}

/* --- Empty room ------------------------------------------------------------------------------- */

/* The smallest power of two from 8 on that is at least `n`. */
static uint64_t table_slots(uint64_t n) {
  uint64_t slots = 8;
  while (slots < n) slots *= 2;
  return slots;
}

static uint64_t list_need(uint64_t items) { return 64 + 8 * items; }

/* A table is full at two thirds; beside each entry of hash, key and value there is an index of 1, 2
 * or 4 bytes per slot. */
static uint64_t dict_need(uint64_t entries) {
  uint64_t slots = table_slots((entries * 3 + 1) / 2);
  uint64_t wide = slots <= 128 ? 1 : slots <= 32768 ? 2 : 4;
  return 64 + 40 + slots * wide + slots * 2 / 3 * 24;
}

/* The object has eight slots of its own; a copy gets a table of more than twice the items. */
static uint64_t set_need(uint64_t items) {
  uint64_t slots = table_slots(2 * items + 1);
  return 232 + (slots > 8 ? slots * 16 : 0);
}

/* What a container of that many references needs; 0: it is none of those that are judged. */
static uint64_t room_needed(snapshot_type_kind kind, uint64_t edges) {
  switch (kind) {
  case SNAPSHOT_LIST: return list_need(edges);
  case SNAPSHOT_DICT: return dict_need((edges + 1) / 2);
  case SNAPSHOT_SET: return set_need(edges);
  default: return 0;
  }
}

static bool has_room(uint64_t size, uint64_t need) {
  return need && size / WASTE_ROOM_TIMES >= need && size - need >= WASTE_ROOM_BYTES;
}

static bool count_edge(void *to, const snapshot_edge *edge) {
  (void)edge;
  ++*(uint64_t *)to;
  return true;
}

/* A container may only look empty since what it holds is not in the file. */
static bool is_full_of_lost(waste_finder *f, graph_node node, uint64_t size, uint64_t need) {
  uint64_t lost = f->g->lost, edges = 0;
  if (!lost || (size - need) / LOST_BYTES > lost) return false;
  if (!f->lost_checks) return true;
  f->lost_checks--;
  graph_edges(f->g, node, count_edge, &edges);
  return !has_room(size, room_needed(waste_type(f->g, node).kind, edges));
}

static void find_empty_room(waste_finder *f) {
  const graph *g = f->g;
  f->lost_checks = LOST_CHECKS;
  for (graph_node n = 0; n < g->nodes; n++) {
    uint64_t size = g->size[n];
    if (size < WASTE_ROOM_BYTES) continue;
    uint64_t need = room_needed(waste_type(g, n).kind, graph_out_degree(g, n));
    size = graph_size(g, n);
    if (!has_room(size, need) || is_full_of_lost(f, n, size, need)) continue;
    add_waste(f, WASTE_EMPTY_ROOM, g->type[n], 1, size - need, n);
  }
}

/* --- What only the file knows ----------------------------------------------------------------- */

static bool add_value(waste_finder *f, graph_node node, uint32_t digest) {
  waste_value *values = array_widen(f->values, &f->value_room, f->value_count, sizeof *values);
  if (!values) return false;
  f->values = values;
  f->values[f->value_count++] = (waste_value){digest, node};
  return true;
}

static bool add_instance(waste_finder *f, graph_node node, graph_node dict) {
  waste_instance *instances =
      array_widen(f->instances, &f->instance_room, f->instance_count, sizeof *instances);
  if (!instances) return false;
  f->instances = instances;
  f->instances[f->instance_count++] = (waste_instance){f->g->type[node], node, dict};
  return true;
}

static bool is_own_dict(const waste_finder *f, const snapshot_edge *edge) {
  if (!snapshot_label_named(edge->kind)) return false;
  snapshot_text name = snapshot_name(f->g->from, edge->label);
  return name.length == 8 && memcmp(name.text, "__dict__", 8) == 0;
}

/* Takes the instance if it has a dictionary that nobody else refers to. */
static bool read_instance(waste_finder *f, snapshot_cursor *c, graph_node node) {
  const graph *g = f->g;
  snapshot_edge edge;
  while (cursor_edge(c, &edge)) {
    if (!is_own_dict(f, &edge)) continue;
    graph_node dict = graph_find(g, edge.target);
    bool own = dict != GRAPH_NONE && graph_in_degree(g, dict) == 1 &&
               waste_type(g, dict).kind == SNAPSHOT_DICT;
    return !own || add_instance(f, node, dict);
  }
  return true;
}

/* The same for the same keys in any order: names of attributes are the same objects in all
 * dictionaries. */
static void read_names(waste_finder *f, snapshot_cursor *c, graph_node node) {
  uint64_t digest = 0;
  uint32_t degree = graph_out_degree(f->g, node);
  if (degree == 0 || degree > 2 * WASTE_NAMES) return;
  snapshot_edge edge;
  while (cursor_edge(c, &edge))
    if (edge.kind == SNAPSHOT_KEY) digest += waste_mix(edge.target);
  f->names[node] = (uint32_t)(digest >> 32) | 1;
}

static bool read_facts(waste_finder *f, snapshot_cursor *c) {
  if (c->object.more) return true;
  graph_node node = graph_find(f->g, c->object.address);
  if (node == GRAPH_NONE) return true;
  if (c->object.digest) return add_value(f, node, c->object.digest);
  snapshot_type_kind kind = snapshot_type_of(f->g->from, c->object.type).kind;
  if (kind == SNAPSHOT_INSTANCE) return read_instance(f, c, node);
  if (kind == SNAPSHOT_DICT) read_names(f, c, node);
  return true;
}

static bool read_digests(waste_finder *f) {
  const snapshot *s = f->g->from;
  snapshot_cursor c = {0};
  bool good = true;
  for (size_t i = 0; good && i < snapshot_object_blocks(s); i++) {
    good = cursor_begin(&c, s, i);
    while (good && cursor_object(&c)) good = read_facts(f, &c);
  }
  cursor_finish(&c);
  return good;
}

/* --- Equal values ----------------------------------------------------------------------------- */

/* By digest, those of one digest in the order of their addresses: a byte at a time from the lowest
 * on (radix sort). */
static bool sort_values(waste_finder *f) {
  waste_value *from = f->values, *to = malloc((f->value_count + 1) * sizeof *to);
  if (!to) return false;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    size_t at[257] = {0};
    for (size_t i = 0; i < f->value_count; i++) at[(from[i].digest >> shift & 255) + 1]++;
    for (size_t i = 0; i < 256; i++) at[i + 1] += at[i];
    for (size_t i = 0; i < f->value_count; i++) to[at[from[i].digest >> shift & 255]++] = from[i];
    waste_value *other = from;
    from = to;
    to = other;
  }
  free(to); /* four times exchanged: the values are back in f->values */
  return true;
}

static int compare_equal(const void *a, const void *b) {
  const waste_equal *x = a, *y = b;
  if (x->type != y->type) return x->type < y->type ? -1 : 1;
  if (x->size != y->size) return x->size < y->size ? -1 : 1;
  return x->node < y->node ? -1 : x->node > y->node;
}

/* Held by code or a class, or by a tuple of theirs: a poor example, the program did not make it. */
static bool is_constant(const graph *g, graph_node node, int depth) {
  for (uint32_t i = 0; i < graph_in_degree(g, node) && i < EXAMPLE_HOLDERS; i++) {
    graph_node holder = g->in[g->first_in[node] + i];
    snapshot_type_kind kind = waste_type(g, holder).kind;
    if (kind == SNAPSHOT_CODE || kind == SNAPSHOT_TYPE || kind == SNAPSHOT_FUNCTION) return true;
    if (kind == SNAPSHOT_TUPLE && depth > 0 && is_constant(g, holder, depth - 1)) return true;
  }
  return false;
}

static graph_node pick_example(const graph *g, const waste_equal *copies, size_t count) {
  for (size_t i = 0; i < count && i < EXAMPLE_TRIES; i++)
    if (!is_constant(g, copies[i].node, 1)) return copies[i].node;
  return copies->node;
}

/* Two digests among millions can be the same by chance: small values count from some copies on. */
static void add_equal(waste_finder *f, const waste_equal *first, size_t copies) {
  if (copies < 2 || (copies < WASTE_COPIES && first->size < WASTE_LARGE)) return;
  waste_sum *sum = &f->sums[WASTE_EQUAL * f->types + first->type];
  uint64_t bytes = (copies - 1) * first->size;
  if (bytes > sum->best) sum->row.copies = copies;
  graph_node example = bytes > sum->best ? pick_example(f->g, first, copies) : first->node;
  add_waste(f, WASTE_EQUAL, first->type, copies, bytes, example);
}

static bool split_values(waste_finder *f, const waste_value *values, size_t count) {
  waste_equal *all = malloc(count * sizeof *all);
  if (!all) return false;
  for (size_t i = 0; i < count; i++) {
    graph_node node = values[i].node;
    all[i] = (waste_equal){graph_size(f->g, node), f->g->type[node], node};
  }
  qsort(all, count, sizeof *all, compare_equal);
  size_t begin = 0;
  for (size_t i = 1; i <= count; i++) {
    if (i < count && all[i].type == all[begin].type && all[i].size == all[begin].size) continue;
    add_equal(f, &all[begin], i - begin);
    begin = i;
  }
  free(all);
  return true;
}

static bool find_equal(waste_finder *f) {
  if (!sort_values(f)) return false;
  size_t begin = 0;
  for (size_t i = 1; i <= f->value_count; i++) {
    if (i < f->value_count && f->values[i].digest == f->values[begin].digest) continue;
    if (i - begin > 1 && !split_values(f, f->values + begin, i - begin)) return false;
    begin = i;
  }
  return true;
}

/* --- Dictionaries that could be slots --------------------------------------------------------- */

static waste_shape *shape_slot(const waste_finder *f, uint32_t type, uint32_t names) {
  size_t mask = f->shape_room - 1, i = (size_t)waste_mix((uint64_t)type << 32 | names) & mask;
  while (f->shapes[i].objects && (f->shapes[i].type != type || f->shapes[i].names != names))
    i = (i + 1) & mask;
  return &f->shapes[i];
}

/* Room for one more shape: the table is at most half full. */
static bool more_shapes(waste_finder *f) {
  if (f->shape_count * 2 < f->shape_room) return true;
  size_t old_room = f->shape_room;
  waste_shape *old = f->shapes, *shapes = calloc(old_room ? old_room * 2 : 64, sizeof *shapes);
  if (!shapes) return false;
  f->shapes = shapes;
  f->shape_room = old_room ? old_room * 2 : 64;
  for (size_t i = 0; i < old_room; i++)
    if (old[i].objects) *shape_slot(f, old[i].type, old[i].names) = old[i];
  free(old);
  return true;
}

static bool add_shape(waste_finder *f, const waste_instance *instance) {
  const graph *g = f->g;
  uint32_t names = f->names[instance->dict];
  uint64_t size = graph_size(g, instance->dict), slots = graph_out_degree(g, instance->dict) * 4;
  if (!names || !more_shapes(f)) return !names;
  waste_shape *shape = shape_slot(f, instance->type, names);
  if (!shape->objects) {
    *shape = (waste_shape){.type = instance->type, .names = names, .example = instance->node};
    f->shape_count++;
  }
  shape->objects++;
  shape->bytes += size > slots ? size - slots : 0;
  return true;
}

static bool find_slots(waste_finder *f) {
  for (size_t i = 0; i < f->instance_count; i++)
    if (!add_shape(f, &f->instances[i])) return false;
  for (size_t i = 0; i < f->shape_room; i++) {
    const waste_shape *s = &f->shapes[i];
    if (s->objects < WASTE_INSTANCES) continue;
    add_waste(f, WASTE_SLOTS, s->type, s->objects, s->bytes, s->example);
  }
  return true;
}

/* --- All of it -------------------------------------------------------------------------------- */

static int compare_waste(const void *a, const void *b) {
  const waste_row *x = a, *y = b;
  if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
  if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
  return x->type < y->type ? -1 : x->type > y->type;
}

static bool collect_waste(const waste_finder *f, waste_row **rows, size_t *count) {
  size_t sums = WASTE_KINDS * f->types, used = 0;
  for (size_t i = 0; i < sums; i++) used += f->sums[i].row.bytes > 0;
  *rows = malloc((used + 1) * sizeof **rows);
  if (!*rows) return false;
  for (size_t i = 0; i < sums; i++)
    if (f->sums[i].row.bytes) (*rows)[(*count)++] = f->sums[i].row;
  qsort(*rows, *count, sizeof **rows, compare_waste);
  return true;
}

bool waste_find(const graph *g, waste_row **rows, size_t *count) {
  waste_finder f = {.g = g, .types = (size_t)g->types + 1};
  *rows = NULL;
  *count = 0;
  f.sums = calloc(WASTE_KINDS * f.types, sizeof *f.sums);
  f.names = array_make(g->nodes, sizeof *f.names);
  bool good = f.sums && f.names;
  if (good) find_empty_room(&f);
  good = good && read_digests(&f) && find_equal(&f) && find_slots(&f);
  good = good && collect_waste(&f, rows, count);
  free(f.sums);
  array_free(f.names, g->nodes, sizeof *f.names);
  free(f.values);
  free(f.instances);
  free(f.shapes);
  return good;
}
