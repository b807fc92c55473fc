/* SPDX-License-Identifier: MIT */
#include "collector.h"

#include <stdio.h>

#include "attend.h"
#include "embed.h"
#include "notify.h"
#include "pace.h"

#include "cycle/template.h"

/* Objects walked in a call at least: 0.3 ms, where none is in the cache. */
#define TUNE_WALKED ((size_t)4000)

/* Promoted objects of which it can be told whether most stay. */
#define TUNE_TELLING 8000u

/* One per process: the main interpreter's collector. */
static struct {
  bool on;
  bool working; /* a slice or a full collection is on the stack */
  bool stale;   /* the objects were taken away meanwhile: the cycle must be forgotten */
  collector_options options;
  gclayout layout;
  pyheap heap;
  cycle cycle;
  pace pace;
  PyObject *marker; /* in the oldest generation: what is in front of it is known */
  PyObject *freeze; /* gc.freeze */
  PyMethodDef *stock_collect, *stock_freeze;
  size_t known;      /* objects, when the pacer was last told */
  size_t pending;    /* what CPython has counted as promoted, when it was last looked at */
  size_t unknown;    /* of those the pacer was told of, behind the marker */
  bool walking;      /* what is behind the marker is to be known although no cycle is wanted */
  bool staying;      /* few of the promoted die before a cycle looks at them */
  bool frozen;       /* gc.unfreeze() would bring objects */
  size_t strangers;  /* when CPython last did a full collection */
  uint64_t slice_ns; /* of the last slice's time, what was ours and not other processes' */
  uint64_t found, examined, worked_ns; /* by the cycle in progress */
  uint64_t young_before;               /* collections that CPython had counted at the start */
  int quiet;
} c;

bool collector_on(void) { return c.on; }

/* Collections of the young generations so far, as CPython counts them. */
static uint64_t young_so_far(void) {
  gcstats youngest = gclayout_stats(&c.layout, 0), middle = gclayout_stats(&c.layout, 1);
  if (!youngest.collections || !middle.collections) return 0;
  return (uint64_t)(*youngest.collections + *middle.collections);
}

void collector_after_fork(void) {
  gcnumbers_forget();
  if (c.on) c.young_before = young_so_far();
  if (!c.on || !gcstock_after_fork(&c.layout)) return;
  judge_lose(&c.heap, &c.cycle.batch.set);
  c.working = c.cycle.running = false;
  pycycle_abort(&c.cycle, &c.heap);
  pace_clean(&c.pace, gcknown_all.count);
}

static gclink *old_head(void) { return &c.layout.generation[2]->head; }

/* --- Who is known ----------------------------------------------------------------------------- */

/* Objects that are walked at once however long it takes: more than come between two calls, or the
 * walk would never arrive. */
static size_t least_walked(void) {
  size_t young = (size_t)c.layout.generation[0]->threshold * 2;
  return young > TUNE_WALKED ? young : TUNE_WALKED;
}

/* Walks on from the marker, for about so long, and moves it. Returns how many objects were new. */
static size_t note_promoted(uint64_t ns) {
  gclink *marker = gclink_of(c.marker), *last = marker, *l = gclink_next(marker);
  uint64_t until = ns == UINT64_MAX ? ns : os_clock_ns() + ns;
  size_t known = gcknown_all.count, looked = 0, least = least_walked();
  for (; l != old_head() && l != c.layout.permanent; l = gclink_next(l)) {
    __builtin_prefetch(gclink_next(l));
    gcknown_add(gclink_object(l));
    last = l;
    if (++looked % 256 || looked < least || until == UINT64_MAX) continue;
    if (os_clock_ns() > until) break;
  }
  if (last != marker) {
    gclink_unlink(marker);
    gclink_insert_after(last, marker);
  }
  return gcknown_all.count - known;
}

/* Whether all promoted objects are known. A cycle had better wait for that. */
static bool all_known(void) { return gclink_next(gclink_of(c.marker)) == old_head(); }

static void now_known(void) {
  c.unknown = 0;
  c.walking = false;
  c.known = gcknown_all.count;
}

