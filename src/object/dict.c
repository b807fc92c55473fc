/* SPDX-License-Identifier: MIT */
#include "dict.h"

#include "keys.h"
#include "retry.h"
#include "number.h"
#include "str.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void dict_name_text(const ouro_str *key, char *out, size_t room) {
  size_t around = sizeof "[\"\"]", most = room > around ? room - around : 0;
  snprintf(out, room, "[\"%.*s\"]", (int)utf8_fitting(key->bytes, key->length, most), key->bytes);
}

/* In reports a value is named by its key where that can be said in a few words, else by its place:
 * item reference 2 n is the key of entry n, 2 n + 1 its value. */
static void dict_name_ref(const void *self, size_t index, char *out, size_t room) {
  const ouro_dict *dict = self;
  const ouro_object *key = hashtable_at(&dict->table, index / 2)->key;
  if (index % 2 == 0) snprintf(out, room, "key %zu", index / 2);
  else if (key && ouro_is_str(key)) dict_name_text((const void *)key, out, room);
  else if (key && ouro_is_int(key))
    snprintf(out, room, "[%" PRId64 "]", ((const ouro_int *)(const void *)key)->value);
  else snprintf(out, room, "value %zu", index / 2);
}

static const ouro_type_spec dict_spec = {
    .name = "dict",
    .size = sizeof(ouro_dict),
    .items = HASHTABLE_ITEMS(ouro_dict, table, HASHTABLE_PAIRS),
    .name_ref = dict_name_ref,
};

ouro_type *dict_type(ouro_heap *heap) { return runtime_type(heap, BUILTIN_DICT, &dict_spec); }

ouro_dict *ouro_dict_new(ouro_heap *heap) {
  ouro_type *type = dict_type(heap);
  ouro_dict *dict = type ? OURO_MAKE(ouro_dict, type) : NULL;
  if (dict) dict->table.stride = HASHTABLE_PAIRS;
  return dict;
}

bool ouro_is_dict(const void *object) { return runtime_is(object, BUILTIN_DICT); }

size_t ouro_dict_length(const ouro_dict *dict) { return dict->table.live; }

/* --- Putting ---------------------------------------------------------------------------------- */

/* A key as it is looked for, and how to make it an object where it has to be added. */
static bool dict_replace(ouro_dict *dict, size_t at, void *value) {
  ouro_assign(hashtable_value(hashtable_at(&dict->table, at)), value);
  return true;
}

bool ouro_dict_put(ouro_dict *dict, void *key, void *value) {
  ouro_heap *heap = ouro_heap_of(dict);
  uint64_t hash;
  if (!key_hash(heap, key, &hash)) return false;
  for (bool tried = false;;) {
    size_t at = hashtable_find(&dict->table, hash, hashtable_equal, key);
    if (at == HASHTABLE_FAILED) return key_failed(heap);
    if (at != HASHTABLE_NONE) return dict_replace(dict, at, value);
    if (hashtable_reserve(heap, &dict->table)) break;
    if (!retry_after_collection(heap, &tried)) return false;
  }
  hashtable_add(&dict->table, hash, ouro_ref(key), ouro_ref(value));
  return true;
}

/* --- Getting ---------------------------------------------------------------------------------- */

static int dict_found(const ouro_dict *dict, size_t at, ouro_object **value) {
  bool found = at < HASHTABLE_FAILED;
  *value = found ? *hashtable_value(hashtable_at(&dict->table, at)) : NULL;
  if (at == HASHTABLE_FAILED) return key_failed(ouro_heap_of(dict)), -1;
  return found;
}

int ouro_dict_get(ouro_dict *dict, const void *key, ouro_object **value) {
  uint64_t hash;
  *value = NULL;
  if (!key_hash(ouro_heap_of(dict), key, &hash)) return -1;
  return dict_found(dict, hashtable_find(&dict->table, hash, hashtable_equal, key), value);
}

bool ouro_dict_next(const ouro_dict *dict, size_t *position, ouro_object **key,
                    ouro_object **value) {
  hashtable_entry *entry = hashtable_next(&dict->table, position);
  *key = entry ? entry->key : NULL;
  *value = entry ? *hashtable_value(entry) : NULL;
  return entry != NULL;
}

/* --- Removing --------------------------------------------------------------------------------- */

int ouro_dict_remove(ouro_dict *dict, const void *key) {
  ouro_heap *heap = ouro_heap_of(dict);
  uint64_t hash;
  if (!key_hash(heap, key, &hash)) return -1;
  size_t at = hashtable_find(&dict->table, hash, hashtable_equal, key);
  if (at == HASHTABLE_FAILED) return key_failed(heap), -1;
  if (at == HASHTABLE_NONE) return 0;
  hashtable_entry *entry = hashtable_at(&dict->table, at);
  ouro_object *old_key = entry->key, *old_value = *hashtable_value(entry);
  hashtable_remove(heap, &dict->table, at);
  ouro_unref(old_value);
  ouro_unref(old_key);
  return 1;
}

void ouro_dict_clear(ouro_dict *dict) {
  ouro_heap *heap = ouro_heap_of(dict);
  hashtable taken = hashtable_take(&dict->table);
  for (size_t i = taken.used; i-- > 0;) {
    hashtable_entry *entry = hashtable_at(&taken, i);
    ouro_unref(*hashtable_value(entry));
    ouro_unref(entry->key);
  }
  hashtable_finish(heap, &taken);
}

/* --- Text keys -------------------------------------------------------------------------------- */

int ouro_dict_get_text(ouro_dict *dict, const char *text, ouro_object **value) {
  str_text wanted = str_text_of(ouro_heap_of(dict), text, strlen(text));
  return dict_found(dict, hashtable_find(&dict->table, wanted.hash, str_same, &wanted), value);
}

bool ouro_dict_put_text(ouro_dict *dict, const char *text, void *value) {
  ouro_heap *heap = ouro_heap_of(dict);
  str_text wanted = str_text_of(heap, text, strlen(text));
  size_t at = hashtable_find(&dict->table, wanted.hash, str_same, &wanted);
  if (at < HASHTABLE_FAILED) return dict_replace(dict, at, value);
  ouro_str *key = ouro_str_intern(heap, text, wanted.length);
  bool put = key && ouro_dict_put(dict, key, value);
  ouro_unref(key);
  return put;
}
