/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <frameobject.h>

/* --- The public calls ------------------------------------------------------------------------- */

static bool in_python_itself(PyObject *function) {
  Dl_info python, other;
  const void *code = (const void *)(uintptr_t)PyCFunction_GetFunction(function);
  return dladdr((const void *)(uintptr_t)PyGC_Collect, &python) && dladdr(code, &other) &&
         python.dli_fbase == other.dli_fbase;
}

static const char *open_functions(gcpublic *public, PyObject *module) {
  static const char *const names[GCPUBLIC_COUNT] = {
      "gc.collect",   "gc.freeze",        "gc.get_count", "gc.get_debug",
      "gc.get_stats", "gc.get_threshold", "gc.set_debug", "gc.set_threshold"};
  for (int i = 0; i < GCPUBLIC_COUNT; i++) {
    PyObject *f = public->function[i] = PyObject_GetAttrString(module, names[i] + 3);
    if (f == NULL || !PyCFunction_CheckExact(f) || !in_python_itself(f)) return names[i];
  }
  int flags = PyCFunction_GetFlags(public->function[GCPUBLIC_COLLECT]);
  return flags == (METH_FASTCALL | METH_KEYWORDS) ? NULL : names[GCPUBLIC_COLLECT];
}

const char *gcpublic_open(gcpublic *public) {
  *public = (gcpublic){0};
  PyObject *module = PyImport_ImportModule("gc");
  const char *wrong = module ? open_functions(public, module) : "module gc";
  if (!wrong) {
    public->garbage = PyObject_GetAttrString(module, "garbage");
    public->callbacks = PyObject_GetAttrString(module, "callbacks");
    if (!public->garbage || !public->callbacks) wrong = "gc.callbacks";
  }
  Py_XDECREF(module);
  PyErr_Clear();
  return wrong;
}

void gcpublic_close(gcpublic *public) {
  for (int i = 0; i < GCPUBLIC_COUNT; i++) Py_CLEAR(public->function[i]);
  Py_CLEAR(public->garbage);
  Py_CLEAR(public->callbacks);
}

static bool number_of(PyObject *object, int *out) {
  long value = object ? PyLong_AsLong(object) : -1;
  *out = (int)value;
  return object != NULL && value == *out && !PyErr_Occurred();
}

static bool numbers_of(PyObject *result, int *out, int count) {
  if (count == 0) return true;
  if (count == 1) return number_of(result, out);
  bool fits = PyTuple_Check(result) && PyTuple_Size(result) == count;
  for (int i = 0; fits && i < count; i++) fits = number_of(PyTuple_GetItem(result, i), &out[i]);
  return fits;
}

PyObject *gcpublic_get(const gcpublic *public, gcpublic_name name) {
  PyObject *result = PyObject_CallObject(public->function[name], NULL);
  PyObject *tuple = result && !PyTuple_Check(result) ? PyTuple_Pack(1, result) : Py_XNewRef(result);
  Py_XDECREF(result);
  PyErr_Clear();
  return tuple;
}

bool gcpublic_set(const gcpublic *public, gcpublic_name name, PyObject *values) {
  PyObject *result = PyObject_CallObject(public->function[name], values);
  Py_XDECREF(result);
  PyErr_Clear();
  return result != NULL;
}

bool gcpublic_call(const gcpublic *public, gcpublic_name name, const int *in, int in_count,
                   int *out, int out_count) {
  PyObject *arguments = PyTuple_New(in_count);
  for (int i = 0; arguments && i < in_count; i++)
    PyTuple_SetItem(arguments, i, PyLong_FromLong(in[i]));
  PyObject *result = arguments && !PyErr_Occurred()
                         ? PyObject_CallObject(public->function[name], arguments)
                         : NULL;
  bool done = result && numbers_of(result, out, out_count);
  Py_XDECREF(result);
  Py_XDECREF(arguments);
  PyErr_Clear();
  return done;
}

