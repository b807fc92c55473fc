/* SPDX-License-Identifier: MIT */
/* The module ouro._ouro: what Python sees of the hook, the service and the ledger. */
#include "compat.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gc/api.h"
#include "gc/collector.h"
#include "hook.h"
#include "ledger.h"
#include "report.h"
#include "service.h"
#include "snap/api.h"
#include "snap/dump.h"
#include "snap/trigger.h"

/* What may be garbage and not yet found, of the live objects: as much as CPython lets gather. */
#define GARBAGE_LIMIT_PERMILLE 250

typedef struct options {
  ouro_heap_options heap;
  bool channel;
  collector_options collector; /* pause_ns 0: none */
} options;

/* What the hook was installed with; one per process, as the hook is. */
static options installed;

/* --- Options ---------------------------------------------------------------------------------- */

/* NULL and None leave `out` as it is. */
static int read_size(PyObject *value, const char *name, size_t most, size_t *out) {
  if (value == NULL || value == Py_None) return 0;
  size_t size = PyLong_Check(value) ? PyLong_AsSize_t(value) : (size_t)-1;
  if ((size == (size_t)-1 && !PyLong_Check(value)) || PyErr_Occurred() || size > most) {
    PyErr_Format(PyExc_ValueError, "%s must be an int from 0 to %zu, or None", name, most);
    return -1;
  }
  *out = size;
  return 0;
}

static int read_huge(PyObject *value, ouro_huge *out) {
  static const char *const names[] = {"auto", "off", "always"};
  static const ouro_huge values[] = {OURO_HUGE_AUTO, OURO_HUGE_OFF, OURO_HUGE_ALWAYS};
  if (value == NULL) return 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!PyUnicode_Check(value) || PyUnicode_CompareWithASCIIString(value, names[i]) != 0) continue;
    *out = values[i];
    return 0;
  }
  PyErr_SetString(PyExc_ValueError, "huge must be 'auto', 'off' or 'always'");
  return -1;
}

static int read_flag(PyObject *value, bool *out) {
  if (value == NULL) return 0;
  int truth = PyObject_IsTrue(value);
  if (truth < 0) return -1;
  *out = truth;
  return 0;
}

/* Milliseconds between a microsecond and ten seconds. */
static int read_pause(PyObject *value, uint64_t *ns) {
  if (value == NULL || value == Py_None) return 0;
  double ms = PyNumber_Check(value) ? PyFloat_AsDouble(value) : -1;
  if (PyErr_Occurred()) return -1;
  if (!(ms >= 0.001 && ms <= 10000)) {
    PyErr_SetString(PyExc_ValueError, "pause_ms must be a number from 0.001 to 10000, or None");
    return -1;
  }
  *ns = (uint64_t)(ms * 1e6);
  return 0;
}

static int read_share(PyObject *value, uint32_t *permille) {
  if (value == NULL || value == Py_None) return 0;
  double share = PyNumber_Check(value) ? PyFloat_AsDouble(value) : -1;
  if (PyErr_Occurred()) return -1;
  if (!(share >= 0.01 && share <= 4)) {
    PyErr_SetString(PyExc_ValueError,
                    "garbage_limit must be a share of the live objects, from 0.01 to 4, or None");
    return -1;
  }
  *permille = (uint32_t)(share * 1000 + 0.5);
  return 0;
}

/* Options not given stay as they are in `out`. */
static int read_options(PyObject *args, PyObject *keywords, options *out, bool *quiet) {
  static const char *const names[] = {"limit",    "keep",     "decay",    "huge",
                                      "hardened", "channel",  "pause_ms", "garbage_limit",
                                      "_quiet",   "_gc_busy", NULL};
  PyObject *limit = NULL, *keep = NULL, *decay = NULL, *huge = NULL, *hardened = NULL;
  PyObject *channel = NULL, *pause = NULL, *share = NULL, *silent = NULL, *busy = NULL;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|$OOOOOOOOOO:install",
                                   (char **)(uintptr_t)names, &limit, &keep, &decay, &huge,
                                   &hardened, &channel, &pause, &share, &silent, &busy))
    return -1;
  size_t milliseconds = out->heap.decay_ms;
  if (read_size(limit, "limit", PY_SSIZE_T_MAX, &out->heap.limit) < 0 ||
      read_size(keep, "keep", PY_SSIZE_T_MAX, &out->heap.keep) < 0 ||
      read_size(decay, "decay", UINT32_MAX, &milliseconds) < 0 ||
      read_huge(huge, &out->heap.huge) < 0 || read_flag(hardened, &out->heap.hardened) < 0 ||
      read_flag(channel, &out->channel) < 0 || read_flag(silent, quiet) < 0 ||
      read_pause(pause, &out->collector.pause_ns) < 0 ||
      read_share(share, &out->collector.limit_permille) < 0 ||
      read_flag(busy, &out->collector.busy) < 0)
    return -1;
  out->heap.decay_ms = (uint32_t)milliseconds;
  return 0;
}

