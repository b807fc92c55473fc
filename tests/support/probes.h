/* SPDX-License-Identifier: MIT */
/* Objects for tests of containers: probes note their death, keys compare as the test says. */
#ifndef OURO_TESTS_PROBES_H
#define OURO_TESTS_PROBES_H

#include <ouro/ouro.h>

#include "objects.h"

/* --- Probes: the finalizer writes the id down, then calls the hook --- */

typedef struct probe {
  ouro_object object;
  int id;
  void (*at_end)(void *ctx);
  void *ctx;
} probe;

enum { PROBE_DEATHS_MAX = 4096 };
static int probe_deaths[PROBE_DEATHS_MAX], probe_death_count;

static inline void probe_finalize(void *self) {
  probe *p = self;
  if (probe_death_count < PROBE_DEATHS_MAX) probe_deaths[probe_death_count] = p->id;
  probe_death_count++;
  if (p->at_end) p->at_end(p->ctx);
}

/* One type per heap would do; tests use one heap at a time. */
static inline ouro_type *probe_type(ouro_heap *heap) {
  static ouro_heap *of;
  static ouro_type *type;
  const ouro_type_spec spec = {
      .name = "probe", .size = sizeof(probe), .flags = OURO_ACYCLIC, .finalize = probe_finalize};
  if (of != heap) type = ouro_type_new(heap, &spec);
  of = type ? heap : NULL;
  return type;
}

static inline probe *probe_new(ouro_heap *heap, int id) {
  ouro_type *type = probe_type(heap);
  probe *p = type ? ouro_new(type) : NULL;
  if (p) p->id = id;
  return p;
}

/* Whether the probes that died since the last call are exactly these, in this order. */
static inline bool probe_died(int n, const int *ids) {
  bool same = probe_death_count == n && (n == 0 || !memcmp(ids, probe_deaths, sizeof(int) * n));
  for (int i = 0; !same && i < probe_death_count; i++)
    fprintf(stderr, "%sdied: %d\n", i ? "  " : "", probe_deaths[i]);
  probe_death_count = 0;
  return same;
}
#define PROBES_DIED(...)                                                                           \
  probe_died(sizeof((int[]){__VA_ARGS__}) / sizeof(int), (const int[]){__VA_ARGS__})
#define NO_PROBE_DIED() probe_died(0, NULL)

/* Garbage that only a collection frees: a probe that calls `at_end`, and 80 KB. */
static inline void leave_garbage(ouro_heap *heap, void (*at_end)(void *ctx), void *ctx) {
  ouro_list *list = ouro_list_new(heap);
  probe *p = probe_new(heap, 1);
  p->at_end = at_end;
  p->ctx = ctx;
  ouro_list_reserve(list, 10000);
  ouro_list_append(list, list);
  ouro_list_append_new(list, p);
  ouro_unref(list);
}

/* From now on blocks of more than 512 bytes are refused until others are freed. (Injected faults
 * are no reason for the heap to collect; its limit is.) */
static inline void refuse_growth(ouro_heap *heap) {
  ouro_heap_stats s = stats_of(heap);
  ouro_heap_set_limit(heap, s.pools * 64 * KIB + s.large);
  while (ouro_alloc(heap, 513)) {} /* in the place of pools that nothing lives in */
}

/* --- Keys: hash and equality as the test wants them --- */

typedef struct test_key {
  ouro_object object;
  int id;
  uint64_t hash;
  int (*compare)(void *ctx); /* NULL: by id; else its result, unless that is 2: then by id */
  void *ctx;
} test_key;

static inline uint64_t test_key_hash(const void *self) { return ((const test_key *)self)->hash; }

static inline int test_key_equal(const void *self, const void *other) {
  const test_key *a = self, *b = other;
  if (a->object.type != b->object.type) return 0;
  const test_key *hooked = a->compare ? a : b;
  int result = hooked->compare ? hooked->compare(hooked->ctx) : 2;
  return result == 2 ? a->id == b->id : result;
}

static inline ouro_type *test_key_type(ouro_heap *heap) {
  static ouro_heap *of;
  static ouro_type *type;
  const ouro_type_spec spec = {.name = "key",
                               .size = sizeof(test_key),
                               .flags = OURO_ACYCLIC,
                               .hash = test_key_hash,
                               .equal = test_key_equal};
  if (of != heap) type = ouro_type_new(heap, &spec);
  of = type ? heap : NULL;
  return type;
}

static inline test_key *test_key_new(ouro_heap *heap, int id, uint64_t hash) {
  ouro_type *type = test_key_type(heap);
  test_key *key = type ? ouro_new(type) : NULL;
  if (!key) return NULL;
  key->id = id;
  key->hash = hash;
  return key;
}

static inline bool int_is(const void *object, int64_t value) {
  return object && ouro_is_int(object) && ouro_int_value((const ouro_int *)object) == value;
}

#endif
