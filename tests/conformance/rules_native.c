/* SPDX-License-Identifier: MIT */
/* The rules of SEMANTICS.md that Ouro's own objects keep, each under its number: counts, cycles,
 * private lists, object pools, what is alive and why. Weak references and finalizers have files of
 * their own. */
#include "test.h"

#include <sys/resource.h>

#include <ouro/ouro.h>

#include "support/pairs.h"
#include "support/tools.h"

static ouro_heap *heap;
static ouro_type *pairs, *ending;
static heard news;

static void open_heap(void) {
  heap = quiet_heap("rules");
  pairs = plain_pairs(heap);
  ending = ending_pairs(heap);
  CHECK(pairs && ending);
}

/* --- R: reference counting --- */

TEST(R1_the_count_is_1_when_an_object_is_created) {
  open_heap();
  pair *p = ouro_new(pairs);
  CHECK_EQ(ouro_count(p), 1u);
  ouro_list *list = ouro_list_new(heap);
  CHECK_EQ(ouro_count(list), 1u);
}

TEST(R2_the_count_goes_up_with_names_and_containers) {
  open_heap();
  pair *p = make_pair(pairs, 1, NULL, NULL), *holder = make_pair(pairs, 2, NULL, NULL);
  pair *name = ouro_ref(p);
  CHECK_EQ(ouro_count(p), 2u);
  ouro_assign(&holder->a, p);
  CHECK_EQ(ouro_count(p), 3u);
  ouro_list *list = ouro_list_new(heap);
  CHECK(ouro_list_append(list, p));
  CHECK_EQ(ouro_count(name), 4u);
}

TEST(R3_the_count_goes_down_with_names_containers_and_their_end) {
  open_heap();
  pair *p = make_pair(pairs, 1, NULL, NULL), *holder = make_pair(pairs, 2, NULL, NULL);
  pair *other = make_pair(pairs, 3, NULL, NULL);
  ouro_list *list = ouro_list_new(heap);
  ouro_list_append(list, p);
  ouro_list_append(list, p);
  ouro_assign(&holder->a, p);
  CHECK_EQ(ouro_count(p), 4u);
  ouro_assign(&holder->a, other); /* bound to something else */
  CHECK_EQ(ouro_count(p), 3u);
  ouro_unref(ouro_list_pop(list)); /* removed from a container */
  CHECK_EQ(ouro_count(p), 2u);
  ouro_unref(list); /* the container itself dies */
  CHECK_EQ(ouro_count(p), 1u);
  CHECK_EQ(ouro_count(other), 2u);
  ouro_unref(holder);
  CHECK_EQ(ouro_count(other), 1u);
}

TEST(R4_at_zero_an_object_is_destroyed_on_that_statement) {
  open_heap();
  pair *p = make_pair(ending, 1, make_pair(ending, 2, NULL, NULL), NULL);
  uint64_t blocks = stats_of(heap).live_blocks;
  ouro_unref(p);
  CHECK(ENDED(1, 2)); /* its finalizer, then its references */
  CHECK_EQ(stats_of(heap).live_blocks, blocks - 2);
  pair *again = ouro_new(ending), *second = ouro_new(ending); /* memory is reusable */
  CHECK(again == p || second == p || under_watch());
}

TEST(R5_asking_for_the_count_adds_no_reference) {
  open_heap();
  pair *p = make_pair(pairs, 1, NULL, NULL);
  for (int i = 0; i < 5; i++) CHECK_EQ(ouro_count(p), 1u);
}

/* The address comes back, the object does not: a weak reference is not fooled. */
TEST(R6_identity_is_the_object_not_the_address) {
  open_heap();
  pair *p = make_pair(pairs, 1, NULL, NULL);
  const void *address = p;
  ouro_weak *weak = ouro_weak_new(p, NULL, NULL);
  ouro_unref(p);
  pair *again = make_pair(pairs, 2, NULL, NULL);
  CHECK((const void *)again == address || under_watch());
  CHECK(ouro_weak_get(weak) == NULL);
  CHECK_EQ(ouro_weak_count(again), 0u);
}

