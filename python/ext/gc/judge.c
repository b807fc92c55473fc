/* SPDX-License-Identifier: MIT */
/*
 * Who decides about a batch: CPython, always, but for giants of well-known types, and where all
 * garbage of a gc.collect() is of such types.
 *
 * A component of garbage of a million objects takes CPython a third of a second in one go. Where
 * each member's type is known to have a traverse that visits what it owns and nothing else, and
 * nothing is to happen before the end (no finalizer, no weak reference), the collector's own test
 * is as exact as CPython's, and the rest can be done in slices. Generators and whatever else has
 * frames are not among these types: from 3.14 on their stacks hold references that are not counted.
 *
 * What is done in slices before the test decides nothing: if it is outdated, the test finds out on
 * the one way over the members that it takes.
 *   - Members for CPython to judge, if there are any, are seen, mostly.
 *   - Members become neighbours in their list. If they still are, and all are garbage, the list is
 *     cut at both ends, and nobody can find any of them.
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

/* Whether the member is one for us. *plain: a type that was found to be plain. */
static inline bool is_ours(PyObject *o, const PyTypeObject **plain) {
  const PyTypeObject *t = Py_TYPE(o);
  if (OURO_UNLIKELY(t != *plain)) {
    if (!is_plain(t)) return false;
    *plain = t;
  }
  return !shape_first_weak(o);
}

bool pyheap_sweeps(const pyheap *e, const pygroup *g, uint64_t bits) {
  const PyTypeObject *plain = NULL;
  for (uint64_t rest = bits; rest; rest &= rest - 1)
    if (!is_ours(embed_object(e, g, ouro_lowest_bit(rest)), &plain)) return false;
  return true;
}

/* --- Giants ----------------------------------------------------------------------------------- */

/* The last member of the words before the newest; where none lives, the oldest generation's head:
 * the first member may be in a younger one, if it was untracked for a while. */
static gclink *last_gathered(const pyheap *e, const cycle_set *s) {
  for (uint32_t k = s->used; --k > 0;) {
    const cycle_chunk *chunk = &s->chunks[k];
    uint64_t live = embed_live(e, chunk->word, chunk->members, true);
    pygroup g = embed_group(e, chunk->word);
    if (live) return gclink_of(embed_object(e, &g, bits_highest(live)));
  }
  return &e->layout->generation[2]->head;
}

/* Moves those members behind each other that are not. */
static void line_up(const pyheap *e, const cycle_set *s) {
  const cycle_chunk *chunk = &s->chunks[s->used];
  pygroup g = embed_group(e, chunk->word);
  gclink *last = last_gathered(e, s);
  for (uint64_t rest = embed_live(e, chunk->word, chunk->members, true); rest; rest &= rest - 1) {
    gclink *l = gclink_of(embed_object(e, &g, ouro_lowest_bit(rest)));
    if (gclink_previous(l) != last) {
      gclink_unlink(l);
      gclink_insert_after(last, l);
    }
    last = l;
  }
}

static bool all_ours(const pyheap *e, const cycle_chunk *chunk) {
  pygroup g = embed_group(e, chunk->word);
  return pyheap_sweeps(e, &g, embed_live(e, chunk->word, chunk->members, true));
}

void pyheap_gathered(pyheap *e, const cycle_set *members) {
  if (members->used == 1) e->giant = (pygiant){.foreign = !traverse_of_instances};
  if (e->giant.foreign) return;
  e->giant.foreign = !all_ours(e, &members->chunks[members->used]);
  line_up(e, members);
}

/* The member is no neighbour of the last one, if there was one. */
static void break_off(pygiant *giant, gclink *l) {
  if (giant->first) giant->together = false;
  else giant->first = l;
}

/* Instances of one class often lie side by side. */
static void note_slots(pygiant *giant, PyObject *o) {
  const PyTypeObject *t = Py_TYPE(o);
  if (t == giant->slots.type || t->tp_traverse != traverse_of_instances) return;
  giant->slots = shape_slots_of(o, traverse_of_instances);
}

