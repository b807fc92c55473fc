/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "layout.h"
#include "probe.h"

/* Each step returns NULL, or what it did not find as expected. */
typedef struct finder {
  const char *version;
  gclayout at;
  gcpublic public;
  gcwindow window;
  PyObject *thresholds, *debug; /* tuples: the program's */
} finder;

/* No program's, and so high that no collection starts while they hold. */
static const int magic[2][3] = {{2147480009, 2147470013, 2147460017},
                                {2147450021, 2147440033, 2147430041}};

/* --- Which CPython ---------------------------------------------------------------------------- */

/* 3.14.0 to 3.14.4 have an incremental collector, whose generations are others. */
static const char *check_version(const char *text) {
  int major = 0, minor = 0, patch = 0;
  sscanf(text, "%d.%d.%d", &major, &minor, &patch);
  if (major != 3 || minor != PY_MINOR_VERSION) return "another version than Ouro was built for";
  return minor == 14 && patch < 5 ? "an incremental collector; update to 3.14.5" : NULL;
}

static const char *find_window(finder *f) {
  f->window = gcwindow_find(PyInterpreterState_Get());
  f->window.start = gclayout_bend("window", f->window.start);
  return f->window.start ? NULL : "what is published for debuggers";
}

/* --- What public calls change ----------------------------------------------------------------- */

static bool set_thresholds(const finder *f, const int values[3]) {
  return gcpublic_call(&f->public, GCPUBLIC_SET_THRESHOLD, values, 3, NULL, 0);
}

static bool get_three(const finder *f, gcpublic_name name, const int expected[3]) {
  int now[3];
  return gcpublic_call(&f->public, name, NULL, 0, now, 3) && !memcmp(now, expected, sizeof now);
}

static bool thresholds_at(const char *place, const int expected[3]) {
  gcgeneration generations[3];
  memcpy(generations, place, sizeof generations);
  for (int g = 0; g < 3; g++)
    if (generations[g].threshold != expected[g]) return false;
  return true;
}

static const char *find_generations(finder *f) {
  char *found = NULL, *end = f->window.start + f->window.size - 3 * sizeof(gcgeneration);
  if (!set_thresholds(f, magic[0])) return "gc.set_threshold";
  for (char *p = f->window.start; p <= end; p += 4) {
    if (!thresholds_at(p, magic[0])) continue;
    if (found) return "thresholds";
    found = p;
  }
  found = found ? gclayout_bend("generations", found) : NULL;
  if (!found || !set_thresholds(f, magic[1]) || !thresholds_at(found, magic[1]))
    return "thresholds";
  if (!get_three(f, GCPUBLIC_GET_THRESHOLD, magic[1])) return "thresholds";
  for (int g = 0; g < 3; g++) f->at.generation[g] = (gcgeneration *)(void *)found + g;
  return NULL;
}

static const char *check_counts(finder *f) {
  static const int counts[3] = {10007, 10009, 10037};
  int before[3];
  for (int g = 0; g < 3; g++) before[g] = f->at.generation[g]->count;
  if (!get_three(f, GCPUBLIC_GET_COUNT, before)) return "counts";
  for (int g = 0; g < 3; g++) f->at.generation[g]->count = counts[g];
  bool same = get_three(f, GCPUBLIC_GET_COUNT, counts);
  for (int g = 0; g < 3; g++) f->at.generation[g]->count = before[g];
  return same ? NULL : "counts";
}

static bool debug_is(const finder *f, const int *place, int value) {
  return gcpublic_call(&f->public, GCPUBLIC_SET_DEBUG, &value, 1, NULL, 0) && *place == value;
}

static bool enabled_follows(const int *place) {
  PyGC_Enable();
  bool follows = *place == 1;
  PyGC_Disable();
  follows = follows && *place == 0;
  PyGC_Enable();
  return follows && *place == 1;
}

/* Two ints in front of the generations. */
static const char *find_switches(finder *f) {
  int *first = (int *)(void *)f->at.generation[0], enabled = PyGC_IsEnabled();
  for (int *p = first - 2; !f->at.debug && p < first; p++)
    if (debug_is(f, p, 1 << 20) && debug_is(f, p, 1 << 21)) f->at.debug = p;
  if (f->at.debug) f->at.debug = gclayout_bend("debug", f->at.debug);
  bool found = f->at.debug && debug_is(f, f->at.debug, 1 << 22);
  gcpublic_set(&f->public, GCPUBLIC_SET_DEBUG, f->debug);
  if (!found) return "debug flags";
  f->at.enabled = gclayout_bend("enabled", f->at.debug - 1);
  bool follows = enabled_follows(f->at.enabled);
  if (!enabled) PyGC_Disable();
  return follows ? NULL : "whether it is enabled";
}

/* --- What is known by identity ---------------------------------------------------------------- */

static const char *find_lists(finder *f) {
  char *end = f->window.start + f->window.size, *start = (char *)(f->at.generation[2] + 1);
  if (end - start > 256) end = start + 256;
  PyObject **first = (PyObject **)(((uintptr_t)start + 7) & ~(uintptr_t)7), **found = NULL;
  for (PyObject **p = first; (char *)(p + 2) <= end; p++)
    if (p[0] == f->public.garbage && p[1] == f->public.callbacks) found = p;
  if (!found) return "gc.garbage and gc.callbacks";
  f->at.garbage = found, f->at.callbacks = found + 1;
  return PyList_CheckExact(*f->at.callbacks) ? NULL : "gc.callbacks";
}