static bool note_referrer(void *ctx, ouro_object *other, const char *name) {
  (void)other;
  strcat(strcat((char *)ctx, name), " ");
  return true;
}

/* Every reference counts, also those nobody named: the collector explains all of them. */
TEST(R7_hidden_references_are_found_and_named) {
  open_heap();
  pair *p = make_pair(pairs, 1, NULL, NULL);
  ouro_dict *registry = ouro_dict_new(heap);
  ouro_str *key = ouro_str_new(heap, "handler", 7);
  CHECK(ouro_dict_put(registry, key, p));
  ouro_weak *weak = ouro_weak_new(registry, NULL, p); /* a closure */
  CHECK(weak);
  char names[128] = "";
  ouro_each_referrer(p, note_referrer, names);
  CHECK_EQ(ouro_count(p), 3u);
  CHECK(strstr(names, "closure") && strstr(names, "handler"));
}

TEST(R8_a_chain_of_ten_million_links_dies_in_bounded_stack) {
  open_heap();
  ouro_gc_enable(heap, false);
  int links = under_sanitizer() || under_valgrind() ? 200000 : 10000000;
  pair *head = make_chain(pairs, links);
  struct rlimit whole;
  getrlimit(RLIMIT_STACK, &whole);
  setrlimit(RLIMIT_STACK, &(struct rlimit){256 * 1024, whole.rlim_max});
  ouro_unref(head);
  setrlimit(RLIMIT_STACK, &whole);
  CHECK_EQ(live_of(heap, pairs), 0u);
}

/* --- C: cycle collection --- */

TEST(C1_objects_that_only_refer_to_each_other_are_garbage) {
  open_heap();
  ouro_gc_enable(heap, false);
  pair *kept = make_pair(ending, 9, NULL, NULL);
  pair *ring = make_pairs_ring(ending, 1, 2);
  ring->b = ouro_ref(kept);
  CHECK_EQ(ouro_count(ring->a), 1u);
  ouro_unref(ring);
  CHECK(NONE_ENDED());
  CHECK_EQ(ouro_collect(heap, 2), 2);
  CHECK(ENDED(1, 2));
  CHECK_EQ(ouro_count(kept), 1u);
}

TEST(C2_three_objects_in_a_ring) {
  open_heap();
  pair *x = make_pair(ending, 1, NULL, NULL), *y = make_pair(ending, 2, NULL, NULL);
  pair *z = make_pair(ending, 3, NULL, NULL);
  ouro_assign(&x->a, y);
  ouro_assign(&y->a, z);
  ouro_assign(&z->a, x);
  ouro_unref(x);
  ouro_unref(y);
  ouro_unref(z);
  CHECK(NONE_ENDED()); /* nothing happens */
  CHECK_EQ(ouro_collect(heap, 2), 3);
  CHECK(ENDED(1, 2, 3)); /* exactly those */
}

TEST(C3_generations_thresholds_and_results) {
  open_heap();
  uint32_t t[3] = {100, 3, 3};
  ouro_gc_set_thresholds(heap, t);
  ouro_gc_thresholds(heap, t);
  CHECK(t[0] == 100 && t[1] == 3 && t[2] == 3);
  pair *p = make_pair(pairs, 1, NULL, NULL);
  for (int g = 0; g <= 2; g++) {
    CHECK_EQ(ouro_generation_of(p), g < 2 ? g : 2);
    ouro_unref(make_pairs_ring(pairs, 1, 4));
    CHECK_EQ(ouro_collect(heap, g), 4);
  }
  pair *head = NULL;
  for (int i = 0; i < 20000; i++) head = make_pair(pairs, i, head, NULL);
  ouro_gc_stats s;
  ouro_gc_stats_read(heap, &s); /* younger ones more often */
  CHECK_LT(2 * s.generation[1].collections, s.generation[0].collections);
  CHECK_LE(s.generation[2].collections, s.generation[1].collections);
}

