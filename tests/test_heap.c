/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "pool/heap.h"
#include "support/heaps.h"
#include "support/shadow.h"
#include "support/tools.h"

TEST(defaults_are_those_of_the_header) {
  ouro_heap_options o;
  memset(&o, 0xff, sizeof o);
  ouro_heap_options_init(&o);
  CHECK_EQ(o.limit, 0u);
  CHECK_EQ(o.keep, 2 * MIB);
  CHECK_EQ(o.decay_ms, 250u);
  CHECK_EQ(o.quarantine, 256 * KIB);
  CHECK_EQ(o.huge, OURO_HUGE_AUTO);
  CHECK(!o.hardened && !o.locked_by_caller);
  CHECK(!o.on_misuse && !o.misuse_ctx);
}

TEST(no_options_means_the_defaults) {
  ouro_heap *h = ouro_heap_new(NULL);
  CHECK(h);
  void *p = ouro_alloc(h, 100);
  CHECK(p);
  memset(p, 1, 100);
  ouro_free(h, p);
  CHECK(heap_ok(h));
  ouro_heap_destroy(h);
}

TEST(a_new_heap_is_empty_and_takes_little_memory) {
  ouro_heap *h = quiet_heap("new");
  ouro_heap_stats s = stats_of(h);
  CHECK(heap_ok(h));
  CHECK_EQ(s.live + s.held + s.purgeable + s.pinned + s.large, 0u);
  CHECK_EQ(s.pools + s.arenas + s.live_blocks + s.large_blocks, 0u);
  CHECK_LT(s.resident, 256 * KIB);
  CHECK_LT(heap_rss(h), 256 * KIB);
}

TEST(destroying_nothing_has_no_effect) { ouro_heap_destroy(NULL); }

TEST(options_are_copied_and_long_names_cut) {
  char name[] = "a name of more than thirty-one bytes in all";
  ouro_heap_options o = quiet_options(name);
  ouro_heap *h = ouro_heap_new(&o);
  memset(name, 'x', sizeof name - 1);
  memset(&o, 0xff, sizeof o);
  CHECK_STR(heap_in(h)->name, "a name of more than thirty-one ");
  CHECK(ouro_alloc(h, 64));
  CHECK(heap_ok(h));
}

/* Live blocks of every size and the whole window go at once. */
TEST(destroying_a_heap_with_live_blocks_returns_all_of_it) {
  ouro_heap *warm = quiet_heap("warm"); /* so that what the process needs once is not counted */
  for (int i = 0; i < 1000; i++) CHECK(ouro_alloc(warm, (size_t)i));
  ouro_heap_destroy(warm);
  size_t before = rss_process();
  ouro_heap *h = quiet_heap("big");
  uintptr_t start = (uintptr_t)h;
  for (int i = 0; i < 200000; i++) {
    size_t size = i % 1000 == 0 ? 100000 : (size_t)(i % 512);
    memset(ouro_alloc(h, size), 1, size);
  }
  CHECK_LT(before + 40 * MIB, rss_process());
  ouro_heap_destroy(h);
  CHECK_EQ(mapped_between(start, start + ((uintptr_t)1 << OURO_WINDOW_SHIFT)), 0u);
  if (!under_sanitizer()) CHECK_LT(rss_process(), before + 4 * MIB);
}

TEST(many_heaps_live_side_by_side) {
  enum { HEAPS = 100, BLOCKS = 200 };
  ouro_heap *heaps[HEAPS];
  static shadow live[HEAPS];
  for (int i = 0; i < HEAPS; i++) CHECK((heaps[i] = quiet_heap("one of many")) != NULL);
  for (int j = 0; j < BLOCKS; j++)
    for (int i = 0; i < HEAPS; i++) {
      size_t size = (size_t)((i * 31 + j * 17) % 600);
      shadow_add(&live[i], ouro_alloc(heaps[i], size), size, 16);
    }
  for (int i = 0; i < HEAPS; i++) {
    CHECK(heap_ok(heaps[i]));
    CHECK(shadow_all_intact(&live[i]));
    for (int j = 0; j < BLOCKS; j++) {
      CHECK(ouro_owns(heaps[i], live[i].blocks[j].address));
      CHECK(!ouro_owns(heaps[(i + 1) % HEAPS], live[i].blocks[j].address));
    }
  }
  for (int i = 0; i < HEAPS; i += 2) ouro_heap_destroy(heaps[i]);
  for (int i = 1; i < HEAPS; i += 2) {
    CHECK(shadow_all_intact(&live[i]));
    for (int j = 0; j < BLOCKS; j++) ouro_free(heaps[i], live[i].blocks[j].address);
    CHECK(heap_ok(heaps[i]));
    CHECK_EQ(stats_of(heaps[i]).live_blocks, 0u);
    ouro_heap_destroy(heaps[i]);
  }
}