static bool same_options(const options *a, const options *b) {
  return a->heap.limit == b->heap.limit && a->heap.keep == b->heap.keep &&
         a->heap.decay_ms == b->heap.decay_ms && a->heap.huge == b->heap.huge &&
         a->heap.hardened == b->heap.hardened && a->channel == b->channel &&
         a->collector.pause_ns == b->collector.pause_ns &&
         a->collector.limit_permille == b->collector.limit_permille;
}

static options default_options(void) {
  options defaults = {.channel = true, .collector = {.limit_permille = GARBAGE_LIMIT_PERMILLE}};
  ouro_heap_options_init(&defaults.heap);
  defaults.heap.name = "python";
  defaults.heap.locked_by_caller = true; /* by the GIL */
  return defaults;
}

/* --- Giving back ------------------------------------------------------------------------------ */

/* Second number of statm; 0 where it cannot be read. */
static size_t resident_pages(void) {
  char text[64] = "";
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  char *end = text;
  strtoul(text, &end, 10);
  return got > 0 ? strtoul(end, NULL, 10) : 0;
}

static service_given_back give_everything_back(ouro_heap *heap) {
  service_given_back given = {.pools = ouro_heap_give_back(heap)};
  PyThreadState *state = PyEval_SaveThread();
  size_t before = resident_pages();
  malloc_trim(0); /* does not say how much */
  size_t after = resident_pages();
  PyEval_RestoreThread(state);
  if (after < before) given.system = (before - after) * (size_t)sysconf(_SC_PAGESIZE);
  return given;
}

/* --- Installation ----------------------------------------------------------------------------- */

static PyObject *method_of(PyObject *module, const char *name) {
  return PyObject_GetAttrString(module, name);
}

static int register_stop(PyObject *module) {
  PyObject *atexit = PyImport_ImportModule("atexit");
  PyObject *stop = method_of(module, "_stop");
  PyObject *done = atexit && stop ? PyObject_CallMethod(atexit, "register", "O", stop) : NULL;
  Py_XDECREF(stop);
  Py_XDECREF(atexit);
  Py_XDECREF(done);
  return done ? 0 : -1;
}

static int register_forks(PyObject *module) {
  PyObject *posix = PyImport_ImportModule("posix");
  PyObject *add = posix ? PyObject_GetAttrString(posix, "register_at_fork") : NULL;
  PyObject *none = PyTuple_New(0);
  PyObject *hooks = Py_BuildValue("{sNsNsN}", "before", method_of(module, "_before_fork"),
                                  "after_in_parent", method_of(module, "_after_fork_parent"),
                                  "after_in_child", method_of(module, "_after_fork_child"));
  PyObject *done = add && none && hooks ? PyObject_Call(add, none, hooks) : NULL;
  Py_XDECREF(hooks);
  Py_XDECREF(none);
  Py_XDECREF(add);
  Py_XDECREF(posix);
  Py_XDECREF(done);
  return done ? 0 : -1;
}

typedef struct module_state {
  PyTypeObject *given_back;
  bool attached; /* installed by this interpreter */
} module_state;

static int start_service(PyObject *module, bool quiet) {
  if (register_stop(module) < 0 || register_forks(module) < 0) return -1;
  service_options service = {.channel = installed.channel,
                             .main = !quiet,
                             .decay_ms = installed.heap.decay_ms,
                             .limit = installed.heap.limit,
                             .give_back = give_everything_back};
  service_start(hook_heap(), &service); /* has reported what does not work; the program goes on */
  return 0;
}

/* Where it cannot be, CPython's own collector stays at work and the rest of Ouro works. */
static void start_collector(bool quiet) {
  char why[COLLECTOR_WHY];
  if (!installed.collector.pause_ns || collector_start(&installed.collector, why) == 0) return;
  gcnumbers_refuse(why);
  if (!quiet) PySys_WriteStderr("ouro: %s\n", why);
}

