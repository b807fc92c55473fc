/* SPDX-License-Identifier: MIT */
/*
 * Diff and verdict with the n-th request for memory refused, for every n, and with all refused from
 * the n-th on: an answer or "out of memory", nothing is lost, and the next question is answered as
 * ever.
 */
#include "test.h"

#include "refusing.h"

#include "verdicts.h"

static uint64_t requests, refused; /* counted from 1; 0: none is refused */
static bool all_from_there;

static bool refuses(void) {
  requests++;
  return refused && (all_from_there ? requests >= refused : requests == refused);
}

/* Something of every kind, so that every part has work. */
static void draw_all(program *p, int n) {
  draw_global(p, n);
  draw_tracebacks(p, n / 4);
  draw_forgotten(p, n / 2);
  draw_list_in_c(p, n / 4);
  draw_cycles(p, n / 2);
  draw_given_up(p, n / 4);
  draw_chain_of_links(p, n);
}

static bool ask_all(moments *m) {
  diff_row *rows;
  size_t count;
  const reach *first = &m->at[0].h.r, *last = &m->at[m->count - 1].h.r;
  bool good = diff_types(first->of, last->of, &rows, &count);
  if (good) free(rows);
  if (!good || !diff_holders(first, last, &rows, &count)) return false;
  free(rows);
  good = moments_judge(m);
  CHECK(!good || m->v.count >= 1);
  CHECK(good || m->v.findings == NULL);
  verdict_finish(&m->v);
  return good;
}

static void refuse_each(size_t count, bool all) {
  static const int growing[] = {400, 800, 1200};
  moments m;
  moments_draw(&m, draw_all, growing, count, NULL);
  uint64_t failures = 0;
  for (uint64_t n = 1;; n++) {
    requests = 0;
    refused = n;
    all_from_there = all;
    bool good = ask_all(&m);
    refused = 0;
    failures += !good;
    if (requests < n) break;
  }
  CHECK(failures > 20);
  CHECK(ask_all(&m));
  CHECK(moments_judge(&m));
  CHECK(m.v.count >= 3);
  moments_close(&m);
}

TEST(each_request_may_be_refused) { refuse_each(3, false); }

TEST(each_request_about_one_snapshot_may_be_refused) { refuse_each(1, false); }

TEST(all_requests_from_the_nth_on_may_be_refused) { refuse_each(2, true); }
