/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include "known.h"
#include "title.h"
#include "value.h"

/* References that are compared with a name before it is given up. */
#define MATCH_WITHIN 64
/* An interpreter that has started has interned more than this. */
#define INTERNED_LEAST 200
/* Objects that may wait while the items of one are gone through. */
#define PENDING_MOST 8192

/* --- The references of one object ------------------------------------------------------------- */

static snaptarget *targets_of(snapwalk *w) { return w->targets.items; }

void snapwalk_clear(snapwalk *w) { w->targets.count = w->cursor = 0; }

void snapwalk_add(snapwalk *w, PyObject *target, snapshot_label_kind label, uint32_t name) {
  if (!target || !snaparray_reserve(&w->targets, sizeof(snaptarget), 1, &w->pages)) return;
  targets_of(w)[w->targets.count++] = (snaptarget){target, name, (uint8_t)label};
}

static int collect_reference(PyObject *target, void *arg) {
  snapwalk_add(arg, target, SNAPSHOT_UNNAMED, 0);
  return 0;
}

/* Some modules show the dead objects that they keep for reuse (_asyncio of 3.12). */
static int collect_living(PyObject *target, void *arg) {
  return Py_REFCNT(target) == 0 ? 0 : collect_reference(target, arg);
}

/* What tp_traverse shows. Static types have one that must not be called for them. */
static void collect(snapwalk *w, PyObject *o) {
  traverseproc traverse = Py_TYPE(o)->tp_traverse;
  snapwalk_clear(w);
  if (!traverse || !PyObject_IS_GC(o)) return;
  traverse(o, PyModule_Check(o) ? collect_living : collect_reference, w);
}

/* The next reference to `target` that has no name yet, from behind the last one found on; NULL: it
 * is not `within` as many. */
static snaptarget *match(snapwalk *w, const PyObject *target, size_t within) {
  size_t count = w->targets.count, most = count < within ? count : within;
  for (size_t i = 0, at = w->cursor; i < most; i++, at++) {
    if (at >= count) at = 0;
    snaptarget *t = &targets_of(w)[at];
    if (t->object != target || t->label != SNAPSHOT_UNNAMED) continue;
    w->cursor = at + 1;
    return t;
  }
  return NULL;
}

static bool name(snapwalk *w, PyObject *target, uint8_t label, uint32_t id) {
  snaptarget *found = target ? match(w, target, MATCH_WITHIN) : NULL;
  if (!found) return false;
  found->label = label;
  found->name = id;
  return true;
}

static void name_places(snapwalk *w, PyObject *o, const snaptype *t) {
  for (uint32_t i = 0; i < t->place_count; i++) {
    PyObject *target = *(PyObject **)(void *)((char *)o + t->places[i].offset);
    bool shown = name(w, target, SNAPSHOT_ATTRIBUTE, t->places[i].name);
    if (!shown && t->places[i].owned)
      snapwalk_add(w, target, SNAPSHOT_ATTRIBUTE, t->places[i].name);
  }
}

/* Objects of types made at run time hold their type, whether it is shown or not. It is shown first,
 * last or between, far from all that was named before. */
static void name_type(snapwalk *w, PyObject *o, const snaptype *t) {
  if (!t->holds_type) return;
  PyObject *type = (PyObject *)Py_TYPE(o);
  uint32_t id = snapnames_text(&w->names, "ob_type");
  snaptarget *shown = match(w, type, w->targets.count);
  if (shown) *shown = (snaptarget){type, id, SNAPSHOT_INTERNAL};
  else snapwalk_add(w, type, SNAPSHOT_INTERNAL, id);
}

static void name_attributes(snapwalk *w, PyObject *o, snaptype *t) {
  Py_ssize_t room;
  PyObject *const *values = snapcompat_instance_values(o, &room);
  const snapkeys *keys = values ? snapcompat_shared_keys(t->type) : NULL;
  Py_ssize_t count = keys ? snaptypes_shared(&w->types, t, keys) : 0;
  for (Py_ssize_t i = 0; i < count && i < room; i++)
    name(w, values[i], SNAPSHOT_ATTRIBUTE, t->shared_names[i]);
  PyObject *dict = snapcompat_instance_dict(o);
  if (dict) name(w, dict, SNAPSHOT_ATTRIBUTE, snapnames_text(&w->names, "__dict__"));
}

