/* SPDX-License-Identifier: MIT */
/*
 * A scripted workload runs again and again, with its n-th allocation failing, for every n. Whatever
 * fails, the heap must be whole, no block lost or damaged, and everything that was handed out can
 * be freed.
 */
#include "test.h"

#include <sys/resource.h>

#include "support/heaps.h"
#include "support/shadow.h"
#include "support/tools.h"

typedef struct script {
  ouro_heap *heap;
  shadow live;
  int refused; /* requests that were answered with NULL */
} script;

static void *allocate(script *s, int i, size_t *size) {
  *size = (size_t)i * 37 % 540;
  switch (i % 6) {
  case 0: return ouro_calloc(s->heap, 3, (*size -= *size % 3) / 3);
  case 1: return ouro_alloc_aligned(s->heap, (size_t)16 << i % 9, *size);
  case 2: return ouro_alloc(s->heap, *size = 600 + (size_t)i * 131 % 9000);
  case 3: return ouro_realloc(s->heap, NULL, *size);
  default: return ouro_alloc(s->heap, *size);
  }
}

static void resize(script *s, int i) {
  shadow_block *b = &s->live.blocks[(size_t)i * 7919 % s->live.count];
  size_t size = (size_t)i * 53 % 1500, kept = size < b->size ? size : b->size;
  void *p = ouro_realloc(s->heap, b->address, size);
  s->refused += !p;
  if (p) b->address = p;
  CHECK(shadow_intact(b, p ? kept : b->size));
  if (!p) return;
  b->size = size;
  shadow_fill(b);
}

static void end_block(script *s, size_t at, void (*end)(ouro_heap *, void *)) {
  CHECK(shadow_intact(&s->live.blocks[at], s->live.blocks[at].size));
  end(s->heap, s->live.blocks[at].address);
  shadow_remove(&s->live, at);
}

/* Every call that hands out memory, in an order that opens pools, fills them and crosses every
 * border. */
static void play(script *s) {
  for (int i = 0; i < 240; i++) {
    size_t size;
    void *p = allocate(s, i, &size);
    s->refused += !p;
    if (p) shadow_add(&s->live, p, size, 16);
    if (!s->live.count) continue;
    if (i % 4 == 3) resize(s, i);
    if (i % 5 == 4)
      end_block(s, (size_t)i * 31 % s->live.count, i % 2 ? ouro_free : ouro_free_remote);
    if (i % 60 == 59) ouro_heap_give_back(s->heap);
  }
}

static void check_clean_end(script *s) {
  ouro_heap_adopt(s->heap);
  CHECK(heap_ok(s->heap));
  CHECK(shadow_all_intact(&s->live));
  ouro_heap_stats now = stats_of(s->heap);
  CHECK_EQ(now.live_blocks + now.large_blocks, s->live.count);
  while (s->live.count) end_block(s, 0, ouro_free);
  CHECK(heap_ok(s->heap));
  now = stats_of(s->heap);
  CHECK_EQ(now.live_blocks + now.large_blocks, 0u);
}

/* Plays with faults from the n-th allocation on; false: no fault was reached. */
static bool play_with_fault(bool hardened, uint64_t n, uint64_t every) {
  ouro_heap_options options = quiet_options("oom");
  options.hardened = hardened;
  script s = {.heap = ouro_heap_new(&options)};
  ouro_heap_fail(s.heap, n, every);
  play(&s);
  ouro_heap_fail(s.heap, 0, 0);
  check_clean_end(&s);
  ouro_heap_destroy(s.heap);
  shadow_drop(&s.live);
  if (every == 0) CHECK_LE(s.refused, 1);
  return s.refused > 0;
}

/* The script makes 300 requests. Some faults stay without a NULL: a block can shrink without
 * moving. */
static void fail_at_every_n(bool hardened, uint64_t every) {
  if (under_tsan()) SKIP("one thread: tsan has nothing to find here");
  int refused = 0;
  for (uint64_t n = 1; n <= 300; n++) refused += play_with_fault(hardened, n, every);
  CHECK_LT(240, refused);
  CHECK(!play_with_fault(hardened, 301, every));
}

TEST(every_nth_allocation_may_fail) { fail_at_every_n(false, 0); }

TEST(every_nth_allocation_of_a_hardened_heap_may_fail) { fail_at_every_n(true, 0); }

TEST(all_allocations_from_the_nth_on_may_fail) { fail_at_every_n(false, 1); }

TEST(every_third_allocation_from_the_nth_on_may_fail) { fail_at_every_n(false, 3); }

/* --- The system refuses --- */

enum { MOST = 200000 };

/* The limit holds only while the heap is asked, so that the test itself can go on. */
static void set_soft_limit(int resource, size_t bytes) {
  struct rlimit limit;
  getrlimit(resource, &limit);
  limit.rlim_cur = bytes;
  CHECK_EQ(setrlimit(resource, &limit), 0);
}

static size_t status_kib(const char *format) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  size_t kib = 0;
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, format, &kib) == 1) break;
  if (file) fclose(file);
  return kib;
}