/* Looks at members of one word and returns those that live. */
static uint64_t look_at(pyheap *e, const pygroup *g, uint64_t members) {
  pygiant *giant = &e->giant;
  const PyTypeObject *plain = NULL;
  gclink *last = giant->last;
  for (uint64_t rest = members; rest && !giant->foreign; rest &= rest - 1) {
    PyObject *o = embed_object(e, g, ouro_lowest_bit(rest));
    if (OURO_UNLIKELY(!pyheap_is_alive(o))) {
      members ^= rest & -rest;
      continue;
    }
    if (OURO_UNLIKELY(!is_ours(o, &plain))) giant->foreign = true;
    if (OURO_UNLIKELY(gclink_previous(gclink_of(o)) != last)) break_off(giant, gclink_of(o));
    last = gclink_of(o);
    shape_prefetch(o);
  }
  giant->last = last;
  return members;
}

bool pyheap_decides(pyheap *e, const pygroup *g, uint64_t word, uint64_t *bits, bool first) {
  pygiant *giant = &e->giant;
  if (first) *giant = (pygiant){.foreign = giant->foreign, .together = true};
  uint64_t live = look_at(e, g, *bits & (g->odd | pyheap_evens(pyheap_known(e, word), 0)));
  if (giant->foreign) return false;
  if (live) note_slots(giant, embed_object(e, g, ouro_lowest_bit(live)));
  giant->members += bits_count(live);
  *bits = live;
  return true;
}

bool pyheap_hide(pyheap *e, size_t n) {
  const pygiant *giant = &e->giant;
  if (!n || n != giant->members || !giant->together) return false;
  gclink *before = gclink_previous(giant->first), *last = gclink_previous(&e->condemned);
  gclink_join(before, gclink_next(giant->last));
  gclink_join(last, giant->first);
  gclink_join(giant->last, &e->condemned);
  return true;
}

void judge_note_condemned(const pyheap *e) {
  gclink *l = gclink_next(&e->condemned);
  for (; l != &e->condemned; l = gclink_next(l)) gcknown_add(gclink_object(l));
}

/* --- CPython judges --------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) void
each_member(const pyheap *e, const cycle_set *s, void (*what)(PyObject *, gclink *), gclink *list) {
  for (uint32_t k = 1; k <= s->used; k++) {
    const cycle_chunk *chunk = &s->chunks[k];
    pygroup g = embed_group(e, chunk->word);
    for (uint64_t rest = chunk->members; rest; rest &= rest - 1)
      what(embed_object(e, &g, ouro_lowest_bit(rest)), list);
  }
}

static inline void move_over(PyObject *o, gclink *list) { gclink_move(gclink_of(o), list); }

static inline void lose(PyObject *o, gclink *list) {
  (void)list;
  gcknown_forget(o);
}

void judge_lose(const pyheap *e, const cycle_set *members) { each_member(e, members, lose, NULL); }

static size_t count_members(const cycle_set *members) {
  size_t count = 0;
  for (uint32_t k = 1; k <= members->used; k++) count += bits_count(members->chunks[k].members);
  return count;
}

/* Keeps what took longest. The type's name is copied while the object lives. */
static void note(pyheap *e, uint64_t took, size_t members, const char *type) {
  if (took <= e->judge_ns) return;
  e->judge_ns = took;
  e->judge_members = members;
  snprintf(e->judge_type, sizeof e->judge_type, "%s", type);
}

size_t pyheap_judge(pyheap *e, const cycle_set *members, size_t *destroyed) {
  gclink list;
  uint64_t began = os_clock_ns();
  size_t count = count_members(members);
  char type[64] = "";
  gclist_init(&list);
  each_member(e, members, move_over, &list);
  if (!gclist_empty(&list))
    snprintf(type, sizeof type, "%s", Py_TYPE(gclink_object(gclink_next(&list)))->tp_name);
  selfcheck expected = {.known = false};
  if (OURO_CHECK_LEVEL >= 2) expected = selfcheck_expect(&list);
  *destroyed = gcstock_judge(e->layout, &list, &e->uncollectable);
  selfcheck_compare(&expected, *destroyed);
  note(e, os_clock_ns() - began, count, type);
  return *destroyed;
}
