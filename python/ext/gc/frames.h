/* SPDX-License-Identifier: MIT */
/*
 * Python calls in progress, as the interpreter keeps them: what differs between versions.
 *
 * Frames are no objects from 3.11 on and nothing public leads to their locals. Their layout has not
 * changed within a minor version; 3.13 and later publish most of it for debuggers, and only what
 * agrees with that is used. Whoever uses it first proves it (roots.c).
 *
 * Not all of a frame holds what its name says. The interpreter leaves f_globals and f_builtins of
 * the frame that calls an __init__ as whatever was on the stack before, so nobody here reads them;
 * such a frame has no function, and is skipped for that.
 */
#ifndef OURO_EXT_GC_FRAMES_H
#define OURO_EXT_GC_FRAMES_H

#include "../compat.h"

#include <frameobject.h>
#include <stddef.h>

/* A call uses locals and stack only if they belong to it or to a generator that runs; those of
 * frames that C makes are not filled in. */
#define FRAMES_OWNED_BY_GENERATOR 1

#if PY_VERSION_HEX < 0x030B0000

typedef PyFrameObject frames_frame;
typedef PyObject *frames_slot;

static inline bool frames_as_published(void) { return true; }

static inline const frames_frame *frames_newest(const PyThreadState *state) { return state->frame; }

static inline const frames_frame *frames_previous(const frames_frame *frame) {
  return frame->f_back;
}

static inline PyObject *frames_executable(const frames_frame *frame) {
  return (PyObject *)frame->f_code;
}

/* What leads to the globals. A frame that is an object holds them itself. */
static inline PyObject *frames_scope(const frames_frame *frame) { return frame->f_globals; }
static inline bool frames_usable(const frames_frame *frame) { return frame->f_globals != NULL; }
static inline PyObject *frames_namespace(const frames_frame *frame) { return frame->f_locals; }
static inline const frames_slot *frames_locals(const frames_frame *frame) {
  return frame->f_localsplus;
}

static inline Py_ssize_t frames_local_count(const frames_frame *frame) {
  return frame->f_valuestack - frame->f_localsplus;
}

/* Slots from the first local to the end of the stack; -1 while the frame runs. */
static inline Py_ssize_t frames_slots_in_use(const frames_frame *frame) {
  return frame->f_stackdepth < 0 ? -1 : frames_local_count(frame) + frame->f_stackdepth;
}

static inline PyObject *frames_object(frames_slot slot) { return slot; }

static inline bool frames_same(const frames_frame *frame, PyFrameObject *public_frame) {
  return frame == public_frame;
}

#else /* 3.11 and later: frames are structures on a stack of their own */

#if PY_VERSION_HEX < 0x030C0000

typedef PyObject *frames_slot;
typedef struct frames_frame {
  PyObject *function, *globals, *builtins, *names, *executable, *object;
  const struct frames_frame *previous;
  void *instruction;
  int top;
  bool is_entry;
  char owner;
  frames_slot slots[1];
} frames_frame;

#elif PY_VERSION_HEX < 0x030E0000

typedef PyObject *frames_slot;
typedef struct frames_frame {
  PyObject *executable;
  const struct frames_frame *previous;
  PyObject *function, *globals, *builtins, *names, *object;
  void *instruction;
  int top;
  uint16_t return_offset;
  char owner;
  frames_slot slots[1];
} frames_frame;

#else

typedef uintptr_t frames_slot; /* an object's address and two bits */
typedef struct frames_frame {
  frames_slot executable;
  const struct frames_frame *previous;
  frames_slot function;
  PyObject *globals, *builtins, *names, *object;
  void *instruction;
  const frames_slot *top;
  uint16_t return_offset;
  char owner;
  uint8_t flags;
  frames_slot slots[1];
} frames_frame;

#endif

#if PY_VERSION_HEX < 0x030E0000

static inline PyObject *frames_object(frames_slot slot) { return slot; }

/* Slots from the first local to the end of the stack; -1 while the frame runs. */
static inline Py_ssize_t frames_slots_in_use(const frames_frame *frame) { return frame->top; }

#else

/* The two bits: 0 and 1 are references with and without a count, 2 is no object, 3 is a number
 * without one. NULL has bits of its own. */
static inline PyObject *frames_object(frames_slot slot) {
  bool is_object = (slot & 3) < 2;
  return is_object ? (PyObject *)(slot & ~(frames_slot)3) : NULL;
}

/* Slots from the first local to the end of the stack, as of the last time the interpreter left the
 * frame for other code, which it has whenever somebody asks; -1: not known. */
static inline Py_ssize_t frames_slots_in_use(const frames_frame *frame) {
  return frame->top ? frame->top - frame->slots : -1;
}

#endif

static inline const frames_frame *frames_newest(const PyThreadState *state) {
#if PY_VERSION_HEX >= 0x030D0000
  return (const frames_frame *)state->current_frame;
#else
  return state->cframe ? (const frames_frame *)state->cframe->current_frame : NULL;
#endif
}

static inline const frames_frame *frames_previous(const frames_frame *frame) {
  return frame->previous;
}

