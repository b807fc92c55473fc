/* SPDX-License-Identifier: MIT */
/*
 * Writes what lives in a heap as a snapshot (rule M2). Three walks over the objects: the first
 * counts the references to each, the second writes objects and their references, the third writes
 * as roots what is counted beyond those. All memory is the system's.
 *
 * `found` has one number per place of an object: first[page] + its index in the page.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inspect.h"
#include "native.h"
#include "number.h"
#include "str.h"
#include "../snapshot/writer.h"
#include <ouro/bytes.h>
#include <ouro/snapshot.h>

/* A number of `found`: marks, and references found, which stop where there is no more room. */
#define SNAP_TEXT ((uint32_t)1 << 31)          /* what it says as a key is written */
#define SNAP_UNCOLLECTABLE ((uint32_t)1 << 30) /* in the garbage list */
#define SNAP_ROOT ((uint32_t)1 << 29)          /* the program says that it is one */
#define SNAP_COUNT (SNAP_ROOT - 1)

#define SNAP_ROOTS_MAX 4096u /* records per object: beyond, its count says it */
#define SNAP_NAMES 512u
#define SNAP_NAME 32u

/* Names that types make up while they are asked; the last one with each hash is remembered. */
typedef struct snap_name {
  uint32_t id;
  char text[SNAP_NAME];
} snap_name;

typedef struct snap {
  runtime *rt;
  writer *to;
  unsigned flags;
  uint64_t *first;
  uint32_t *found;
  uint64_t pages, places;
  uint32_t *field_names; /* by type: the id of its first field's name; the others follow */
  const ouro_object *from;
  size_t index; /* of the reference at hand, as inspect_name counts */
  snap_name names[SNAP_NAMES];
} snap;

/* How and when it was taken. */
typedef struct snap_taking {
  const char *mode;
  uint64_t pid, resident, began; /* began: the pause, on os_clock_ns */
  bool forked;
} snap_taking;

/* --- Places ----------------------------------------------------------------------------------- */

/* Where references to an object of this heap are counted; NULL: it is none. */
static uint32_t *snap_place(const snap *s, const ouro_object *o) {
  uint64_t slot;
  if (heap_has_window(s->rt->heap, o)) {
    if (heap_slot_of(o)->kind == KIND_RAW) return NULL;
    slot = pooled_slot(heap_slot_of(o), o);
  } else if (big_is_known(s->rt, o)) {
    slot = big_prefix_of(o)->slot;
  } else {
    return NULL;
  }
  return &s->found[s->first[slot >> PAGE_SHIFT] + slot % CYCLE_PAGE_SLOTS];
}

static bool snap_make_places(snap *s) {
  s->pages = page_count(s->rt);
  s->first = runtime_map(s->rt, s->pages * sizeof *s->first);
  if (!s->first) return false;
  for (uint64_t number = 0; number < s->pages; number++) {
    s->first[number] = s->places;
    s->places += inspect_words(s->rt, number) * 64;
  }
  s->found = runtime_map(s->rt, (s->places + 1) * sizeof *s->found);
  return s->found != NULL;
}

static void snap_mark(const snap *s, const ouro_object *o, uint32_t mark) {
  uint32_t *place = snap_place(s, o);
  if (place) *place |= mark;
}

static void snap_count_one(ouro_object *referent, void *arg) {
  uint32_t *place = snap_place(arg, referent);
  if (place && (*place & SNAP_COUNT) != SNAP_COUNT) ++*place;
}

static bool snap_count_references(void *ctx, ouro_object *o) {
  snap *s = ctx;
  native_traverse(s->rt, o, snap_count_one, s);
  return true;
}

static void snap_mark_root(ouro_object *o, void *arg) { snap_mark(arg, o, SNAP_ROOT); }

static void snap_count(snap *s) {
  inspect_each(s->rt, KIND_TRACKED, snap_count_references, s);
  inspect_each(s->rt, KIND_LEAF, snap_count_references, s);
  for (size_t i = 0; i < s->rt->gc->garbage.length; i++)
    snap_mark(s, s->rt->gc->garbage.items[i], SNAP_UNCOLLECTABLE);
  embed_roots(s->rt, snap_mark_root, s);
}

/* --- Types and names -------------------------------------------------------------------------- */

