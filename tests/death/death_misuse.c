/* SPDX-License-Identifier: MIT */
/*
 * Each misuse that a hardened heap detects, twice: with a handler that takes the report apart,
 * after which the program goes on; and without one, where a line that names block, size class and
 * pool ends it.
 */
#include "test.h"

#include <pthread.h>

#include "support/heaps.h"
#include "support/tools.h"

typedef struct reports {
  int count;
  ouro_misuse last;
} reports;

static void note(void *ctx, const ouro_misuse *what) {
  reports *r = ctx;
  r->count++;
  r->last = *what;
}

static ouro_heap *hard_heap(reports *into) {
  ouro_heap_options options = quiet_options("the shop");
  options.hardened = true;
  if (into) {
    options.on_misuse = note;
    options.misuse_ctx = into;
  }
  ouro_heap *heap = ouro_heap_new(&options);
  CHECK(heap);
  return heap;
}

static const void *pool_of(const void *p) {
  return (const void *)((uintptr_t)p & ~(OURO_POOL_BYTES - 1));
}

/* The report must name the block, a size class that holds `size` bytes, and the pool. */
static void check_named(const reports *r, ouro_misuse_kind kind, const void *block, size_t size) {
  CHECK_EQ(r->count, 1);
  CHECK_EQ(r->last.kind, kind);
  CHECK_STR(r->last.heap_name, "the shop");
  CHECK(r->last.block == block);
  CHECK(r->last.pool == pool_of(block));
  CHECK_LE(size, r->last.block_size);
  CHECK_LE(r->last.block_size, size + 48);
}

static void check_unharmed(ouro_heap *heap, reports *r) {
  int before = r->count;
  for (int i = 0; i < 3000; i++) ouro_free(heap, ouro_alloc(heap, (size_t)(i % 600)));
  ouro_heap_give_back(heap);
  CHECK(heap_ok(heap));
  CHECK_EQ(r->count, before);
}

TEST(double_free_is_reported_and_ignored) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  void *kept = ouro_alloc(heap, 100), *p = ouro_alloc(heap, 100);
  ouro_free(heap, p);
  ouro_free(heap, p);
  check_named(&r, OURO_DOUBLE_FREE, p, 100);
  CHECK(r.last.address == p);
  check_unharmed(heap, &r);
  CHECK_EQ(stats_of(heap).live_blocks, 1u);
  ouro_free(heap, kept);
  CHECK_EQ(r.count, 1);
}

TEST(double_free_is_seen_after_the_quarantine_too) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  void *kept = ouro_alloc(heap, 100), *p = ouro_alloc(heap, 100);
  ouro_free(heap, p);
  ouro_heap_give_back(heap); /* ends the quarantine; the pool stays because of `kept` */
  ouro_free(heap, p);
  check_named(&r, OURO_DOUBLE_FREE, p, 100);
  ouro_free(heap, kept);
}

TEST(double_free_from_another_thread_is_reported) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  void *p = ouro_alloc(heap, 60);
  ouro_free(heap, p);
  ouro_free_remote(heap, p);
  ouro_heap_adopt(heap);
  check_named(&r, OURO_DOUBLE_FREE, p, 60);
  check_unharmed(heap, &r);
}

TEST(a_second_free_from_another_thread_is_reported_before_the_owner_sees_the_first) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  void *p = ouro_alloc(heap, 60);
  ouro_free_remote(heap, p);
  CHECK_EQ(r.count, 0);
  ouro_free_remote(heap, p);
  check_named(&r, OURO_DOUBLE_FREE, p, 60);
  ouro_heap_adopt(heap);
  CHECK_EQ(r.count, 1);
  check_unharmed(heap, &r);
}

TEST(free_of_the_middle_of_a_block_from_another_thread_is_reported) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  char *p = ouro_alloc(heap, 100);
  ouro_free_remote(heap, p + 32);
  check_named(&r, OURO_FOREIGN_FREE, p, 100);
  ouro_heap_adopt(heap);
  CHECK_EQ(stats_of(heap).live_blocks, 1u);
  ouro_free_remote(heap, p);
  ouro_heap_adopt(heap);
  CHECK_EQ(stats_of(heap).live_blocks, 0u);
  CHECK_EQ(r.count, 1);
}

