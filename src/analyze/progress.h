/* SPDX-License-Identifier: MIT */
/* Telling how far the analysis is, not too often. */
#ifndef OURO_SRC_ANALYZE_PROGRESS_H
#define OURO_SRC_ANALYZE_PROGRESS_H

#include "../os/os.h"
#include "graph.h"

#define PROGRESS_EVERY_NS 50000000u

typedef struct progress {
  const graph_progress *to; /* NULL: nobody asks */
  const char *what;
  uint64_t told_ns;
} progress;

static inline void progress_begin(progress *p, const graph_progress *to, const char *what) {
  *p = (progress){.to = to && to->show ? to : NULL, .what = what, .told_ns = os_clock_coarse_ns()};
}

/* `done` of `all`. */
static inline void progress_tell(progress *p, uint64_t done, uint64_t all) {
  if (!p->to) return;
  uint64_t now = os_clock_coarse_ns();
  if (now - p->told_ns < PROGRESS_EVERY_NS) return;
  p->told_ns = now;
  p->to->show(p->to->to, p->what, all ? (double)done / (double)all : 1);
}

#endif