/* --- Objects that log their end --------------------------------------------------------------- */

enum { LOG_DYING = GCPROBE_LISTS, LOG_LIVING = LOG_DYING + 3, LOG_SIZE = LOG_LIVING + 3 };
enum { LOCAL, STACK, OWNER };

/* Not on a stack: another thread may get hold of an object while Python code runs. */
static struct {
  bool dead[LOG_SIZE];
  const int *watched;
  int seen; /* what was there when the last one died */
} probe_log;

static void log_end(PyObject *capsule) {
  *(bool *)PyCapsule_GetPointer(capsule, NULL) = true;
  if (probe_log.watched) probe_log.seen = *probe_log.watched;
}

static PyObject *new_list(int number) {
  PyObject *list = PyList_New(0), *capsule = PyCapsule_New(&probe_log.dead[number], NULL, log_end);
  if (!list || !capsule || PyList_Append(list, capsule) < 0) Py_CLEAR(list);
  Py_XDECREF(capsule);
  return list;
}

static PyObject *new_ring(int number) {
  PyObject *list = new_list(number);
  if (list && PyList_Append(list, list) < 0) Py_CLEAR(list);
  return list;
}

/* A list that is, at most, held by what it holds. */
static void end_ring(PyObject *list, bool released, bool dead) {
  if (list == NULL || (released && dead)) return;
  if (released) Py_INCREF(list);
  PyList_SetSlice(list, 0, PY_SSIZE_T_MAX, NULL);
  Py_DECREF(list);
}

/* --- Suspended generators --------------------------------------------------------------------- */

/* Borrowed. */
static PyObject *field(PyObject *fields, const char *name) {
  PyObject *key = PyUnicode_FromString(name);
  PyObject *value = key ? PyDict_GetItemWithError(fields, key) : NULL;
  Py_XDECREF(key);
  return value;
}

static PyObject *new_function(PyObject *globals) {
  static const char text[] = "def hold(local, owner, pop): (local, pop(), (yield))";
  PyObject *code = Py_CompileString(text, "<ouro>", Py_file_input);
  PyObject *done = code ? PyEval_EvalCode(code, globals, globals) : NULL;
  Py_XDECREF(code);
  Py_XDECREF(done);
  return done ? field(globals, "hold") : NULL;
}

/* The generator of function(local, owner, [stack].pop), up to its yield. */
static bool suspend(gcprobe_suspended *s, PyObject *function, PyObject *stack) {
  PyObject *pair = PyList_New(0);
  PyObject *pop = pair ? PyObject_GetAttrString(pair, "pop") : NULL;
  bool ready = pop && s->local && s->owner && stack && PyList_Append(pair, stack) == 0;
  s->stack = stack;
  Py_XDECREF(stack); /* the pair's now, then the generator's */
  s->generator =
      ready ? PyObject_CallFunctionObjArgs(function, s->local, s->owner, pop, NULL) : NULL;
  PyObject *value = s->generator ? PyIter_Next(s->generator) : NULL;
  bool suspended = value != NULL && PyList_Size(pair) == 0;
  Py_XDECREF(value);
  Py_XDECREF(pop);
  Py_XDECREF(pair);
  return suspended && PyList_Append(s->owner, s->generator) == 0;
}

static bool new_suspended(gcprobe_suspended *s, PyObject *function, int number) {
  s->local = new_list(number + LOCAL);
  s->owner = new_list(number + OWNER);
  return suspend(s, function, new_list(number + STACK));
}

static bool open_generators(gcprobe *probe) {
  PyObject *globals = PyDict_New();
  PyObject *function = globals ? new_function(globals) : NULL;
  bool done = function && new_suspended(&probe->dying, function, LOG_DYING) &&
              new_suspended(&probe->living, function, LOG_LIVING);
  if (globals) PyDict_Clear(globals); /* the function's own globals: a ring */
  Py_XDECREF(globals);
  return done;
}

