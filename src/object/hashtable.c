/* SPDX-License-Identifier: MIT */
#include "hashtable.h"

#include "../base/assert.h"

#include <string.h>

/* The smallest index has 8 slots, so 5 entries: most dictionaries of programs are that small. */
#define TABLE_LOG2_MIN 3u
/* Numbers of entries are signed and have at most 4 bytes. */
#define TABLE_LOG2_MAX 31u
/* A table of which less than one entry in 8 is live is packed at the next put, full or not. */
#define TABLE_SPARSE 8u
/* An `equal` that changes the table each time would make a lookup start again for ever. */
#define TABLE_RESTARTS 64

/* What an index slot holds besides the number of an entry. */
#define SLOT_EMPTY (-1)   /* never used: a lookup ends here */
#define SLOT_REMOVED (-2) /* a lookup goes on */

/* --- The index -------------------------------------------------------------------------------- */

static size_t table_capacity(unsigned log2) { return ((size_t)2 << log2) / 3; }

static size_t index_width(unsigned log2) { return log2 <= 7 ? 1 : log2 <= 15 ? 2 : 4; }

static size_t index_bytes(unsigned log2) { return index_width(log2) << log2; }

static void *index_of(const hashtable *table) {
  return hashtable_at(table, table_capacity(table->log2));
}

static int64_t index_get(const hashtable *table, size_t slot) {
  const void *index = index_of(table);
  switch (index_width(table->log2)) {
  case 1: return ((const int8_t *)index)[slot];
  case 2: return ((const int16_t *)index)[slot];
  default: return ((const int32_t *)index)[slot];
  }
}

static void index_set(hashtable *table, size_t slot, int64_t value) {
  void *index = index_of(table);
  switch (index_width(table->log2)) {
  case 1: ((int8_t *)index)[slot] = (int8_t)value; break;
  case 2: ((int16_t *)index)[slot] = (int16_t)value; break;
  default: ((int32_t *)index)[slot] = (int32_t)value; break;
  }
}

/* The slots that a hash may be in, as CPython visits them: all its bits come into play, one after
 * the other. The high half is folded in at once, for types whose hashes differ only there. */
typedef struct table_probe {
  uint64_t slot, perturb, mask;
} table_probe;

static table_probe probe_start(const hashtable *table, uint64_t hash) {
  uint64_t mask = ((uint64_t)1 << table->log2) - 1;
  return (table_probe){.slot = (hash ^ hash >> 32) & mask, .perturb = hash, .mask = mask};
}

static void probe_next(table_probe *probe) {
  probe->perturb >>= 5;
  probe->slot = (probe->slot * 5 + probe->perturb + 1) & probe->mask;
}

static void index_add(hashtable *table, uint64_t hash, size_t position) {
  table_probe probe = probe_start(table, hash);
  while (index_get(table, probe.slot) >= 0) probe_next(&probe);
  index_set(table, probe.slot, (int64_t)position);
}

static void index_remove(hashtable *table, uint64_t hash, size_t position) {
  table_probe probe = probe_start(table, hash);
  while (index_get(table, probe.slot) != (int64_t)position) probe_next(&probe);
  index_set(table, probe.slot, SLOT_REMOVED);
}

static void index_build(hashtable *table) {
  memset(index_of(table), 0xFF, index_bytes(table->log2)); /* SLOT_EMPTY in every width */
  for (size_t i = 0; i < table->used; i++) index_add(table, hashtable_at(table, i)->hash, i);
}

/* --- Looking up ------------------------------------------------------------------------------- */

int hashtable_identical(ouro_object *key, const void *wanted) { return key == wanted; }

int hashtable_equal(ouro_object *key, const void *wanted) {
  if (key == wanted) return 1;
  ouro_ref(key);
  int equal = ouro_equal(key, wanted);
  ouro_unref(key);
  return equal;
}

/* One lookup; false: the table changed on the way. */
static bool table_scan(const hashtable *table, uint64_t hash, hashtable_same same,
                       const void *wanted, size_t *found) {
  uint32_t version = table->version;
  for (table_probe probe = probe_start(table, hash);; probe_next(&probe)) {
    int64_t at = index_get(table, probe.slot);
    *found = HASHTABLE_NONE;
    if (at == SLOT_EMPTY) return true;
    if (at == SLOT_REMOVED || hashtable_at(table, (size_t)at)->hash != hash) continue;
    int result = same(hashtable_at(table, (size_t)at)->key, wanted);
    *found = result < 0 ? HASHTABLE_FAILED : (size_t)at;
    if (result < 0) return true;
    if (table->version != version) return false;
    if (result) return true;
  }
}

