/* SPDX-License-Identifier: MIT */
/* Running out of memory is a value. A limit stops one script and not the program; injected failures
 * try every path that a test would otherwise never see. */
#include <inttypes.h>
#include <ouro/ouro.h>
#include <stdio.h>

/* What a greedy script does. False: memory ran out; the dictionary is as it was before the call. */
static bool remember(ouro_dict *dict, int64_t number) {
  ouro_heap *heap = ouro_heap_of(dict);
  ouro_int *key = ouro_int_new(heap, number);
  ouro_str *text = key ? ouro_str_format(heap, "entry %" PRId64, number) : NULL;
  bool put = text && ouro_dict_put(dict, key, text);
  ouro_unref(key); /* NULL: none */
  ouro_unref(text);
  return put;
}

static bool greedy(void) {
  ouro_heap_options options;
  ouro_heap_options_init(&options);
  options.name = "script";
  options.limit = (size_t)1 << 20;
  ouro_heap *heap = ouro_heap_new(&options);
  ouro_dict *dict = heap ? ouro_dict_new(heap) : NULL;
  int64_t entries = 0;
  while (dict && remember(dict, entries)) entries++;
  bool stopped = dict && entries > 1000 && (size_t)entries == ouro_dict_length(dict);
  if (stopped) {
    printf("stopped by its limit: %s\n", ouro_heap_error(heap));
    ouro_dict_clear(dict); /* a full heap can be emptied: that needs no memory */
    stopped = remember(dict, 1);
    printf("after clearing: %s\n", stopped ? "it goes on" : ouro_heap_error(heap));
  }
  ouro_heap_destroy(heap);
  return stopped;
}

/* Some work that makes all kinds of objects, and leaves nothing behind. */
static bool work(ouro_heap *heap) {
  ouro_dict *dict = ouro_dict_new(heap);
  bool done = dict != NULL;
  for (int i = 0; done && i < 20; i++) done = remember(dict, 1000 + i);
  ouro_weak *weak = done ? ouro_weak_new(dict, NULL, NULL) : NULL;
  ouro_unref(dict);
  done = weak && ouro_weak_is_gone(weak);
  ouro_unref(weak);
  return done;
}

/* The n-th allocation fails, for every n: `work` takes fewer than 100. */
static bool try_all_failures(void) {
  ouro_heap *heap = ouro_heap_new(NULL);
  const char *broken = NULL;
  int failures = 0;
  if (!heap) return false;
  for (uint64_t n = 1; n <= 100 && !broken; n++) {
    ouro_heap_fail(heap, n, 0);
    failures += !work(heap);
    broken = ouro_objects_check(heap);
  }
  ouro_heap_fail(heap, 0, 0);
  bool works = !broken && work(heap);
  if (!broken) broken = works ? "nothing was lost" : "the heap does not work any more";
  printf("each allocation has failed once: %s\n", broken);
  ouro_heap_destroy(heap);
  return works && failures > 20;
}

int main(void) {
  bool stopped = greedy();
  return !(try_all_failures() && stopped);
}