TEST(free_of_a_foreign_block_from_another_thread_is_reported_by_the_owner) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  void *system = malloc(100);
  ouro_free_remote(heap, system);
  ouro_heap_adopt(heap);
  CHECK_EQ(r.count, 1);
  CHECK_EQ(r.last.kind, OURO_FOREIGN_FREE);
  CHECK(r.last.address == system);
  free(system);
}

/* Within the heap's own arena, but in a pool that nobody uses. */
TEST(free_of_an_address_in_an_unused_pool_is_reported) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  char *p = ouro_alloc(heap, 60), *wild = p + 5 * OURO_POOL_BYTES;
  ouro_free(heap, wild);
  CHECK_EQ(r.count, 1);
  CHECK_EQ(r.last.kind, OURO_FOREIGN_FREE);
  ouro_free_remote(heap, wild);
  CHECK_EQ(r.count, 2);
  CHECK_EQ(r.last.kind, OURO_FOREIGN_FREE);
  CHECK(r.last.address == wild);
  ouro_heap_adopt(heap);
  ouro_free(heap, p);
  CHECK_EQ(r.count, 2);
  check_unharmed(heap, &r);
}

TEST(free_of_a_stack_address_is_reported) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  char on_stack[64] = "untouched";
  ouro_free(heap, on_stack);
  CHECK_EQ(r.count, 1);
  CHECK_EQ(r.last.kind, OURO_FOREIGN_FREE);
  CHECK(r.last.address == on_stack);
  CHECK_EQ(r.last.block_size, 0u);
  CHECK(!r.last.pool);
  CHECK_STR(on_stack, "untouched");
  check_unharmed(heap, &r);
}

TEST(free_of_a_system_block_is_reported) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  void *system = malloc(100), *large = ouro_alloc(heap, 4000);
  ouro_free(heap, system);
  CHECK_EQ(r.count, 1);
  CHECK_EQ(r.last.kind, OURO_FOREIGN_FREE);
  free(system);
  ouro_free(heap, large);
  CHECK_EQ(r.count, 1);
}

TEST(free_of_another_heaps_block_is_reported_and_leaves_it_alive) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r), *other = quiet_heap("other");
  char *small = ouro_alloc(other, 100), *large = ouro_alloc(other, 5000);
  strcpy(small, "small");
  strcpy(large, "large");
  ouro_free(heap, small);
  ouro_free(heap, large);
  CHECK_EQ(r.count, 2);
  CHECK_EQ(r.last.kind, OURO_FOREIGN_FREE);
  CHECK(r.last.address == large);
  CHECK_STR(small, "small");
  CHECK_STR(large, "large");
  CHECK_EQ(stats_of(other).live_blocks + stats_of(other).large_blocks, 2u);
  CHECK(heap_ok(other));
}

TEST(free_of_the_middle_of_a_block_names_the_block) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  char *p = ouro_alloc(heap, 100);
  ouro_free(heap, p + 16);
  check_named(&r, OURO_FOREIGN_FREE, p, 100);
  CHECK(r.last.address == p + 16);
  ouro_free(heap, p);
  CHECK_EQ(r.count, 1);
}

TEST(a_large_block_freed_twice_is_reported) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  void *p = ouro_alloc(heap, 5000);
  ouro_free(heap, p);
  ouro_free(heap, p);
  CHECK_EQ(r.count, 1);
  CHECK(r.last.kind == OURO_FOREIGN_FREE || r.last.kind == OURO_DOUBLE_FREE);
  CHECK(r.last.address == p);
}

/* Every size, and every distance that still lies within the block's own slot. */
TEST(one_byte_behind_a_block_is_seen_at_the_free) {
  if (under_asan()) SKIP("asan reports the write itself");
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  for (size_t size = 1; size <= 560; size++) {
    size_t slot = size <= 504 ? (size + 8 + 15) / 16 * 16 : size + 8;
    if (slot < 32) slot = 32;
    for (size_t at = size; at < slot; at++) {
      char *p = ouro_alloc(heap, size);
      p[at] ^= 0x55;
      r.count = 0;
      ouro_free(heap, p);
      CHECK_EQ(r.count, 1);
      CHECK_EQ(r.last.kind, OURO_WRITE_PAST_END);
      CHECK(r.last.block == p);
      if (size <= 504) CHECK(r.last.pool == pool_of(p));
    }
  }
}

