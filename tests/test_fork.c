/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "pool/remote.h"
#include "support/heaps.h"
#include "support/shadow.h"
#include "support/tools.h"

/* Both sides of a fork use the heap as hard; each must find what it left there. */
static void use(ouro_heap *heap, shadow *live) {
  for (int i = 0; i < 20000; i++) {
    if (live->count > 500 && test_random() % 2) {
      size_t at = test_random() % live->count;
      CHECK(shadow_intact(&live->blocks[at], live->blocks[at].size));
      ouro_free(heap, live->blocks[at].address);
      shadow_remove(live, at);
    } else {
      size_t size = test_random() % 700;
      void *p = ouro_alloc(heap, size);
      CHECK(p);
      shadow_add(live, p, size, 16);
    }
  }
  ouro_heap_give_back(heap);
  CHECK(shadow_all_intact(live));
  CHECK(heap_ok(heap));
  ouro_heap_stats s = stats_of(heap);
  CHECK_EQ(s.live_blocks + s.large_blocks, live->count);
}

static void wait_for(pid_t child) {
  int status = -1;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

static void fork_and_use(bool hardened) {
  ouro_heap_options options = quiet_options("fork");
  options.hardened = hardened;
  ouro_heap *heap = ouro_heap_new(&options);
  SHADOW(live);
  use(heap, &live);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    test_random();
    ouro_heap_adopt(heap);
    use(heap, &live);
    pid_t grandchild = fork();
    if (grandchild == 0) {
      ouro_heap_adopt(heap);
      use(heap, &live);
      ouro_heap_destroy(heap);
      _exit(0);
    }
    wait_for(grandchild);
    use(heap, &live);
    ouro_heap_destroy(heap);
    _exit(0);
  }
  use(heap, &live);
  wait_for(child);
  use(heap, &live);
  ouro_heap_destroy(heap);
}

TEST(parent_child_and_grandchild_go_on_with_their_copies) { fork_and_use(false); }

TEST(hardened_heaps_survive_forks_too) { fork_and_use(true); }

/* The kernel's view of a fork: memory is shared until written, and a child that frees does not copy
 * it. */
TEST(freeing_in_a_child_copies_no_block_pages) {
  if (under_sanitizer()) SKIP("sanitizers write shadow memory on their own");
  ouro_heap *heap = quiet_heap("fork");
  enum { COUNT = 100000 };
  static void *blocks[COUNT];
  for (int i = 0; i < COUNT; i++) memset(blocks[i] = ouro_alloc(heap, 240), 1, 240);
  pid_t child = fork();
  if (child == 0) {
    ouro_heap_adopt(heap);
    uintptr_t start = (uintptr_t)heap;
    size_t before = dirty_between(start, start + ((uintptr_t)1 << OURO_WINDOW_SHIFT));
    for (int i = 0; i < COUNT; i += 10) ouro_free(heap, blocks[i]);
    size_t after = dirty_between(start, start + ((uintptr_t)1 << OURO_WINDOW_SHIFT));
    CHECK_LT(after - before, MIB); /* of 24 MB: descriptors only */
    _exit(0);
  }
  wait_for(child);
}

/* --- Frees from another thread in flight while the process forks --- */

enum { RING = 4096 };

typedef struct traffic {
  ouro_heap *heap;
  _Atomic(void *) ring[RING];
  atomic_bool stop;
} traffic;

static void *keep_freeing(void *arg) {
  traffic *t = arg;
  for (size_t i = 0; !atomic_load(&t->stop); i++) {
    void *p = atomic_exchange(&t->ring[i % RING], NULL);
    if (p) ouro_free_remote(t->heap, p);
  }
  return NULL;
}

/* The child has no freeing thread: what is still in the ring is its own to free, what had been
 * taken out may be lost to it, one block per thread. */
static void child_of_traffic(traffic *t) {
  ouro_heap_adopt(t->heap);
  for (size_t i = 0; i < RING; i++) {
    void *p = atomic_exchange(&t->ring[i], NULL);
    if (p) ouro_free(t->heap, p);
  }
  CHECK(heap_ok(t->heap));
  CHECK_LE(stats_of(t->heap).live_blocks + stats_of(t->heap).large_blocks, 1u);
  for (int i = 0; i < 5000; i++) CHECK(ouro_alloc(t->heap, (size_t)(i % 600)));
  CHECK(heap_ok(t->heap));
  _exit(0);
}

TEST(a_fork_may_cut_a_remote_free_short) {
  if (under_tsan()) SKIP("tsan does not follow forks of threaded programs");
  static traffic t;
  pthread_t thread;
  t.heap = quiet_heap("fork");
  CHECK_EQ(pthread_create(&thread, NULL, keep_freeing, &t), 0);
  for (int round = 0; round < 40; round++) {
    for (int i = 0; i < 20000; i++) {
      size_t at = test_random() % RING;
      size_t size = test_random() % 32 ? test_random() % 512 : 2000;
      void *p = ouro_alloc(t.heap, size), *expected = NULL;
      CHECK(p);
      if (!atomic_compare_exchange_strong(&t.ring[at], &expected, p)) ouro_free(t.heap, p);
    }
    pid_t child = fork();
    if (child == 0) child_of_traffic(&t);
    wait_for(child);
  }
  atomic_store(&t.stop, true);
  pthread_join(thread, NULL);
  for (size_t i = 0; i < RING; i++) ouro_free(t.heap, atomic_load(&t.ring[i]));
  ouro_heap_adopt(t.heap);
  CHECK(heap_ok(t.heap));
  CHECK_EQ(stats_of(t.heap).live_blocks + stats_of(t.heap).large_blocks, 0u);
}

/* The same at each point where the fork may cut: after the block's bit, after the word's. */
static void cut_after(int steps) {
  ouro_heap *heap = quiet_heap("cut");
  char *p = ouro_alloc(heap, 100), *q = ouro_alloc(heap, 100), *kept = ouro_alloc(heap, 100);
  ouro_pool *pool = heap_pool_at((struct heap *)(void *)heap, p);
  remote_pool *r = remote_of(pool);
  unsigned index = pool_index_of(pool, p);
  CHECK_EQ(pool_index_of(pool, q) / 64, index / 64);
  atomic_fetch_or(&r->freed[index / 64], (uint64_t)1 << index % 64);
  if (steps > 1) atomic_fetch_or(&r->summary, (uint64_t)1 << index / 64);
  pid_t child = fork();
  if (child == 0) {
    ouro_heap_adopt(heap);
    CHECK_EQ(stats_of(heap).live_blocks, 2u);
    ouro_free_remote(heap, q);
    ouro_heap_adopt(heap);
    ouro_heap_give_back(heap);
    CHECK_EQ(stats_of(heap).live_blocks, 1u);
    CHECK(!pool_is_free(pool, pool_index_of(pool, kept)));
    CHECK(pool_is_free(pool, pool_index_of(pool, q)));
    CHECK(heap_ok(heap));
    _exit(0);
  }
  wait_for(child);
}

TEST(a_fork_after_the_blocks_bit_was_set) { cut_after(1); }

TEST(a_fork_after_the_words_bit_was_set) { cut_after(2); }
