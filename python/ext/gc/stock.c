/* SPDX-License-Identifier: MIT */
#include "stock.h"

#include <stdlib.h>

/* What one nested collection changes and nobody is to see. */
typedef struct hidden {
  gclink young[2];
  int count[3];
  int collecting;
  PyObject *callbacks;
  void *frame;
  Py_ssize_t total, pending;
  void *statistics;
} hidden;

/* Without memory the statistics show the batch; nothing else depends on it. */
static void *copy_statistics(const gclayout *g) {
  void *copy = malloc(g->statistics_size);
  if (copy) memcpy(copy, g->statistics, g->statistics_size);
  return copy;
}

static void restore_statistics(const gclayout *g, void *copy) {
  if (copy) memcpy(g->statistics, copy, g->statistics_size);
  free(copy);
}

static void hide(const gclayout *g, hidden *h) {
  for (int i = 0; i < 3; i++) h->count[i] = g->generation[i]->count;
  for (int i = 0; i < 2; i++) {
    gclist_init(&h->young[i]);
    gclist_append(&h->young[i], &g->generation[i]->head);
  }
  h->collecting = *g->collecting;
  h->callbacks = *g->callbacks;
  h->frame = g->frame ? *g->frame : NULL;
  h->total = *g->long_lived_total;
  h->pending = *g->long_lived_pending;
  h->statistics = copy_statistics(g);
  *g->callbacks = NULL; /* nobody is called */
  *g->collecting = 0;
}

/* What finalizers made meanwhile is young: it stays behind what was hidden. */
static void show(const gclayout *g, hidden *h) {
  for (int i = 0; i < 2; i++) gclist_prepend(&g->generation[i]->head, &h->young[i]);
  for (int i = 0; i < 3; i++) g->generation[i]->count = h->count[i];
  *g->collecting = h->collecting;
  *g->callbacks = h->callbacks;
  if (g->frame) *g->frame = h->frame;
  *g->long_lived_total = h->total;
  *g->long_lived_pending = h->pending;
  restore_statistics(g, h->statistics);
}

/* Stock's gc.collect(generation). It cannot fail but for memory, which costs this collection. */
static size_t collect(const gclayout *g, int generation) {
  PyObject *number = PyLong_FromLong(generation), *const arguments[] = {number};
  PyObject *self = PyCFunction_GET_SELF((PyObject *)g->collect);
  PyObject *result = number ? g->collect_stock(self, arguments, 1, NULL) : NULL;
  Py_ssize_t found = result ? PyLong_AsSsize_t(result) : 0;
  if (!result || found < 0) PyErr_Clear();
  Py_XDECREF(result);
  Py_XDECREF(number);
  return found > 0 ? (size_t)found : 0;
}

static Py_ssize_t uncollectable_so_far(const gclayout *g) {
  gcstats young = gclayout_stats(g, 0);
  return young.uncollectable ? *young.uncollectable : 0;
}

size_t gcstock_judge(const gclayout *g, gclink *members, uint64_t *uncollectable) {
  hidden h;
  Py_ssize_t before = uncollectable_so_far(g);
  hide(g, &h);
  gclist_append(&g->generation[0]->head, members);
  size_t found = collect(g, 0);
  *uncollectable += (uint64_t)(uncollectable_so_far(g) - before);
  gclist_prepend(&g->generation[2]->head, &g->generation[1]->head);
  show(g, &h);
  return found;
}

size_t gcstock_full(const gclayout *g) { return collect(g, 2); }

void gcstock_clear_free_lists(const gclayout *g) {
  gclink old;
  hidden h;
  gclist_init(&old);
  gclist_append(&old, &g->generation[2]->head);
  hide(g, &h);
  collect(g, 2);
  show(g, &h);
  gclist_prepend(&g->generation[2]->head, &old);
}

/* CPython collects the oldest generation only when a quarter of this has been promoted since. */
void gcstock_hold_back(const gclayout *g) { *g->long_lived_total = PY_SSIZE_T_MAX; }

void gcstock_let_go(const gclayout *g, size_t objects) {
  *g->long_lived_total = (Py_ssize_t)objects;
}
