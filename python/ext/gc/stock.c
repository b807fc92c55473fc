/* SPDX-License-Identifier: MIT */
#include "stock.h"

#include <stdlib.h>

#include "os/os.h"

/* What a nested collection changes and nobody is to see. There is one at a time; not on the stack,
 * as a fork in another thread leaves the child without this one's. */
static struct {
  bool in_use;
  uintptr_t thread;
  gclink young[2];
  int count[3];
  int collecting;
  PyObject *callbacks;
  void *frame;
  Py_ssize_t total, pending;
  void *statistics;
} aside;

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

static void hide(const gclayout *g) {
  aside.in_use = true;
  aside.thread = os_thread_id();
  for (int i = 0; i < 3; i++) aside.count[i] = g->generation[i]->count;
  for (int i = 0; i < 2; i++) {
    gclist_init(&aside.young[i]);
    gclist_append(&aside.young[i], &g->generation[i]->head);
  }
  aside.collecting = *g->collecting;
  aside.callbacks = *g->callbacks;
  aside.frame = g->frame ? *g->frame : NULL;
  aside.total = *g->long_lived_total;
  aside.pending = *g->long_lived_pending;
  aside.statistics = copy_statistics(g);
  *g->callbacks = NULL; /* nobody is called */
  *g->collecting = 0;
}

/* What finalizers made meanwhile is young: it stays behind what was hidden. */
static void show(const gclayout *g) {
  aside.in_use = false;
  for (int i = 0; i < 2; i++) gclist_prepend(&g->generation[i]->head, &aside.young[i]);
  for (int i = 0; i < 3; i++) g->generation[i]->count = aside.count[i];
  *g->collecting = aside.collecting;
  *g->callbacks = aside.callbacks;
  if (g->frame) *g->frame = aside.frame;
  *g->long_lived_total = aside.total;
  *g->long_lived_pending = aside.pending;
  restore_statistics(g, aside.statistics);
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
  Py_ssize_t before = uncollectable_so_far(g);
  hide(g);
  gclist_append(&g->generation[0]->head, members);
  size_t found = collect(g, 0);
  *uncollectable += (uint64_t)(uncollectable_so_far(g) - before);
  gclist_prepend(&g->generation[2]->head, &g->generation[1]->head);
  show(g);
  return found;
}

void gcstock_clear_free_lists(const gclayout *g) {
  gclink old;
  gclist_init(&old);
  gclist_append(&old, &g->generation[2]->head);
  hide(g);
  collect(g, 2);
  show(g);
  gclist_prepend(&g->generation[2]->head, &old);
}

bool gcstock_after_fork(const gclayout *g) {
  if (!aside.in_use || aside.thread == os_thread_id()) return false;
  aside.collecting = 0;
  show(g);
  return true;
}

/* CPython collects the oldest generation when what was promoted is a quarter of the total. */
void gcstock_hold_back(const gclayout *g, size_t objects) {
  *g->long_lived_total = (Py_ssize_t)objects + 1000;
  *g->long_lived_pending = 0;
}