size_t hashtable_find(hashtable *table, uint64_t hash, hashtable_same same, const void *wanted) {
  size_t found;
  for (int i = 0; i < TABLE_RESTARTS; i++) {
    if (table->live == 0) return HASHTABLE_NONE;
    if (table_scan(table, hash, same, wanted, &found)) return found;
  }
  return HASHTABLE_FAILED;
}

hashtable_entry *hashtable_next(const hashtable *table, size_t *position) {
  while (*position < table->used) {
    hashtable_entry *entry = hashtable_at(table, (*position)++);
    if (entry->key) return entry;
  }
  return NULL;
}

/* --- Changing --------------------------------------------------------------------------------- */

/* An index with at least three slots per live entry, as in CPython: half of the table is free. */
static unsigned table_fitting(size_t live) {
  unsigned log2 = TABLE_LOG2_MIN;
  while (log2 < TABLE_LOG2_MAX && (size_t)1 << log2 < live * 3) log2++;
  return log2;
}

/* Moves the live entries of `table` into `to`'s block, which may be the same one: the copy of an
 * entry is never behind the entry. */
static void table_pack(const hashtable *table, hashtable *to) {
  to->used = 0;
  for (size_t i = 0; i < table->used; i++) {
    hashtable_entry *entry = hashtable_at(table, i);
    if (entry->key) memmove(hashtable_at(to, to->used++), entry, table->stride);
  }
  to->version++;
  index_build(to);
}

static void pack_in_place(hashtable *table) {
  hashtable before = *table;
  table_pack(&before, table);
}

static bool table_resize(ouro_heap *heap, hashtable *table, unsigned log2) {
  size_t size = table_capacity(log2) * table->stride + index_bytes(log2);
  hashtable bigger = *table;
  bigger.entries = ouro_alloc(heap, size);
  bigger.log2 = (uint8_t)log2;
  if (!bigger.entries) return false;
  table_pack(table, &bigger);
  ouro_free(heap, table->entries);
  *table = bigger;
  return true;
}

static bool table_is_full(const hashtable *table) {
  return !table->entries || table->used == table_capacity(table->log2);
}

bool hashtable_reserve(ouro_heap *heap, hashtable *table) {
  OURO_CHECK(table->stride == HASHTABLE_KEYS || table->stride == HASHTABLE_PAIRS);
  bool sparse = table->live * TABLE_SPARSE < table->used;
  if (OURO_LIKELY(!sparse && !table_is_full(table))) return true;
  unsigned log2 = table_fitting(table->live);
  if (log2 != table->log2 && table_resize(heap, table, log2)) return true;
  if (table->live < table->used) pack_in_place(table);
  return !table_is_full(table);
}

void hashtable_add(hashtable *table, uint64_t hash, ouro_object *key, ouro_object *value) {
  OURO_CHECK(!table_is_full(table));
  hashtable_entry *entry = hashtable_at(table, table->used);
  *entry = (hashtable_entry){.hash = hash, .key = key};
  if (table->stride == HASHTABLE_PAIRS) *hashtable_value(entry) = value;
  index_add(table, hash, table->used);
  table->used++;
  table->live++;
  table->version++;
}

/* All entries are removed ones: forgets them. A block of the smallest size is kept, for tables that
 * hold one entry at a time. */
static void table_restart(ouro_heap *heap, hashtable *table) {
  table->used = 0;
  if (table->log2 == TABLE_LOG2_MIN) index_build(table);
  else hashtable_finish(heap, table);
}

void hashtable_remove(ouro_heap *heap, hashtable *table, size_t position) {
  hashtable_entry *entry = hashtable_at(table, position);
  OURO_CHECK(position < table->used && entry->key);
  index_remove(table, entry->hash, position);
  entry->key = NULL;
  if (table->stride == HASHTABLE_PAIRS) *hashtable_value(entry) = NULL;
  table->live--;
  table->version++;
  if (table->live == 0) table_restart(heap, table);
}

hashtable hashtable_take(hashtable *table) {
  hashtable taken = *table;
  *table = (hashtable){.version = taken.version + 1, .stride = taken.stride};
  return taken;
}

void hashtable_finish(ouro_heap *heap, hashtable *table) {
  hashtable taken = hashtable_take(table);
  ouro_free(heap, taken.entries);
}