static bool sound_head(const gclink *head) {
  bool plausible = head->next % 4 == 0 && head->previous % 4 == 0 && head->next >> 12 != 0 &&
                   head->previous >> 12 != 0 && head->next >> 48 == 0 && head->previous >> 48 == 0;
  return plausible && gclink_previous(gclink_next(head)) == head &&
         gclink_next(gclink_previous(head)) == head;
}

static bool newest_of(const gclink *head, const gclink *link) {
  return gclink_next(link) == head && gclink_previous(head) == link &&
         gclink_next(gclink_previous(link)) == link && (link->previous & GCLINK_FLAGS) == 0;
}

static bool tracking_works(const gclink *head, PyObject *list) {
  const gclink *link = gclink_of(list);
  bool works = newest_of(head, link);
  PyObject_GC_UnTrack(list);
  works = works && !gclink_tracked(link) && gclink_previous(head) != link;
  PyObject_GC_Track(list);
  return works && newest_of(head, link);
}

/* A new object is the last of generation 0. */
static const char *check_heads(finder *f) {
  const gclink *head = &f->at.generation[0]->head;
  PyObject *list = PyList_New(0);
  bool works = list && tracking_works(head, list);
  Py_XDECREF(list);
  PyErr_Clear();
  for (int g = 0; works && g < 3; g++) works = sound_head(&f->at.generation[g]->head);
  return works ? NULL : "lists";
}

/* --- All together ----------------------------------------------------------------------------- */

static const char *find_by_calls(finder *f) {
  const char *wrong = find_generations(f);
  if (!wrong) wrong = check_counts(f);
  if (!wrong) wrong = find_switches(f);
  if (!wrong) wrong = find_lists(f);
  return wrong ? wrong : check_heads(f);
}

static const char *find_with_thresholds(finder *f, gcprobe *probe) {
  const char *wrong = find_by_calls(f);
  if (!wrong) wrong = gcprobe_run(probe, &f->public, &f->window, &f->at);
  bool restored = gcpublic_set(&f->public, GCPUBLIC_SET_THRESHOLD, f->thresholds);
  return wrong || restored ? wrong : "gc.set_threshold";
}

/* What is the program's, to be put back, and the objects for the experiments. */
static const char *prepare(finder *f, gcprobe *probe) {
  const char *wrong = gcpublic_open(&f->public);
  if (wrong) return wrong;
  PyObject *collect = f->public.function[GCPUBLIC_COLLECT];
  f->at.collect = (PyCFunctionObject *)collect;
  f->at.collect_stock =
      (_PyCFunctionFastWithKeywords)(void (*)(void))PyCFunction_GetFunction(collect);
  if (!gcprobe_open(probe)) return "no memory";
  f->thresholds = gcpublic_get(&f->public, GCPUBLIC_GET_THRESHOLD);
  f->debug = gcpublic_get(&f->public, GCPUBLIC_GET_DEBUG);
  return f->thresholds && f->debug ? NULL : "no memory";
}

static const char *find(finder *f) {
  gcprobe probe = {0};
  const char *wrong = check_version(f->version);
  if (!wrong) wrong = prepare(f, &probe);
  if (!wrong) wrong = find_window(f);
  if (!wrong) wrong = find_with_thresholds(f, &probe);
  gcprobe_close(&probe);
  return wrong;
}

bool gclayout_find(gclayout *out, char why[GCLAYOUT_WHY]) {
  finder f = {.version = gclayout_bend("version", (void *)(uintptr_t)Py_GetVersion())};
  const char *wrong = find(&f);
  if (wrong) {
    snprintf(why, GCLAYOUT_WHY,
             "CPython %.*s's collector is not laid out as expected (%s): its own stays at work",
             (int)strcspn(f.version, " "), f.version, wrong);
  } else {
    *out = f.at;
  }
  Py_XDECREF(f.thresholds);
  Py_XDECREF(f.debug);
  gcpublic_close(&f.public);
  return !wrong;
}

gcstats gclayout_stats(const gclayout *layout, int generation) {
  return gcstats_of(layout->statistics, generation);
}

/* --- For tests -------------------------------------------------------------------------------- */

static bool describe(PyObject *out, const gclayout *at) {
  const char *base = (const char *)PyInterpreterState_Get();
  const struct {
    const char *name;
    const void *place;
  } rows[] = {{"generations", at->generation[0]},
              {"permanent", at->permanent},
              {"enabled", at->enabled},
              {"debug", at->debug},
              {"collecting", at->collecting},
              {"garbage", at->garbage},
              {"callbacks", at->callbacks},
              {"long_lived_total", at->long_lived_total},
              {"long_lived_pending", at->long_lived_pending},
              {"statistics", at->statistics},
              {"frame", at->frame}};
  bool done = true;
  for (size_t i = 0; done && i < sizeof rows / sizeof *rows; i++) {
    PyObject *offset =
        rows[i].place ? PyLong_FromSsize_t((const char *)rows[i].place - base) : Py_NewRef(Py_None);
    done = offset && PyDict_SetItemString(out, rows[i].name, offset) == 0;
    Py_XDECREF(offset);
  }
  return done;
}

PyObject *gclayout_describe(void) {
  gclayout at;
  char why[GCLAYOUT_WHY];
  PyObject *out = PyDict_New();
  if (out == NULL) return NULL;
  bool found = gclayout_find(&at, why);
  PyObject *text = found ? Py_NewRef(Py_None) : PyUnicode_FromString(why);
  bool done = text && PyDict_SetItemString(out, "why", text) == 0 && (!found || describe(out, &at));
  Py_XDECREF(text);
  if (!done) Py_CLEAR(out);
  return out;
}