TEST(C4_automatic_collection_can_be_disabled) {
  open_heap();
  ouro_gc_enable(heap, false);
  CHECK(!ouro_gc_is_enabled(heap));
  for (int i = 0; i < 10000; i++) ouro_unref(make_pairs_ring(ending, i, 1));
  CHECK_EQ(ended_count, 0); /* cycles stay */
  ouro_gc_enable(heap, true);
  for (int i = 0; i < 10000; i++) ouro_unref(make_pairs_ring(ending, i, 1));
  CHECK_LT(10000, ended_count);
}

TEST(C5_debug_modes) {
  open_heap();
  listen_to(heap, &news);
  ouro_gc_set_debug(heap, OURO_DEBUG_STATS | OURO_DEBUG_LEAK);
  ouro_unref(make_pairs_ring(pairs, 1, 3));
  CHECK_EQ(ouro_collect(heap, 2), 3);
  CHECK_EQ(news.lines, 4); /* one for each object, one about the collection */
  CHECK_EQ(ouro_garbage_length(heap), 3u);
  CHECK_EQ(live_of(heap, pairs), 3u);
  CHECK_EQ((unsigned)OURO_DEBUG_LEAK,
           OURO_DEBUG_COLLECTABLE | OURO_DEBUG_UNCOLLECTABLE | (unsigned)OURO_DEBUG_SAVEALL);
}

TEST(C7_why_an_object_was_not_collected) {
  open_heap();
  pair *wanted = make_pairs_ring(pairs, 7, 2);
  pair *holder = make_pair(pairs, 2, NULL, wanted), *root = make_pair(pairs, 1, holder, NULL);
  CHECK_EQ(ouro_collect(heap, 2), 0);
  ouro_path_step path[4];
  CHECK_EQ(ouro_path_to_root(wanted, path, 4), 3);
  CHECK(path[0].object == OURO_OBJECT(root) && path[1].object == OURO_OBJECT(holder));
  CHECK(path[2].object == OURO_OBJECT(wanted));
  CHECK_STR(path[0].name, "a");
  CHECK_STR(path[1].name, "b");
  CHECK_STR(path[2].name, "");
  char names[64] = "";
  ouro_each_referrer(wanted, note_referrer, names);
  CHECK(!strcmp(names, "a b ") || !strcmp(names, "b a "));
  drop_field(&holder->b);
  CHECK_EQ(ouro_collect(heap, 2), 2); /* only what nothing holds */
}

static bool count_one(void *ctx, ouro_object *o) { return (void)o, ++*(size_t *)ctx, true; }

TEST(C8_objects_can_be_listed_and_asked) {
  open_heap();
  pair *p = make_pair(pairs, 1, make_pair(pairs, 2, NULL, NULL), NULL);
  size_t young = 0, all = 0;
  ouro_each_object(heap, 0, count_one, &young);
  ouro_each_object(heap, -1, count_one, &all);
  CHECK(young == 2 && all == 2);
  CHECK(ouro_is_tracked(p));
  char names[64] = "";
  ouro_each_referent(p, note_referrer, names);
  CHECK_STR(names, "a ");
}

TEST(C9_callbacks_and_statistics) {
  open_heap();
  listen_to(heap, &news);
  ouro_unref(make_pairs_ring(pairs, 1, 3));
  ouro_collect(heap, 1);
  CHECK_EQ(news.events[OURO_GC_START], 1);
  CHECK_EQ(news.events[OURO_GC_STOP], 1);
  CHECK_EQ(news.last[OURO_GC_STOP].found, 3u);
  CHECK_EQ(news.last[OURO_GC_STOP].generation, 1);
  ouro_gc_stats s;
  ouro_gc_stats_read(heap, &s);
  CHECK(s.generation[1].collections == 1 && s.generation[1].collected == 3);
  CHECK(s.generation[1].uncollectable == 0 && s.generation[1].elapsed_ns > 0);
}

