/* SPDX-License-Identifier: MIT */
/* Several threads at once: what one allocates another frees. Runs under the thread sanitizer too.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "support/heaps.h"
#include "support/tools.h"

enum { RING = 1024, FREERS = 3 };

/* A block says how long it is and shows it in every byte: a block handed out twice shows another's.
 */
static void mark(void *p, size_t size) { memset(p, (int)(size & 0xff), size); }

static void check_mark(const unsigned char *p, size_t size) {
  for (size_t i = 0; i < size; i++) CHECK_EQ(p[i], size & 0xff);
}

typedef struct parcel {
  unsigned char *block;
  size_t size;
} parcel;

/* A mailbox for one parcel at a time per slot; full slots have a block. */
typedef struct post {
  ouro_heap *heap;
  _Atomic(parcel *) slots[RING];
  atomic_bool closed;
  atomic_size_t freed;
} post;

static void receive(post *p, parcel *got) {
  check_mark(got->block, got->size);
  ouro_free_remote(p->heap, got->block);
  free(got);
  atomic_fetch_add(&p->freed, 1);
}

/* Looks through all slots once more after the post has closed. */
static void *freeing_thread(void *arg) {
  post *p = arg;
  for (bool last = false; !last;) {
    last = atomic_load(&p->closed);
    for (size_t i = 0; i < RING; i++) {
      parcel *got = atomic_exchange(&p->slots[i], NULL);
      if (got) receive(p, got);
    }
  }
  return NULL;
}

static size_t any_size(void) {
  return test_random() % 50 == 0 ? 600 + test_random() % 2000 : 1 + test_random() % 512;
}

static size_t produce(post *p, int rounds) {
  size_t sent = 0;
  for (int i = 0; i < rounds; i++) {
    parcel *out = malloc(sizeof *out), *full = NULL;
    out->size = any_size();
    out->block = ouro_alloc(p->heap, out->size);
    CHECK(out->block);
    mark(out->block, out->size);
    if (atomic_compare_exchange_strong(&p->slots[test_random() % RING], &full, out)) {
      sent++;
    } else { /* the slot is full: freed by its owner instead */
      check_mark(out->block, out->size);
      ouro_free(p->heap, out->block);
      free(out);
    }
    if (i % 5000 == 0) ouro_heap_give_back(p->heap);
  }
  return sent;
}