static void close_suspended(gcprobe_suspended *s, int number) {
  Py_CLEAR(s->generator);
  Py_CLEAR(s->local);
  end_ring(s->owner, s->released, probe_log.dead[number + OWNER]);
}

bool gcprobe_open(gcprobe *probe) {
  *probe = (gcprobe){0};
  memset(&probe_log, 0, sizeof probe_log);
  gctracing_pause(); /* a debugger may keep frames, and what they hold */
  bool done = open_generators(probe);
  gctracing_resume();
  for (int i = 0; done && i < GCPROBE_LISTS; i++) done = (probe->list[i] = new_ring(i)) != NULL;
  PyErr_Clear();
  return done;
}

void gcprobe_close(gcprobe *probe) {
  for (int i = 0; i < GCPROBE_LISTS; i++)
    end_ring(probe->list[i], probe->released[i], probe_log.dead[i]);
  close_suspended(&probe->dying, LOG_DYING);
  close_suspended(&probe->living, LOG_LIVING);
  PyErr_Clear();
}

/* --- Hiding what is the program's ------------------------------------------------------------- */

typedef struct trial {
  gcprobe *probe;
  const gcpublic *public;
  const gcwindow *window;
  gclayout *at;
  gclink hidden[3];
  int count[3], debug;
  PyObject *callbacks;
  Py_ssize_t total, pending;
  char statistics[GCSTATS_SIZE];
  bool proved; /* the statistics are where they are thought to be */
} trial;

static void hide(trial *t) {
  gclayout *at = t->at;
  for (int g = 0; g < 3; g++) {
    gclist_init(&t->hidden[g]);
    gclist_append(&t->hidden[g], &at->generation[g]->head);
    t->count[g] = at->generation[g]->count;
  }
  t->debug = *at->debug, t->callbacks = *at->callbacks;
  *at->debug = 0, *at->callbacks = NULL;
}

/* What the experiments left comes behind the program's. */
static void unhide(trial *t) {
  gclayout *at = t->at;
  for (int g = 0; g < 3; g++) {
    gclist_prepend(&at->generation[g]->head, &t->hidden[g]);
    at->generation[g]->count = t->count[g];
  }
  *at->debug = t->debug, *at->callbacks = t->callbacks;
}

static void show(trial *t, PyObject *object) {
  gclink_move(gclink_of(object), &t->at->generation[0]->head);
}

/* Shows the collector a list that nobody holds. */
static void show_garbage(trial *t, int i) {
  show(t, t->probe->list[i]);
  t->probe->released[i] = true;
  Py_DECREF(t->probe->list[i]);
}

static void show_held(trial *t, int i) { show(t, t->probe->list[i]); }

/* CPython's own gc.collect(). -1: it failed. */
static Py_ssize_t collect(trial *t, int generation) {
  gclayout *at = t->at;
  PyObject *number = PyLong_FromLong(generation);
  PyObject *self = PyCFunction_GetSelf((PyObject *)at->collect);
  PyObject *result = number ? at->collect_stock(self, &number, 1, NULL) : NULL;
  Py_ssize_t unreachable = result ? PyLong_AsSsize_t(result) : -1;
  Py_XDECREF(result);
  Py_XDECREF(number);
  PyErr_Clear();
  return unreachable;
}

/* Whether a generation's list is these lists in any order, and a list as it must be. */
static bool consists_of(const trial *t, int generation, int first, int count) {
  const gclink *head = &t->at->generation[generation]->head;
  int found = 0;
  for (const gclink *l = gclink_next(head); l != head; l = gclink_next(l)) {
    bool ours = (l->previous & GCLINK_FLAGS) == 0 && gclink_next(gclink_previous(l)) == l;
    int i = first;
    while (i < first + count && t->probe->list[i] != gclink_object(l)) i++;
    if (!ours || i == first + count || probe_log.dead[i]) return false;
    found++;
  }
  return found == count;
}

