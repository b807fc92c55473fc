/* SPDX-License-Identifier: MIT */
/* The containers in the box: count words in a dictionary, sort a list of records, keep a set. */
#include <inttypes.h>
#include <ouro/ouro.h>
#include <stdio.h>
#include <string.h>

enum { TEXT, TIMES }; /* the fields of an entry */

static bool count_word(ouro_dict *counts, ouro_str *word) {
  ouro_object *so_far; /* borrowed */
  int found = ouro_dict_get(counts, word, &so_far);
  if (found < 0) return false;
  int64_t times = found ? ouro_int_value((ouro_int *)so_far) : 0;
  ouro_int *more = ouro_int_new(ouro_heap_of(counts), times + 1);
  bool put = more && ouro_dict_put(counts, word, more); /* takes references of its own */
  ouro_unref(more);
  return put;
}

static bool count_words(ouro_dict *counts, const char *text) {
  for (size_t length; *text; text += length + strspn(text + length, " ")) {
    length = strcspn(text, " ");
    ouro_str *word = ouro_str_intern(ouro_heap_of(counts), text, length);
    bool counted = word && count_word(counts, word);
    ouro_unref(word);
    if (!counted) return false;
  }
  return true;
}

/* A list of records made from the entries, which come in the order in which they were put. */
static bool list_entries(ouro_dict *counts, ouro_type *entry, ouro_list *out) {
  ouro_object *word, *times;
  for (size_t at = 0; ouro_dict_next(counts, &at, &word, &times);) {
    ouro_record *record = ouro_record_new(entry);
    if (!record) return false;
    ouro_record_set(record, TEXT, word);
    ouro_record_set(record, TIMES, times);
    if (!ouro_list_append_new(out, record)) return false;
  }
  return true;
}

static int64_t times_of(const void *record) {
  return ouro_int_value((ouro_int *)ouro_record_get(record, TIMES));
}

static bool more_often(const void *a, const void *b, void *ctx) {
  (void)ctx;
  return times_of(a) > times_of(b);
}

static bool run(ouro_heap *heap) {
  static const char *const fields[] = {"text", "times"};
  ouro_type *entry = ouro_record_type(heap, "entry", 2, fields, NULL);
  ouro_dict *counts = ouro_dict_new(heap);
  ouro_list *sorted = ouro_list_new(heap);
  ouro_set *rare = ouro_set_new(heap);
  if (!entry || !counts || !sorted || !rare) return false;
  if (!count_words(counts, "the snake that eats its tail is the snake that needs no other food"))
    return false;
  if (!list_entries(counts, entry, sorted)) return false;
  if (!ouro_list_sort(sorted, more_often, NULL)) return false; /* stable */
  for (size_t i = 0; i < ouro_list_length(sorted); i++) {
    const ouro_record *r = (ouro_record *)ouro_list_get(sorted, i);
    const char *text = ouro_str_bytes((ouro_str *)ouro_record_get(r, TEXT));
    if (times_of(r) > 1) printf("%s %" PRId64 "\n", text, times_of(r));
    else if (ouro_set_add(rare, ouro_record_get(r, TEXT)) < 0) return false;
  }
  printf("%zu words came once\n", ouro_set_length(rare));
  return ouro_set_length(rare) == 8 && ouro_dict_length(counts) == 11;
}

int main(void) {
  ouro_heap *heap = ouro_heap_new(NULL);
  bool right = heap && run(heap);
  ouro_heap_destroy(heap);
  return !right;
}