TEST(an_overrun_to_the_end_of_the_slot_blames_the_block_itself) {
  if (under_asan()) SKIP("asan reports the write itself");
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  char *p = ouro_alloc(heap, 100), *q = ouro_alloc(heap, 100);
  memset(p + 100, 0, 12); /* over the trailer of p, which ends its slot of 112 bytes */
  ouro_free(heap, p);
  check_named(&r, OURO_WRITE_PAST_END, p, 100);
  r.count = 0;
  ouro_free(heap, q);
  CHECK_EQ(r.count, 0);
}

TEST(realloc_sees_an_overrun_too) {
  if (under_asan()) SKIP("asan reports the write itself");
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  const size_t sizes[] = {40, 3000};
  for (int i = 0; i < 2; i++) {
    char *p = ouro_alloc(heap, sizes[i]);
    p[sizes[i]] = 1;
    r.count = 0;
    ouro_realloc(heap, p, sizes[i] * 2);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.last.kind, OURO_WRITE_PAST_END);
  }
}

TEST(a_write_after_free_is_seen_when_the_quarantine_ends) {
  if (under_asan()) SKIP("asan reports the write itself");
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  for (size_t at = 0; at < 100; at += 9) {
    void *kept = ouro_alloc(heap, 100);
    char *p = ouro_alloc(heap, 100);
    ouro_free(heap, p);
    p[at] = 'x';
    CHECK_EQ(r.count, 0);
    ouro_heap_give_back(heap);
    check_named(&r, OURO_WRITE_AFTER_FREE, p, 100);
    CHECK_EQ(r.last.requested, 100u);
    r.count = 0;
    ouro_free(heap, kept);
  }
}

TEST(freed_blocks_are_withheld_from_reuse_for_as_long_as_the_option_says) {
  reports r = {0};
  ouro_heap_options options = quiet_options("the shop");
  options.hardened = true;
  options.quarantine = 64 * KIB;
  ouro_heap *heap = ouro_heap_new(&options);
  char *p = ouro_alloc(heap, 100);
  ouro_free(heap, p);
  for (int i = 0; i < 400; i++) { /* 400 * 112 bytes < 64 KiB */
    char *q = ouro_alloc(heap, 100);
    CHECK(q != p);
    ouro_free(heap, q);
  }
  bool again = false;
  for (int i = 0; i < 4000 && !again; i++) {
    char *q = ouro_alloc(heap, 100);
    again = q == p;
    ouro_free(heap, q);
  }
  CHECK(again);
  CHECK_EQ(r.count, 0);
}

TEST(the_quarantine_holds_no_more_than_the_option_says) {
  ouro_heap_options options = quiet_options("the shop");
  options.hardened = true;
  options.quarantine = 64 * KIB;
  ouro_heap *heap = ouro_heap_new(&options);
  static void *blocks[2][2500];
  for (int i = 0; i < 2500; i++) blocks[0][i] = ouro_alloc(heap, 16);
  for (int i = 0; i < 500; i++) blocks[1][i] = ouro_alloc(heap, 500);
  for (int i = 0; i < 2500; i++) ouro_free(heap, blocks[0][i]);
  for (int i = 0; i < 500; i++) ouro_free(heap, blocks[1][i]);
  CHECK_LE(stats_of(heap).held, 64 * KIB + 512);
  CHECK_LT(60 * KIB, stats_of(heap).held);
}

static void *free_as_stranger(void *arg) {
  void **call = arg;
  ouro_free(call[0], call[1]);
  return NULL;
}

static void free_in_thread(ouro_heap *heap, void *p) {
  pthread_t thread;
  void *call[2] = {heap, p};
  CHECK_EQ(pthread_create(&thread, NULL, free_as_stranger, call), 0);
  pthread_join(thread, NULL);
}