TEST(C10_what_cannot_be_in_a_cycle_is_not_tracked) {
  open_heap();
  void *leaf = ouro_new(ouro_type_new(heap, &(ouro_type_spec){.name = "leaf", .size = 24}));
  ouro_type_spec spec = pair_spec("acyclic pair");
  spec.flags = OURO_ACYCLIC;
  pair *acyclic = ouro_new(ouro_type_new(heap, &spec));
  CHECK(!ouro_is_tracked(leaf) && !ouro_is_tracked(acyclic));
  CHECK(!ouro_is_tracked(ouro_int_new(heap, 7000)) && !ouro_is_tracked(ouro_float_new(heap, 1.5)));
  CHECK_EQ(ouro_generation_of(leaf), -1);
  CHECK(ouro_is_tracked(ouro_list_new(heap)));
}

/* --- P, M --- */

TEST(P4_each_type_has_a_private_list_with_a_cap) {
  if (under_watch()) SKIP("a watched heap keeps nothing at hand");
  open_heap();
  ouro_type_spec spec = pair_spec("other pair");
  spec.free_list = 2;
  ouro_type *others = ouro_type_new(heap, &spec);
  pair *p[8], *q = make_pair(pairs, 1, NULL, NULL);
  for (int i = 0; i < 8; i++) p[i] = make_pair(others, i, NULL, NULL);
  for (int i = 0; i < 8; i++) ouro_unref(p[i]);
  CHECK_EQ(ouro_free_list_length(others), 2u);
  CHECK_EQ(ouro_free_list_cap(others), 2u);
  CHECK_EQ(ouro_free_list_length(pairs), 0u); /* of the same size, and yet not shared */
  pair *r = make_pair(pairs, 2, NULL, NULL);
  for (int i = 0; i < 8; i++) CHECK(r != p[i]);
  ouro_collect(heap, 2);
  CHECK_EQ(ouro_free_list_length(others), 0u);
  ouro_unref(q);
}

TEST(P5_a_loop_that_makes_and_drops_one_kind_constructs_once) {
  open_heap();
  ouro_reuse *pool = ouro_reuse_new(pairs, 8, NULL, NULL);
  for (int i = 0; i < 1000; i++) ouro_unref(ouro_reuse_take(pool));
  CHECK_EQ(ouro_reuse_stats_of(pool).constructed, 1u);
  CHECK_EQ(ouro_reuse_stats_of(pool).reused, 999u);
  ouro_reuse_free(pool);
}

TEST(M3_what_is_alive_by_type_and_its_growth) {
  open_heap();
  pair *chain = make_chain(pairs, 1000);
  ouro_type_count rows[8];
  CHECK_EQ(ouro_census(heap, rows, 8), 1u);
  CHECK(rows[0].type == pairs && rows[0].objects == 1000);
  CHECK_LE(1000 * sizeof(pair), rows[0].bytes);
  pair *more = make_chain(ending, 10);
  CHECK_EQ(ouro_census(heap, rows, 8), 2u);
  CHECK(rows[0].type == pairs && rows[1].type == ending && rows[1].objects == 10);
  ouro_unref(chain);
  CHECK_EQ(ouro_census(heap, rows, 8), 1u);
  CHECK(rows[0].type == ending);
  ouro_unref(more);
}

TEST(M4_why_it_is_alive_a_shortest_path_from_a_root) {
  open_heap();
  pair *wanted = make_pair(pairs, 9, NULL, NULL);
  pair *far = make_pair(pairs, 1, make_pair(pairs, 2, ouro_ref(wanted), NULL), NULL);
  pair *near = make_pair(pairs, 3, NULL, ouro_ref(wanted));
  ouro_unref(wanted);
  ouro_path_step path[8];
  CHECK_EQ(ouro_path_to_root(wanted, path, 8), 2);
  CHECK(path[0].object == OURO_OBJECT(near));
  drop_field(&near->b);
  CHECK_EQ(ouro_path_to_root(wanted, path, 8), 3);
  CHECK(path[0].object == OURO_OBJECT(far));
  pair *garbage = make_pairs_ring(pairs, 4, 2), *inside = garbage->a;
  ouro_unref(garbage);
  CHECK_EQ(ouro_path_to_root(inside, path, 8), 0); /* held from nowhere */
}
