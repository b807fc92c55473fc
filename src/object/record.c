/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "retry.h"
#include "state.h"

/* --- Names ------------------------------------------------------------------------------------ */

static size_t names_size(size_t count, const char *const *names) {
  size_t size = sizeof(record_names) + count * (sizeof(char *) + sizeof(char **));
  for (size_t i = 0; i < count; i++) size += strlen(names[i]) + 1;
  return size;
}

static void names_copy(record_names *to, size_t count, const char *const *names) {
  to->count = count;
  to->names = (const char **)(void *)(to + 1);
  to->sorted = (const char ***)(void *)(to->names + count);
  char *text = (char *)(to->sorted + count);
  for (size_t i = 0; i < count; i++) {
    size_t size = strlen(names[i]) + 1;
    to->names[i] = memcpy(text, names[i], size);
    to->sorted[i] = &to->names[i];
    text += size;
  }
}

static int names_order(const void *a, const void *b) {
  return strcmp(**(const char **const *)a, **(const char **const *)b);
}

static bool names_differ(const record_names *names) {
  for (size_t i = 1; i < names->count; i++)
    if (names_order(&names->sorted[i - 1], &names->sorted[i]) == 0) return false;
  return true;
}

static size_t names_find(const record_names *names, const char *name) {
  size_t from = 0, to = names->count;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    int order = strcmp(*names->sorted[middle], name);
    if (order == 0) return (size_t)(names->sorted[middle] - names->names);
    if (order < 0) from = middle + 1;
    else to = middle;
  }
  return SIZE_MAX;
}

/* --- Types ------------------------------------------------------------------------------------ */

static record_types *records_of(ouro_heap *heap) { return *runtime_slot(heap, PART_RECORDS); }

static const record_names *names_of(const ouro_type *type) {
  const record_types *types = records_of(ouro_type_heap(type));
  size_t index = type->header.type;
  return types && index < types->room ? types->of[index] : NULL;
}

/* Makes room for the names of the type that is made next. */
static bool records_reserve(ouro_heap *heap) {
  record_types *types = records_of(heap);
  size_t room = types ? types->room : 0, index = runtime_in(heap)->type_count;
  if (index < room) return true;
  size_t more = index + 8;
  types = ouro_realloc(heap, types, sizeof *types + more * sizeof *types->of);
  if (!types) return false;
  memset(types->of + room, 0, (more - room) * sizeof *types->of);
  types->room = more;
  *runtime_slot(heap, PART_RECORDS) = types;
  return true;
}

static record_names *names_make(ouro_heap *heap, size_t count, const char *const *names) {
  record_names *made = ouro_alloc(heap, names_size(count, names));
  if (!made) return NULL;
  names_copy(made, count, names);
  qsort(made->sorted, count, sizeof *made->sorted, names_order);
  return made;
}

static ouro_type *record_make_type(ouro_heap *heap, const char *name, const record_names *names,
                                   void (*finalize)(void *self)) {
  uint16_t refs[RECORD_FIELDS_MAX + 1] = {0};
  for (size_t i = 0; i < names->count; i++)
    refs[i] = (uint16_t)(offsetof(ouro_record, fields) + i * sizeof(ouro_object *));
  ouro_type_spec spec = {
      .name = name,
      .size = (uint32_t)(sizeof(ouro_record) + names->count * sizeof(ouro_object *)),
      .refs = refs,
      .ref_names = names->names,
      .finalize = finalize,
  };
  return ouro_type_new(heap, &spec);
}

/* A type with these names, which it keeps; on failure they are the caller's again. */
static ouro_type *record_register(ouro_heap *heap, const char *name, record_names *names,
                                  void (*finalize)(void *self)) {
  if (!names_differ(names)) return runtime_fail(heap, "two fields have the same name"), NULL;
  bool tried = false;
  while (!records_reserve(heap))
    if (!retry_after_collection(heap, &tried)) return NULL;
  ouro_type *type = record_make_type(heap, name, names, finalize);
  if (type) records_of(heap)->of[type->header.type] = names;
  return type;
}

ouro_type *ouro_record_type(ouro_heap *heap, const char *name, size_t count,
                            const char *const *names, void (*finalize)(void *self)) {
  if (!runtime_ensure(heap)) return NULL;
  if (count > RECORD_FIELDS_MAX) return runtime_fail(heap, "more than 4,096 fields"), NULL;
  record_names *made;
  bool tried = false;
  while (!(made = names_make(heap, count, names)))
    if (!retry_after_collection(heap, &tried)) return NULL;
  ouro_type *type = record_register(heap, name, made, finalize);
  if (!type) ouro_free(heap, made);
  return type;
}

size_t ouro_record_count(const ouro_type *type) {
  const record_names *names = names_of(type);
  return names ? names->count : 0;
}

const char *ouro_record_name(const ouro_type *type, size_t index) {
  const record_names *names = names_of(type);
  return names && index < names->count ? names->names[index] : NULL;
}

size_t ouro_record_find(const ouro_type *type, const char *name) {
  const record_names *names = names_of(type);
  return names ? names_find(names, name) : SIZE_MAX;
}

/* --- Records ---------------------------------------------------------------------------------- */

ouro_record *ouro_record_new(ouro_type *type) {
  if (!names_of(type))
    return runtime_fail(ouro_type_heap(type), "the type is not one of records"), NULL;
  return ouro_new(type);
}

bool ouro_is_record(const void *object) { return names_of(ouro_type_of(object)) != NULL; }

/* The place of a named field; NULL, with the reason: there is none. */
static ouro_object **record_field(const ouro_record *record, const char *name) {
  ouro_type *type = ouro_type_of(record);
  size_t index = ouro_record_find(type, name);
  if (index == SIZE_MAX) return runtime_fail(ouro_type_heap(type), "no such field"), NULL;
  return &((ouro_record *)(uintptr_t)record)->fields[index];
}

bool ouro_record_get_named(const ouro_record *record, const char *name, ouro_object **value) {
  ouro_object **field = record_field(record, name);
  *value = field ? *field : NULL;
  return field != NULL;
}

bool ouro_record_set_named(ouro_record *record, const char *name, void *value) {
  ouro_object **field = record_field(record, name);
  if (field) ouro_assign(field, value);
  return field != NULL;
}
