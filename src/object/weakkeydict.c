/* SPDX-License-Identifier: MIT */
/* Dictionaries with weak keys and strong values (rule W3), as CPython's WeakKeyDictionary: keys
 * compare by the hash and equality of the objects themselves. */
#include "weaktable.h"

struct ouro_weakkeydict {
  weak_holder holder;
};

ouro_weakkeydict *ouro_weakkeydict_new(ouro_heap *heap) {
  static const ouro_type_spec spec = {
      .name = "weakkeydict",
      .size = sizeof(ouro_weakkeydict),
      .items = WEAKTABLE_ITEMS,
      .clear = weaktable_clear,
  };
  return weaktable_new(runtime_type(heap, BUILTIN_WEAKKEYDICT, &spec), HASHTABLE_PAIRS);
}

static size_t find_weak_key(ouro_weakkeydict *dict, const void *key) {
  return hashtable_find(&dict->holder.table, ouro_hash(key), weaktable_same_weak, key);
}

static bool set_value(ouro_weakkeydict *dict, size_t at, void *value) {
  ouro_assign(weaktable_strong(&dict->holder, at), value);
  return true;
}

/* Making an entry may run the program's code, which may put the same key. */
static bool add_weak_key(ouro_weakkeydict *dict, void *key, void *value) {
  weak_holder *holder = &dict->holder;
  uint64_t hash = ouro_hash(key);
  weak_entry *entry = weaktable_make(holder, key, hash, WEAKTABLE_PLAIN);
  if (!entry) return false;
  size_t at = weaktable_place(holder, hash, weaktable_same_weak, key);
  if (at == HASHTABLE_NONE) {
    hashtable_add(&holder->table, hash, OURO_OBJECT(entry), ouro_ref(value));
    return true;
  }
  weaktable_end(holder, entry);
  return at != HASHTABLE_FAILED && set_value(dict, at, value);
}

bool ouro_weakkeydict_put(ouro_weakkeydict *dict, void *key, void *value) {
  size_t at = find_weak_key(dict, key);
  if (at == HASHTABLE_FAILED) return false;
  return at == HASHTABLE_NONE ? add_weak_key(dict, key, value) : set_value(dict, at, value);
}

int ouro_weakkeydict_get(ouro_weakkeydict *dict, const void *key, ouro_object **out) {
  size_t at = find_weak_key(dict, key);
  *out = NULL;
  if (at == HASHTABLE_FAILED) return -1;
  if (at == HASHTABLE_NONE) return 0;
  *out = ouro_ref(*weaktable_strong(&dict->holder, at));
  return 1;
}

int ouro_weakkeydict_remove(ouro_weakkeydict *dict, const void *key) {
  size_t at = find_weak_key(dict, key);
  if (at == HASHTABLE_FAILED) return -1;
  if (at == HASHTABLE_NONE) return 0;
  weaktable_remove(&dict->holder, at);
  return 1;
}

size_t ouro_weakkeydict_length(const ouro_weakkeydict *dict) {
  return weaktable_length(&dict->holder);
}

bool ouro_weakkeydict_next(ouro_weakkeydict *dict, size_t *position, ouro_object **key,
                           ouro_object **value) {
  size_t at;
  if (!weaktable_next(&dict->holder, position, &at)) return false;
  *key = ouro_ref(weaktable_entry(&dict->holder, at)->link.referent);
  *value = ouro_ref(*weaktable_strong(&dict->holder, at));
  return true;
}
