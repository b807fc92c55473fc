/* SPDX-License-Identifier: MIT */
#include "set.h"

#include "keys.h"
#include "retry.h"

static const ouro_type_spec set_spec = {
    .name = "set",
    .size = sizeof(ouro_set),
    .items = HASHTABLE_ITEMS(ouro_set, table, HASHTABLE_KEYS),
};

ouro_type *set_type(ouro_heap *heap) { return runtime_type(heap, BUILTIN_SET, &set_spec); }

ouro_set *ouro_set_new(ouro_heap *heap) {
  ouro_type *type = set_type(heap);
  ouro_set *set = type ? OURO_MAKE(ouro_set, type) : NULL;
  if (set) set->table.stride = HASHTABLE_KEYS;
  return set;
}

bool ouro_is_set(const void *object) { return runtime_is(object, BUILTIN_SET); }

size_t ouro_set_length(const ouro_set *set) { return set->table.live; }

/* The member's position, with its hash; HASHTABLE_NONE or HASHTABLE_FAILED, with the reason. */
static size_t set_find(ouro_set *set, const void *member, uint64_t *hash) {
  ouro_heap *heap = ouro_heap_of(set);
  if (!key_hash(heap, member, hash)) return HASHTABLE_FAILED;
  size_t at = hashtable_find(&set->table, *hash, hashtable_equal, member);
  if (at == HASHTABLE_FAILED) key_failed(heap);
  return at;
}

int ouro_set_add(ouro_set *set, void *member) {
  ouro_heap *heap = ouro_heap_of(set);
  uint64_t hash;
  for (bool tried = false;;) {
    size_t at = set_find(set, member, &hash);
    if (at != HASHTABLE_NONE) return at == HASHTABLE_FAILED ? -1 : 0;
    if (hashtable_reserve(heap, &set->table)) break;
    if (!retry_after_collection(heap, &tried)) return -1;
  }
  hashtable_add(&set->table, hash, ouro_ref(member), NULL);
  return 1;
}

int ouro_set_has(ouro_set *set, const void *member) {
  uint64_t hash;
  size_t at = set_find(set, member, &hash);
  return at == HASHTABLE_FAILED ? -1 : at != HASHTABLE_NONE;
}

int ouro_set_remove(ouro_set *set, const void *member) {
  uint64_t hash;
  size_t at = set_find(set, member, &hash);
  if (at >= HASHTABLE_FAILED) return at == HASHTABLE_FAILED ? -1 : 0;
  ouro_object *old = hashtable_at(&set->table, at)->key;
  hashtable_remove(ouro_heap_of(set), &set->table, at);
  ouro_unref(old);
  return 1;
}

void ouro_set_clear(ouro_set *set) {
  ouro_heap *heap = ouro_heap_of(set);
  hashtable taken = hashtable_take(&set->table);
  for (size_t i = taken.used; i-- > 0;) ouro_unref(hashtable_at(&taken, i)->key);
  hashtable_finish(heap, &taken);
}

bool ouro_set_next(const ouro_set *set, size_t *position, ouro_object **member) {
  hashtable_entry *entry = hashtable_next(&set->table, position);
  *member = entry ? entry->key : NULL;
  return entry != NULL;
}