/* At once, for collections that look at everything anyway. */
static void know_all(void) {
  note_promoted(UINT64_MAX);
  now_known();
}

/* Walks for about so long. Who is missing at the end died by its count, unseen; who is more came
 * without being counted. */
static void know_more(uint64_t ns) {
  size_t came = note_promoted(ns), counted = came < c.unknown ? came : c.unknown;
  c.unknown -= counted;
  c.known = gcknown_all.count;
  if (came > counted) pace_promoted(&c.pace, came - counted, 0);
  if (!all_known()) return;
  if (c.unknown) pace_promoted(&c.pace, 0, c.unknown);
  now_known();
  if (c.pace.promoted >= TUNE_TELLING) c.staying = c.pace.died * 4 < c.pace.promoted;
}

/* How many objects CPython has promoted since it was last asked. */
static size_t newly_promoted(void) {
  size_t now = (size_t)*c.layout.long_lived_pending;
  size_t more = now < c.pending ? now : now - c.pending;
  c.pending = now;
  return more;
}

/* The pacer hears of what came, and of what went since it was last told. */
static void tell_pace(void) {
  size_t known = gcknown_all.count, came = newly_promoted();
  size_t died = c.known > known ? c.known - known : 0;
  c.unknown += came;
  c.known = known;
  if (came || died) pace_promoted(&c.pace, came, died);
}

/* Who has been promoted need not be known as long as no cycle is wanted, and many die before. Where
 * most stay they are walked now, while they are in the cache. */
static bool must_know(void) {
  if (c.frozen && gclist_empty(c.layout.permanent)) {
    c.frozen = false;
    c.walking = !all_known();
  }
  if (!c.unknown && all_known()) return false;
  return c.walking || c.staying || !pycycle_idle(&c.cycle) || c.options.busy ||
         pace_wants_cycle(&c.pace);
}

/* As after a full collection that CPython has just done. */
static void hold_back(void) {
  gcstock_hold_back(&c.layout, gcknown_all.count + c.unknown);
  c.pending = 0;
}

/* --- Cycles ----------------------------------------------------------------------------------- */

static void publish(void) {
  gcnumbers *n = &gcnumbers_now;
  uint64_t young = young_so_far(), timed = c.young_before + n->young;
  gcnumbers_set(&n->untimed, young > timed ? young - timed : 0);
  bool idle = pycycle_idle(&c.cycle);
  gcnumbers_set(&n->in_cycle, !idle);
  gcnumbers_set(&n->phase, c.cycle.phase);
  gcnumbers_set(&n->old, gcknown_all.count + c.unknown);
  gcnumbers_set(&n->strangers, gcknown_all.strangers);
  gcnumbers_set(&n->pending, c.pace.before + c.pace.promoted);
  gcnumbers_set(&n->floating, pace_floating(&c.pace));
  gcnumbers_set(&n->quiet, c.quiet > 0);
  size_t tables = c.cycle.residual.table.committed + c.cycle.batch.set.table.committed;
  tables += idle ? c.cycle.tables.committed : gcknown_bytes() / 2; /* two bits per slot */
  gcnumbers_set(&n->table_bytes, gcknown_bytes() + tables);
}

static void give_up(gcreason why) {
  gcnumbers_add(&gcnumbers_now.escalations[why], 1);
  pycycle_abort(&c.cycle, &c.heap);
  pace_end(&c.pace, gcknown_all.count, c.found);
}

static bool start_cycle(void) {
  pyheap_prepare(&c.heap);
  c.found = c.examined = c.worked_ns = c.heap.uncollectable = 0;
  return pycycle_start(&c.cycle, &c.heap);
}

/* False: no memory; the next promoted objects ask again. */
static bool begin_cycle(void) {
  if (start_cycle()) {
    pace_begin(&c.pace, gcknown_all.count);
    return true;
  }
  gcnumbers_add(&gcnumbers_now.escalations[GCREASON_MEMORY], 1);
  pace_wait(&c.pace);
  return false;
}