/* Fills the heap until it says NULL, with what the limit leaves; `mixed` also asks for large
 * blocks. */
static void fill_until_null(ouro_heap *heap, void **blocks, size_t *count, bool mixed) {
  *count = 0;
  while (*count < MOST) {
    size_t size = mixed && *count % 50 == 0 ? 3000 : 100 + *count % 300;
    void *p = ouro_alloc(heap, size);
    if (!p) return;
    *(size_t *)p = *count;
    blocks[(*count)++] = p;
  }
}

/* With `spare` KiB left to the process, `resource` refuses what the heap asks of the system. */
static void fill_against(int resource, const char *format, size_t spare, bool mixed) {
  static void *blocks[MOST];
  ouro_heap *heap = quiet_heap("refused");
  size_t count;
  CHECK(heap);
  set_soft_limit(resource, (status_kib(format) + spare) * 1024);
  fill_until_null(heap, blocks, &count, mixed);
  const char *broken = ouro_heap_check(heap);
  void *more = ouro_alloc(heap, 100);
  for (size_t i = 0; i < count / 2; i++) ouro_free(heap, blocks[i]);
  void *again = ouro_alloc(heap, 100);
  set_soft_limit(resource, RLIM_INFINITY);
  CHECK(!broken);
  CHECK_LT(count, MOST);
  if (count > 2000) CHECK(again);
  for (size_t i = count / 2; i < count; i++) CHECK_EQ(*(size_t *)blocks[i], i);
  for (size_t i = count / 2; i < count; i++) ouro_free(heap, blocks[i]);
  ouro_free(heap, more);
  ouro_free(heap, again);
  CHECK(heap_ok(heap));
  CHECK_EQ(stats_of(heap).live_blocks + stats_of(heap).large_blocks, 0u);
  for (int i = 0; i < 30000; i++) CHECK(ouro_alloc(heap, 200)); /* and it recovers */
  CHECK(heap_ok(heap));
  ouro_heap_destroy(heap);
}

/* RLIMIT_DATA counts writable private memory: it makes mprotect fail, the commit of an arena or a
 * table. */
TEST(memory_that_the_system_refuses_to_commit) {
  if (under_sanitizer() || under_valgrind()) SKIP("the tool needs memory itself");
  for (size_t spare = 0; spare < 9000; spare += spare < 3000 ? 60 : 500)
    fill_against(RLIMIT_DATA, "VmData: %zu kB", spare, spare % 120 == 0);
}

TEST(large_blocks_that_the_system_refuses) {
  if (under_sanitizer() || under_valgrind()) SKIP("the tool needs memory itself");
  for (size_t spare = 0; spare < 5000; spare += 700) {
    ouro_heap *heap = quiet_heap("refused");
    void *small = ouro_alloc(heap, 100), *p = ouro_alloc(heap, 100000), *got[64];
    int count = 0;
    memset(p, 7, 100000);
    set_soft_limit(RLIMIT_DATA, (status_kib("VmData: %zu kB") + spare) * 1024);
    while (count < 64 && (got[count] = ouro_alloc(heap, MIB)) != NULL) count++;
    void *grown = ouro_realloc(heap, p, 100 * MIB), *zeroed = ouro_calloc(heap, MIB, 90);
    set_soft_limit(RLIMIT_DATA, RLIM_INFINITY);
    CHECK(count < 64 && !grown && !zeroed);
    for (int i = 0; i < 100000; i++) CHECK_EQ(((char *)p)[i], 7);
    for (int i = 0; i < count; i++) ouro_free(heap, got[i]);
    ouro_free(heap, p);
    ouro_free(heap, small);
    CHECK(heap_ok(heap));
    CHECK_EQ(stats_of(heap).live_blocks + stats_of(heap).large_blocks, 0u);
    ouro_heap_destroy(heap);
  }
}

/* Under `ulimit -v` a heap is pieced together from what there is; each limit must give a heap or
 * NULL. */
TEST(address_space_that_the_system_refuses) {
  if (under_sanitizer() || under_valgrind()) SKIP("the tool needs address space itself");
  static void *blocks[MOST];
  int made = 0, filled = 0;
  for (size_t spare = 0; spare < 400000; spare += 1 + spare / 4) {
    size_t count = 0;
    set_soft_limit(RLIMIT_AS, (status_kib("VmSize: %zu kB") + spare) * 1024);
    ouro_heap *heap = quiet_heap("narrow");
    if (heap) fill_until_null(heap, blocks, &count, false);
    const char *broken = heap ? ouro_heap_check(heap) : NULL;
    set_soft_limit(RLIMIT_AS, RLIM_INFINITY);
    CHECK(!broken);
    for (size_t i = 0; i < count; i++) CHECK_EQ(*(size_t *)blocks[i], i);
    for (size_t i = 0; i < count; i++) ouro_free(heap, blocks[i]);
    CHECK(!heap || heap_ok(heap));
    made += heap != NULL;
    filled += count > 20000;
    ouro_heap_destroy(heap);
  }
  CHECK(made > 0 && filled > 0);
}