static int dead_lists(void) {
  int dead = 0;
  for (int i = 0; i < GCPROBE_LISTS; i++) dead += probe_log.dead[i];
  return dead;
}

/* --- What is where ---------------------------------------------------------------------------- */

static void *aligned(const void *address, size_t unit) {
  return (void *)(((uintptr_t)address + unit - 1) & ~(uintptr_t)(unit - 1));
}

static bool published_at(const gcwindow *window, size_t offset, const void *place) {
  return offset == 0 || window->start + offset == (const char *)place;
}

/* Where objects come when the program freezes all it has, which for now is one object. */
static const char *find_permanent(trial *t) {
  gclink *link = gclink_of(t->probe->list[GCPROBE_FROZEN]);
  const char *end = (const char *)(t->at->generation[2] + 1);
  show_held(t, GCPROBE_FROZEN);
  if (!gcpublic_call(t->public, GCPUBLIC_FREEZE, NULL, 0, NULL, 0)) return "freeze";
  gclink *head = gclink_next(link);
  bool fits = (const char *)head >= end && (const char *)head <= end + 16 &&
              gclink_previous(head) == link && gclist_empty(&t->at->generation[0]->head);
  gclink_move(link, &t->hidden[0]);
  if (fits) t->at->permanent = head;
  return fits ? NULL : "the permanent generation";
}

/* The statistics and then `collecting` come after the permanent generation, with all between them
 * published or proved; `garbage` is what is next. */
static const char *find_statistics(trial *t) {
  gclayout *at = t->at;
  char *place = aligned((gcgeneration *)at->permanent + 1, 8);
  void **pointer = (void **)place;
  bool fits = !GCSTATS_APART || t->window->statistics_size == GCSTATS_SIZE;
  if (!fits || !published_at(t->window, t->window->statistics, place)) return "the statistics";
  at->statistics = gclayout_bend("statistics", GCSTATS_APART ? *pointer : place);
  at->statistics_size = GCSTATS_SIZE;
  memcpy(t->statistics, at->statistics, GCSTATS_SIZE);
  place += GCSTATS_APART ? sizeof(void *) : GCSTATS_SIZE;
  at->collecting = gclayout_bend("collecting", place);
  at->frame = t->window->frame ? (void **)at->garbage - 1 : NULL;
  void **next = (void **)aligned(at->collecting + 1, 8) + (at->frame != NULL);
  if (next != (void **)at->garbage || *at->collecting != 0) return "collecting";
  if (!published_at(t->window, t->window->collecting, at->collecting)) return "collecting";
  return published_at(t->window, t->window->frame, at->frame) ? NULL : "the frame";
}

static bool field_is(PyObject *fields, const char *name, const Py_ssize_t *value) {
  if (value == NULL) return true;
  PyObject *number = field(fields, name);
  return number && PyLong_AsSsize_t(number) == *value;
}

static bool duration_is(PyObject *fields, const double *value) {
  if (value == NULL) return true;
  PyObject *number = field(fields, "duration");
  return number && PyFloat_AsDouble(number) == *value;
}

/* Whether the statistics are what gc.get_stats() says. */
static bool statistics_agree(trial *t) {
  PyObject *all = PyObject_CallObject(t->public->function[GCPUBLIC_GET_STATS], NULL);
  bool agree = all && PyList_Check(all) && PyList_Size(all) == 3;
  for (int g = 0; agree && g < 3; g++) {
    PyObject *fields = PyList_GetItem(all, g);
    gcstats stats = gcstats_of(t->at->statistics, g);
    agree = stats.collections && PyDict_Check(fields) &&
            field_is(fields, "collections", stats.collections) &&
            field_is(fields, "collected", stats.collected) &&
            field_is(fields, "uncollectable", stats.uncollectable) &&
            field_is(fields, "candidates", stats.candidates) && duration_is(fields, stats.duration);
  }
  Py_XDECREF(all);
  PyErr_Clear();
  return agree;
}

