/* SPDX-License-Identifier: MIT */
/*
 * Paths, cycles and waste with the n-th request for memory refused, for every n: the answer is
 * "out of memory", nothing is lost, and the next question is answered as ever.
 */
#include "test.h"

#include "analyze/cycles.h"
#include "analyze/path.h"
#include "analyze/refusing.h"
#include "analyze/small.h"
#include "analyze/waste.h"

static uint64_t requests, refused; /* counted from 1; 0: none is refused */

static bool refuses(void) { return ++requests == refused; }

/* Rings, copies, a long chain and instances with dictionaries: more of each than tables begin
 * with. */
static void draw(small *h) {
  uint32_t str = small_type(h, SNAPSHOT_STR, "str"), dict = small_type(h, SNAPSHOT_DICT, "dict");
  int name = small_node(h, str, 50),
      chain = small_node(h, small_type(h, SNAPSHOT_LIST, "list"), 64);
  small_root(h, chain, SNAPSHOT_ROOT_MODULE, "app");
  for (int i = 0; i < 1100; i++) {
    int next = small_node(h, 2, 64), copy = small_node(h, str, 64);
    small_digest(h, copy, 7 + (uint32_t)i % 2);
    small_edge(h, chain, next);
    chain = next;
  }
  for (int i = 0; i < 1100; i++) {
    uint32_t type = 0;
    if (i < 70) type = small_type(h, SNAPSHOT_INSTANCE, "app.Node");
    else type = (uint32_t)h->type_count - 1;
    int instance = small_node(h, type, 48), own = small_node(h, dict, 232);
    small_attribute(h, instance, own, "__dict__");
    small_entry(h, own, name, instance);
  }
  small_open(h);
  small_reach(h);
}

static bool ask_paths(const small *h) {
  path paths[4];
  path_finder *f = path_finder_make(&h->g);
  size_t count = f ? path_find(f, small_at(h, 1100), paths, 4) : 0;
  for (size_t i = 0; i < count; i++) {
    CHECK_EQ(paths[i].end, PATH_ROOT);
    CHECK_LT(256, paths[i].length);
    path_free(&paths[i]);
  }
  path_finder_free(f);
  return count > 0;
}

static bool ask_cycles(const small *h) {
  cycle_group *groups;
  size_t count;
  bool good = cycles_find(&h->r, 1u << REACH_GARBAGE, &groups, &count);
  CHECK_EQ(count, good ? 70 : 0);
  CHECK_EQ(groups != NULL, good);
  free(groups);
  return good;
}

static bool ask_waste(const small *h) {
  waste_row *rows;
  size_t count;
  bool good = waste_find(&h->g, &rows, &count);
  CHECK_EQ(count, good ? 2 : 0);
  CHECK_EQ(rows != NULL, good);
  free(rows);
  return good;
}

/* Labels are read where there is memory for it: a refusal there may cost the label only. */
static void refuse_each(bool (*ask)(const small *h), uint64_t least) {
  small h = {0};
  draw(&h);
  requests = refused = 0;
  CHECK(ask(&h));
  uint64_t all = requests, failed = 0;
  for (uint64_t n = 1; n <= all; n++) {
    requests = 0;
    refused = n;
    failed += !ask(&h);
    refused = 0;
    CHECK(ask(&h));
  }
  CHECK_LE(least, failed);
  small_close(&h);
}

TEST(paths_without_memory) { refuse_each(ask_paths, 8); }

TEST(cycles_without_memory) { refuse_each(ask_cycles, 8); }

TEST(waste_without_memory) { refuse_each(ask_waste, 8); }
