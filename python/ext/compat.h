/* SPDX-License-Identifier: MIT */
/* What differs between CPython versions: the only `#if` on versions in the extension. */
#ifndef OURO_EXT_COMPAT_H
#define OURO_EXT_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <ouro/base.h>

#ifdef Py_GIL_DISABLED
#error "Ouro does not support free-threaded CPython: use the default build of 3.10 to 3.15"
#endif

#if PY_VERSION_HEX < 0x030A0000 || PY_VERSION_HEX >= 0x03100000
#error "Ouro supports CPython 3.10 to 3.15"
#endif

/* --- Interpreters with a GIL of their own (3.12) ---------------------------------------------- */

/* The runtime's list of interpreters, newest first: while its head is the main interpreter, that is
 * the only one and whoever runs holds the one GIL. A slot that never equals it costs speed, not
 * safety. */
typedef struct compat_interpreters {
  PyInterpreterState *const *newest;
  PyInterpreterState *main;
} compat_interpreters;

#if PY_VERSION_HEX >= 0x030C0000

#define COMPAT_ONE_GIL false

#if PY_VERSION_HEX >= 0x030D0000
/* From 3.13 on _PyRuntime begins with offsets published for debuggers: cookie, version,
 * free-threaded, size of the runtime, finalizing, head of the interpreters. */
static inline size_t compat_newest_offset(const char *runtime) {
  const uint64_t *published = (const uint64_t *)(const void *)runtime;
  bool known = !memcmp(runtime, "xdebugpy", 8) && published[5] < published[3];
  return known ? published[5] : 0;
}

static inline PyThreadState *compat_thread_state(void) { return PyThreadState_GetUnchecked(); }
#else
/* 3.12: five ints, the finalizing thread, the list's lock. */
static inline size_t compat_newest_offset(const char *runtime) {
  (void)runtime;
  return 40;
}

static inline PyThreadState *compat_thread_state(void) { return _PyThreadState_UncheckedGet(); }
#endif

static inline compat_interpreters compat_find_interpreters(void) {
  static PyInterpreterState *const unknown = NULL;
  compat_interpreters found = {&unknown, PyInterpreterState_Main()};
  const char *runtime = dlsym(RTLD_DEFAULT, "_PyRuntime");
  size_t offset = runtime ? compat_newest_offset(runtime) : 0;
  if (offset == 0 || offset % sizeof(void *) != 0) return found;
  PyInterpreterState *const *slot = (PyInterpreterState *const *)(const void *)(runtime + offset);
  if (*slot == PyInterpreterState_Head()) found.newest = slot;
  return found;
}

/* Whether there is no interpreter but the main one. */
static inline bool compat_alone(const compat_interpreters *all) {
  return *all->newest == all->main;
}

/* Whether the calling thread runs the main interpreter, or none at all, as late in finalization. */
static inline bool compat_in_main(const compat_interpreters *all) {
  PyThreadState *state = compat_thread_state();
  return state == NULL || PyThreadState_GetInterpreter(state) == all->main;
}

static inline bool compat_main_gil(const compat_interpreters *all) {
  return OURO_LIKELY(compat_alone(all)) || compat_in_main(all);
}

#define COMPAT_SLOTS \
  { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }

#else /* 3.10, 3.11: all interpreters share one GIL */

#define COMPAT_ONE_GIL true

static inline compat_interpreters compat_find_interpreters(void) {
  return (compat_interpreters){NULL, PyInterpreterState_Main()};
}

static inline bool compat_alone(const compat_interpreters *all) {
  (void)all;
  return true;
}

static inline bool compat_main_gil(const compat_interpreters *all) { return compat_alone(all); }

#define COMPAT_SLOTS \
  { 0, NULL }

#endif

#endif