/* What CPython tells of the collection that has come to its end. */
static notify_info outcome(void) {
  return (notify_info){.collected = c.found - c.heap.uncollectable,
                       .uncollectable = c.heap.uncollectable,
                       .candidates = c.examined,
                       .duration = (double)c.worked_ns / 1e9,
                       .more = gclayout_stats(&c.layout, 2).candidates != NULL};
}

/* What CPython shows of a full collection. */
static void account(void) {
  gcnumbers *n = &gcnumbers_now;
  gcstats stats = gclayout_stats(&c.layout, 2);
  notify_info i = outcome();
  if (stats.collections) ++*stats.collections;
  if (stats.collected) *stats.collected += (Py_ssize_t)i.collected;
  if (stats.uncollectable) *stats.uncollectable += (Py_ssize_t)i.uncollectable;
  if (stats.candidates) *stats.candidates += (Py_ssize_t)i.candidates;
  if (stats.duration) *stats.duration += i.duration;
  c.layout.generation[2]->count = 0;
  *c.layout.long_lived_pending = 0;
  c.pending = 0;
  gcnumbers_add(&n->uncollectable, i.uncollectable);
  uint64_t all = gcknown_all.count + c.found, share = all ? c.found * 1000 / all : 0;
  if (share > n->floating_worst) gcnumbers_set(&n->floating_worst, share);
}

static void end_cycle(void) {
  pace_end(&c.pace, gcknown_all.count, c.found);
  gcnumbers_add(&gcnumbers_now.cycles, 1);
  account();
  notify_cycle(attend_listeners(), outcome());
}

/* The name of the type whose object was in a slot, if one is. */
static const char *type_in_slot(uint64_t slot) {
  if (slot / 64 >= (uint64_t)c.heap.pages * (CYCLE_PAGE_SLOTS / 64)) return NULL;
  if (!embed_live(&c.heap, slot / 64, (uint64_t)1 << slot % 64, true)) return NULL;
  pygroup g = embed_group(&c.heap, slot / 64);
  return Py_TYPE(embed_object(&c.heap, &g, slot))->tp_name;
}

/* Why something could not be divided. */
static gcreason reason_for(cycle_phase phase, bool judged) {
  if (phase == CYCLE_TEST) return GCREASON_GIANT;
  return judged || phase == CYCLE_BATCHES ? GCREASON_BATCH : GCREASON_OBJECT;
}

/* `cpu`: what the slice took of the processor's time; what is much longer was somebody else's. */
static void note_longest(const cycle_report *r, uint64_t cpu) {
  bool judged = c.heap.judge_ns * 2 > r->longest_ns;
  const char *type = judged ? c.heap.judge_type : type_in_slot(r->longest_at);
  uint64_t longest = r->longest_ns < cpu ? r->longest_ns : cpu;
  gcnumbers_atomic(longest, r->longest, judged ? c.heap.judge_members : 0, type);
  if (longest > 2 * c.options.pause_ns)
    gcnumbers_add(&gcnumbers_now.escalations[reason_for(r->longest, judged)], 1);
  c.heap.judge_ns = 0;
}

static cycle_report work(uint64_t ns) {
  gcnumbers *n = &gcnumbers_now;
  uint64_t cpu = os_thread_cpu_ns();
  c.working = true;
  cycle_report r = pycycle_step(&c.cycle, &c.heap, ns);
  c.working = false;
  c.known = gcknown_all.count;
  c.found += r.found;
  c.examined += r.examined;
  c.worked_ns += r.elapsed_ns;
  gcnumbers_add(&n->examined, r.examined);
  gcnumbers_add(&n->found, r.found);
  gcnumbers_add(&n->freed, r.destroyed);
  c.slice_ns = os_thread_cpu_ns() - cpu;
  if (c.slice_ns > r.elapsed_ns) c.slice_ns = r.elapsed_ns;
  if (ns != UINT64_MAX) note_longest(&r, c.slice_ns);
  if (c.stale) {
    c.stale = false;
    pycycle_abort(&c.cycle, &c.heap);
    pace_clean(&c.pace, gcknown_all.count);
  } else if (r.out_of_memory) {
    give_up(GCREASON_MEMORY);
  }
  return r;
}