static void producer_and_consumers(bool hardened, int freers) {
  static post p;
  pthread_t threads[FREERS];
  ouro_heap_options options = quiet_options("stress");
  options.hardened = hardened;
  options.decay_ms = 5;
  options.keep = 0;
  p.heap = ouro_heap_new(&options);
  for (int i = 0; i < freers; i++)
    CHECK_EQ(pthread_create(&threads[i], NULL, freeing_thread, &p), 0);
  size_t sent = produce(&p, under_tsan() ? 100000 : 400000);
  atomic_store(&p.closed, true);
  for (int i = 0; i < freers; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(atomic_load(&p.freed), sent);
  CHECK(sent > 1000);
  ouro_heap_adopt(p.heap);
  CHECK(heap_ok(p.heap));
  ouro_heap_stats s = stats_of(p.heap);
  CHECK_EQ(s.live_blocks + s.large_blocks, 0u);
  CHECK_EQ(s.remote_frees, sent);
  ouro_heap_give_back(p.heap);
  CHECK_EQ(stats_of(p.heap).pools, 0u);
  ouro_heap_destroy(p.heap);
}

TEST(one_producer_one_consumer) { producer_and_consumers(false, 1); }

TEST(one_producer_several_consumers) { producer_and_consumers(false, FREERS); }

TEST(hardened_producer_and_consumers) { producer_and_consumers(true, FREERS); }

/* --- Everybody frees the same pools at the same time --- */

enum { BATCH = 20000 };

typedef struct crowd {
  ouro_heap *heap;
  void **blocks;
  int number, of;
  pthread_barrier_t *start;
} crowd;

static void *free_my_share(void *arg) {
  const crowd *c = arg;
  pthread_barrier_wait(c->start);
  for (int i = c->number; i < BATCH; i += c->of) ouro_free_remote(c->heap, c->blocks[i]);
  return NULL;
}

/* Neighbouring blocks, so that the same words of the same bitmaps are hit; the owner takes back
 * meanwhile. */
TEST(threads_that_free_neighbouring_blocks_lose_none) {
  static void *blocks[BATCH];
  ouro_heap *heap = quiet_heap("crowd");
  for (int round = 0; round < (under_tsan() ? 8 : 30); round++) {
    pthread_barrier_t start;
    pthread_t threads[4];
    crowd shares[4];
    pthread_barrier_init(&start, NULL, 5);
    for (int i = 0; i < BATCH; i++)
      blocks[i] = ouro_alloc(heap, round % 2 ? 32 : 16 * (size_t)(1 + i % 32));
    for (int i = 0; i < 4; i++) {
      shares[i] = (crowd){heap, blocks, i, 4, &start};
      CHECK_EQ(pthread_create(&threads[i], NULL, free_my_share, &shares[i]), 0);
    }
    pthread_barrier_wait(&start);
    void *own[500];
    for (int k = 0; k < 20; k++) {
      for (int i = 0; i < 500; i++)
        CHECK((own[i] = ouro_alloc(heap, 16 * (size_t)(1 + i % 32))) != NULL);
      for (int i = 0; i < 500; i++) ouro_free(heap, own[i]);
      ouro_heap_give_back(heap);
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    ouro_heap_give_back(heap);
    CHECK(heap_ok(heap));
    CHECK_EQ(stats_of(heap).live_blocks, 0u);
    CHECK_EQ(stats_of(heap).pools, 0u);
  }
}

/* --- A heap changes hands while others free into it --- */

TEST(a_heap_is_handed_over_while_others_free_into_it) {
  static post p;
  pthread_t freers[2];
  p.heap = quiet_heap("handed");
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&freers[i], NULL, freeing_thread, &p), 0);
  size_t sent = 0;
  for (int round = 0; round < (under_tsan() ? 300 : 3000); round++) {
    sent += produce(&p, 60);
    ouro_heap_adopt(p.heap); /* as each new owner would */
  }
  atomic_store(&p.closed, true);
  for (int i = 0; i < 2; i++) pthread_join(freers[i], NULL);
  ouro_heap_adopt(p.heap);
  CHECK_EQ(atomic_load(&p.freed), sent);
  CHECK(heap_ok(p.heap));
  CHECK_EQ(stats_of(p.heap).live_blocks + stats_of(p.heap).large_blocks, 0u);
}

/* --- Heaps of different threads share nothing --- */

static void *live_alone(void *unused) {
  for (int life = 0; life < 5; life++) {
    ouro_heap *heap = quiet_heap("alone");
    void *blocks[512] = {0};
    CHECK(heap);
    for (int i = 0; i < 60000; i++) {
      void **slot = &blocks[i * 31 % 512];
      ouro_free(heap, *slot);
      *slot = ouro_alloc(heap, (size_t)(i * 7 % 700));
    }
    CHECK(heap_ok(heap));
    ouro_heap_destroy(heap);
  }
  return unused;
}

TEST(every_thread_may_have_a_heap_of_its_own) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, live_alone, NULL), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

/* --- Numbers are read while the owner works --- */

static void *read_numbers(void *arg) {
  post *p = arg;
  for (int reads = 0; reads < 300 || !atomic_load(&p->closed); reads++) {
    ouro_heap_stats s;
    ouro_class_stats classes[OURO_CLASSES];
    ouro_range ranges[8];
    ouro_heap_stats_read(p->heap, &s);
    CHECK(sums_hold(&s));
    ouro_heap_class_stats(p->heap, classes);
    ouro_heap_ranges(p->heap, ranges, 8);
    atomic_fetch_add(&p->freed, 1);
  }
  return NULL;
}

TEST(numbers_add_up_while_the_owner_works) {
  if (under_tsan()) SKIP("plain loads of single numbers, which may be a moment old, are meant");
  static post p;
  pthread_t reader;
  p.heap = quiet_heap("read");
  CHECK_EQ(pthread_create(&reader, NULL, read_numbers, &p), 0);
  static void *blocks[4096];
  while (atomic_load(&p.freed) < 1000) {
    for (int i = 0; i < 20000; i++) {
      void **slot = &blocks[test_random() % 4096];
      ouro_free(p.heap, *slot);
      *slot = ouro_alloc(p.heap, any_size());
    }
    ouro_heap_give_back(p.heap);
  }
  atomic_store(&p.closed, true);
  pthread_join(reader, NULL);
  CHECK(heap_ok(p.heap));
}