/* --- Frames ----------------------------------------------------------------------------------- */

static uint32_t local_id(snapwalk *w, const PyCodeObject *code, Py_ssize_t n, Py_ssize_t locals) {
  PyObject *text = n < locals ? snapcompat_local_name(code, n) : NULL;
  return text ? snapnames_str(&w->names, text) : snapnames_text(&w->names, "(stack)");
}

/* Names the locals of a frame that belongs to the object; references that nobody counts are
 * shown, but they are none. */
static void name_locals(snapwalk *w, const frames_frame *frame) {
  PyObject *code = frame ? frames_executable(frame) : NULL;
  if (!code || !PyCode_Check(code)) return;
  const frames_slot *slots = frames_locals(frame);
  Py_ssize_t locals = frames_local_count(frame), end = locals + frames_stack_count(frame);
  for (Py_ssize_t i = 0; i < end; i++) {
    bool counted = snapcompat_counted(slots[i]);
    uint32_t id = counted ? local_id(w, (PyCodeObject *)code, i, locals) : 0;
    name(w, frames_object(slots[i]), counted ? SNAPSHOT_LOCAL : SNAPTARGET_GONE, id);
  }
}

static void name_frame_parts(snapwalk *w, const frames_frame *frame) {
  PyObject *code = frames_executable(frame), *scope = frames_scope(frame);
  uint8_t code_label = snapcompat_code_counted(frame) ? SNAPSHOT_INTERNAL : SNAPTARGET_GONE;
  uint8_t scope_label = snapcompat_scope_counted(frame) ? SNAPSHOT_INTERNAL : SNAPTARGET_GONE;
  name(w, code, code_label, snapnames_text(&w->names, "code"));
  name(w, scope, scope_label, snapnames_text(&w->names, "function"));
}

/* Whether tp_traverse has shown what is in the frame: it does where the object owns the frame. */
static bool shows_frame(snapwalk *w, const frames_frame *frame) {
  const PyObject *code = frame ? frames_executable(frame) : NULL;
  for (size_t i = 0; code && i < w->targets.count; i++)
    if (targets_of(w)[i].object == code) return true;
  return false;
}

static void name_frame(snapwalk *w, const frames_frame *frame) {
  if (!shows_frame(w, frame)) return;
  if (!SNAPCOMPAT_FRAMES_ARE_OBJECTS) name_frame_parts(w, frame);
  name_locals(w, frame);
}

/* --- Other kinds ------------------------------------------------------------------------------ */

/* A deque is shown in its order, and its type before that. */
static void name_deque(snapwalk *w, const snaptype *t) {
  uint32_t index = 0;
  for (size_t i = 0; i < w->targets.count; i++) {
    snaptarget *at = &targets_of(w)[i];
    if (at->label != SNAPSHOT_UNNAMED) continue;
    if (t->holds_type && i == 0 && at->object == (PyObject *)t->type) continue;
    at->label = SNAPSHOT_INDEX;
    at->name = index++;
  }
}

/* Keys that the instances of a class share are the class's. */
static void add_shared_keys(snapwalk *w, PyTypeObject *type) {
  const snapkeys *keys = snapcompat_shared_keys(type);
  uint32_t id = snapnames_text(&w->names, "(shared keys)");
  for (Py_ssize_t i = 0; keys && i < keys->entries; i++)
    snapwalk_add(w, snapcompat_key(keys, i), SNAPSHOT_INTERNAL, id);
}

