/* SPDX-License-Identifier: MIT */
#include "known.h"

#define FRAMES_PROVED 16
#define FRAMES_BETWEEN 8

snapknown snapknown_all;
const void *snapcompat_general_lookup;

/* --- The collector's lists -------------------------------------------------------------------- */

static bool plausible(uintptr_t link) { return link % 4 == 0 && link >> 12 && link >> 48 == 0; }

static bool sound_head(const gclink *head) {
  return plausible(head->next) && plausible(head->previous) &&
         gclink_previous(gclink_next(head)) == head && gclink_next(gclink_previous(head)) == head;
}

/* A new object is the last of generation 0, so that its next link is the head. The other heads lie
 * behind that. */
static bool find_generations(snapknown *k) {
  PyObject *list = PyList_New(0);
  gclink *head = list ? gclink_next(gclink_of(list)) : NULL;
  bool sound = head && sound_head(head) && gclink_previous(head) == gclink_of(list);
  gcgeneration *first = (gcgeneration *)(void *)head;
  for (int g = 0; sound && g < 3; g++) {
    k->generation[g] = &first[g];
    sound = sound_head(&first[g].head);
  }
  Py_XDECREF(list);
  return sound;
}

static bool find_permanent(snapknown *k) {
  char *start = (char *)(k->generation[2] + 1);
  for (char *at = start; at < start + 64; at += 4) {
    gclink *head = (gclink *)(void *)at;
    if (!sound_head(head)) continue;
    k->permanent = head;
    return true;
  }
  return false;
}

/* --- What the module gc says ------------------------------------------------------------------ */

static uint64_t number_in(PyObject *dict, const char *key) {
  PyObject *number = PyDict_GetItemString(dict, key);
  long long value = number && PyLong_CheckExact(number) ? PyLong_AsLongLong(number) : 0;
  return value > 0 ? (uint64_t)value : 0;
}

static void read_statistics(snapknown *k, PyObject *gc) {
  PyObject *dict = PyModule_GetDict(gc),
           *get = dict ? PyDict_GetItemString(dict, "get_stats") : NULL;
  PyObject *list = get && PyCFunction_Check(get) ? PyObject_CallNoArgs(get) : NULL;
  k->uncollectable = 0;
  for (Py_ssize_t g = 0; list && PyList_CheckExact(list) && g < 3 && g < PyList_GET_SIZE(list);
       g++) {
    PyObject *row = PyList_GET_ITEM(list, g);
    if (!PyDict_CheckExact(row)) continue;
    k->collections[g] = number_in(row, "collections");
    k->collected[g] = number_in(row, "collected");
    k->uncollectable += number_in(row, "uncollectable");
  }
  Py_XDECREF(list);
}

static void read_collector(snapknown *k) {
  PyObject *gc = PyImport_ImportModule("gc");
  k->garbage = NULL;
  if (gc && PyModule_Check(gc)) {
    k->garbage = PyDict_GetItemString(PyModule_GetDict(gc), "garbage");
    read_statistics(k, gc);
  }
  Py_XDECREF(gc); /* sys.modules has it */
}

/* --- Frames ----------------------------------------------------------------------------------- */

static const frames_frame *find_frame(const frames_frame *frame, PyFrameObject *shown) {
  for (int i = 0; frame && i < FRAMES_BETWEEN; i++, frame = frames_previous(frame))
    if (frames_same(frame, shown)) return frame;
  return NULL;
}

/* Whether this thread's frames are those that the interpreter shows. */
static bool compare_frames(PyThreadState *state, PyFrameObject *shown) {
  const frames_frame *frame = frames_newest(state);
  for (int i = 0; shown && i < FRAMES_PROVED; i++) {
    frame = find_frame(frame, shown);
    PyFrameObject *older = frame ? PyFrame_GetBack(shown) : NULL;
    Py_DECREF(shown);
    shown = older;
    if (!frame) return false;
    frame = frames_previous(frame);
  }
  Py_XDECREF(shown);
  return true;
}

static void prove_frames(snapknown *k) {
  if (k->frames != SNAPKNOWN_NOT_YET) return;
  PyThreadState *state = PyThreadState_Get();
  PyFrameObject *shown = frames_as_published() ? PyThreadState_GetFrame(state) : NULL;
  if (!frames_as_published()) k->frames = SNAPKNOWN_NO;
  else if (shown) k->frames = compare_frames(state, shown) ? SNAPKNOWN_YES : SNAPKNOWN_NO;
}

/* --- Modules ---------------------------------------------------------------------------------- */

static bool prove_modules(void) {
  PyObject *module = PyModule_New("ouro.probe"), *dict = module ? PyModule_GetDict(module) : NULL;
  PyObject *name = dict ? PyDict_GetItemString(dict, "__name__") : NULL;
  const snapmodule *laid_out = (const snapmodule *)(const void *)module;
  bool size = PyModule_Type.tp_basicsize >= (Py_ssize_t)sizeof(snapmodule);
  bool same = name && size && laid_out->dict == dict && laid_out->name == name;
  Py_XDECREF(module);
  return same;
}

/* --- Room for the writer ---------------------------------------------------------------------- */

/* A bound method and an int that is not one of the small ones. The program does not find it. */
static PyObject *new_spare(void) {
  PyObject *number = PyLong_FromLongLong(1LL << 40);
  PyObject *method = number ? PyObject_GetAttrString(number, "__sizeof__") : NULL;
  if (method && PyObject_IS_GC(method)) PyObject_GC_UnTrack(method);
  Py_XDECREF(number);
  return method;
}

void snapknown_make_room(void) { Py_CLEAR(snapknown_all.spare); }

/* --- All together ----------------------------------------------------------------------------- */

void snapknown_find(void) {
  snapknown *k = &snapknown_all;
  k->enabled = PyGC_Disable();
  k->lists = SNAPCOMPAT_LISTS_KNOWN && find_generations(k) && find_permanent(k);
  read_collector(k);
  prove_frames(k);
  if (!k->modules) k->modules = prove_modules();
  if (!k->interned) k->interned = PyUnicode_InternFromString("(interned by ouro's snapshots)");
  if (!k->spare) k->spare = new_spare();
  snapcompat_prepare();
  PyErr_Clear();
  if (k->enabled) PyGC_Enable();
}
