/* SPDX-License-Identifier: MIT */
/*
 * Memory is refused at each n-th request while a snapshot becomes a graph and is analysed. Each
 * refusal ends in a reason, nothing is lost (a leak checker looks), and the next try succeeds.
 */
#include "test.h"

#include "analyze/refusing.h"
#include "analyze/small.h"
#include "os/os.h"

static int wanted = -1, met; /* the request that fails; requests so far */

static bool refuses(void) { return wanted >= 0 && met++ >= wanted; }

/* What is asked of a snapshot. */
static bool analyse(const snapshot *s, char why[SNAPSHOT_WHY]) {
  graph g;
  reach r, classes;
  audit_row *rows;
  size_t count;
  bool good = graph_build(&g, s, NULL, why);
  if (good && (good = reach_build(&r, &g, NULL))) {
    CHECK_EQ(r.retained[0], 48ull * g.nodes);
    reach_finish(&r);
  }
  if (good && (good = reach_classify(&classes, &g))) {
    CHECK_EQ(classes.objects[REACH_ROOT], g.nodes);
    reach_finish(&classes);
  }
  if (good && (good = audit_types(&g, &rows, &count))) {
    CHECK_EQ(count, 1);
    free(rows);
  }
  graph_finish(&g);
  return good;
}

static void fail_each(int length) {
  small h = {0};
  char why[SNAPSHOT_WHY] = "";
  uint32_t type = small_type(&h, SNAPSHOT_OTHER, "t");
  for (int i = 0; i < length; i++) small_node(&h, type, 48);
  for (int i = 0; i + 1 < length; i++) small_edge(&h, i, i + 1);
  small_count(&h, length - 1, 5);
  small_root(&h, 0, SNAPSHOT_ROOT_MODULE, "m");
  small_snapshot(&h);
  int requests = 0;
  for (;; requests++) {
    met = 0, wanted = requests;
    bool good = analyse(h.s, why);
    wanted = -1;
    if (good) break;
    CHECK(requests > 12 || strstr(why, "memory"));
  }
  CHECK(requests > 20);
  CHECK(analyse(h.s, why));
  snapshot_close(h.s);
  h.s = NULL;
  close(h.file);
  small_close(&h);
}

TEST(each_request_of_a_small_heap_fails) { fail_each(10); }

/* Arrays of pages of their own. */
TEST(each_request_of_a_large_heap_fails) { fail_each(300000); }

/* A request that fails once is not the end of memory: the label is not there, and no crash. */
TEST(labels_are_missing_where_memory_is_short) {
  small h = {0};
  uint32_t type = small_type(&h, SNAPSHOT_OTHER, "t");
  int a = small_node(&h, type, 8), b = small_node(&h, type, 8);
  small_attribute(&h, a, b, "x");
  small_open(&h);
  snapshot_edge edge;
  met = 0, wanted = 0;
  CHECK(!graph_label(&h.g, small_at(&h, a), small_at(&h, b), &edge));
  wanted = -1;
  CHECK(graph_label(&h.g, small_at(&h, a), small_at(&h, b), &edge));
  small_close(&h);
}