static void collect_static_type(snapwalk *w, PyTypeObject *type) {
  snapwalk_clear(w);
  PyObject *dict = snapcompat_type_dict(type);
  snapwalk_add(w, dict, SNAPSHOT_ATTRIBUTE, snapnames_text(&w->names, "__dict__"));
  snapwalk_add(w, type->tp_bases, SNAPSHOT_ATTRIBUTE, snapnames_text(&w->names, "__bases__"));
  snapwalk_add(w, type->tp_mro, SNAPSHOT_ATTRIBUTE, snapnames_text(&w->names, "__mro__"));
  snapwalk_add(w, (PyObject *)type->tp_base, SNAPSHOT_ATTRIBUTE,
               snapnames_text(&w->names, "__base__"));
  if (SNAPCOMPAT_SUBCLASSES_ARE_OBJECTS)
    snapwalk_add(w, (PyObject *)type->tp_subclasses, SNAPSHOT_ATTRIBUTE,
                 snapnames_text(&w->names, "__subclasses__"));
}

static void collect_type(snapwalk *w, PyObject *o, const snaptype *t) {
  PyTypeObject *type = (PyTypeObject *)o;
  if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
    collect_static_type(w, type);
    return;
  }
  collect(w, o);
  name_places(w, o, t);
  name_type(w, o, t);
  add_shared_keys(w, type);
}

static void collect_code(snapwalk *w, PyObject *o, const snaptype *t) {
  PyObject *const *cache = snapcompat_code_cache((PyCodeObject *)o);
  uint32_t id = snapnames_text(&w->names, "(cached)");
  collect(w, o);
  name_places(w, o, t);
  for (int i = 0; cache && i < SNAPCOMPAT_CODE_CACHED; i++)
    snapwalk_add(w, cache[i], SNAPSHOT_INTERNAL, id);
}

static void collect_function(snapwalk *w, PyObject *o, const snaptype *t) {
  collect(w, o);
  name_places(w, o, t);
  if (!PyFunction_GET_CLOSURE(o)) return;
  if (!snaparray_reserve(&w->closures, sizeof(PyObject *), 1, &w->pages)) return;
  ((PyObject **)w->closures.items)[w->closures.count++] = o;
}

/* An entry's key and result, which are shown one after the other, are a pair. Its type is shown,
 * too, but the entry holds that. */
static void name_link(snapwalk *w, const snaplink *link) {
  snaptarget *key = link->key ? match(w, link->key, MATCH_WITHIN) : NULL;
  bool pair = key && key + 1 < targets_of(w) + w->targets.count && key[1].object == link->result;
  if (pair) {
    key[0].label = SNAPSHOT_KEY;
    key[1].label = SNAPSHOT_VALUE;
    w->cursor++;
  }
  name(w, (PyObject *)Py_TYPE(&link->ob_base), SNAPTARGET_GONE, 0);
}

static void collect_cache(snapwalk *w, PyObject *o, snaptype *t) {
  const snapcache *cache = (const snapcache *)(const void *)o;
  uint32_t id = snapnames_text(&w->names, "(entries)");
  collect(w, o);
  const snaplink *link = cache->root.next;
  while (link && link != &cache->root && link->ob_base.ob_type &&
         strcmp(Py_TYPE(&link->ob_base)->tp_name, SNAPCOMPAT_LINK) == 0) {
    name_link(w, link);
    snapwalk_add(w, (PyObject *)(uintptr_t)link, SNAPSHOT_INTERNAL, id);
    link = link->next;
  }
  name_attributes(w, o, t);
  name_places(w, o, t);
  name_type(w, o, t);
}

static void collect_generator(snapwalk *w, PyObject *o, const snaptype *t) {
  collect(w, o);
  name_places(w, o, t);
  name_frame(w, snapcompat_frame_of_generator(o));
}

static void collect_frame(snapwalk *w, PyObject *o, const snaptype *t) {
  collect(w, o);
  name_places(w, o, t);
  name_frame(w, snapcompat_frame_of_object(o));
}

static void collect_others(snapwalk *w, PyObject *o, snaptype *t) {
  collect(w, o);
  if (t->managed_dict) name_attributes(w, o, t);
  name_places(w, o, t);
  if (t->shape == SNAPSHAPE_DEQUE) name_deque(w, t);
  name_type(w, o, t);
  if (!t->aware || !((const char *)o)[sizeof(PyObject) + sizeof(Py_hash_t)]) return;
  snapwalk_add(w, *(PyObject **)(void *)((char *)o + t->tzinfo), SNAPSHOT_ATTRIBUTE,
               snapnames_text(&w->names, "tzinfo"));
}