TEST(a_call_from_a_thread_that_is_not_the_owner_is_reported_and_ignored) {
  reports r = {0};
  ouro_heap *heap = hard_heap(&r);
  void *p = ouro_alloc(heap, 100);
  free_in_thread(heap, p);
  check_named(&r, OURO_WRONG_THREAD, p, 100);
  CHECK_EQ(stats_of(heap).live_blocks, 1u);
  ouro_free(heap, p);
  CHECK_EQ(r.count, 1);
}

TEST(threads_under_a_lock_of_the_callers_are_no_misuse) {
  reports r = {0};
  ouro_heap_options options = quiet_options("the shop");
  options.hardened = options.locked_by_caller = true;
  options.on_misuse = note;
  options.misuse_ctx = &r;
  ouro_heap *heap = ouro_heap_new(&options);
  free_in_thread(heap, ouro_alloc(heap, 100));
  CHECK_EQ(r.count, 0);
  CHECK_EQ(stats_of(heap).live_blocks, 0u);
}

TEST(new_blocks_do_not_show_what_was_in_them) {
  ouro_heap *heap = hard_heap(NULL);
  for (int i = 0; i < 20000; i++) {
    char *p = ouro_alloc(heap, 60);
    CHECK(memcmp(p, "a secret", 8) != 0);
    strcpy(p, "a secret");
    ouro_free(heap, p);
  }
}

/* --- Without a handler: one line, then the end --- */

/* What the line must name. The address is known before the fork, so the child's is the same. */
static void dies_naming(void (*misuse)(ouro_heap *, char *), size_t size, const char *kind) {
  ouro_heap *heap = hard_heap(NULL);
  char *p = ouro_alloc(heap, size), text[64];
  CHECK_DEATH(misuse(heap, p), kind);
  CHECK_DEATH(misuse(heap, p), "\"the shop\"");
  snprintf(text, sizeof text, "block %p", (void *)p);
  CHECK_DEATH(misuse(heap, p), text);
  snprintf(text, sizeof text, "pool %p", (void *)(uintptr_t)pool_of(p));
  CHECK_DEATH(misuse(heap, p), text);
  snprintf(text, sizeof text, "size class %zu", (size + 8 + 15) / 16 * 16);
  CHECK_DEATH(misuse(heap, p), text);
}

static void free_twice(ouro_heap *heap, char *p) {
  ouro_free(heap, p);
  ouro_free(heap, p);
}
static void free_middle(ouro_heap *heap, char *p) { ouro_free(heap, p + 8); }
static void write_past_end(ouro_heap *heap, char *p) {
  p[100] = 1;
  ouro_free(heap, p);
}
static void write_after_free(ouro_heap *heap, char *p) {
  ouro_free(heap, p);
  p[50] = 1;
  ouro_heap_give_back(heap);
}
static void free_elsewhere(ouro_heap *heap, char *p) { free_in_thread(heap, p); }
static void free_foreign(ouro_heap *heap, char *p) { ouro_free(heap, (char *)&p); }

TEST(double_free_dies) { dies_naming(free_twice, 100, "double free"); }

TEST(free_of_the_middle_dies) { dies_naming(free_middle, 100, "no block of this heap"); }

TEST(write_past_the_end_dies) {
  if (under_asan()) SKIP("asan reports the write itself");
  dies_naming(write_past_end, 100, "write past the end");
}

TEST(write_after_free_dies) {
  if (under_asan()) SKIP("asan reports the write itself");
  dies_naming(write_after_free, 100, "write after free");
}

TEST(wrong_thread_dies) { dies_naming(free_elsewhere, 100, "does not own the heap"); }

TEST(foreign_free_dies_with_the_address) {
  ouro_heap *heap = hard_heap(NULL);
  CHECK_DEATH(free_foreign(heap, NULL), "ouro: heap \"the shop\": free of something");
  void *system = malloc(50);
  char text[64];
  snprintf(text, sizeof text, "address %p", system);
  CHECK_DEATH(ouro_free(heap, system), text);
  free(system);
}
