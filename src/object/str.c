/* SPDX-License-Identifier: MIT */
#include "str.h"

#include "retry.h"
#include "utf8.h"
#include "../os/os.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- The texts of a heap ---------------------------------------------------------------------- */

static texts *texts_of(ouro_heap *heap) { return *runtime_slot(heap, PART_INTERNED); }

static bool texts_make(ouro_heap *heap) {
  texts *made = ouro_calloc(heap, 1, sizeof *made);
  if (!made) return false;
  made->secret = (hash_secret){.k0 = os_random(), .k1 = os_random()};
  made->interned.stride = HASHTABLE_KEYS;
  *runtime_slot(heap, PART_INTERNED) = made;
  return true;
}

bool texts_ensure(ouro_heap *heap) {
  bool tried = false;
  while (!texts_of(heap))
    if (!texts_make(heap) && !retry_after_collection(heap, &tried)) return false;
  return true;
}

uint64_t texts_hash(ouro_heap *heap, const void *bytes, size_t length) {
  uint64_t hash = hash_bytes(&texts_of(heap)->secret, bytes, length);
  return hash ? hash : 1; /* 0 says that a string's hash is not known yet */
}

str_text str_text_of(ouro_heap *heap, const char *bytes, size_t length) {
  str_text text = {.bytes = bytes, .length = length};
  if (texts_of(heap)) text.hash = texts_hash(heap, bytes, length);
  return text;
}

/* --- The type --------------------------------------------------------------------------------- */

static uint64_t str_hash(const void *self) {
  ouro_str *str = (ouro_str *)(uintptr_t)self;
  if (str->hash == 0) str->hash = texts_hash(ouro_heap_of(str), str->bytes, str->length);
  return str->hash;
}

static bool str_has(const ouro_str *str, const char *bytes, size_t length) {
  return str->length == length && memcmp(str->bytes, bytes, length) == 0;
}

static int str_equal(const void *self, const void *other) {
  const ouro_str *a = self, *b = other;
  return a->object.type == b->object.type && str_has(a, b->bytes, b->length);
}

static void str_clear(void *self) {
  ouro_str *str = self;
  if (OURO_LIKELY(!ouro_str_is_interned(str))) return;
  ouro_heap *heap = ouro_heap_of(str);
  hashtable *interned = &texts_of(heap)->interned;
  size_t at = hashtable_find(interned, str->hash, hashtable_identical, str);
  if (at < HASHTABLE_FAILED) hashtable_remove(heap, interned, at);
  str->object.flags &= (uint8_t)~OURO_FLAG_OWN;
}

static const ouro_type_spec str_spec = {
    .name = "str",
    .size = sizeof(ouro_str),
    .item_size = 1,
    .flags = OURO_ACYCLIC,
    .clear = str_clear,
    .hash = str_hash,
    .equal = str_equal,
};

static ouro_type *str_type(ouro_heap *heap) {
  ouro_type *type = runtime_type(heap, BUILTIN_STR, &str_spec);
  return type && texts_ensure(heap) ? type : NULL;
}

bool ouro_is_str(const void *object) { return runtime_is(object, BUILTIN_STR); }

/* --- Making ----------------------------------------------------------------------------------- */

/* A string whose bytes the caller writes. */
static ouro_str *str_blank(ouro_heap *heap, size_t length) {
  ouro_type *type = str_type(heap);
  if (!type || length > PTRDIFF_MAX) return NULL;
  ouro_str *str = ouro_new_items(type, length + 1);
  if (!str) return NULL;
  str->length = length;
  str->bytes[length] = 0;
  return str;
}

static bool str_no_utf8(ouro_heap *heap) { return runtime_fail(heap, "the bytes are no UTF-8"); }

ouro_str *ouro_str_new(ouro_heap *heap, const char *bytes, size_t length) {
  if (!str_type(heap)) return NULL;
  if (!utf8_is_valid(bytes, length)) return str_no_utf8(heap), NULL;
  ouro_str *str = str_blank(heap, length);
  if (str && length) memcpy(str->bytes, bytes, length);
  return str;
}

ouro_str *ouro_str_text(ouro_heap *heap, const char *text) {
  return ouro_str_new(heap, text, strlen(text));
}