/* --- Writing ---------------------------------------------------------------------------------- */

static bool same_run(const snaptarget *a, const snaptarget *b) {
  return a->label == b->label && (a->label != SNAPSHOT_INDEX || a->name + 1 == b->name);
}

/* From `at` on; returns the first one behind. */
static size_t write_run(snapwalk *w, size_t at) {
  const snaptarget *t = targets_of(w);
  size_t end = at + 1;
  while (end < w->targets.count && same_run(&t[end - 1], &t[end])) end++;
  writer_run(w->out, t[at].label, t[at].label == SNAPSHOT_INDEX ? t[at].name : 0, end - at);
  for (; at < end; at++) {
    if (snapshot_label_named(t[at].label))
      writer_named_edge(w->out, t[at].name, (uintptr_t)t[at].object);
    else writer_edge(w->out, (uintptr_t)t[at].object);
  }
  return end;
}

void snapwalk_write_targets(snapwalk *w) {
  snaptarget *t = targets_of(w);
  size_t kept = 0;
  for (size_t i = 0; i < w->targets.count; i++)
    if (t[i].label != SNAPTARGET_GONE) t[kept++] = t[i];
  w->targets.count = kept;
  for (size_t at = 0; at < kept;) at = write_run(w, at);
}

static void write_array(snapwalk *w, PyObject *const *items, Py_ssize_t count) {
  for (Py_ssize_t at = 0, end; at < count; at = end) {
    for (end = at; end < count && items[end];) end++;
    if (end > at) writer_run(w->out, SNAPSHOT_INDEX, (uint64_t)at, (uint64_t)(end - at));
    for (; at < end; at++) writer_edge(w->out, (uintptr_t)items[at]);
    while (end < count && !items[end]) end++; /* it is being filled */
  }
}

static PyObject *const *items_of(PyObject *o) {
  return PyTuple_Check(o) ? ((PyTupleObject *)o)->ob_item : ((PyListObject *)o)->ob_item;
}

/* Of a subclass of list or tuple: what is shown besides the items, and then those, which are shown
 * last first. */
static void write_sequence(snapwalk *w, PyObject *o, snaptype *t) {
  PyObject *const *items = items_of(o);
  collect(w, o);
  for (Py_ssize_t i = Py_SIZE(o) - 1; i >= 0; i--) name(w, items[i], SNAPTARGET_GONE, 0);
  if (t->managed_dict) name_attributes(w, o, t);
  name_places(w, o, t);
  name_type(w, o, t);
  snapwalk_write_targets(w);
  write_array(w, items, Py_SIZE(o));
}

static void write_set(snapwalk *w, PyObject *o) {
  const PySetObject *set = (const PySetObject *)o;
  writer_run(w->out, SNAPSHOT_UNNAMED, 0, (uint64_t)set->used);
  Py_ssize_t left = set->used;
  for (Py_ssize_t i = 0; i <= set->mask && left > 0; i++) {
    if (!set->table[i].key || set->table[i].hash == -1) continue;
    writer_edge(w->out, (uintptr_t)set->table[i].key);
    left--;
  }
}

static void write_pairs(snapwalk *w, PyObject *o) {
  PyObject *key, *value;
  for (Py_ssize_t at = 0; PyDict_Next(o, &at, &key, &value);) {
    writer_run(w->out, SNAPSHOT_KEY, 0, 1);
    writer_edge(w->out, (uintptr_t)key);
    writer_run(w->out, SNAPSHOT_VALUE, 0, 1);
    writer_edge(w->out, (uintptr_t)value);
  }
}

/* Whether the values lie in an instance, which shows them as its own: patch releases differ in who
 * does. */
static bool is_shown_by_instance(snapwalk *w, PyObject *o) {
  if (!snapcompat_is_view((PyDictObject *)o)) return false;
  collect(w, o);
  return w->targets.count == 0;
}

