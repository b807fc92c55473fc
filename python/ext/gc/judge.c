/* SPDX-License-Identifier: MIT */
/*
 * Who decides about a batch: CPython, always, but for giants of well-known types.
 *
 * A component of garbage of a million objects takes CPython a third of a second in one go. Where
 * each member's type is known to have a traverse that visits what it owns and nothing else, and
 * nothing is to happen before the end (no finalizer, no weak reference), the collector's own test
 * is as exact as CPython's, and the rest can be done in slices. Generators and whatever else has
 * frames are not among these types: from 3.14 on their stacks hold references that are not counted.
 */
#include "embed.h"
#include "selfcheck.h"

#include <stdio.h>

static traverseproc traverse_of_instances; /* of classes made by `class`; see judge_start */

static bool traverses_well(const PyTypeObject *t) {
  static const PyTypeObject *const known[] = {&PyList_Type,       &PyTuple_Type,     &PyDict_Type,
                                              &PySet_Type,        &PyFrozenSet_Type, &PyCell_Type,
                                              &PyFunction_Type,   &PyMethod_Type,    &PyModule_Type,
                                              &PyBaseObject_Type, &PyCFunction_Type};
  while (t->tp_base && t->tp_traverse == traverse_of_instances) t = t->tp_base;
  if (!t->tp_traverse) return true;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (t->tp_traverse == known[i]->tp_traverse) return true;
  return false;
}

static bool is_plain(const PyTypeObject *t) {
  return !t->tp_finalize && !t->tp_del && traverses_well(t);
}

void judge_start(void) {
  PyObject *made = PyObject_CallFunction((PyObject *)&PyType_Type, "s(){}", "plain");
  traverse_of_instances = made ? ((PyTypeObject *)made)->tp_traverse : NULL;
  Py_XDECREF(made);
  PyErr_Clear();
}

/* What is found out about the members of a batch on the way. */
typedef struct bench {
  const pyheap *e;
  const PyTypeObject *last; /* found to be plain */
  bool plain;
  gclink list;
} bench;

static inline void look_at(bench *b, PyObject *o) {
  const PyTypeObject *t = Py_TYPE(o);
  if (t != b->last && !is_plain(t)) b->plain = false;
  else b->last = t;
  if (shape_first_weak(o)) b->plain = false;
}

static inline void move_over(bench *b, PyObject *o) { gclink_move(gclink_of(o), &b->list); }

static inline __attribute__((always_inline)) void each_member(bench *b, const cycle_set *members,
                                                              void (*what)(bench *, PyObject *)) {
  for (uint32_t k = 1; k <= members->used; k++) {
    const cycle_chunk *chunk = &members->chunks[k];
    pygroup g = embed_group(b->e, chunk->word);
    for (uint64_t rest = chunk->members; rest; rest &= rest - 1)
      what(b, embed_object(b->e, &g, ouro_lowest_bit(rest)));
  }
}

static inline void lose(bench *b, PyObject *o) {
  (void)b;
  gcknown_forget(o);
}

void judge_lose(const pyheap *e, const cycle_set *members) {
  bench b = {.e = e};
  each_member(&b, members, lose);
}

static size_t count_members(const cycle_set *members) {
  size_t count = 0;
  for (uint32_t k = 1; k <= members->used; k++) count += bits_count(members->chunks[k].members);
  return count;
}

/* Whether the collector itself may test and destroy them. */
static bool may_decide(bench *b, const cycle_set *members) {
  if (!traverse_of_instances || count_members(members) <= TUNE_CYCLE_BATCH) return false;
  b->plain = true;
  each_member(b, members, look_at);
  return b->plain;
}

/* Keeps what took longest. The type's name is copied while the object lives. */
static void note(pyheap *e, uint64_t took, size_t members, const char *type) {
  if (took <= e->judge_ns) return;
  e->judge_ns = took;
  e->judge_members = members;
  snprintf(e->judge_type, sizeof e->judge_type, "%s", type);
}

size_t pyheap_judge(pyheap *e, const cycle_set *members, size_t *destroyed) {
  bench b = {.e = e};
  if (may_decide(&b, members)) return CYCLE_NOT_JUDGED;
  uint64_t began = os_clock_ns();
  size_t count = count_members(members);
  char type[64] = "";
  gclist_init(&b.list);
  each_member(&b, members, move_over);
  if (!gclist_empty(&b.list))
    snprintf(type, sizeof type, "%s", Py_TYPE(gclink_object(gclink_next(&b.list)))->tp_name);
  selfcheck expected = {.known = false};
  if (OURO_CHECK_LEVEL >= 2) expected = selfcheck_expect(&b.list);
  *destroyed = gcstock_judge(e->layout, &b.list, &e->uncollectable);
  selfcheck_compare(&expected, *destroyed);
  note(e, os_clock_ns() - began, count, type);
  return *destroyed;
}
