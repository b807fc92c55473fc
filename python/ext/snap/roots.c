/* SPDX-License-Identifier: MIT */
#include "roots.h"

#include "known.h"
#include "title.h"

/* --- Dictionaries ----------------------------------------------------------------------------- */

/* What a dictionary has under an ASCII name, found by looking; borrowed, or NULL. */
static PyObject *entry_of(PyObject *dict, const char *name) {
  PyObject *key, *value;
  Py_ssize_t at = 0;
  while (dict && PyDict_Check(dict) && PyDict_Next(dict, &at, &key, &value))
    if (snaptext_equals(key, name)) return value;
  return NULL;
}

static PyObject *module_entry(PyObject *modules, const char *module, const char *name) {
  PyObject *found = entry_of(modules, module);
  return found && PyModule_Check(found) ? entry_of(PyModule_GetDict(found), name) : NULL;
}

/* An instance's attribute, if it is in its table or dictionary. */
static PyObject *attribute_of(PyObject *o, const char *name) {
  Py_ssize_t room;
  PyObject *const *values = snapcompat_instance_values(o, &room);
  const snapkeys *keys = values ? snapcompat_shared_keys(Py_TYPE(o)) : NULL;
  for (Py_ssize_t i = 0; keys && i < keys->entries && i < room; i++)
    if (snaptext_equals(snapcompat_key(keys, i), name)) return values[i];
  return keys ? NULL : entry_of(snapcompat_instance_dict(o), name);
}

/* --- The interpreter -------------------------------------------------------------------------- */

static void root(snapwalk *w, snapshot_root_kind kind, PyObject *target, const char *text) {
  if (!target) return;
  writer_root(w->out, kind, (uintptr_t)target, text);
  snapwalk_reach(w, target);
}

static void write_modules(snapwalk *w, PyObject *modules) {
  PyObject *name, *module;
  Py_ssize_t at = 0;
  while (modules && PyDict_Check(modules) && PyDict_Next(modules, &at, &name, &module)) {
    snaptext text = {0};
    snaptext_put_str(&text, name);
    root(w, SNAPSHOT_ROOT_MODULE, module, snaptext_end(&text));
  }
}

static void write_interpreter(snapwalk *w, PyObject *modules) {
  PyObject *sys = entry_of(modules, "sys"), *builtins = entry_of(modules, "builtins");
  root(w, SNAPSHOT_ROOT_INTERPRETER, modules, "sys.modules");
  if (sys && PyModule_Check(sys))
    root(w, SNAPSHOT_ROOT_INTERPRETER, PyModule_GetDict(sys), "sys.__dict__");
  if (builtins && PyModule_Check(builtins))
    root(w, SNAPSHOT_ROOT_INTERPRETER, PyModule_GetDict(builtins), "builtins.__dict__");
}

static void write_garbage(snapwalk *w) {
  PyObject *garbage = snapknown_all.garbage;
  if (!garbage || !PyList_CheckExact(garbage)) return;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(garbage); i++) {
    PyObject *o = PyList_GET_ITEM(garbage, i);
    w->any_garbage = true;
    snapset_add(&w->garbage, o);
    root(w, SNAPSHOT_ROOT_UNCOLLECTABLE, o, "gc.garbage");
  }
}

/* --- Threads ---------------------------------------------------------------------------------- */

static const snapfield thread_fields[] = {SNAPCOMPAT_THREAD_FIELDS, {NULL, 0, false}};

typedef struct snapthread {
  const PyThreadState *state;
  char name[SNAPTEXT_ROOM + 1];
} snapthread;

/* The name that the module threading knows it by, or its number. */
static void name_thread(snapthread *thread, PyObject *active) {
  PyObject *key, *value, *found = NULL;
  Py_ssize_t at = 0;
  int overflow;
  while (!found && active && PyDict_Check(active) && PyDict_Next(active, &at, &key, &value))
    if (PyLong_CheckExact(key) &&
        PyLong_AsLongLongAndOverflow(key, &overflow) == (long long)thread->state->thread_id)
      found = attribute_of(value, "_name");
  snaptext text = {0};
  if (found) snaptext_put_str(&text, found);
  if (!text.length) {
    snaptext_put(&text, "thread ");
    snaptext_put_number(&text, (long long)thread->state->thread_id);
  }
  memcpy(thread->name, snaptext_end(&text), text.length + 1);
}

static void write_thread_fields(snapwalk *w, const snapthread *thread) {
  for (const snapfield *field = thread_fields; field->name; field++) {
    snaptext text = {0};
    snaptext_put(&text, thread->name);
    snaptext_put(&text, ": ");
    snaptext_put(&text, field->name);
    PyObject *target =
        *(PyObject *const *)(const void *)((const char *)thread->state + field->offset);
    root(w, SNAPSHOT_ROOT_THREAD, target, snaptext_end(&text));
  }
}