/* A dictionary of an instance that shares the keys of its class, which holds them. */
static void write_shared(snapwalk *w, PyObject *o) {
  PyObject *key, *value;
  if (is_shown_by_instance(w, o)) return;
  writer_run(w->out, SNAPSHOT_ATTRIBUTE, 0, (uint64_t)PyDict_GET_SIZE(o));
  for (Py_ssize_t at = 0; PyDict_Next(o, &at, &key, &value);)
    writer_named_edge(w->out, snapnames_str(&w->names, key), (uintptr_t)value);
}

/* The interpreter's table of interned strings, which does not count its references: it has one that
 * was put there to be recognized. All its keys are plain, so that a lookup runs no code. */
static bool is_interned_table(PyObject *o) {
  PyObject *key, *value, *mark = snapknown_all.interned;
  Py_ssize_t at = 0;
  if (!mark || PyDict_GET_SIZE(o) < INTERNED_LEAST || snapcompat_shows_keys((PyDictObject *)o))
    return false;
  bool same = PyDict_Next(o, &at, &key, &value) && key == value && PyUnicode_CheckExact(key);
  return same && PyDict_GetItemWithError(o, mark) == mark;
}

static void write_dict(snapwalk *w, PyObject *o) {
  if (((PyDictObject *)o)->ma_values) write_shared(w, o);
  else if (is_interned_table(o)) return;
  else write_pairs(w, o);
}

/* What is shown besides the entries, and then those: they come last, behind keys that an ordered
 * dictionary holds a second time. Strings as keys are owned but not shown. */
static void write_mapping(snapwalk *w, PyObject *o, snaptype *t) {
  PyObject *key, *value;
  bool keys = snapcompat_shows_keys((PyDictObject *)o);
  size_t entries = (size_t)PyDict_GET_SIZE(o) * (keys ? 2 : 1);
  collect(w, o);
  if (w->targets.count > entries) w->cursor = w->targets.count - entries;
  for (Py_ssize_t at = 0; PyDict_Next(o, &at, &key, &value);) {
    name(w, value, SNAPTARGET_GONE, 0);
    if (keys) name(w, key, SNAPTARGET_GONE, 0);
  }
  if (t->managed_dict) name_attributes(w, o, t);
  name_places(w, o, t);
  name_type(w, o, t);
  snapwalk_write_targets(w);
  write_pairs(w, o);
}

static void write_closure(snapwalk *w, PyObject *tuple, const PyCodeObject *code) {
  snapwalk_clear(w);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
    PyObject *text = snapcompat_local_name(code, snapcompat_free_variable(code, i));
    if (text)
      snapwalk_add(w, PyTuple_GET_ITEM(tuple, i), SNAPSHOT_CELLVAR, snapnames_str(&w->names, text));
    else snapwalk_add(w, PyTuple_GET_ITEM(tuple, i), SNAPSHOT_INDEX, (uint32_t)i);
  }
  snapwalk_write_targets(w);
}

/* --- Facts of an object ----------------------------------------------------------------------- */

static bool is_static(PyObject *o) {
  if (PyType_Check(o)) return !(((PyTypeObject *)o)->tp_flags & Py_TPFLAGS_HEAPTYPE);
  return o == Py_None || o == Py_True || o == Py_False || o == Py_Ellipsis ||
         o == Py_NotImplemented;
}

static uint32_t flags_of(snapwalk *w, PyObject *o, uint32_t flags) {
  if (is_static(o)) flags |= SNAPSHOT_STATIC | SNAPSHOT_IMMORTAL;
  if (snapcompat_immortal(o)) flags |= SNAPSHOT_IMMORTAL;
  if (w->any_garbage && snapset_has(&w->garbage, o)) flags |= SNAPSHOT_UNCOLLECTABLE;
  return flags;
}

