/* SPDX-License-Identifier: MIT */
/* The audit: counts against references, exactly. */
#include "test.h"

#include "analyze/small.h"

static const audit_row *row_of(const audit_row *rows, size_t count, uint32_t type) {
  for (size_t i = 0; i < count; i++)
    if (rows[i].type == type) return &rows[i];
  return NULL;
}

/* K forgotten references are found, by type. */
TEST(M5_forgotten_references_are_counted_by_type) {
  static const int forgotten[] = {0, 1, 10, 1000};
  for (int k = 0; k < 4; k++) {
    small h = {0};
    uint32_t good = small_type(&h, SNAPSHOT_OTHER, "good"),
             bad = small_type(&h, SNAPSHOT_OTHER, "bad");
    int hub = small_node(&h, good, 8);
    for (int i = 0; i < 3000; i++) {
      int node = small_node(&h, i % 2 ? bad : good, 16);
      small_edge(&h, hub, node);
      if (i % 3 == 0) small_edge(&h, hub, node); /* in parallel: two references */
    }
    for (int i = 0; i < forgotten[k]; i++) {
      int node = 2 + 2 * (i % 1000);
      small_count(&h, node, h.nodes[node].extra + 1);
    }
    small_root(&h, hub, SNAPSHOT_ROOT_FRAME, "main");
    small_open(&h);
    audit_row *rows;
    size_t count;
    CHECK(audit_types(&h.g, &rows, &count));
    const audit_row *row = row_of(rows, count, bad);
    CHECK_EQ(count, forgotten[k] > 0);
    if (row) {
      CHECK_EQ(row->references, (uint64_t)forgotten[k]);
      CHECK_EQ(row->objects, (uint64_t)forgotten[k]);
      CHECK_EQ(row->bytes, 16ull * (uint64_t)forgotten[k]);
      CHECK_EQ(row->overexplained, 0);
      CHECK_EQ(row->example, small_at(&h, 2));
    }
    free(rows);
    small_close(&h);
  }
}

/* Which roots hold a reference of their own. */
TEST(roots_explain_by_kind) {
  for (int kind = 0; kind < SNAPSHOT_ROOT_KINDS; kind++) {
    small h = {0};
    uint32_t type = small_type(&h, SNAPSHOT_OTHER, "t");
    int a = small_node(&h, type, 8), b = small_node(&h, type, 8);
    small_count(&h, a, 2 - 2 * small_root_counts((snapshot_root_kind)kind));
    small_root(&h, a, (snapshot_root_kind)kind, "twice");
    small_root(&h, a, (snapshot_root_kind)kind, "twice");
    small_edge(&h, a, b);
    small_open(&h);
    bool counts = small_root_counts((snapshot_root_kind)kind);
    CHECK_EQ(reach_root_references(&h.g, small_at(&h, a)), counts ? 2u : 0u);
    CHECK_EQ(reach_unexplained(&h.g, small_at(&h, a)), counts ? 0u : 2u);
    CHECK_EQ(reach_unexplained(&h.g, small_at(&h, b)), 0);
    audit_row *rows;
    size_t count;
    CHECK(audit_types(&h.g, &rows, &count));
    CHECK_EQ(count, counts ? 0u : 1u);
    free(rows);
    small_close(&h);
  }
}

TEST(more_references_than_counted_are_said) {
  small h = {0};
  uint32_t type = small_type(&h, SNAPSHOT_OTHER, "t"),
           frames = small_type(&h, SNAPSHOT_FRAME, "frame");
  int a = small_node(&h, type, 8), b = small_node(&h, type, 8), frame = small_node(&h, frames, 8);
  small_flags(&h, frame, SNAPSHOT_PSEUDO);
  small_edge(&h, frame, frame); /* has no count to compare with */
  small_edge(&h, frame, a), small_edge(&h, b, a), small_edge(&h, a, b);
  small_count(&h, a, -2);
  small_root(&h, b, SNAPSHOT_ROOT_NATIVE, "n");
  small_count(&h, b, -1);
  small_open(&h);
  CHECK_EQ(reach_overexplained(&h.g, small_at(&h, a)), 2);
  CHECK_EQ(reach_overexplained(&h.g, small_at(&h, b)), 1);
  CHECK_EQ(reach_overexplained(&h.g, small_at(&h, frame)), 0);
  audit_row *rows;
  size_t count;
  CHECK(audit_types(&h.g, &rows, &count));
  CHECK_EQ(count, 1);
  CHECK_EQ(rows[0].overexplained, 3);
  CHECK_EQ(rows[0].objects, 0);
  CHECK_EQ(rows[0].references, 0);
  free(rows);
  small_close(&h);
}

/* The sums by type are the sums of what each object says. */
TEST(rows_are_the_sums_of_objects) {
  for (int round = 0; round < 300; round++) {
    small h = {0};
    for (int t = 0; t < 4; t++) small_type(&h, SNAPSHOT_OTHER, "t");
    int nodes = 1 + (int)(test_random() % 60);
    for (int i = 0; i < nodes; i++) {
      small_node(&h, (uint32_t)(test_random() % 4), test_random() % 100);
      small_count(&h, i, (int64_t)(test_random() % 4) - 1);
      small_flags(&h, i, test_random() % 5 ? 0 : SNAPSHOT_IMMORTAL);
    }
    for (int e = 0; e < 2 * nodes; e++)
      small_edge(&h, (int)(test_random() % (uint64_t)nodes), e % nodes);
    for (int r = 0; r < nodes / 4; r++)
      small_root(&h, (int)(test_random() % (uint64_t)nodes),
                 (snapshot_root_kind)(test_random() % SNAPSHOT_ROOT_KINDS), "r");
    small_open(&h);
    audit_row want[4] = {0}, *rows;
    for (graph_node n = 0; n < h.g.nodes; n++) {
      audit_row *row = &want[h.g.type[n]];
      uint32_t more = reach_unexplained(&h.g, n);
      row->objects += more > 0;
      row->references += more;
      row->bytes += more > 0 ? graph_size(&h.g, n) : 0;
      row->overexplained += reach_overexplained(&h.g, n);
      if (more > row->most) row->most = more, row->example = n;
    }
    size_t count, expected = 0;
    CHECK(audit_types(&h.g, &rows, &count));
    for (uint32_t t = 0; t < 4; t++) {
      const audit_row *row = row_of(rows, count, t);
      bool speaks = want[t].references + want[t].overexplained > 0;
      expected += speaks;
      CHECK_EQ(row != NULL, speaks);
      if (!row) continue;
      CHECK_EQ(row->objects, want[t].objects);
      CHECK_EQ(row->references, want[t].references);
      CHECK_EQ(row->bytes, want[t].bytes);
      CHECK_EQ(row->overexplained, want[t].overexplained);
      CHECK_EQ(h.g.type[row->example], t);
      CHECK_EQ(row->most, want[t].most);
      if (row->most > 0) CHECK_EQ(row->example, want[t].example);
    }
    CHECK_EQ(count, expected);
    for (size_t i = 1; i < count; i++) CHECK_LE(rows[i].references, rows[i - 1].references);
    free(rows);
    small_close(&h);
  }
}