static inline PyObject *frames_executable(const frames_frame *frame) {
  return frames_object((frames_slot)frame->executable);
}

/* What leads to the globals: the function. Only of a frame that is usable. */
static inline PyObject *frames_scope(const frames_frame *frame) {
  return frames_object((frames_slot)frame->function);
}

/* Whether function and locals are what they are called. */
static inline bool frames_usable(const frames_frame *frame) {
  if ((unsigned char)frame->owner > FRAMES_OWNED_BY_GENERATOR) return false;
  PyObject *function = frames_scope(frame), *code = frames_executable(frame);
  return function && PyFunction_Check(function) && code && PyCode_Check(code);
}

/* The locals of a class body or of exec(); else NULL. */
static inline PyObject *frames_namespace(const frames_frame *frame) { return frame->names; }
static inline const frames_slot *frames_locals(const frames_frame *frame) { return frame->slots; }

static inline Py_ssize_t frames_local_count(const frames_frame *frame) {
  return ((const PyCodeObject *)frames_executable(frame))->co_nlocalsplus;
}

/* Whether the interpreter's own view of a frame is this one. */
static inline bool frames_same(const frames_frame *frame, PyFrameObject *public_frame) {
  PyCodeObject *code = PyFrame_GetCode(public_frame);
  PyObject *globals = PyFrame_GetGlobals(public_frame);
  bool same = frames_executable(frame) == (PyObject *)code && frames_usable(frame) &&
              PyFunction_GET_GLOBALS(frames_scope(frame)) == globals &&
              PyTuple_GET_SIZE(code->co_localsplusnames) == frames_local_count(frame);
  Py_DECREF(code);
  Py_DECREF(globals);
  return same;
}

#if PY_VERSION_HEX < 0x030D0000

/* Before 3.11.1 a frame was still in sight while its locals were being dropped. */
static inline bool frames_as_published(void) { return Py_Version >= 0x030B0100; }

#else

/* Where in the offsets that _PyRuntime begins with (see compat.h) those of the thread state and of
 * the frame begin, both with a size, and where among the former those of the thread's names are. */
#if PY_VERSION_HEX < 0x030E0000
#define FRAMES_PUBLISHED_THREAD 19
#define FRAMES_PUBLISHED_NAMES 5
#define FRAMES_PUBLISHED_FRAME 28
#define FRAMES_TOP_AS_PUBLISHED(published) true /* it is not */
#elif PY_VERSION_HEX < 0x030F0000
#define FRAMES_PUBLISHED_THREAD 22
#define FRAMES_PUBLISHED_NAMES 5
#define FRAMES_PUBLISHED_FRAME 31
#define FRAMES_TOP_AS_PUBLISHED(published) ((published)[6] == offsetof(frames_frame, top))
#else
#define FRAMES_PUBLISHED_THREAD 22
#define FRAMES_PUBLISHED_NAMES 8
#define FRAMES_PUBLISHED_FRAME 39
#define FRAMES_TOP_AS_PUBLISHED(published) ((published)[6] == offsetof(frames_frame, top))
#endif

static inline bool frames_thread_as_published(const uint64_t *published) {
  const uint64_t *names = published + FRAMES_PUBLISHED_NAMES;
  return published[0] == sizeof(PyThreadState) &&
         published[4] == offsetof(PyThreadState, current_frame) &&
         names[0] == offsetof(PyThreadState, thread_id) &&
         names[1] == offsetof(PyThreadState, native_thread_id) &&
         names[2] == offsetof(PyThreadState, datastack_chunk);
}

static inline bool frames_frame_as_published(const uint64_t *published) {
  return published[0] == sizeof(frames_frame) && published[1] == offsetof(frames_frame, previous) &&
         published[2] == offsetof(frames_frame, executable) &&
         published[3] == offsetof(frames_frame, instruction) &&
         published[4] == offsetof(frames_frame, slots) &&
         published[5] == offsetof(frames_frame, owner) && FRAMES_TOP_AS_PUBLISHED(published);
}

/* Whether what the interpreter says of itself agrees with the structures above. */
static inline bool frames_as_published(void) {
  const char *runtime = (const char *)dlsym(RTLD_DEFAULT, "_PyRuntime");
  if (!runtime || memcmp(runtime, "xdebugpy", 8) != 0) return false;
  const uint64_t *published = (const uint64_t *)(const void *)runtime;
  return published[1] >> 16 == PY_VERSION_HEX >> 16 && published[2] == 0 &&
         frames_thread_as_published(published + FRAMES_PUBLISHED_THREAD) &&
         frames_frame_as_published(published + FRAMES_PUBLISHED_FRAME);
}

#endif
#endif

/* The part of the stack that is known to be in use, behind the locals: 0 where nothing is known, or
 * what is said cannot be. */
static inline Py_ssize_t frames_stack_count(const frames_frame *frame) {
  const PyCodeObject *code = (const PyCodeObject *)frames_executable(frame);
  Py_ssize_t count = frames_slots_in_use(frame) - frames_local_count(frame);
  return count > 0 && count <= code->co_stacksize ? count : 0;
}

#endif