static uint32_t digest_of(const snapwalk *w, PyObject *o, const snaptype *t) {
  if (t->type == &PyBytes_Type)
    return snaptext_digest(w->salt, PyBytes_AS_STRING(o), (size_t)PyBytes_GET_SIZE(o));
  if (t->type != &PyUnicode_Type || !compat_str_is_compact(o)) return 0;
  size_t size = (size_t)PyUnicode_GET_LENGTH(o) * (size_t)PyUnicode_KIND(o);
  return snaptext_digest(w->salt, PyUnicode_DATA(o), size);
}

static void write_head(snapwalk *w, PyObject *o, const snaptype *t, uint32_t flags) {
  writer_object_facts facts = {
      .address = (uintptr_t)o, .type = t->id, .size = objsize(w->heap, o, &t->size)};
  facts.flags = flags_of(w, o, flags);
  if (!(facts.flags & SNAPSHOT_IMMORTAL)) facts.count = (uint64_t)Py_REFCNT(o);
  if (t->kind == SNAPSHOT_STR || t->kind == SNAPSHOT_BYTES) facts.digest = digest_of(w, o, t);
  writer_object(w->out, &facts);
}

static snaptype *type_of(snapwalk *w, PyObject *o) {
  bool fresh;
  snaptype *t = snaptypes_find(&w->types, Py_TYPE(o), &fresh);
  if (!t || !fresh) return t;
  if (!(t->type->tp_flags & Py_TPFLAGS_HEAPTYPE))
    writer_root(w->out, SNAPSHOT_ROOT_TYPE, (uintptr_t)t->type, t->type->tp_name);
  snapwalk_reach(w, (PyObject *)t->type); /* the table may grow, as its type may be new */
  return snaptypes_find(&w->types, Py_TYPE(o), &fresh);
}

/* --- Going on to what they refer to ----------------------------------------------------------- */

static void remember(snapwalk *w, PyObject *o) {
  if (!snaparray_reserve(&w->pending, sizeof(PyObject *), 1, &w->pages)) return;
  ((PyObject **)w->pending.items)[w->pending.count++] = o;
}

/* Leaves are written at once, so that a list of ten million of them takes no memory. */
static void reach_new(snapwalk *w, PyObject *o) {
  snaptype *t = type_of(w, o);
  if (!t) return;
  if (t->shape != SNAPSHAPE_LEAF) {
    remember(w, o);
    return;
  }
  write_head(w, o, t, 0);
  writer_object_end(w->out);
  if (w->values) snapvalue_write(w, o);
}

void snapwalk_reach(snapwalk *w, PyObject *o) {
  if (o && snapset_add(&w->seen, o)) reach_new(w, o);
}

static void reach_key(snapwalk *w, PyObject *key) {
  snaptitle_key(w, key);
  snapwalk_reach(w, key);
}

static void reach_targets(snapwalk *w) {
  for (size_t i = 0; i < w->targets.count; i++) snapwalk_reach(w, targets_of(w)[i].object);
}

static void reach_array(snapwalk *w, PyObject *const *items, Py_ssize_t count, bool outermost) {
  for (Py_ssize_t i = 0; i < count; i++) {
    snapwalk_reach(w, items[i]);
    if (outermost && w->pending.count > PENDING_MOST) snapwalk_drain(w);
  }
}

static void reach_pairs(snapwalk *w, PyObject *o, bool outermost) {
  PyObject *key, *value;
  for (Py_ssize_t at = 0; PyDict_Next(o, &at, &key, &value);) {
    reach_key(w, key);
    snapwalk_reach(w, value);
    if (outermost && w->pending.count > PENDING_MOST) snapwalk_drain(w);
  }
}

static void reach_set(snapwalk *w, PyObject *o, bool outermost) {
  const PySetObject *set = (const PySetObject *)o;
  for (Py_ssize_t i = 0; i <= set->mask; i++) {
    if (!set->table[i].key || set->table[i].hash == -1) continue;
    snapwalk_reach(w, set->table[i].key);
    if (outermost && w->pending.count > PENDING_MOST) snapwalk_drain(w);
  }
}

/* --- Whole objects ---------------------------------------------------------------------------- */

