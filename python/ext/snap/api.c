/* SPDX-License-Identifier: MIT */
#include "api.h"

#include <errno.h>

#include "../hook.h"
#include "../service.h"
#include "aside.h"
#include "dump.h"
#include "schedule.h"
#include "take.h"

static bool refuse_interpreter(void) {
  if (compat_is_main()) return false;
  PyErr_SetString(PyExc_RuntimeError, "call ouro.snapshot() in the main interpreter");
  return true;
}

/* 0; or -1 with an exception, of a signal's handler too: the child then goes on by itself. */
static int wait_for(pid_t child) {
  int error;
  do {
    Py_BEGIN_ALLOW_THREADS error = snaptake_wait(child);
    Py_END_ALLOW_THREADS if (error == EINTR && PyErr_CheckSignals() < 0) {
      snaptake_leave(child);
      return -1;
    }
  } while (error == EINTR);
  if (error == 0) return 0;
  errno = error;
  if (error > 0) PyErr_SetFromErrno(PyExc_OSError);
  else PyErr_SetString(PyExc_ChildProcessError, "the snapshot's writer was killed");
  return -1;
}

static int take(int file, snaptells tells, snaptaken *taken) {
  ledger book;
  int unknown;
  Py_BEGIN_ALLOW_THREADS unknown = ledger_read(hook_heap(), &book);
  Py_END_ALLOW_THREADS const snaptake_options how = {
      .tells = tells, .in_place = true, .status = -1, .ledger = unknown ? NULL : &book};
  errno = snaptake(hook_heap(), file, &how, taken);
  if (errno == 0) return 0;
  PyErr_SetFromErrno(PyExc_OSError);
  return -1;
}

PyDoc_STRVAR(take_doc, "_snapshot($module, descriptor, tells, wait, /)\n--\n\n"
                       "Have the heap written to the descriptor: nanoseconds the program paused.");

static PyObject *snapapi_take(PyObject *Py_UNUSED(module), PyObject *args) {
  int file, wait;
  snaptells tells;
  snaptaken taken;
  if (!PyArg_ParseTuple(args, "iO&p:_snapshot", &file, snapdump_tells, &tells, &wait)) return NULL;
  if (refuse_interpreter()) return NULL;
  snapdump_prepare();
  if (take(file, tells, &taken) < 0) return NULL;
  if (taken.child > 0 && wait && wait_for(taken.child) < 0) return NULL;
  if (taken.child > 0 && !wait) snaptake_leave(taken.child);
  return PyLong_FromUnsignedLongLong(taken.pause_ns);
}

/* False: it is too long for a path, and an exception says so. */
static bool copy_path(const char *from, char to[TRIGGER_PATH]) {
  if (strlen(from) < TRIGGER_PATH) {
    strcpy(to, from);
    return true;
  }
  PyErr_Format(PyExc_ValueError, "%.200s...: the path is too long", from);
  return false;
}

PyDoc_STRVAR(when_doc,
             "_snapshot_when($module, prefix, signal, file, beside, permille, memory_error, tells, "
             "/)\n--\n\nTake snapshots on these occasions; see trigger_options.");

static PyObject *snapapi_when(PyObject *Py_UNUSED(module), PyObject *args) {
  const char *prefix, *file, *beside;
  trigger_options wanted = {.signal = 0};
  int memory_error;
  char why[TRIGGER_WHY];
  if (!PyArg_ParseTuple(args, "yiyyIpO&:_snapshot_when", &prefix, &wanted.signal, &file, &beside,
                        &wanted.limit_permille, &memory_error, snapdump_tells, &wanted.tells))
    return NULL;
  if (refuse_interpreter() || !copy_path(prefix, wanted.prefix) || !copy_path(file, wanted.file) ||
      !copy_path(beside, wanted.beside))
    return NULL;
  wanted.memory_error = memory_error;
  if (service_watch(&wanted, why) == 0) return Py_NewRef(Py_None);
  PyErr_SetString(PyExc_RuntimeError, why);
  return NULL;
}

PyDoc_STRVAR(limit_doc, "_snapshot_limit($module, root, /)\n--\n\n"
                        "(used, limit) in bytes of the nearest control group's limit, as the files "
                        "below the directory tell it; None: there is none.");

static PyObject *snapapi_limit(PyObject *Py_UNUSED(module), PyObject *args) {
  const char *root;
  limits group;
  if (!PyArg_ParseTuple(args, "y:_snapshot_limit", &root)) return NULL;
  limits_find(&group, root);
  limits_use use = limits_group(&group);
  if (use.limit == 0) Py_RETURN_NONE;
  return Py_BuildValue("(KK)", (unsigned long long)use.used, (unsigned long long)use.limit);
}

PyDoc_STRVAR(life_doc, "_snapshot_life($module, prefix, tells, first_ms, /)\n--\n\n"
                       "Take snapshots of the program's life; see schedule_begin.");

static PyObject *snapapi_life(PyObject *Py_UNUSED(module), PyObject *args) {
  const char *prefix;
  snaptells tells;
  unsigned first_ms;
  if (!PyArg_ParseTuple(args, "yO&I:_snapshot_life", &prefix, snapdump_tells, &tells, &first_ms))
    return NULL;
  if (refuse_interpreter()) return NULL;
  if (service_schedule(prefix, tells, first_ms)) Py_RETURN_NONE;
  PyErr_SetString(PyExc_RuntimeError, "they are taken already, or the path is too long");
  return NULL;
}

PyDoc_STRVAR(life_end_doc, "_snapshot_life_end($module, /)\n--\n\n"
                           "Take no more; the paths of those there are, the oldest first.");

static PyObject *snapapi_life_end(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args)) {
  char files[SCHEDULE_KEPT][SCHEDULE_FILE];
  size_t count;
  Py_BEGIN_ALLOW_THREADS count = schedule_end(files);
  Py_END_ALLOW_THREADS PyObject *paths = PyTuple_New((Py_ssize_t)count);
  for (size_t i = 0; paths != NULL && i < count; i++) {
    PyObject *path = PyBytes_FromString(files[i]);
    if (path == NULL) Py_CLEAR(paths);
    else PyTuple_SET_ITEM(paths, (Py_ssize_t)i, path);
  }
  return paths;
}

PyDoc_STRVAR(aside_doc, "_run_aside($module, argv, files, /)\n--\n\n"
                        "Run a command that the program does not hear of: its exit status.");

PyMethodDef snapapi_methods[] = {
    {"_snapshot", snapapi_take, METH_VARARGS, take_doc},
    {"_snapshot_when", snapapi_when, METH_VARARGS, when_doc},
    {"_snapshot_limit", snapapi_limit, METH_VARARGS, limit_doc},
    {"_snapshot_life", snapapi_life, METH_VARARGS, life_doc},
    {"_snapshot_life_end", snapapi_life_end, METH_NOARGS, life_end_doc},
    {"_run_aside", aside_run, METH_VARARGS, aside_doc},
    {"_snapshot_in_place", snapdump_py, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
