/* SPDX-License-Identifier: MIT */
#include "array.h"
#include "load.h"
#include "progress.h"

enum { LOAD_RECORD_BYTES = 3, LOAD_EDGE_BYTES = 1 }; /* none is shorter in a file */

bool load_resize(load_column *column, size_t room) {
  void *at = column->at ? array_resize(column->at, column->room, room, column->each)
                        : array_make(room, column->each);
  if (!at) return false;
  column->at = at;
  column->room = room;
  return true;
}

/* Room for one more element. */
static inline bool load_grow(load_column *column, size_t used) {
  if (OURO_LIKELY(used < column->room)) return true;
  return load_resize(column, column->room + column->room / 2 + 16);
}

void *load_take(load_column *column) {
  void *at = column->at;
  column->at = NULL;
  return at;
}

void load_drop(load_column *column) { array_free(load_take(column), column->room, column->each); }

/* As many as the file claims, as far as its length lets that be true. */
static bool load_begin(load *l, const snapshot *s) {
  const snapshot_totals totals = snapshot_count(s);
  uint64_t bytes = snapshot_file_bytes(s);
  uint64_t objects = bytes / LOAD_RECORD_BYTES, edges = bytes / LOAD_EDGE_BYTES;
  if (totals.objects < objects) objects = totals.objects;
  if (totals.edges < edges) edges = totals.edges;
  return load_resize(&l->address, objects) && load_resize(&l->type, objects) &&
         load_resize(&l->size, objects) && load_resize(&l->count, objects) &&
         load_resize(&l->degree, objects) && load_resize(&l->flags, objects) &&
         load_resize(&l->target, edges) && load_resize(&l->first, l->blocks + 1);
}

static bool load_note_big(load *l, uint64_t size) {
  if (!load_grow(&l->big, l->bigs)) return false;
  ((load_big *)l->big.at)[l->bigs++] = (load_big){.record = l->records, .size = size};
  return true;
}

static bool load_grow_record(load *l) {
  return load_grow(&l->address, l->records) && load_grow(&l->type, l->records) &&
         load_grow(&l->size, l->records) && load_grow(&l->count, l->records) &&
         load_grow(&l->degree, l->records) && load_grow(&l->flags, l->records);
}

static inline uint32_t load_at_most(uint64_t value) {
  return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static inline uint32_t load_type(const snapshot_object *object, uint32_t types) {
  if (object->more) return LOAD_NO_FACTS;
  return object->type < types ? object->type : types;
}

static bool load_facts(load *l, const snapshot_object *object, uint32_t types) {
  if (!load_grow_record(l)) return false;
  uint64_t address = object->address;
  if (!object->more && !places_note(l->places, address)) return false;
  if (object->size >= UINT32_MAX && !load_note_big(l, object->size)) return false;
  size_t n = l->records;
  ((uint64_t *)l->address.at)[n] = address | (object->more ? LOAD_MORE : 0);
  ((uint32_t *)l->type.at)[n] = load_type(object, types);
  ((uint32_t *)l->size.at)[n] = load_at_most(object->size);
  ((uint32_t *)l->count.at)[n] = load_at_most(object->count);
  ((uint8_t *)l->flags.at)[n] = (uint8_t)object->flags;
  return true;
}

static bool load_edges(load *l, snapshot_cursor *cursor) {
  size_t before = l->edges;
  for (snapshot_edge edge; cursor_edge(cursor, &edge);) {
    if (!load_grow(&l->target, l->edges)) return false;
    ((uint64_t *)l->target.at)[l->edges++] = edge.target;
  }
  ((uint32_t *)l->degree.at)[l->records++] = (uint32_t)(l->edges - before);
  return true;
}

static bool load_block(load *l, snapshot_cursor *cursor, uint32_t types) {
  while (cursor_object(cursor))
    if (!load_facts(l, &cursor->object, types) || !load_edges(l, cursor)) return false;
  l->damaged += cursor->damaged;
  return true;
}

static bool load_blocks(load *l, uint32_t types, const graph_progress *show) {
  progress told;
  progress_begin(&told, show, "reading");
  snapshot_cursor cursor = {0};
  bool good = true;
  for (size_t block = 0; good && block < l->blocks; block++) {
    ((uint64_t *)l->first.at)[block] = l->records;
    good = cursor_begin(&cursor, l->from, block) && load_block(l, &cursor, types);
    progress_tell(&told, block, l->blocks);
  }
  ((uint64_t *)l->first.at)[l->blocks] = l->records;
  cursor_finish(&cursor);
  return good;
}

bool load_read(load *l, const snapshot *s, graph_places *places, uint32_t types,
               const graph_progress *show) {
  const load_column numbers = {.each = sizeof(uint32_t)}, addresses = {.each = sizeof(uint64_t)};
  *l = (load){.from = s, .places = places, .blocks = snapshot_object_blocks(s)};
  l->address = l->target = l->first = addresses;
  l->type = l->size = l->count = l->degree = numbers;
  l->flags = (load_column){.each = sizeof(uint8_t)};
  l->big = (load_column){.each = sizeof(load_big)};
  return load_begin(l, s) && load_blocks(l, types, show);
}

void load_finish(load *l) {
  load_column *all[] = {&l->address, &l->type,   &l->size, &l->count, &l->degree,
                        &l->flags,   &l->target, &l->big,  &l->first};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) load_drop(all[i]);
}