static snapshot_type_kind snap_kind(const type *t) {
  static const snapshot_type_kind kinds[BUILTINS + 1] = {
      [BUILTIN_WEAK] = SNAPSHOT_WEAKREF,     [BUILTIN_LIST] = SNAPSHOT_LIST,
      [BUILTIN_TUPLE] = SNAPSHOT_TUPLE,      [BUILTIN_DICT] = SNAPSHOT_DICT,
      [BUILTIN_SET] = SNAPSHOT_SET,          [BUILTIN_STR] = SNAPSHOT_STR,
      [BUILTIN_BYTES] = SNAPSHOT_BYTES,      [BUILTIN_INT] = SNAPSHOT_NUMBER,
      [BUILTIN_FLOAT] = SNAPSHOT_NUMBER,     [BUILTIN_WEAKVALUEDICT] = SNAPSHOT_DICT,
      [BUILTIN_WEAKKEYDICT] = SNAPSHOT_DICT, [BUILTIN_WEAKSET] = SNAPSHOT_SET,
      [BUILTINS] = SNAPSHOT_INSTANCE,
  };
  return kinds[t->kind];
}

static void snap_field_names(snap *s, const type *t, uint32_t *first) {
  for (size_t i = 0; i < t->field_count; i++) {
    char offset[SNAP_NAME];
    snprintf(offset, sizeof offset, "+%u", t->fields[i]);
    const char *name = t->spec.ref_names ? t->spec.ref_names[i] : offset;
    uint32_t id = writer_name(s->to, name, strlen(name));
    if (i == 0) *first = id;
  }
}

static void snap_types(snap *s) {
  for (uint32_t i = 0; i < s->rt->type_count; i++) {
    const type *t = s->rt->types[i];
    uint32_t flags =
        (t->tracked ? SNAPSHOT_TYPE_GC : 0u) | (t->spec.finalize ? SNAPSHOT_TYPE_FINALIZER : 0u);
    writer_type(s->to, snap_kind(t), flags, 0, t->spec.size, t->spec.name);
    snap_field_names(s, t, &s->field_names[i]);
  }
}

static uint32_t snap_hash(const void *bytes, size_t length) {
  uint32_t sum = 2166136261u; /* FNV-1a, by Fowler, Noll and Vo */
  for (size_t i = 0; i < length; i++) sum = (sum ^ ((const uint8_t *)bytes)[i]) * 16777619u;
  return sum;
}

static uint32_t snap_name_id(snap *s, const char *text) {
  size_t length = strlen(text);
  snap_name *n = &s->names[snap_hash(text, length) % SNAP_NAMES];
  if (strcmp(n->text, text) != 0) {
    memcpy(n->text, text, length + 1);
    n->id = writer_name(s->to, text, length);
  }
  return n->id;
}

/* --- Texts of keys ---------------------------------------------------------------------------- */

static bool snap_is(const snap *s, const ouro_object *o, builtin kind) {
  return type_of(s->rt, o)->kind == kind;
}

static uint64_t snap_address(const ouro_object *o) { return (uint64_t)(uintptr_t)o; }

static void snap_int_text(const snap *s, const ouro_object *key) {
  char digits[24];
  int64_t value = ((const ouro_int *)(const void *)key)->value;
  int length = snprintf(digits, sizeof digits, "%" PRId64, value);
  writer_text(s->to, snap_address(key), SNAPSHOT_KEY_INT, digits, (size_t)length);
}

static void snap_key_text(const snap *s, const ouro_object *key) {
  uint32_t *place = s->flags & OURO_SNAPSHOT_REDACT ? NULL : snap_place(s, key);
  if (!place || *place & SNAP_TEXT) return;
  *place |= SNAP_TEXT;
  const ouro_str *text = (const void *)key;
  if (snap_is(s, key, BUILTIN_STR))
    writer_text(s->to, snap_address(key), SNAPSHOT_KEY_STR, text->bytes, text->length);
  else if (snap_is(s, key, BUILTIN_INT)) snap_int_text(s, key);
}

/* --- References ------------------------------------------------------------------------------- */

static void snap_run_of_one(const snap *s, snapshot_label_kind kind, const ouro_object *to) {
  writer_run(s->to, kind, 0, 1);
  writer_edge(s->to, snap_address(to));
}

/* What a type calls it: an attribute if that is a word. */
static void snap_named(snap *s, const char *name, const ouro_object *to) {
  char first = (char)(name[0] | 32);
  bool word = name[0] == '_' || (first >= 'a' && first <= 'z');
  writer_run(s->to, word ? SNAPSHOT_ATTRIBUTE : SNAPSHOT_INTERNAL, 0, 1);
  writer_named_edge(s->to, snap_name_id(s, name), snap_address(to));
}

