/* SPDX-License-Identifier: MIT */
#include "weaktable.h"

#include "retry.h"
#include "state.h"

void weaktable_entry_mark(ouro_weak *weak, ouro_object *closure) { (void)weak, (void)closure; }

static weak_entry *entry_of(const weak_link *link) {
  return (weak_entry *)(void *)(uintptr_t)link; /* its first field */
}

void *weaktable_new(ouro_type *type, uint8_t stride) {
  weak_holder *holder = type ? ouro_new(type) : NULL;
  if (holder) holder->table.stride = stride;
  return holder;
}

/* --- Entries ---------------------------------------------------------------------------------- */

static weak_entry *allocate_entry(ouro_heap *heap, size_t size) {
  weak_entry *entry;
  for (bool tried = false; !(entry = ouro_alloc(heap, size));)
    if (!retry_after_collection(heap, &tried)) return NULL;
  return memset(entry, 0, size);
}

weak_entry *weaktable_make(weak_holder *holder, ouro_object *referent, uint64_t hash, size_t size) {
  ouro_heap *heap = ouro_heap_of(holder);
  weak_entry *entry = weak_allowed(referent) ? allocate_entry(heap, size) : NULL;
  if (!entry) return NULL;
  entry->link.callback = weaktable_entry_mark;
  entry->holder = holder;
  entry->hash = hash;
  if (weak_attach(heap, &entry->link, referent)) return entry;
  ouro_free(heap, entry);
  return NULL;
}

void weaktable_end(weak_holder *holder, weak_entry *entry) {
  ouro_heap *heap = ouro_heap_of(holder);
  weak_detach(heap, &entry->link);
  ouro_free(heap, entry);
}

static ouro_object *take_strong(weak_holder *holder, size_t at) {
  if (holder->table.stride == HASHTABLE_KEYS) return NULL;
  return *weaktable_strong(holder, at);
}

void weaktable_remove(weak_holder *holder, size_t at) {
  weak_entry *entry = weaktable_entry(holder, at);
  ouro_object *strong = take_strong(holder, at);
  hashtable_remove(ouro_heap_of(holder), &holder->table, at);
  weaktable_end(holder, entry);
  ouro_unref(strong);
}

static void end_entries(weak_holder *holder) {
  size_t position = 0;
  for (hashtable_entry *e; (e = hashtable_next(&holder->table, &position)) != NULL; e->key = NULL)
    weaktable_end(holder, (weak_entry *)(void *)e->key);
  holder->table.live = 0;
}

/* What the entries held is dropped behind this call, as the items of the type. */
void weaktable_clear(void *self) { end_entries(self); }

void weaktable_clear_set(void *self) {
  weak_holder *holder = self;
  end_entries(holder);
  hashtable_finish(ouro_heap_of(holder), &holder->table);
}

/* --- A referent dies -------------------------------------------------------------------------- */

weak_lost weaktable_lost(ouro_heap *heap, weak_link *link) {
  weak_entry *entry = entry_of(link);
  weak_holder *holder = entry->holder;
  size_t at = hashtable_find(&holder->table, entry->hash, hashtable_identical, entry);
  ouro_object *strong = take_strong(holder, at);
  hashtable_remove(heap, &holder->table, at);
  entry->link.referent = strong;
  if (strong) return runtime_is(holder, BUILTIN_WEAKVALUEDICT) ? LOST_KEY : LOST_VALUE;
  ouro_free(heap, entry);
  return LOST_NOTHING;
}

void weaktable_drop(ouro_heap *heap, weak_link *link) {
  ouro_object *strong = link->referent;
  ouro_free(heap, entry_of(link));
  ouro_unref(strong);
}

/* --- Looking up ------------------------------------------------------------------------------- */

/* Entries whose referent is gone are equal to nothing. */
int weaktable_same_weak(ouro_object *entry, const void *wanted) {
  const weak_link *link = &((weak_entry *)(void *)entry)->link;
  return weak_link_alive(link) ? hashtable_equal(link->referent, wanted) : 0;
}

int weaktable_same_strong(ouro_object *entry, const void *wanted) {
  return hashtable_equal(((weak_entry *)(void *)entry)->key, wanted);
}

size_t weaktable_place(weak_holder *holder, uint64_t hash, hashtable_same same, const void *key) {
  ouro_heap *heap = ouro_heap_of(holder);
  for (bool tried = false;;) {
    size_t at = hashtable_find(&holder->table, hash, same, key);
    if (at != HASHTABLE_NONE || hashtable_reserve(heap, &holder->table)) return at;
    if (!retry_after_collection(heap, &tried)) return HASHTABLE_FAILED;
  }
}

bool weaktable_next(const weak_holder *holder, size_t *position, size_t *at) {
  while (hashtable_next(&holder->table, position)) {
    *at = *position - 1;
    if (weak_link_alive(&weaktable_entry(holder, *at)->link)) return true;
  }
  return false;
}