/* Its references, of those whose shape says where they are. False: of another shape. */
static bool write_simple(snapwalk *w, PyObject *o, const snaptype *t) {
  switch (t->shape) {
  case SNAPSHAPE_LEAF: return true;
  case SNAPSHAPE_LIST: write_array(w, ((PyListObject *)o)->ob_item, Py_SIZE(o)); return true;
  case SNAPSHAPE_TUPLE: write_array(w, ((PyTupleObject *)o)->ob_item, Py_SIZE(o)); return true;
  case SNAPSHAPE_DICT: write_dict(w, o); return true;
  case SNAPSHAPE_SET: write_set(w, o); return true;
  default: return false;
  }
}

static void reach_simple(snapwalk *w, PyObject *o, const snaptype *t, bool outermost) {
  switch (t->shape) {
  case SNAPSHAPE_LIST: reach_array(w, ((PyListObject *)o)->ob_item, Py_SIZE(o), outermost); return;
  case SNAPSHAPE_TUPLE:
    reach_array(w, ((PyTupleObject *)o)->ob_item, Py_SIZE(o), outermost);
    return;
  case SNAPSHAPE_DICT: reach_pairs(w, o, outermost); return;
  case SNAPSHAPE_SET: reach_set(w, o, outermost); return;
  default: return;
  }
}

static void write_collected(snapwalk *w, PyObject *o, snaptype *t) {
  switch (t->shape) {
  case SNAPSHAPE_MAPPING: write_mapping(w, o, t); return;
  case SNAPSHAPE_SEQUENCE: write_sequence(w, o, t); return;
  case SNAPSHAPE_TYPE: collect_type(w, o, t); break;
  case SNAPSHAPE_CODE: collect_code(w, o, t); break;
  case SNAPSHAPE_FUNCTION: collect_function(w, o, t); break;
  case SNAPSHAPE_GENERATOR: collect_generator(w, o, t); break;
  case SNAPSHAPE_FRAME: collect_frame(w, o, t); break;
  case SNAPSHAPE_CACHE: collect_cache(w, o, t); break;
  default: collect_others(w, o, t); break;
  }
  snapwalk_write_targets(w);
}

/* The type may move in its table while names are found, so it is used no more after them. */
static void write_object(snapwalk *w, PyObject *o, uint32_t flags, bool outermost) {
  snaptype *at = type_of(w, o);
  if (!at) return;
  snaptype t = *at;
  write_head(w, o, &t, flags);
  bool simple = write_simple(w, o, &t);
  if (!simple) write_collected(w, o, at);
  writer_object_end(w->out);
  snaptitle_object(w, o, &t);
  if (simple) {
    reach_simple(w, o, &t, outermost);
    return;
  }
  reach_targets(w);
  if (t.shape == SNAPSHAPE_MAPPING) reach_pairs(w, o, outermost);
  if (t.shape == SNAPSHAPE_SEQUENCE) reach_array(w, items_of(o), Py_SIZE(o), outermost);
}

/* Whose names the function that has it knows: it may come later. */
static bool may_be_closure(PyObject *o) {
  return PyTuple_CheckExact(o) && Py_SIZE(o) > 0 && PyTuple_GET_ITEM(o, 0) &&
         Py_IS_TYPE(PyTuple_GET_ITEM(o, 0), &PyCell_Type);
}

static uint32_t own_flags(PyObject *o) {
  return PyObject_IS_GC(o) && PyObject_GC_IsFinalized(o) ? SNAPSHOT_FINALIZED : 0;
}

static void put_off(snapwalk *w, PyObject *o, uint32_t flags) {
  if (!snaparray_reserve(&w->tuples, 2 * sizeof(uintptr_t), 1, &w->pages)) return;
  uintptr_t *entry = (uintptr_t *)w->tuples.items + 2 * w->tuples.count++;
  entry[0] = (uintptr_t)o;
  entry[1] = flags;
}

static void write_or_put_off(snapwalk *w, PyObject *o, uint32_t flags, bool outermost) {
  if (may_be_closure(o)) put_off(w, o, flags);
  else write_object(w, o, flags, outermost);
}