static void snap_fields(const snap *s, const type *t, const ouro_object *o) {
  size_t n = 0;
  for (size_t i = 0; i < t->field_count; i++) n += *type_field(t, o, i) != NULL;
  if (n == 0) return;
  writer_run(s->to, t->spec.ref_names ? SNAPSHOT_ATTRIBUTE : SNAPSHOT_INTERNAL, 0, n);
  for (size_t i = 0; i < t->field_count; i++) {
    const ouro_object *to = *type_field(t, o, i);
    if (to) writer_named_edge(s->to, s->field_names[o->type] + (uint32_t)i, snap_address(to));
  }
}

/* Stretches without NULL between them. */
static void snap_indexed(const snap *s, const type *t, char *array, size_t items) {
  for (size_t from = 0, to; from < items; from = to + 1) {
    for (to = from; to < items && *type_item(t, array, to);) to++;
    if (to == from) continue;
    writer_run(s->to, SNAPSHOT_INDEX, from, to - from);
    for (size_t i = from; i < to; i++) writer_edge(s->to, snap_address(*type_item(t, array, i)));
  }
}

static void snap_pairs(const snap *s, const type *t, char *array, size_t items) {
  for (size_t i = 0; i + 1 < items; i += 2) {
    const ouro_object *key = *type_item(t, array, i), *value = *type_item(t, array, i + 1);
    if (!key) continue;
    snap_run_of_one(s, SNAPSHOT_KEY, key);
    snap_key_text(s, key);
    if (value) snap_run_of_one(s, SNAPSHOT_VALUE, value);
  }
}

static void snap_visit(ouro_object *referent, void *arg) {
  snap *s = arg;
  char name[SNAP_NAME] = "";
  const type *t = type_of(s->rt, s->from);
  if (t->spec.name_ref) inspect_name(s->rt, s->from, s->index, name, sizeof name);
  if (name[0]) snap_named(s, name, referent);
  else snap_run_of_one(s, SNAPSHOT_UNNAMED, referent);
}

/* References numbered [from, to), each with the name that the type gives it. */
static void snap_one_by_one(snap *s, ouro_object *o, size_t from, size_t to) {
  static const native_group unknown;
  s->from = o;
  for (s->index = from; s->index < to; s->index++)
    embed_traverse(s->rt, &unknown, o, s->index, s->index + 1, snap_visit, s);
}

static void snap_references(snap *s, const type *t, ouro_object *o) {
  size_t items = type_items(t, o), declared = t->field_count + items;
  snap_fields(s, t, o);
  bool indexed = t->per_item == 1 && !t->spec.name_ref &&
                 (t->kind == BUILTIN_LIST || t->kind == BUILTIN_TUPLE || t->kind == BUILTINS);
  if (items && t->kind == BUILTIN_DICT) snap_pairs(s, t, type_array(t, o), items);
  else if (items && indexed) snap_indexed(s, t, type_array(t, o), items);
  else snap_one_by_one(s, o, t->field_count, declared);
  snap_one_by_one(s, o, declared, declared + hidden_length(t, o));
}

/* --- Objects ---------------------------------------------------------------------------------- */

static uint64_t snap_size(const snap *s, const type *t, const ouro_object *o) {
  const ouro_heap *heap = &s->rt->heap->open;
  uint64_t bytes =
      object_is_big(o) ? ouro_block_size(heap, big_prefix_of(o)) : heap_slot_of(o)->size;
  if (t->spec.items.kind != OURO_ITEMS_POINTED) return bytes;
  const char *array = type_array(t, o);
  return bytes + (array ? ouro_block_size(heap, array) : 0);
}

static uint32_t snap_flags(const snap *s, const ouro_object *o) {
  int generation = ouro_generation_of(o);
  uint32_t flags = generation < 0 ? 0 : (uint32_t)generation | SNAPSHOT_TRACKED;
  const uint32_t *place = snap_place(s, o);
  if (o->count >= OURO_IMMORTAL) flags |= SNAPSHOT_IMMORTAL;
  if (o->flags & OURO_FLAG_FINALIZED) flags |= SNAPSHOT_FINALIZED;
  if (place && *place & SNAP_UNCOLLECTABLE) flags |= SNAPSHOT_UNCOLLECTABLE;
  return flags;
}

/* Of texts: their first 4 KiB and their length. 0 means none. */
static uint32_t snap_digest(const type *t, const ouro_object *o) {
  size_t length;
  const void *bytes;
  if (t->kind == BUILTIN_STR) {
    length = ((const ouro_str *)(const void *)o)->length;
    bytes = ((const ouro_str *)(const void *)o)->bytes;
  } else if (t->kind == BUILTIN_BYTES) {
    length = ((const ouro_bytes *)(const void *)o)->length;
    bytes = ((const ouro_bytes *)(const void *)o)->bytes;
  } else {
    return 0;
  }
  uint32_t sum = snap_hash(bytes, length < 4096 ? length : 4096) + (uint32_t)length;
  return sum ? sum : 1;
}