static void slice(uint64_t ns) {
  cycle_report r = work(ns);
  pace_worked(&c.pace, c.slice_ns, r.examined);
  gcnumbers_add(&gcnumbers_now.slices, 1);
  gcnumbers_add(&gcnumbers_now.slices_ns, r.elapsed_ns);
  if (r.elapsed_ns > gcnumbers_now.slice_longest_ns)
    gcnumbers_set(&gcnumbers_now.slice_longest_ns, r.elapsed_ns);
  if (c.pace.in_cycle && pycycle_idle(&c.cycle)) end_cycle();
}

/* How long a slice may be now, for which a cycle is begun if it is time. */
static uint64_t next_slice(void) {
  bool wanted = pace_wants_cycle(&c.pace) || c.options.busy;
  if (pycycle_idle(&c.cycle) && !(wanted && all_known() && begin_cycle())) return 0;
  if (c.cycle.phase >= CYCLE_BATCHES) pace_hurry(&c.pace);
  uint64_t ns = pace_slice(&c.pace);
  if (ns == UINT64_MAX) return ns;
  if (c.quiet) return 0;
  if (c.options.busy) return c.options.pause_ns;
  return pace_rest(&c.pace, ns, os_clock_ns() - attend_began());
}

/* --- CPython's own full collections ----------------------------------------------------------- */

/* Debug flags (gc.set_debug) are about CPython's collector. */
static bool must_be_stock(void) { return *c.layout.debug != 0; }

/* Too many objects that only CPython can find have gathered. */
static bool strangers_gathered(void) {
  size_t since = gcknown_all.strangers - c.strangers;
  return since > 10000 && since * 4 > gcknown_all.count;
}

/* After a full collection by CPython. */
static void stock_collected(void) {
  know_all();
  c.strangers = gcknown_all.strangers;
  if (pycycle_idle(&c.cycle)) pace_clean(&c.pace, gcknown_all.count);
  if (!must_be_stock()) hold_back();
}

/* The program was stopped: who asks for numbers, and who asked to be told, hear of it. */
static void note_pause(uint64_t took, const char *kind, const char *phase) {
  gcnumbers_pause(took);
  publish();
  notify_pause(took, kind, phase);
}

/* --- gc.callbacks ----------------------------------------------------------------------------- */

/* Returns what the pause was. */
static const char *young_collected(void) {
  tell_pace();
  if (must_know()) know_more(c.options.pause_ns / 2);
  if (must_be_stock() || strangers_gathered()) {
    if (!pycycle_idle(&c.cycle)) give_up(GCREASON_STOCK);
    return "young";
  }
  hold_back();
  uint64_t ns = next_slice();
  if (ns > c.options.pause_ns) gcnumbers_add(&gcnumbers_now.escalations[GCREASON_BOUND], 1);
  if (ns) slice(ns);
  return ns ? "slice" : "young";
}

/* The sentinel has been promoted with the program's objects, and is none of them. */
static void recall_sentinel(int generation) {
  if (attend_return() && generation == 1 && *c.layout.long_lived_pending > 0)
    --*c.layout.long_lived_pending;
}

/* Whether collections of generation 0 matter: there is something to do after each, or somebody
 * wants to hear of each. */
static bool must_attend(void) {
  return !pycycle_idle(&c.cycle) || must_know() || c.options.busy || notify_pauses_heard();
}

static void collected(int generation) {
  const char *kind = "stock";
  recall_sentinel(generation);
  if (generation < 2) kind = young_collected();
  else stock_collected();
  uint64_t took = os_clock_ns() - attend_began();
  if (generation < 2) {
    gcnumbers_add(&gcnumbers_now.young, 1);
    gcnumbers_add(&gcnumbers_now.young_ns, took);
  }
  note_pause(took, kind, cycle_phase_name(c.cycle.phase));
  if (c.on && !must_attend()) attend_rest();
}

/* The program's callbacks first: they see CPython's collection, and no slice. */
static PyObject *called_back(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  int generation = 0;
  bool stop = false, ours = compat_is_main() && notify_parse(args, count, &stop, &generation);
  if (ours && !stop) attend_begins();
  notify_all(attend_listeners(), args, (size_t)count);
  if (ours && stop && c.on && !c.working) collected(generation);
  Py_RETURN_NONE;
}

