/* SPDX-License-Identifier: MIT */
/* Dictionaries with strong keys and weak values (rule W2), as CPython's WeakValueDictionary. */
#include "weaktable.h"

struct ouro_weakvaluedict {
  weak_holder holder;
};

ouro_weakvaluedict *ouro_weakvaluedict_new(ouro_heap *heap) {
  static const ouro_type_spec spec = {
      .name = "weakvaluedict",
      .size = sizeof(ouro_weakvaluedict),
      .items = WEAKTABLE_ITEMS,
      .clear = weaktable_clear,
  };
  return weaktable_new(runtime_type(heap, BUILTIN_WEAKVALUEDICT, &spec), HASHTABLE_PAIRS);
}

static size_t find_strong_key(ouro_weakvaluedict *dict, const void *key) {
  return hashtable_find(&dict->holder.table, ouro_hash(key), weaktable_same_strong, key);
}

static void add_weak_value(weak_holder *holder, weak_entry *entry, void *key) {
  entry->key = ouro_ref(key);
  hashtable_add(&holder->table, entry->hash, OURO_OBJECT(entry), key);
}

/* The key stays the one that was put first. */
static void replace_weak_value(weak_holder *holder, size_t at, weak_entry *entry) {
  weak_entry *old = weaktable_entry(holder, at);
  entry->key = old->key;
  hashtable_at(&holder->table, at)->key = OURO_OBJECT(entry);
  weaktable_end(holder, old);
}

/* The entry is made first, as that may run the program's code. */
bool ouro_weakvaluedict_put(ouro_weakvaluedict *dict, void *key, void *value) {
  weak_holder *holder = &dict->holder;
  uint64_t hash = ouro_hash(key);
  weak_entry *entry = weaktable_make(holder, value, hash, WEAKTABLE_KEYED);
  if (!entry) return false;
  size_t at = weaktable_place(holder, hash, weaktable_same_strong, key);
  if (at == HASHTABLE_NONE) add_weak_value(holder, entry, key);
  else if (at != HASHTABLE_FAILED) replace_weak_value(holder, at, entry);
  else weaktable_end(holder, entry);
  return at != HASHTABLE_FAILED;
}

/* Whether the entry at a position has a value still. */
static bool has_value(const ouro_weakvaluedict *dict, size_t at) {
  return weak_link_alive(&weaktable_entry(&dict->holder, at)->link);
}

int ouro_weakvaluedict_get(ouro_weakvaluedict *dict, const void *key, ouro_object **out) {
  size_t at = find_strong_key(dict, key);
  *out = NULL;
  if (at == HASHTABLE_FAILED) return -1;
  if (at == HASHTABLE_NONE || !has_value(dict, at)) return 0;
  *out = ouro_ref(weaktable_entry(&dict->holder, at)->link.referent);
  return 1;
}

int ouro_weakvaluedict_remove(ouro_weakvaluedict *dict, const void *key) {
  size_t at = find_strong_key(dict, key);
  if (at == HASHTABLE_FAILED) return -1;
  if (at == HASHTABLE_NONE) return 0;
  bool live = has_value(dict, at);
  weaktable_remove(&dict->holder, at);
  return live;
}

size_t ouro_weakvaluedict_length(const ouro_weakvaluedict *dict) {
  return weaktable_length(&dict->holder);
}

bool ouro_weakvaluedict_next(ouro_weakvaluedict *dict, size_t *position, ouro_object **key,
                             ouro_object **value) {
  size_t at;
  if (!weaktable_next(&dict->holder, position, &at)) return false;
  *key = ouro_ref(weaktable_entry(&dict->holder, at)->key);
  *value = ouro_ref(weaktable_entry(&dict->holder, at)->link.referent);
  return true;
}
