/* SPDX-License-Identifier: MIT */
/* Sets of weak references, as CPython's WeakSet. They hold nothing, so no cycle can lead through
 * one and the collector does not look at them. */
#include "weaktable.h"

struct ouro_weakset {
  weak_holder holder;
};

ouro_weakset *ouro_weakset_new(ouro_heap *heap) {
  static const ouro_type_spec spec = {
      .name = "weakset",
      .size = sizeof(ouro_weakset),
      .clear = weaktable_clear_set,
  };
  return weaktable_new(runtime_type(heap, BUILTIN_WEAKSET, &spec), HASHTABLE_KEYS);
}

static size_t find_weak_member(ouro_weakset *set, const void *member) {
  return hashtable_find(&set->holder.table, ouro_hash(member), weaktable_same_weak, member);
}

bool ouro_weakset_add(ouro_weakset *set, void *member) {
  weak_holder *holder = &set->holder;
  size_t at = find_weak_member(set, member);
  if (at != HASHTABLE_NONE) return at != HASHTABLE_FAILED;
  uint64_t hash = ouro_hash(member);
  weak_entry *entry = weaktable_make(holder, member, hash, WEAKTABLE_PLAIN);
  if (!entry) return false;
  at = weaktable_place(holder, hash, weaktable_same_weak, member);
  if (at == HASHTABLE_NONE) hashtable_add(&holder->table, hash, OURO_OBJECT(entry), NULL);
  else weaktable_end(holder, entry);
  return at != HASHTABLE_FAILED;
}

int ouro_weakset_has(ouro_weakset *set, const void *member) {
  size_t at = find_weak_member(set, member);
  return at == HASHTABLE_FAILED ? -1 : at != HASHTABLE_NONE;
}

int ouro_weakset_remove(ouro_weakset *set, const void *member) {
  size_t at = find_weak_member(set, member);
  if (at == HASHTABLE_FAILED) return -1;
  if (at == HASHTABLE_NONE) return 0;
  weaktable_remove(&set->holder, at);
  return 1;
}

size_t ouro_weakset_length(const ouro_weakset *set) { return weaktable_length(&set->holder); }

bool ouro_weakset_next(ouro_weakset *set, size_t *position, ouro_object **member) {
  size_t at;
  if (!weaktable_next(&set->holder, position, &at)) return false;
  *member = ouro_ref(weaktable_entry(&set->holder, at)->link.referent);
  return true;
}