static bool snap_object(void *ctx, ouro_object *o) {
  snap *s = ctx;
  const type *t = type_of(s->rt, o);
  writer_object(s->to, &(writer_object_facts){
                           .address = snap_address(o),
                           .type = o->type,
                           .flags = snap_flags(s, o),
                           .size = snap_size(s, t, o),
                           .count = o->count >= OURO_IMMORTAL ? 0 : o->count,
                           .digest = snap_digest(t, o),
                       });
  if (t->holds) snap_references(s, t, o);
  writer_object_end(s->to);
  return true;
}

/* --- Roots ------------------------------------------------------------------------------------ */

static bool snap_root(void *ctx, ouro_object *o) {
  snap *s = ctx;
  const uint32_t *place = snap_place(s, o);
  uint32_t noted = place ? *place : 0, found = noted & SNAP_COUNT, more = 0;
  if (o->count >= OURO_IMMORTAL) more = 1;
  else if (o->count > found && found != SNAP_COUNT) more = o->count - found;
  const char *text = noted & SNAP_ROOT ? "root" : "outside";
  for (uint32_t i = 0; i < more && i < SNAP_ROOTS_MAX; i++)
    writer_root(s->to, SNAPSHOT_ROOT_NATIVE, snap_address(o), text);
  if (noted & SNAP_UNCOLLECTABLE)
    writer_root(s->to, SNAPSHOT_ROOT_UNCOLLECTABLE, snap_address(o), "garbage list");
  return true;
}

static void snap_heap(snap *s) {
  snap_types(s);
  snap_count(s);
  inspect_each(s->rt, KIND_TRACKED, snap_object, s);
  inspect_each(s->rt, KIND_LEAF, snap_object, s);
  inspect_each(s->rt, KIND_TRACKED, snap_root, s);
  inspect_each(s->rt, KIND_LEAF, snap_root, s);
}

/* --- Facts ------------------------------------------------------------------------------------ */

static void snap_fact(writer *to, const char *key, uint64_t value) {
  writer_fact(to, key, "%" PRIu64, value);
}

/* A fact of each generation: the number is the last character of the key. */
static void snap_generation_fact(writer *to, const char *key, int generation, uint64_t value) {
  char numbered[32];
  snprintf(numbered, sizeof numbered, "%s%d", key, generation);
  snap_fact(to, numbered, value);
}

static void snap_collector_facts(writer *to, ouro_heap *heap) {
  ouro_gc_stats stats;
  uint32_t threshold[OURO_GENERATIONS];
  uint64_t count[OURO_GENERATIONS], uncollectable = 0;
  ouro_gc_stats_read(heap, &stats);
  ouro_gc_thresholds(heap, threshold);
  ouro_gc_counts(heap, count);
  writer_fact(to, "gc.collector", "native");
  snap_fact(to, "gc.enabled", ouro_gc_is_enabled(heap));
  for (int i = 0; i < OURO_GENERATIONS; i++) {
    snap_generation_fact(to, "gc.threshold", i, threshold[i]);
    snap_generation_fact(to, "gc.count", i, count[i]);
    snap_generation_fact(to, "gc.collections", i, stats.generation[i].collections);
    snap_generation_fact(to, "gc.collected", i, stats.generation[i].collected);
    uncollectable += stats.generation[i].uncollectable;
  }
  snap_fact(to, "gc.uncollectable", uncollectable);
  snap_fact(to, "gc.pending_bytes", stats.pending_bytes);
}

static void snap_memory_facts(writer *to, const ouro_heap *heap) {
  ouro_heap_stats stats;
  ouro_heap_stats_read(heap, &stats);
  snap_fact(to, "ledger.heap", stats.resident);
  snap_fact(to, "ledger.heap.requested", stats.requested);
  snap_fact(to, "ledger.heap.rounding", stats.rounding);
  snap_fact(to, "ledger.heap.held", stats.held);
  snap_fact(to, "ledger.heap.purgeable", stats.purgeable);
  snap_fact(to, "ledger.heap.pinned", stats.pinned);
  snap_fact(to, "ledger.heap.waste", stats.waste);
  snap_fact(to, "ledger.heap.metadata", stats.metadata);
  snap_fact(to, "memo.heap.live", stats.live);
  snap_fact(to, "memo.heap.live_blocks", stats.live_blocks);
  snap_fact(to, "memo.heap.large", stats.large);
  snap_fact(to, "memo.heap.returned", stats.returned);
}

