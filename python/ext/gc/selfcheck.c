/* SPDX-License-Identifier: MIT */
#include "selfcheck.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/addrmap.h"
#include "shape.h"

/* All members, by number; `of` finds the number. */
typedef struct suspects {
  addrmap of;
  PyObject **object;
  Py_ssize_t *counter; /* count less references from members */
  bool *reached;
  size_t n, reached_n;
} suspects;

static void free_all(suspects *s) {
  addrmap_finish(&s->of);
  free(s->object);
  free(s->counter);
  free(s->reached);
}

static size_t length_of(const gclink *list) {
  size_t n = 0;
  for (const gclink *l = gclink_next(list); l != list; l = gclink_next(l)) n++;
  return n;
}

static bool add(suspects *s, PyObject *o) {
  if (!addrmap_reserve(&s->of)) return false;
  addrmap_put(&s->of, o, (uint32_t)s->n);
  s->object[s->n] = o;
  s->counter[s->n++] = Py_REFCNT(o);
  return true;
}

static bool gather(suspects *s, const gclink *list) {
  size_t n = length_of(list);
  s->object = malloc((n + 1) * sizeof *s->object);
  s->counter = malloc((n + 1) * sizeof *s->counter);
  s->reached = calloc(n + 1, sizeof *s->reached);
  if (!s->object || !s->counter || !s->reached) return false;
  for (const gclink *l = gclink_next(list); l != list; l = gclink_next(l))
    if (!add(s, gclink_object(l))) return false;
  return true;
}

static int visit_count(PyObject *o, void *arg) {
  suspects *s = arg;
  uint32_t i = addrmap_get(&s->of, o);
  if (i != ADDRMAP_NONE) s->counter[i]--;
  return 0;
}

/* The counters are used up by now: their place is a list of the reached members' numbers. */
static void reach(suspects *s, uint32_t i) {
  if (s->reached[i]) return;
  s->reached[i] = true;
  s->counter[s->reached_n++] = (Py_ssize_t)i;
}

static int visit_reach(PyObject *o, void *arg) {
  suspects *s = arg;
  uint32_t i = addrmap_get(&s->of, o);
  if (i != ADDRMAP_NONE) reach(s, i);
  return 0;
}

static void traverse(PyObject *o, visitproc visit, void *arg) {
  if (Py_TYPE(o)->tp_traverse) Py_TYPE(o)->tp_traverse(o, visit, arg);
}

/* Members that are held from outside, and all they reach. */
static void find_reached(suspects *s) {
  for (size_t i = 0; i < s->n; i++) traverse(s->object[i], visit_count, s);
  size_t held = 0;
  for (size_t i = 0; i < s->n; i++)
    if (s->counter[i] > 0) s->reached[i] = true;
  for (size_t i = 0; i < s->n; i++)
    if (s->reached[i]) s->counter[held++] = (Py_ssize_t)i;
  s->reached_n = held;
  for (size_t at = 0; at < s->reached_n; at++) traverse(s->object[s->counter[at]], visit_reach, s);
}

/* Finalizers may save others, and CPython counts weak references that die with their callbacks. */
static bool is_special(PyObject *o) {
  return Py_TYPE(o)->tp_finalize || Py_TYPE(o)->tp_del || shape_first_weak(o);
}

selfcheck selfcheck_expect(const gclink *members) {
  suspects s = {.n = 0};
  selfcheck expected = {.known = gather(&s, members)};
  if (expected.known) {
    find_reached(&s);
    expected.garbage = s.n - s.reached_n;
    for (size_t i = 0; i < s.n; i++) expected.special |= is_special(s.object[i]);
  }
  free_all(&s);
  return expected;
}

void selfcheck_compare(const selfcheck *expected, size_t found) {
  if (!expected->known || expected->special || found == expected->garbage) return;
  if (!COMPAT_COUNTS_ALL && found < expected->garbage) return;
  fprintf(stderr, "ouro: self-check: CPython found %zu unreachable in a batch, expected %zu\n",
          found, expected->garbage);
  abort();
}
