/* SPDX-License-Identifier: MIT */
/* Heaps of objects in several threads and in forked children; memory and pauses of a heap that
 * grows with garbage. */
#include "test.h"

#include <pthread.h>

#include "object/tune.h"
#include "support/pairs.h"
#include "support/tools.h"

static int part(int n) { return under_sanitizer() || under_valgrind() ? n / 20 : n; }

/* --- two heaps in two threads --- */

enum { KEPT = 500 };

/* A program of its own: pairs live and die, some in rings, cycles in slices all the time. */
static void *live_alone(void *arg) {
  uint64_t seed = (uintptr_t)arg;
  ouro_heap *heap = quiet_heap("thread");
  ouro_type *type = plain_pairs(heap);
  pair *kept[KEPT] = {NULL};
  for (int i = 0; i < part(400000); i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    size_t at = (seed >> 33) % KEPT;
    pair *p = make_pair(type, i, ouro_ref(kept[(at + 7) % KEPT]), NULL);
    if (seed >> 62 == 0) p->b = ouro_ref(p);
    ouro_assign_new(&kept[at], p);
    if (seed >> 56 == 0) drop_field(&p->a);
    if (i % 64 == 0) ouro_step(heap, 1000);
  }
  for (int i = 0; i < KEPT; i++) drop_field(&kept[i]);
  ouro_collect(heap, 2);
  uint64_t left = live_of(heap, type);
  bool well = objects_ok(heap);
  ouro_heap_destroy(heap);
  return (void *)(uintptr_t)(left + !well);
}

TEST(two_heaps_in_two_threads) {
  pthread_t threads[2];
  for (uintptr_t i = 0; i < 2; i++)
    CHECK_EQ(pthread_create(&threads[i], NULL, live_alone, (void *)(test_random() | 1)), 0);
  for (int i = 0; i < 2; i++) {
    void *left;
    pthread_join(threads[i], &left);
    CHECK(left == NULL);
  }
}

/* --- blocks freed from afar, in a heap with objects --- */

enum { PARCELS = 20000 };
typedef struct post {
  ouro_heap *heap;
  void *blocks[PARCELS];
  int count;
} post;

static void *free_from_afar(void *arg) {
  post *p = arg;
  for (int i = 0; i < p->count; i++) ouro_free_remote(p->heap, p->blocks[i]);
  return NULL;
}

TEST(blocks_freed_from_afar_beside_objects) {
  static post p;
  p.heap = quiet_heap("remote");
  p.count = part(PARCELS);
  ouro_type *type = plain_pairs(p.heap);
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < p.count; i++) CHECK(p.blocks[i] = ouro_alloc(p.heap, sizeof(pair)));
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, free_from_afar, &p), 0);
    for (int i = 0; i < p.count; i++) {
      ouro_unref(make_pairs_ring(type, i, 2));
      if (i % 100 == 0) ouro_step(p.heap, 1000);
    }
    pthread_join(thread, NULL);
    ouro_heap_adopt(p.heap);
    ouro_collect(p.heap, 2);
    CHECK_EQ(live_of(p.heap, type), 0u);
    CHECK(objects_ok(p.heap));
  }
}

/* --- a heap that changes hands --- */

static void *go_on(void *arg) {
  pair *head = arg;
  ouro_heap *heap = ouro_heap_of(head);
  ouro_heap_adopt(heap);
  while (!ouro_step(heap, 10000).finished) {}
  ouro_unref(head);
  return (void *)(uintptr_t)!objects_ok(heap);
}

TEST(a_heap_is_handed_over_in_mid_cycle) {
  ouro_heap *heap = quiet_heap("handed over");
  ouro_type *type = plain_pairs(heap);
  pair *head = make_chain(type, part(100000));
  for (int i = 0; i < part(20000); i++) ouro_unref(make_pairs_ring(type, i, 3));
  ouro_step(heap, 0);
  pthread_t thread;
  void *wrong;
  CHECK_EQ(pthread_create(&thread, NULL, go_on, head), 0);
  pthread_join(thread, &wrong);
  CHECK(wrong == NULL);
  ouro_heap_adopt(heap);
  ouro_collect(heap, 2);
  CHECK_EQ(live_of(heap, type), 0u);
  ouro_heap_destroy(heap);
}

/* --- forked children --- */

static void in_a_child(void (*run)(ouro_heap *, pair *), ouro_heap *heap, pair *head) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    ouro_heap_adopt(heap);
    run(heap, head);
    _exit(objects_ok(heap) ? 0 : 3);
  }
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

static void collect_and_drop(ouro_heap *heap, pair *head) {
  ouro_type *type = ouro_type_of(head);
  CHECK_EQ(ouro_collect(heap, 2) % 3, 0);
  ouro_unref(head);
  ouro_unref(make_pairs_ring(type, 1, 4));
  CHECK_EQ(ouro_collect(heap, 2), 4);
  CHECK_EQ(live_of(heap, type), 0u);
}

static void finish_the_cycle(ouro_heap *heap, pair *head) {
  while (!ouro_step(heap, 10000).finished) {}
  collect_and_drop(heap, head);
}