/* --- The experiments -------------------------------------------------------------------------- */

enum { GARBAGE = GCPROBE_GARBAGE, HELD = GCPROBE_HELD };

/* Of two objects of garbage and two that are held: while it is said to be collecting it does
 * nothing; then it destroys the two, and what it was not shown remains. */
static const char *collect_youngest(trial *t) {
  gclayout *at = t->at;
  int count = at->generation[1]->count;
  for (int i = 0; i < 2; i++) show_garbage(t, GARBAGE + i), show_held(t, HELD + i);
  t->probe->released[GCPROBE_UNSEEN] = true;
  Py_DECREF(t->probe->list[GCPROBE_UNSEEN]);
  *at->collecting = 1;
  Py_ssize_t refused = collect(t, 0);
  *at->collecting = 0;
  if (refused != 0 || dead_lists() != 0) return "collecting";
  probe_log.watched = at->collecting;
  if (collect(t, 0) != 2 || dead_lists() != 2) return "a young collection";
  if (!probe_log.dead[GARBAGE] || !probe_log.dead[GARBAGE + 1]) return "a young collection";
  if (probe_log.seen != 1 || *at->collecting != 0) return "collecting";
  bool counted = at->generation[0]->count == 0 && at->generation[1]->count == count + 1;
  bool placed = gclist_empty(&at->generation[0]->head) && consists_of(t, 1, HELD, 2);
  return counted && placed ? NULL : "a young collection";
}

enum { WORDS = 8 }; /* behind `callbacks`, among which the counters of old objects are */

/* The one word that grew by 3, as so many objects came into the oldest generation. */
static bool find_pending(gclayout *at, const Py_ssize_t before[WORDS]) {
  Py_ssize_t *words = (Py_ssize_t *)(void *)(at->callbacks + 1);
  int hits = 0;
  for (int i = 1; i < WORDS; i++)
    if (words[i] == before[i] + 3) at->long_lived_pending = &words[i], hits++;
  if (hits != 1) return false;
  at->long_lived_pending = gclayout_bend("pending", at->long_lived_pending);
  at->long_lived_total = at->long_lived_pending - 1;
  return true;
}

static const char *collect_middle(trial *t) {
  gclayout *at = t->at;
  Py_ssize_t before[WORDS];
  memcpy(before, at->callbacks + 1, sizeof before);
  int count = at->generation[2]->count;
  show_garbage(t, GARBAGE + 2), show_held(t, HELD + 2);
  if (collect(t, 1) != 1 || !probe_log.dead[GARBAGE + 2]) return "a collection of the middle";
  bool counted = at->generation[1]->count == 0 && at->generation[2]->count == count + 1;
  bool placed = gclist_empty(&at->generation[1]->head) && consists_of(t, 2, HELD, 3);
  if (!counted || !placed) return "a collection of the middle";
  if (!find_pending(at, before)) return "the number of pending objects";
  t->total = *at->long_lived_total, t->pending = *at->long_lived_pending - 3;
  return t->total >= 0 && t->pending >= 0 ? NULL : "the number of pending objects";
}

static const char *collect_oldest(trial *t) {
  gclayout *at = t->at;
  show_garbage(t, GARBAGE + 3), show_held(t, HELD + 3);
  bool exact = collect(t, 2) == 1 && probe_log.dead[GARBAGE + 3] && consists_of(t, 2, HELD, 4);
  bool counted = *at->long_lived_total == 4 && *at->long_lived_pending == 0;
  if (counted) *at->long_lived_total = t->total, *at->long_lived_pending = t->pending;
  if (!exact) return "a full collection";
  return counted ? NULL : "the number of old objects";
}

typedef struct frames {
  trial *t;
  int shown;
} frames;