/* --- Calls in progress ------------------------------------------------------------------------ */

static uint32_t id(snapwalk *w, const char *name) { return snapnames_text(&w->names, name); }

static void add_slots(snapwalk *w, const frames_frame *frame) {
  const PyCodeObject *code = (const PyCodeObject *)frames_executable(frame);
  const frames_slot *slots = frames_locals(frame);
  Py_ssize_t locals = frames_local_count(frame), end = locals + frames_stack_count(frame);
  for (Py_ssize_t i = 0; i < end; i++) {
    PyObject *text = i < locals ? snapcompat_local_name(code, i) : NULL;
    if (snapcompat_counted(slots[i]))
      snapwalk_add(w, frames_object(slots[i]), SNAPSHOT_LOCAL,
                   text ? snapnames_str(&w->names, text) : id(w, "(stack)"));
  }
}

static void add_parts(snapwalk *w, const frames_frame *frame) {
  if (snapcompat_code_counted(frame))
    snapwalk_add(w, frames_executable(frame), SNAPSHOT_INTERNAL, id(w, "code"));
  if (snapcompat_scope_counted(frame))
    snapwalk_add(w, frames_scope(frame), SNAPSHOT_INTERNAL, id(w, "function"));
  snapwalk_add(w, frames_namespace(frame), SNAPSHOT_INTERNAL, id(w, "namespace"));
  snapwalk_add(w, snapcompat_frame_object(frame), SNAPSHOT_INTERNAL, id(w, "frame object"));
}

/* A frame that is no object is written as if it were one. */
static void write_pseudo(snapwalk *w, const frames_frame *frame, uint32_t type) {
  snaptext title = {0};
  const PyCodeObject *code = (const PyCodeObject *)frames_executable(frame);
  Py_ssize_t slots = frames_local_count(frame) + code->co_stacksize;
  writer_object_facts facts = {.address = (uintptr_t)frame, .type = type, .flags = SNAPSHOT_PSEUDO};
  facts.size = sizeof(frames_frame) + (size_t)slots * sizeof(frames_slot);
  snapwalk_clear(w);
  add_slots(w, frame);
  add_parts(w, frame);
  writer_object(w->out, &facts);
  snapwalk_write_targets(w);
  writer_object_end(w->out);
  snaptitle_frame(&title, frame);
  writer_text(w->out, (uintptr_t)frame, SNAPSHOT_TITLE, title.bytes, title.length);
  const snaptarget *targets = w->targets.items;
  for (size_t i = 0; i < w->targets.count; i++) snapwalk_reach(w, targets[i].object);
}

static void write_frame(snapwalk *w, const frames_frame *frame, const snapthread *thread,
                        uint32_t type) {
  uintptr_t target = (uintptr_t)frame;
  if (SNAPCOMPAT_FRAMES_ARE_OBJECTS || snapcompat_of_generator(frame)) {
    PyObject *o = snapcompat_generator_of_frame(frame);
    snapwalk_reach(w, o);
    target = (uintptr_t)o;
  } else {
    write_pseudo(w, frame, type);
  }
  writer_root(w->out, SNAPSHOT_ROOT_FRAME, target, thread->name);
  if (snapcompat_call_owns(frame))
    writer_root(w->out, SNAPSHOT_ROOT_THREAD, target, "a call in progress");
}

static void write_thread(snapwalk *w, const PyThreadState *state, PyObject *active, uint32_t type) {
  snapthread thread = {.state = state};
  name_thread(&thread, active);
  write_thread_fields(w, &thread);
  if (snapknown_all.frames != SNAPKNOWN_YES) return;
  for (const frames_frame *f = frames_newest(state); f; f = frames_previous(f))
    if (frames_usable(f)) write_frame(w, f, &thread, type);
}

void snaproots_write(snapwalk *w) {
  PyInterpreterState *interpreter = PyInterpreterState_Main();
  PyObject *modules = PyImport_GetModuleDict();
  PyObject *active = module_entry(modules, "threading", "_active");
  uint32_t type = writer_type(w->out, SNAPSHOT_FRAME, 0, 0, sizeof(frames_frame), "running frame");
  write_garbage(w);
  write_interpreter(w, modules);
  write_modules(w, modules);
  PyThreadState *state = PyInterpreterState_ThreadHead(interpreter);
  for (; state; state = PyThreadState_Next(state)) write_thread(w, state, active, type);
}