ouro_str *ouro_str_concat(const ouro_str *a, const ouro_str *b) {
  ouro_str *str = str_blank(ouro_heap_of(a), a->length + b->length);
  if (!str) return NULL;
  memcpy(str->bytes, a->bytes, a->length);
  memcpy(str->bytes + a->length, b->bytes, b->length);
  return str;
}

/* Writes the text into a string made for it. Making it may have run finalizers, which may have
 * changed what the arguments point to: the text must still have its length. */
static bool str_print(ouro_str *str, const char *format, va_list args) {
  ouro_heap *heap = ouro_heap_of(str);
  int length = vsnprintf(str->bytes, str->length + 1, format, args);
  if (length < 0 || (size_t)length != str->length)
    return runtime_fail(heap, "a text changed while it was formatted");
  return utf8_is_valid(str->bytes, str->length) || str_no_utf8(heap);
}

ouro_str *ouro_str_format(ouro_heap *heap, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (length < 0) return runtime_fail(heap, "a format is wrong"), NULL;
  ouro_str *str = str_blank(heap, (size_t)length);
  if (!str) return NULL;
  va_start(args, format);
  bool printed = str_print(str, format, args);
  va_end(args);
  if (printed) return str;
  ouro_unref(str);
  return NULL;
}

/* --- Interning -------------------------------------------------------------------------------- */

/* A string that is being destroyed is not found: weak references to it may be called back before it
 * leaves the table. */
static int str_same_alive(ouro_object *key, const void *wanted) {
  const str_text *text = wanted;
  if (key->count == 0 || key->flags & OURO_FLAG_DYING) return 0;
  return str_has((const ouro_str *)(void *)key, text->bytes, text->length);
}

int str_same(ouro_object *key, const void *wanted) {
  const str_text *text = wanted;
  return ouro_is_str(key) && str_has((const ouro_str *)(void *)key, text->bytes, text->length);
}

static ouro_str *interned_find(hashtable *interned, const str_text *text) {
  size_t at = hashtable_find(interned, text->hash, str_same_alive, text);
  return at < HASHTABLE_FAILED ? (ouro_str *)(void *)hashtable_at(interned, at)->key : NULL;
}

/* Puts a new string into the table, unless making it or making room interned the same text. Returns
 * which one is interned, to be told from `made` by the caller; NULL: out of memory. */
static ouro_str *interned_add(ouro_heap *heap, ouro_str *made, const str_text *text) {
  hashtable *interned = &texts_of(heap)->interned;
  ouro_str *found;
  bool tried = false;
  while (!(found = interned_find(interned, text))) {
    if (hashtable_reserve(heap, interned)) {
      made->hash = text->hash;
      made->object.flags |= OURO_FLAG_OWN;
      hashtable_add(interned, text->hash, &made->object, NULL);
      return made;
    }
    if (!retry_after_collection(heap, &tried)) return NULL;
  }
  return found;
}

ouro_str *ouro_str_intern(ouro_heap *heap, const char *bytes, size_t length) {
  if (!str_type(heap)) return NULL;
  str_text text = str_text_of(heap, bytes, length);
  ouro_str *found = interned_find(&texts_of(heap)->interned, &text);
  if (found) return ouro_ref(found);
  ouro_str *made = ouro_str_new(heap, bytes, length);
  if (!made) return NULL;
  text.bytes = made->bytes; /* the caller's may belong to an object that is gone by now */
  found = interned_add(heap, made, &text);
  if (found == made) return made;
  ouro_ref(found);
  ouro_unref(made);
  return found;
}

bool ouro_str_is_interned(const ouro_str *str) { return str->object.flags & OURO_FLAG_OWN; }

/* --- Asking ----------------------------------------------------------------------------------- */

size_t ouro_str_count(const ouro_str *str) { return utf8_count(str->bytes, str->length); }

int ouro_str_compare(const ouro_str *a, const ouro_str *b) {
  size_t shorter = a->length < b->length ? a->length : b->length;
  int order = memcmp(a->bytes, b->bytes, shorter);
  return order ? order : (a->length > b->length) - (a->length < b->length);
}