/* --- gc.collect() and gc.freeze() ------------------------------------------------------------- */

/* Every tracked object is old now, and known. */
static void age_all(void) {
  pycycle_abort(&c.cycle, &c.heap);
  for (int i = 0; i < 2; i++) gclist_append(old_head(), &c.layout.generation[i]->head);
  for (int i = 0; i < 3; i++) c.layout.generation[i]->count = 0;
  attend_return();
  know_all();
}

/* Everything that is unreachable now. False: no memory for it. */
static bool collect_all(void) {
  age_all();
  if (!start_cycle()) return false;
  cycle_report r = work(UINT64_MAX);
  if (!pycycle_idle(&c.cycle) || r.out_of_memory) return false;
  gcstock_clear_free_lists(&c.layout);
  return true;
}

static PyObject *full_collection(void) {
  uint64_t began = os_clock_ns();
  *c.layout.collecting = 1;
  notify_full(attend_listeners(), "start", (notify_info){.more = outcome().more});
  bool done = collect_all();
  if (done) account();
  pace_clean(&c.pace, gcknown_all.count);
  if (done) notify_full(attend_listeners(), "stop", outcome());
  *c.layout.collecting = 0;
  uint64_t took = os_clock_ns() - began;
  gcnumbers_add(&gcnumbers_now.explicits, 1);
  gcnumbers_add(&gcnumbers_now.explicits_ns, took);
  note_pause(took, "explicit", "");
  return done ? PyLong_FromUnsignedLongLong(c.found) : NULL;
}

static bool may_collect(void) {
  return c.on && compat_is_main() && !c.working && !*c.layout.collecting && !must_be_stock() &&
         gcknown_all.strangers == c.strangers;
}

static PyObject *collect(PyObject *module, PyObject *const *args, Py_ssize_t count,
                         PyObject *names) {
  if (may_collect() && notify_asks_for_all(args, count, names)) {
    PyObject *found = full_collection();
    if (found) return found;
    gcnumbers_add(&gcnumbers_now.escalations[GCREASON_MEMORY], 1);
  }
  return c.layout.collect_stock(module, args, count, names);
}

static PyObject *freeze(PyObject *module, PyObject *none) {
  if (!c.on || !compat_is_main()) return c.stock_freeze->ml_meth(module, none);
  gclink *marker = gclink_of(c.marker), aside;
  if (c.working) c.stale = true;
  else pycycle_abort(&c.cycle, &c.heap);
  gclist_init(&aside);
  gclink_move(marker, &aside);
  gcknown_forget_all();
  judge_note_condemned(&c.heap);
  PyObject *result = c.stock_freeze->ml_meth(module, none);
  gclink_move(marker, old_head());
  attend_return();
  pace_clean(&c.pace, 0);
  now_known();
  c.frozen = !gclist_empty(c.layout.permanent);
  publish();
  return result;
}

/* --- On and off ------------------------------------------------------------------------------- */

static PyMethodDef callback_def = {"ouro_collector", (PyCFunction)(void (*)(void))called_back,
                                   METH_FASTCALL, "Works on a full collection for a slice."};
static PyMethodDef collect_def, freeze_def;

/* A builtin calls something else from now on, under its own name; everybody who has it already
 * included. */
static PyMethodDef *divert(PyObject *builtin, PyMethodDef *to, PyCFunction function) {
  PyCFunctionObject *f = (PyCFunctionObject *)builtin;
  PyMethodDef *was = f->m_ml;
  *to = *was;
  to->ml_meth = function;
  f->m_ml = to;
  return was;
}

static void divert_back(PyObject *builtin, PyMethodDef *to) {
  ((PyCFunctionObject *)builtin)->m_ml = to;
}

