/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "census.h"
#include "hook.h"
#include "pauses.h"

PyDoc_STRVAR(
    census_doc,
    "_census($module, top, /)\n--\n\n"
    "Live objects: (objects, bytes, [(type's name, objects, bytes), ...]), the `top` types\n"
    "with the most bytes. Calls nothing of the program's; about 0.1 us per object.");

static PyObject *report_census(PyObject *Py_UNUSED(module), PyObject *top) {
  Py_ssize_t most = PyLong_AsSsize_t(top);
  return most == -1 && PyErr_Occurred() ? NULL : census_types(hook_heap(), most);
}

PyDoc_STRVAR(pauses_start_doc, "_pauses_start($module, /)\n--\n\n"
                               "Measure the collector's runs from now on, through gc.callbacks.");

static PyObject *report_pauses_start(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  return pauses_start() < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(pauses_doc,
             "_pauses($module, /)\n--\n\n"
             "Per generation: (collections, total ns, longest ns, collected, uncollectable).");

static PyObject *report_pauses(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  return pauses_read();
}

PyMethodDef report_methods[] = {
    {"_census", report_census, METH_O, census_doc},
    {"_pauses_start", report_pauses_start, METH_NOARGS, pauses_start_doc},
    {"_pauses", report_pauses, METH_NOARGS, pauses_doc},
    {NULL, NULL, 0, NULL},
};
