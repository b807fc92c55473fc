/* SPDX-License-Identifier: MIT */
#include "api.h"

#include "collector.h"
#include "layout.h"

static bool check_on(void) {
  if (collector_on() && compat_is_main()) return true;
  PyErr_SetString(PyExc_RuntimeError,
                  collector_on() ? "call it in the main interpreter"
                                 : "Ouro's collector is off: use `ouro run --pause 1ms` or "
                                   "ouro.install(pause_ms=1)");
  return false;
}

PyDoc_STRVAR(step_doc, "_gc_step($module, ms, begin, /)\n--\n\n"
                       "Work on a full collection for about `ms` milliseconds; where none is in\n"
                       "progress begin one, if `begin`. Whether one is in progress then.");

static PyObject *gcapi_step(PyObject *Py_UNUSED(module), PyObject *args) {
  double ms;
  int begin;
  if (!PyArg_ParseTuple(args, "dp:_gc_step", &ms, &begin) || !check_on()) return NULL;
  if (!(ms > 0) || ms > 1e7) {
    PyErr_SetString(PyExc_ValueError, "ms must be more than 0 and at most 10,000,000");
    return NULL;
  }
  return PyBool_FromLong(collector_step((uint64_t)(ms * 1e6), begin));
}

PyDoc_STRVAR(wanted_doc, "_gc_wanted($module, /)\n--\n\nWhether a step would be useful now.");

static PyObject *gcapi_wanted(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  return check_on() ? PyBool_FromLong(collector_wanted()) : NULL;
}

PyDoc_STRVAR(quiet_doc, "_gc_quiet($module, on, /)\n--\n\n"
                        "Begin or end a time without slices; nests. Returns the depth.");

static PyObject *gcapi_quiet(PyObject *Py_UNUSED(module), PyObject *on) {
  int truth = PyObject_IsTrue(on);
  return truth < 0 || !check_on() ? NULL : PyLong_FromLong(collector_quiet(truth));
}

PyDoc_STRVAR(on_pause_doc,
             "_gc_on_pause($module, callable, /)\n--\n\n"
             "Have callable(seconds, kind, phase) called after each pause; None: nobody.");

static PyObject *gcapi_on_pause(PyObject *Py_UNUSED(module), PyObject *callable) {
  if (!check_on()) return NULL;
  if (callable != Py_None && !PyCallable_Check(callable)) {
    PyErr_Format(PyExc_TypeError, "callable or None expected, not %s", Py_TYPE(callable)->tp_name);
    return NULL;
  }
  collector_on_pause(callable);
  Py_RETURN_NONE;
}

/* --- Numbers ---------------------------------------------------------------------------------- */

static int put(PyObject *dict, const char *key, PyObject *value) {
  int status = value ? PyDict_SetItemString(dict, key, value) : -1;
  Py_XDECREF(value);
  return status;
}

static int put_number(PyObject *dict, const char *key, uint64_t value) {
  return put(dict, key, PyLong_FromUnsignedLongLong(value));
}

static int put_numbers(PyObject *dict, const gcnumbers *n) {
  const struct {
    const char *key;
    uint64_t value;
  } rows[] = {{"on", n->on},
              {"budget_ns", n->budget_ns},
              {"limit_permille", n->limit_permille},
              {"cycles", n->cycles},
              {"in_cycle", n->in_cycle},
              {"slices", n->slices},
              {"slices_ns", n->slices_ns},
              {"slice_longest_ns", n->slice_longest_ns},
              {"pauses", n->pauses},
              {"pauses_ns", n->pauses_ns},
              {"longest_ns", n->longest_ns},
              {"young", n->young},
              {"young_ns", n->young_ns},
              {"untimed", n->untimed},
              {"explicits", n->explicits},
              {"explicits_ns", n->explicits_ns},
              {"examined", n->examined},
              {"found", n->found},
              {"freed", n->freed},
              {"uncollectable", n->uncollectable},
              {"strangers", n->strangers},
              {"old", n->old},
              {"pending", n->pending},
              {"floating", n->floating},
              {"floating_worst", n->floating_worst},
              {"table_bytes", n->table_bytes},
              {"atomic_ns", n->atomic_ns},
              {"atomic_members", n->atomic_members},
              {"quiet", n->quiet},
              {"started_ns", n->started_ns}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (put_number(dict, rows[i].key, rows[i].value) < 0) return -1;
  if (put(dict, "phase", PyUnicode_FromString(gcnumbers_phase(n->phase))) < 0) return -1;
  if (put(dict, "atomic_phase", PyUnicode_FromString(gcnumbers_phase(n->atomic_phase))) < 0)
    return -1;
  return put(dict, "atomic_type",
             PyUnicode_DecodeUTF8(n->atomic_type, (Py_ssize_t)strlen(n->atomic_type), "replace"));
}

static PyObject *buckets(const gcnumbers *n) {
  PyObject *list = PyList_New(0);
  for (unsigned i = 0; list && i < GCNUMBERS_BUCKETS; i++) {
    if (!n->bucket[i]) continue;
    PyObject *row =
        Py_BuildValue("dK", (double)gcnumbers_bucket_ns(i) / 1e9, (unsigned long long)n->bucket[i]);
    if (!row || PyList_Append(list, row) < 0) Py_CLEAR(list);
    Py_XDECREF(row);
  }
  return list;
}

static PyObject *escalations(const gcnumbers *n) {
  PyObject *dict = PyDict_New();
  for (int i = 0; dict && i < GCREASON_COUNT; i++)
    if (put_number(dict, gcreason_names[i], n->escalations[i]) < 0) Py_CLEAR(dict);
  return dict;
}

PyDoc_STRVAR(stats_doc, "_gc_stats($module, /)\n--\n\nThe collector's numbers.");

static PyObject *gcapi_stats(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  if (!check_on()) return NULL;
  gcnumbers n;
  collector_count();
  gcnumbers_read(&n);
  PyObject *dict = PyDict_New();
  if (dict && (put_numbers(dict, &n) < 0 || put(dict, "buckets", buckets(&n)) < 0 ||
               put(dict, "escalations", escalations(&n)) < 0))
    Py_CLEAR(dict);
  return dict;
}

PyMethodDef gcapi_methods[] = {
    {"_gc_step", gcapi_step, METH_VARARGS, step_doc},
    {"_gc_wanted", gcapi_wanted, METH_NOARGS, wanted_doc},
    {"_gc_quiet", gcapi_quiet, METH_O, quiet_doc},
    {"_gc_on_pause", gcapi_on_pause, METH_O, on_pause_doc},
    {"_gc_stats", gcapi_stats, METH_NOARGS, stats_doc},
    {NULL, NULL, 0, NULL},
};