static bool find_freeze(char why[COLLECTOR_WHY]) {
  PyObject *gc = PyImport_ImportModule("gc");
  c.freeze = gc ? PyObject_GetAttrString(gc, "freeze") : NULL;
  Py_XDECREF(gc);
  PyErr_Clear();
  if (c.freeze && Py_IS_TYPE(c.freeze, &PyCFunction_Type) &&
      PyCFunction_GET_FLAGS(c.freeze) == METH_NOARGS)
    return true;
  Py_CLEAR(c.freeze);
  snprintf(why, COLLECTOR_WHY,
           "gc.freeze is not CPython's own: install Ouro before what replaces it");
  return false;
}

static bool make_objects(char why[COLLECTOR_WHY]) {
  c.marker = attend_make_marker();
  if (c.marker && attend_start(&c.layout, &callback_def)) return true;
  Py_CLEAR(c.marker);
  snprintf(why, COLLECTOR_WHY, "no memory for the collector");
  return false;
}

/* The marker comes first: everything in the oldest generation is to be walked. */
static void take_over(void) {
  gclink *marker = gclink_of(c.marker);
  gclink_unlink(marker);
  gclink_insert_after(old_head(), marker);
  gclist_init(&c.heap.condemned);
  c.heap.layout = &c.layout;
  c.stock_collect =
      divert((PyObject *)c.layout.collect, &collect_def, (PyCFunction)(void (*)(void))collect);
  c.stock_freeze = divert(c.freeze, &freeze_def, freeze);
  pace_init(&c.pace, c.options.pause_ns, c.options.limit_permille, 0);
  note_promoted(c.options.pause_ns);
  now_known();
  c.walking = !all_known();
  c.frozen = !gclist_empty(c.layout.permanent);
  c.pace.live = gcknown_all.count;
  hold_back();
  c.young_before = young_so_far();
  c.on = true;
}

int collector_start(const collector_options *options, char why[COLLECTOR_WHY]) {
  if (c.on) return 0;
  c.options = *options;
  if (!gcknown_all.window) {
    snprintf(why, COLLECTOR_WHY,
             "Ouro was installed without a collector: give pause_ms in the first call");
    return -1;
  }
  char reason[GCLAYOUT_WHY];
  if (!gclayout_find(&c.layout, reason)) {
    snprintf(why, COLLECTOR_WHY, "%s", reason);
    return -1;
  }
  if (!find_freeze(why) || !make_objects(why)) return -1;
  shape_start();
  judge_start();
  take_over();
  gcnumbers_begin(options->pause_ns, options->limit_permille);
  publish();
  return 0;
}

void collector_stop(void) {
  if (!c.on || c.working) return;
  c.on = false;
  pycycle_abort(&c.cycle, &c.heap);
  pycycle_finish(&c.cycle);
  divert_back((PyObject *)c.layout.collect, c.stock_collect);
  divert_back(c.freeze, c.stock_freeze);
  attend_stop();
  Py_CLEAR(c.freeze);
  Py_CLEAR(c.marker);
  notify_forget();
  gcnumbers_set(&gcnumbers_now.on, 0);
}

void collector_on_pause(PyObject *callable) {
  bool heard = callable && callable != Py_None;
  notify_on_pause(heard ? callable : NULL);
  if (heard) attend();
}

/* --- When the program asks -------------------------------------------------------------------- */

void collector_count(void) {
  if (c.on) publish();
}

bool collector_wanted(void) {
  if (!c.on || c.working) return false;
  return !pycycle_idle(&c.cycle) || c.walking || pace_floating(&c.pace) > pace_allowed(&c.pace) / 2;
}

bool collector_step(uint64_t ns, bool begin) {
  if (!c.on || c.working || *c.layout.collecting || must_be_stock()) return false;
  uint64_t began = os_clock_ns();
  tell_pace();
  know_more(ns);
  if (!all_known()) return true;
  if (pycycle_idle(&c.cycle) && !(begin && begin_cycle())) return false;
  *c.layout.collecting = 1;
  slice(ns);
  *c.layout.collecting = 0;
  if (c.on && must_attend()) attend();
  note_pause(os_clock_ns() - began, "slice", cycle_phase_name(c.cycle.phase));
  return !pycycle_idle(&c.cycle);
}

int collector_quiet(bool on) {
  c.quiet += on ? 1 : -1;
  if (c.quiet < 0) c.quiet = 0;
  publish();
  return c.quiet;
}
