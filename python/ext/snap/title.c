/* SPDX-License-Identifier: MIT */
#include "title.h"

/* A path's last part. */
static void put_file(snaptext *to, PyObject *path) {
  snaptext whole = {0};
  snaptext_put_str(&whole, path);
  const char *name = strrchr(snaptext_end(&whole), '/');
  snaptext_put(to, name ? name + 1 : whole.bytes);
}

static void put_place(snaptext *to, const PyCodeObject *code, int line) {
  snaptext_put_str(to, snapcompat_code_name(code));
  snaptext_put(to, " ");
  put_file(to, code->co_filename);
  snaptext_put(to, ":");
  snaptext_put_number(to, line);
}

static void put_function(snaptext *to, PyObject *o) {
  const PyFunctionObject *function = (const PyFunctionObject *)o;
  if (snaptext_readable(function->func_module)) {
    snaptext_put_str(to, function->func_module);
    snaptext_put(to, ".");
  }
  snaptext_put_str(to, function->func_qualname);
}

static void put_builtin(snaptext *to, PyObject *o) {
  const PyCFunctionObject *function = (const PyCFunctionObject *)o;
  if (snaptext_readable(function->m_module)) {
    snaptext_put_str(to, function->m_module);
    snaptext_put(to, ".");
  }
  snaptext_put(to, function->m_ml->ml_name);
}

/* The first key of a module's dictionary that says it. */
static void put_module(snaptext *to, PyObject *o) {
  PyObject *key, *value, *dict = PyModule_GetDict(o);
  Py_ssize_t at = 0;
  while (dict && PyDict_Next(dict, &at, &key, &value))
    if (snaptext_equals(key, "__name__")) {
      snaptext_put_str(to, value);
      return;
    }
}

static void put_title(snaptext *to, PyObject *o, const snaptype *t) {
  if (t->shape == SNAPSHAPE_FUNCTION) put_function(to, o);
  else if (t->shape == SNAPSHAPE_TYPE) snaptype_put_name(to, (PyTypeObject *)o);
  else if (t->shape == SNAPSHAPE_CODE)
    put_place(to, (PyCodeObject *)o, ((PyCodeObject *)o)->co_firstlineno);
  else if (t->shape == SNAPSHAPE_GENERATOR)
    snaptext_put_str(to, ((snapgenerator *)(void *)o)->qualname);
  else if (t->type == &PyCFunction_Type) put_builtin(to, o);
  else if (t->kind == SNAPSHOT_MODULE && PyModule_Check(o)) put_module(to, o);
}

void snaptitle_object(snapwalk *w, PyObject *o, const snaptype *t) {
  snaptext title = {0};
  if (t->shape == SNAPSHAPE_LEAF) return;
  put_title(&title, o, t);
  if (title.length) writer_text(w->out, (uintptr_t)o, SNAPSHOT_TITLE, title.bytes, title.length);
}

void snaptitle_frame(snaptext *to, const frames_frame *frame) {
  put_place(to, (const PyCodeObject *)frames_executable(frame), snapcompat_line(frame));
}

void snaptitle_key(snapwalk *w, PyObject *key) {
  bool text = snaptext_readable(key);
  if (!text && !PyLong_CheckExact(key)) return;
  if (w->redact && !snaptext_is_name(key)) return;
  if (!snapset_add(&w->titled, key)) return;
  snaptext of = {0};
  int overflow = 0;
  if (text) snaptext_put_str(&of, key);
  else snaptext_put_number(&of, PyLong_AsLongLongAndOverflow(key, &overflow));
  if (overflow) return;
  writer_text(w->out, (uintptr_t)key, text ? SNAPSHOT_KEY_STR : SNAPSHOT_KEY_INT, of.bytes,
              of.length);
}