void snapwalk_know(snapwalk *w, PyObject *o) { snapset_add(&w->seen, o); }

void snapwalk_tracked(snapwalk *w, PyObject *o, uint32_t generation) {
  write_or_put_off(w, o, SNAPSHOT_TRACKED | generation | own_flags(o), true);
  if (w->pending.count) snapwalk_drain(w);
}

void snapwalk_drain(snapwalk *w) {
  while (w->pending.count > 0 && !w->pages.failed) {
    PyObject *o = ((PyObject **)w->pending.items)[--w->pending.count];
    uint32_t flags = own_flags(o);
    if (!w->complete && PyObject_GC_IsTracked(o)) flags |= SNAPSHOT_TRACKED | 2;
    write_or_put_off(w, o, flags, false);
  }
}

/* --- Closures --------------------------------------------------------------------------------- */

typedef struct closure {
  uintptr_t tuple;
  const PyCodeObject *code;
} closure;

static closure *closure_slot(closure *table, size_t room, uintptr_t tuple) {
  size_t at = (size_t)(tuple * 0x9E3779B97F4A7C15u >> 20) & (room - 1);
  while (table[at].tuple && table[at].tuple != tuple) at = (at + 1) & (room - 1);
  return &table[at];
}

/* Which code each closure belongs to. */
static closure *index_closures(snapwalk *w, size_t *room) {
  *room = 16;
  while (*room < 2 * w->closures.count) *room *= 2;
  closure *table = snappages_take(&w->pages, *room * sizeof *table);
  for (size_t i = 0; table && i < w->closures.count; i++) {
    PyObject *function = ((PyObject **)w->closures.items)[i];
    uintptr_t tuple = (uintptr_t)PyFunction_GET_CLOSURE(function);
    *closure_slot(table, *room, tuple) =
        (closure){tuple, (const PyCodeObject *)PyFunction_GET_CODE(function)};
  }
  return table;
}

static void write_tuple(snapwalk *w, PyObject *o, uint32_t flags, const PyCodeObject *code) {
  const snaptype *t = type_of(w, o);
  if (!t) return;
  write_head(w, o, t, flags);
  if (code) write_closure(w, o, code);
  else write_array(w, ((PyTupleObject *)o)->ob_item, Py_SIZE(o));
  writer_object_end(w->out);
  reach_array(w, ((PyTupleObject *)o)->ob_item, Py_SIZE(o), true);
}

/* What tuples reach may be functions with closures, and so on: those few are indexed as well. */
void snapwalk_last(snapwalk *w) {
  for (size_t done = 0; done < w->tuples.count && !w->pages.failed;) {
    size_t room, count = w->tuples.count;
    closure *table = index_closures(w, &room);
    for (; table && done < count; done++) {
      const uintptr_t *entry = (const uintptr_t *)w->tuples.items + 2 * done;
      PyObject *o = (PyObject *)entry[0];
      write_tuple(w, o, (uint32_t)entry[1], closure_slot(table, room, entry[0])->code);
      snapwalk_drain(w);
    }
  }
}

/* --- Beginning and end ------------------------------------------------------------------------ */

bool snapwalk_begin(snapwalk *w, writer *out, const ouro_heap *heap) {
  uintptr_t window = (uintptr_t)heap;
  w->out = out;
  w->heap = heap;
  snapset_begin(&w->seen, window, &w->pages);
  snapset_begin(&w->titled, window, &w->pages);
  w->garbage.pages = &w->pages;
  w->names = (snapnames){.pages = &w->pages, .out = out};
  w->types = (snaptypes){.pages = &w->pages, .names = &w->names, .out = out};
  return snaparray_reserve(&w->targets, sizeof(snaptarget), 1024, &w->pages);
}

void snapwalk_finish(snapwalk *w) {
  snapset_finish(&w->seen);
  snapset_finish(&w->titled);
  snaparray_finish(&w->targets);
  snaparray_finish(&w->pending);
  snaparray_finish(&w->closures);
  snaparray_finish(&w->tuples);
  snappages_finish(&w->pages);
}
