/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <sys/resource.h>

#include "pool/window.h"
#include "support/rss.h"
#include "support/tools.h"

TEST(a_window_reserves_without_touching) {
  window *w = window_new(3);
  uintptr_t base = (uintptr_t)window_base(w);
  CHECK_EQ(base % OURO_WINDOW_BYTES, 0u);
  CHECK_EQ(w->number, 3u);
  CHECK_EQ(mapped_between(base, base + OURO_WINDOW_BYTES), OURO_WINDOW_BYTES);
  CHECK_LT(rss_between(base, base + OURO_WINDOW_BYTES), 256u << 10);
  window_free(w);
  CHECK_EQ(mapped_between(base, base + OURO_WINDOW_BYTES), 0u);
}

TEST(arenas_come_in_order_and_their_pools_know_where_they_are) {
  window *w = window_new(0);
  for (uint32_t i = 0; i < 3 * TUNE_TABLE_ARENAS; i++) {
    arena *a = window_grow(w);
    CHECK(a);
    CHECK_EQ((uint32_t)(a - w->arenas), OURO_FIRST_ARENA + i);
    CHECK_EQ(a->free, UINT32_MAX);
    CHECK_EQ(a->dirty | a->idle, 0u);
    ouro_pool *pool = window_pools(w) + (size_t)(a - w->arenas) * OURO_ARENA_POOLS + 5;
    pool->index = (uint32_t)(pool - window_pools(w));
    CHECK(window_of(pool) == w);
    CHECK(arena_of(pool) == a);
    CHECK(pool_start(pool) ==
          window_base(w) + (OURO_FIRST_ARENA + i) * OURO_ARENA_BYTES + 5 * OURO_POOL_BYTES);
    memset(pool_start(pool), 1, OURO_POOL_BYTES);
  }
  window_free(w);
}

/* Where 16 GiB of address space are refused a window is pieced together, and ends without a trace.
 */
TEST(a_window_grows_in_pieces_under_an_address_space_limit) {
  if (under_sanitizer() || under_valgrind()) SKIP("the tool needs address space itself");
  setrlimit(RLIMIT_AS, &(struct rlimit){(size_t)1 << 30, (size_t)1 << 30});
  window *w = window_new(0);
  CHECK(w);
  uintptr_t base = (uintptr_t)window_base(w);
  CHECK_LT(mapped_between(base, base + OURO_WINDOW_BYTES), (size_t)1 << 30);
  uint32_t grown = 0;
  for (arena *a; (a = window_grow(w)) != NULL; grown++)
    memset(window_base(w) + (size_t)(a - w->arenas) * OURO_ARENA_BYTES, 1, 4096);
  CHECK_LT(grown, 512u);
  CHECK_LT(200u, grown);
  window_free(w);
  CHECK_EQ(mapped_between(base, base + OURO_WINDOW_BYTES), 0u);
}

TEST(no_address_space_is_an_answer) {
  if (under_sanitizer() || under_valgrind()) SKIP("the tool needs address space itself");
  setrlimit(RLIMIT_AS, &(struct rlimit){(size_t)16 << 20, (size_t)16 << 20});
  CHECK(!window_new(0));
}