/* Child and parent both go on from the same slice, of every phase, each with its own copy. */
TEST(forks_in_mid_cycle) {
  for (int slices = 0; slices < 400; slices += under_sanitizer() ? 80 : 8) {
    ouro_heap *heap = quiet_heap("forked");
    ouro_gc_enable(heap, false);
    ouro_type *type = plain_pairs(heap);
    pair *head = make_chain(type, 2000);
    for (int i = 0; i < 300; i++) ouro_unref(make_pairs_ring(type, i, 3));
    ouro_unref(make_pairs_ring(type, 0, 6000)); /* a giant */
    bool done = false;
    for (int i = 0; i < slices && !done; i++) done = ouro_step(heap, 0).finished;
    in_a_child(finish_the_cycle, heap, head);
    in_a_child(collect_and_drop, heap, head);
    finish_the_cycle(heap, head);
    ouro_heap_destroy(heap);
    if (done) break;
  }
}

/* --- memory and pauses --- */

typedef struct growth {
  ouro_heap *heap;
  ouro_type *type;
  pair **live;
  size_t count, size;
  double worst; /* floating garbage in shares of what lives */
} growth;

static void measure(growth *g) {
  double objects = (double)live_of(g->heap, g->type), live = (double)g->count;
  if (objects / live - 1 > g->worst) g->worst = objects / live - 1;
}

/* Live pairs grow in number while twice as many die in rings that survived young collections. */
static void grow(growth *g, size_t to) {
  enum { RINGS = 3000 };
  static pair *rings[RINGS];
  size_t next = 0;
  while (g->count < to) {
    g->live[g->count++] = make_pair(g->type, 1, NULL, NULL);
    ouro_assign_new(&rings[next++ % RINGS], make_pairs_ring(g->type, 2, 2));
    if (g->count > to / 2 && g->count % (to / 64) == 0) measure(g);
  }
  for (size_t i = 0; i < RINGS; i++) drop_field(&rings[i]);
}

static growth grow_with_garbage(uint64_t pause_ns, double share, heard *news) {
  growth g = {.heap = quiet_heap("growing"), .size = (size_t)part(400000)};
  g.type = plain_pairs(g.heap);
  g.live = calloc(g.size, sizeof *g.live);
  ouro_gc_set_thresholds(g.heap, (uint32_t[]){2000, 3, 1});
  ouro_gc_set_pause(g.heap, pause_ns);
  ouro_gc_set_garbage_limit(g.heap, share);
  listen_to(g.heap, news);
  grow(&g, g.size);
  return g;
}

static void end_growth(growth *g) {
  for (size_t i = 0; i < g->count; i++) ouro_unref(g->live[i]);
  ouro_collect(g->heap, 2);
  CHECK_EQ(live_of(g->heap, g->type), 0u);
  CHECK(objects_ok(g->heap));
  ouro_heap_destroy(g->heap);
  free(g->live);
}

/* What is promoted until a late cycle ends may float, beside the next cycle's share of what it
 * left:
 *
 *     floating <= part * max(live + floating, least)         part = share * (1 + TUNE_LATE)
 *
 * To that come the rings that the test holds, and what younger generations hold by their
 * thresholds. */
static double most_floating(const growth *g, double share) {
  double part = share * (1 + TUNE_LATE), live = (double)g->size / 2;
  double least = part * (double)TUNE_LEAST_OLD_BYTES / 32 / live, most = part / (1 - part);
  return (most > least ? most : least) + (6000.0 + 2000 * (3 + 2)) / live;
}

TEST(floating_garbage_stays_below_its_share) {
  if (under_sanitizer() || under_valgrind()) SKIP("too slow for a large heap");
  heard news;
  const double shares[] = {0.25, 0.1};
  for (int i = 0; i < 2; i++) {
    growth g = grow_with_garbage(1000000, shares[i], &news);
    printf("share %.2f: at most %.3f floats\n", shares[i], g.worst);
    if (g.worst > most_floating(&g, shares[i])) TEST_FAIL("%.3f floats", g.worst);
    end_growth(&g);
  }
}

/* With a budget in which nothing can be done the bound on memory wins, and says so. */
TEST(the_bound_on_garbage_wins_over_a_budget_too_small) {
  if (under_sanitizer() || under_valgrind()) SKIP("too slow for a large heap");
  heard news;
  growth g = grow_with_garbage(1, 0.25, &news);
  printf("budget 1 ns: at most %.3f floats, %d escalations\n", g.worst,
         news.events[OURO_GC_ESCALATION]);
  if (g.worst > most_floating(&g, 0.25)) TEST_FAIL("%.3f floats", g.worst);
  ouro_gc_stats stats;
  ouro_gc_stats_read(g.heap, &stats);
  CHECK_LT(0, news.events[OURO_GC_ESCALATION]);
  CHECK_EQ(stats.escalations, (uint64_t)news.events[OURO_GC_ESCALATION]);
  CHECK(strstr(news.reason, "garbage may not exceed its share"));
  end_growth(&g);
}

TEST(without_slices_a_cycle_is_one) {
  if (under_sanitizer() || under_valgrind()) SKIP("too slow for a large heap");
  heard news;
  growth g = grow_with_garbage(0, 0.25, &news);
  CHECK_LT(0, news.events[OURO_GC_SLICE]);
  ouro_gc_stats stats;
  ouro_gc_stats_read(g.heap, &stats);
  CHECK_EQ(stats.generation[2].collections, stats.slices);
  end_growth(&g);
}