TEST(heaps_made_and_destroyed_in_a_loop_leave_nothing) {
  size_t mapped = 0;
  for (int i = 0; i < 300; i++) {
    ouro_heap *h = quiet_heap("short-lived");
    CHECK(h);
    for (size_t size = 0; size < 700; size += 7) CHECK(ouro_alloc(h, size));
    ouro_heap_destroy(h);
    size_t now = mapped_between(0, UINTPTR_MAX);
    if (i < 20) mapped = now;
    else CHECK_LE(now, mapped + 64 * MIB); /* far less than 280 windows */
  }
}

TEST(owns_is_right_for_any_value) {
  ouro_heap *h = quiet_heap("owner"), *other = quiet_heap("other");
  char *small = ouro_alloc(h, 40), *large = ouro_alloc(h, 4000);
  void *system = malloc(100);
  int on_stack = 0;
  CHECK(ouro_owns(h, small));
  CHECK(ouro_owns(h, small + 39));
  CHECK(ouro_owns(h, large));
  CHECK(!ouro_owns(h, large + 16)); /* only the start of a large block */
  CHECK(!ouro_owns(other, small) && !ouro_owns(other, large));
  CHECK(!ouro_owns(h, ouro_alloc(other, 40)));
  CHECK(!ouro_owns(h, system) && !ouro_owns(h, &on_stack) && !ouro_owns(h, NULL));
  CHECK(!ouro_owns(h, h) && !ouro_owns(h, (char *)h + 4096));
  free(system);
  const uintptr_t borders[] = {1,           0x7fffffffffff,     0x800000000000,
                               UINTPTR_MAX, (uintptr_t)1 << 62, (uintptr_t)h - 1};
  for (size_t i = 0; i < sizeof borders / sizeof *borders; i++)
    CHECK(!ouro_owns(h, (void *)borders[i]));
  for (uintptr_t bit = 1; bit; bit <<= 1) ouro_owns(h, (void *)((uintptr_t)small ^ bit));
  for (int i = 0; i < 100000; i++) {
    uintptr_t inside = (uintptr_t)h + test_random() % ((uintptr_t)1 << OURO_WINDOW_SHIFT);
    bool near = inside >> OURO_POOL_SHIFT == (uintptr_t)small >> OURO_POOL_SHIFT;
    if (!near) CHECK(!ouro_owns(h, (void *)inside));
  }
  CHECK_EQ(ouro_usable_size(h, &on_stack), 0u);
  CHECK_EQ(ouro_usable_size(other, small), 0u);
  CHECK_EQ(ouro_usable_size(h, NULL), 0u);
}

/* Descriptors are committed for 16 arenas at a time: what lies behind may be asked for, not
 * touched. */
TEST(owns_is_right_at_the_end_of_what_is_committed) {
  ouro_heap *h = quiet_heap("owner");
  for (uintptr_t committed = 0; committed < 40 * MIB;) {
    char *p = ouro_alloc(h, 512);
    if (stats_of(h).committed == committed) continue;
    committed = stats_of(h).committed;
    char *next_arena = (char *)(((uintptr_t)p | (2 * MIB - 1)) + 1);
    CHECK(ouro_owns(h, p));
    CHECK(!ouro_owns(h, next_arena));
    CHECK_EQ(ouro_usable_size(h, next_arena), 0u);
  }
}

TEST(a_freed_block_has_no_usable_size) {
  ouro_heap *h = quiet_heap("usable");
  void *kept = ouro_alloc(h, 100), *p = ouro_alloc(h, 100), *large = ouro_alloc(h, 5000);
  ouro_free(h, p);
  ouro_free(h, large);
  CHECK_EQ(ouro_usable_size(h, p), 0u);
  ouro_heap_give_back(h); /* now it is back in its pool's bitmap */
  CHECK_EQ(ouro_usable_size(h, p), 0u);
  CHECK_EQ(ouro_usable_size(h, large), 0u);
  CHECK_LE(100u, ouro_usable_size(h, kept));
  CHECK_EQ(ouro_usable_size(h, (char *)kept + 8), 0u); /* no block starts there */
}

TEST(ranges_hold_every_block_and_nothing_of_others) {
  ouro_heap *h = quiet_heap("ranges"), *other = quiet_heap("other");
  ouro_range ranges[8];
  void *blocks[100];
  for (int i = 0; i < 100; i++) blocks[i] = ouro_alloc(h, 500);
  size_t n = ouro_heap_ranges(h, ranges, 8);
  CHECK(n >= 1 && n <= 3);
  for (int i = 0; i <= 100; i++) {
    uintptr_t p = i < 100 ? (uintptr_t)blocks[i] : (uintptr_t)ouro_alloc(other, 16);
    bool inside = false;
    for (size_t r = 0; r < n; r++) inside |= p - (uintptr_t)ranges[r].start < ranges[r].size;
    CHECK_EQ(inside, i < 100);
  }
  CHECK_EQ(ouro_heap_ranges(h, NULL, 0), n);
}
