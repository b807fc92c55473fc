/* SPDX-License-Identifier: MIT */
#include "dump.h"

#include <errno.h>

#include "../hook.h"
#include "facts.h"
#include "known.h"
#include "os/os.h"
#include "roots.h"
#include "stray.h"

void snapdump_prepare(void) { snapknown_find(); }

/* --- What the collector tracks ---------------------------------------------------------------- */

static const gclink *list_head(int generation) {
  return generation < 3 ? &snapknown_all.generation[generation]->head : snapknown_all.permanent;
}

static void know_list(snapwalk *w, const gclink *head) {
  for (const gclink *l = gclink_next(head); l != head; l = gclink_next(l))
    snapwalk_know(w, gclink_object(l));
}

/* Where memory for an object's size is refused after all (see objsize.h), an exception comes and
 * goes that nobody knows: it was never the next. */
static void write_list(snapwalk *w, const gclink *head, uint32_t generation) {
  const gclink *next;
  for (const gclink *l = gclink_next(head); l && l != head && !w->pages.failed; l = next) {
    next = gclink_next(l);
    PyObject *o = gclink_object(l);
    if (snapset_has(&w->seen, o)) snapwalk_tracked(w, o, generation);
  }
}

/* Where the lists are not known, what is tracked is remembered one by one. */
static int remember_tracked(PyObject *o, void *arg) {
  snapwalk *w = arg;
  snapwalk_reach(w, o);
  return !w->pages.failed;
}

static void write_all(snapwalk *w, const snapdump_options *options) {
  w->complete = snapknown_all.lists;
  for (int g = 0; w->complete && g < 4; g++) know_list(w, list_head(g));
  snapfacts_write(w, options);
  snaproots_write(w);
  if (!w->complete) snapcompat_visit_tracked(remember_tracked, w);
  snapwalk_drain(w);
  for (int g = 0; w->complete && g < 4; g++) write_list(w, list_head(g), (uint32_t)g);
  snapstray_write(w);
  snapwalk_last(w);
}

/* --- Begin and end ---------------------------------------------------------------------------- */

int snapdump_write(ouro_heap *heap, int descriptor, const snapdump_options *options) {
  size_t size = os_whole_pages(writer_size());
  void *memory = os_map(size);
  if (!memory) return ENOMEM;
  writer *out = writer_begin(memory, descriptor);
  snapwalk walk = {.redact = options->tells == SNAPTELLS_NAMES,
                   .values = options->tells == SNAPTELLS_VALUES};
  walk.salt = walk.redact ? (uint32_t)os_random() : 0;
  int collecting = PyGC_Disable();
  snapknown_make_room();
  bool begun = snapwalk_begin(&walk, out, heap);
  if (begun) write_all(&walk, options);
  int error = begun && !walk.pages.failed ? writer_end(out) : ENOMEM;
  snapwalk_finish(&walk);
  os_release(memory, size);
  PyErr_Clear();
  if (collecting) PyGC_Enable();
  return error;
}

int snapdump_tells(PyObject *number, void *tells) {
  long value = PyLong_AsLong(number);
  if (value == -1 && PyErr_Occurred()) return 0;
  *(snaptells *)tells = (snaptells)value;
  if (value >= 0 && value < SNAPTELLS_KINDS) return 1;
  PyErr_SetString(PyExc_ValueError, "a snapshot tells keys (0), names (1) or values (2)");
  return 0;
}

PyObject *snapdump_py(PyObject *module, PyObject *args) {
  int descriptor;
  snaptells tells = SNAPTELLS_KEYS;
  (void)module;
  if (!PyArg_ParseTuple(args, "i|O&:_snapshot_in_place", &descriptor, snapdump_tells, &tells))
    return NULL;
  snapdump_prepare();
  snapdump_options options = {.tells = tells, .mode = "in place"};
  errno = snapdump_write(hook_installed() ? hook_heap() : NULL, descriptor, &options);
  return errno ? PyErr_SetFromErrno(PyExc_OSError) : Py_NewRef(Py_None);
}