/* Once in the main interpreter, or again where a program that embeds Python has started another. In
 * a sub-interpreter, if at all, only the hook goes in. */
static int install_here(PyObject *module, const options *wanted, bool quiet) {
  module_state *state = PyModule_GetState(module);
  bool main = PyInterpreterState_Get() == PyInterpreterState_Main();
  if (state->attached || (hook_installed() && !main)) return 0;
  if (!hook_installed()) ledger_note_interpreter();
  trigger_unhook();
  if (hook_install(&wanted->heap, wanted->collector.pause_ns != 0) < 0) return -1;
  installed = *wanted;
  state->attached = true;
  if (!main) return 0;
  snapdump_prepare();
  if (start_service(module, quiet) < 0) return -1;
  start_collector(quiet);
  return 0;
}

PyDoc_STRVAR(
    install_doc,
    "install($module, /, *, limit=None, keep=None, decay=None, huge='auto', hardened=False,\n"
    "        channel=True, pause_ms=None, garbage_limit=None)\n"
    "--\n\n"
    "Serve this process's Python objects from Ouro's pools from now on.\n\n"
    "limit: most bytes of Python objects; beyond it MemoryError. None: no limit.\n"
    "keep: free bytes that stay with the process. None: 2 MiB.\n"
    "decay: milliseconds after which idle free memory goes back. 0: never; None: 250.\n"
    "huge: huge pages, 'auto' (by heap size), 'off' or 'always'.\n"
    "hardened: report double frees, overruns and late frees by name, and abort. Slower.\n"
    "channel: let `ouro ledger PID` ask this process.\n"
    "pause_ms: do full collections in slices of so many milliseconds. None: CPython does them.\n"
    "garbage_limit: with pause_ms, how much may be garbage and not yet found, as a share of the\n"
    "live objects; slices get longer where it would be exceeded. None: 0.25.\n\n"
    "Installed already: no effect, or RuntimeError where an option given differs.");

static PyObject *module_install(PyObject *module, PyObject *args, PyObject *keywords) {
  options wanted = hook_installed() ? installed : default_options();
  bool quiet = false;
  if (read_options(args, keywords, &wanted, &quiet) < 0) return NULL;
  if (hook_installed() && !same_options(&wanted, &installed)) {
    PyErr_SetString(PyExc_RuntimeError, "Ouro is installed already, with other options: "
                                        "give them in the first call, or to `ouro run`");
    return NULL;
  }
  return install_here(module, &wanted, quiet) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(installed_doc, "installed($module, /)\n--\n\n"
                            "Whether this process's Python objects are served from Ouro's pools.");

static PyObject *module_installed(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  return PyBool_FromLong(hook_installed());
}

/* --- Numbers ---------------------------------------------------------------------------------- */

static int put(PyObject *dict, const char *prefix, const char *key, uint64_t number) {
  PyObject *name = PyUnicode_FromFormat("%s%s", prefix, key);
  PyObject *value = PyLong_FromUnsignedLongLong(number);
  int result = name && value ? PyDict_SetItem(dict, name, value) : -1;
  Py_XDECREF(name);
  Py_XDECREF(value);
  return result;
}

static int put_all(PyObject *dict, const ledger *book) {
  for (int i = 0; i < LEDGER_ROW_COUNT; i++)
    if (put(dict, "", ledger_rows[i].key, book->bytes[i]) < 0) return -1;
  for (int i = 0; i < LEDGER_MEMO_COUNT; i++)
    if (put(dict, "memo.", ledger_memos[i].key, book->memo[i]) < 0) return -1;
  return 0;
}

PyDoc_STRVAR(
    memory_doc,
    "memory($module, /)\n--\n\n"
    "Where this process's resident memory is: {row: bytes}.\n\n"
    "The keys without a dot, 'resident' apart, sum to 'resident'; the keys that begin with\n"
    "'heap.' sum to 'heap', and so on; 'unknown' is what could not be attributed.\n"
    "The keys that begin with 'memo.' are further facts, no part of the sums.");

static PyObject *module_memory(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  ledger book;
  errno = ledger_read(hook_heap(), &book);
  if (errno != 0) return PyErr_SetFromErrnoWithFilename(PyExc_OSError, "/proc/self/smaps");
  PyObject *dict = PyDict_New();
  if (dict && put_all(dict, &book) < 0) Py_CLEAR(dict);
  return dict;
}

PyDoc_STRVAR(give_back_doc,
             "give_back($module, /)\n--\n\n"
             "Return all free memory to the operating system now.\n\n"
             "The result says how many bytes went back: total, from Ouro's pools, and from the\n"
             "system allocator (as seen in the resident size, other threads included).");

static PyStructSequence_Field given_back_fields[] = {
    {"total", "bytes given back"},
    {"pools", "of it: by Ouro's pools"},
    {"system", "of it: by the system allocator"},
    {NULL, NULL},
};

static PyStructSequence_Desc given_back_desc = {
    .name = "ouro.GivenBack",
    .doc = "What ouro.give_back() returned to the operating system, in bytes.",
    .fields = given_back_fields,
    .n_in_sequence = 3,
};

static PyObject *module_give_back(PyObject *module, PyObject *Py_UNUSED(none)) {
  if (!hook_installed() || !hook_may_change()) {
    PyErr_SetString(PyExc_RuntimeError,
                    hook_installed() ? "call ouro.give_back() in the main interpreter"
                                     : "Ouro is not installed: use `ouro run` or ouro.install()");
    return NULL;
  }
  service_given_back given = give_everything_back(hook_heap());
  size_t numbers[] = {given.pools + given.system, given.pools, given.system};
  PyObject *result = PyStructSequence_New(((module_state *)PyModule_GetState(module))->given_back);
  for (int i = 0; result && i < 3; i++) {
    PyObject *number = PyLong_FromSize_t(numbers[i]);
    if (number == NULL) Py_CLEAR(result);
    if (result) PyStructSequence_SetItem(result, i, number);
  }
  return result;
}

PyDoc_STRVAR(check_doc, "_check($module, /)\n--\n\n"
                        "Check every invariant of the heap: None, or which one does not hold.");

static PyObject *module_check(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  if (!hook_installed() || !hook_may_change()) Py_RETURN_NONE;
  const char *broken = ouro_heap_check(hook_heap());
  return broken ? PyUnicode_FromString(broken) : Py_NewRef(Py_None);
}

/* --- Called by the interpreter ---------------------------------------------------------------- */

static PyObject *module_stop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  collector_stop();
  service_stop();
  Py_RETURN_NONE;
}