/* 3.10: a generator's variables belong to a frame, which is an object. */
static int show_frame(PyObject *object, void *argument) {
  frames *f = argument;
  if (!Py_IS_TYPE(object, &PyFrame_Type) || !gclink_tracked(gclink_of(object))) return 0;
  show(f->t, object);
  f->shown++;
  return 0;
}

/* As if its finalizer had run, so that none of its code does. */
static bool finalized(PyObject *generator) {
  bool before = PyObject_GC_IsFinalized(generator);
  gclink_of(generator)->previous |= 1;
  return !before && PyObject_GC_IsFinalized(generator);
}

/* How many objects are shown besides the four; -1: finalized() is not what it is taken for. */
static int show_suspended(trial *t, gcprobe_suspended *s) {
  frames f = {t, 0};
  show(t, s->generator), show(t, s->local), show(t, s->stack), show(t, s->owner);
  Py_TYPE(s->generator)->tp_traverse(s->generator, show_frame, &f);
  return finalized(s->generator) ? f.shown : -1;
}

/* Two suspended generators. One is garbage; its local variable, to which its stack refers too, is
 * held by nobody but this function, and must not be taken for garbage because of what a reference
 * from a stack counts. The other is held, with what only its stack holds. */
static const char *collect_suspended(trial *t) {
  gcprobe_suspended *dying = &t->probe->dying, *living = &t->probe->living;
  int frames = show_suspended(t, dying);
  if (frames < 0 || show_suspended(t, living) < 0) return "finalized objects";
  Py_CLEAR(dying->generator);
  dying->released = true;
  Py_DECREF(dying->owner);
  Py_CLEAR(living->generator);
  PyObject *local = living->local;
  Py_CLEAR(living->local);
  Py_ssize_t unreachable = collect(t, 0);
  const bool *dead = probe_log.dead + LOG_DYING, *alive = probe_log.dead + LOG_LIVING;
  bool kept = !dead[LOCAL] && !alive[LOCAL] && !alive[STACK] && !alive[OWNER];
  bool held = kept && Py_REFCNT(dying->local) == 1 && PyList_Size(local) == 1;
  bool gone = unreachable == 3 + frames && dead[STACK] && dead[OWNER];
  return held && gone ? NULL : "suspended generators";
}

/* After so many collections of each generation. */
static const char *check_statistics(trial *t, int young, int middle, int full) {
  const int collections[3] = {young, middle, full};
  bool agree = statistics_agree(t);
  for (int g = 0; agree && g < 3; g++) {
    Py_ssize_t before = *gcstats_of(t->statistics, g).collections;
    agree = *gcstats_of(t->at->statistics, g).collections == before + collections[g];
  }
  t->proved = agree;
  return agree ? NULL : "the statistics";
}

static const char *experiment(trial *t) {
  gclayout *at = t->at;
  const char *wrong = find_permanent(t);
  if (!wrong) wrong = find_statistics(t);
  if (!wrong) wrong = check_statistics(t, 0, 0, 0);
  if (!wrong) wrong = collect_youngest(t);
  if (!wrong) wrong = check_statistics(t, 1, 0, 0);
  if (!wrong) wrong = collect_middle(t);
  if (!wrong) wrong = collect_oldest(t);
  if (!wrong) wrong = collect_suspended(t);
  if (!wrong) wrong = check_statistics(t, 2, 1, 1);
  probe_log.watched = NULL;
  if (at->statistics && (t->proved || statistics_agree(t)))
    memcpy(at->statistics, t->statistics, GCSTATS_SIZE);
  return wrong;
}

const char *gcprobe_run(gcprobe *probe, const gcpublic *public, const gcwindow *window,
                        gclayout *at) {
  trial t = {.probe = probe, .public = public, .window = window, .at = at};
  hide(&t);
  const char *wrong = experiment(&t);
  unhide(&t);
  return wrong;
}