/* Blocks ever handed out, in all and by size: what a program makes again and again. */
static void snap_allocation_facts(writer *to, const ouro_heap *heap) {
  ouro_heap_stats stats;
  ouro_class_stats class[OURO_CLASSES];
  ouro_heap_stats_read(heap, &stats);
  ouro_heap_class_stats(heap, class);
  snap_fact(to, "alloc.total", stats.allocated);
  snap_fact(to, "alloc.freed", stats.allocated - stats.live_blocks);
  for (unsigned i = 0; i < OURO_CLASSES; i++) {
    char key[32];
    snprintf(key, sizeof key, "alloc.%" PRIu64, class[i].block_size);
    snap_fact(to, key, class[i].allocated);
  }
}

static void snap_facts(writer *to, ouro_heap *heap, unsigned flags, const snap_taking *taking) {
  writer_fact(to, "writer", "native");
  writer_fact(to, "ouro", "%s", OURO_VERSION);
  writer_fact(to, "heap", "%s", heap_in(heap)->name);
  writer_fact(to, "mode", "%s", taking->mode);
  writer_fact(to, "keys", "%s", flags & OURO_SNAPSHOT_REDACT ? "names" : "all");
  snap_fact(to, "pid", taking->pid);
  snap_fact(to, "time", os_wall_seconds());
  if (taking->resident) snap_fact(to, "rss", taking->resident);
  if (taking->forked) snap_fact(to, "pause_ns", os_clock_ns() - taking->began);
  snap_memory_facts(to, heap);
  snap_allocation_facts(to, heap);
}

/* --- All of it -------------------------------------------------------------------------------- */

/* The tables of objects, where there are any, and all that is in the heap. */
static int snap_objects(snap *s, ouro_heap *heap) {
  int error = 0;
  snap_collector_facts(s->to, heap);
  if (snap_make_places(s)) snap_heap(s);
  else error = ENOMEM;
  if (s->first) os_release(s->first, os_whole_pages(s->pages * sizeof *s->first));
  if (s->found) os_release(s->found, os_whole_pages((s->places + 1) * sizeof *s->found));
  return error;
}

static size_t snap_round(size_t size) { return (size + 15) & ~(size_t)15; }

static int snap_write(ouro_heap *heap, int descriptor, unsigned flags, const snap_taking *taking) {
  runtime *rt = runtime_in(heap);
  size_t own = snap_round(sizeof(snap)), writing = snap_round(writer_size());
  size_t size = os_whole_pages(own + writing + (rt ? rt->type_count : 0) * sizeof(uint32_t));
  char *memory = rt ? runtime_map(rt, size) : os_map(size);
  if (!memory) return ENOMEM;
  snap *s = (snap *)(void *)memory;
  *s = (snap){.rt = rt, .flags = flags};
  s->to = writer_begin(memory + own, descriptor);
  s->field_names = (uint32_t *)(void *)(memory + own + writing);
  snap_facts(s->to, heap, flags, taking);
  int failed = rt ? snap_objects(s, heap) : 0;
  if (!taking->forked) snap_fact(s->to, "pause_ns", os_clock_ns() - taking->began);
  int error = failed ? failed : writer_end(s->to);
  os_release(memory, size);
  return error;
}

static snap_taking snap_begin(const char *mode, bool forked) {
  return (snap_taking){.mode = mode,
                       .pid = os_process_id(),
                       .resident = os_process_resident(),
                       .began = os_clock_ns(),
                       .forked = forked};
}

int ouro_snapshot_write(ouro_heap *heap, int descriptor, unsigned flags) {
  snap_taking taking = snap_begin("in place", false);
  return snap_write(heap, descriptor, flags, &taking);
}

typedef struct snap_order {
  ouro_heap *heap;
  int descriptor;
  unsigned flags;
  snap_taking taking;
} snap_order;

static int snap_in_child(void *ctx) {
  const snap_order *order = ctx;
  return snap_write(order->heap, order->descriptor, order->flags, &order->taking);
}

int64_t ouro_snapshot(ouro_heap *heap, const char *path, unsigned flags) {
  int file = os_create(path);
  if (file < 0) return file;
  snap_order order = {heap, file, flags, snap_begin("fork", true)};
  int64_t child = os_child(snap_in_child, &order);
  os_close(file);
  return child;
}