static PyObject *module_before_fork(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  service_before_fork();
  Py_RETURN_NONE;
}

static PyObject *module_after_fork_parent(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  service_after_fork_parent();
  Py_RETURN_NONE;
}

static PyObject *module_after_fork_child(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  ouro_heap_adopt(hook_heap());
  collector_after_fork();
  service_after_fork_child();
  Py_RETURN_NONE;
}

/* --- The module ------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    {"install", (PyCFunction)(void (*)(void))module_install, METH_VARARGS | METH_KEYWORDS,
     install_doc},
    {"installed", module_installed, METH_NOARGS, installed_doc},
    {"memory", module_memory, METH_NOARGS, memory_doc},
    {"give_back", module_give_back, METH_NOARGS, give_back_doc},
    {"_check", module_check, METH_NOARGS, check_doc},
    {"_stop", module_stop, METH_NOARGS, NULL},
    {"_before_fork", module_before_fork, METH_NOARGS, NULL},
    {"_after_fork_parent", module_after_fork_parent, METH_NOARGS, NULL},
    {"_after_fork_child", module_after_fork_child, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module) {
  module_state *state = PyModule_GetState(module);
  state->given_back = PyStructSequence_NewType(&given_back_desc);
  if (state->given_back == NULL || PyModule_AddFunctions(module, report_methods) < 0 ||
      PyModule_AddFunctions(module, gcapi_methods) < 0 ||
      PyModule_AddFunctions(module, snapapi_methods) < 0)
    return -1;
  if (PyModule_AddObjectRef(module, "GivenBack", (PyObject *)state->given_back) < 0) return -1;
  return PyModule_AddStringConstant(module, "__version__", OURO_VERSION);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
  Py_VISIT(((module_state *)PyModule_GetState(module))->given_back);
  return 0;
}

static int module_clear(PyObject *module) {
  Py_CLEAR(((module_state *)PyModule_GetState(module))->given_back);
  return 0;
}

static void module_free(void *module) { module_clear(module); }

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)(uintptr_t)module_exec},
    COMPAT_SLOTS,
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "ouro._ouro",
    .m_doc = "Ouro inside CPython; use the package `ouro`.",
    .m_size = sizeof(module_state),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__ouro(void) { return PyModuleDef_Init(&definition); }
