/* SPDX-License-Identifier: MIT */
/* Records: objects with named fields, their type made at run time. */
#ifndef OURO_RECORD_H
#define OURO_RECORD_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

OURO_FLEXIBLE typedef struct ouro_record {
  ouro_object object;
  ouro_object *fields[];
} ouro_record;

/* A type of records with `count` (at most 4,096) named fields; the names are copied. For
 * interpreters: the class's finalizer may be set in `finalize` (NULL: none). NULL: out of memory,
 * two equal names, or too many fields. */
OURO_API OURO_BORROWED ouro_type *ouro_record_type(ouro_heap *heap, const char *name, size_t count,
                                                   const char *const *names,
                                                   void (*finalize)(void *self));
/* A record, all fields NULL. */
OURO_API OURO_NEW ouro_record *ouro_record_new(ouro_type *type);
OURO_API bool ouro_is_record(const void *object);
OURO_API size_t ouro_record_count(const ouro_type *type);
OURO_API const char *ouro_record_name(const ouro_type *type, size_t index);

/* The index of a field; SIZE_MAX: no such name. */
OURO_API size_t ouro_record_find(const ouro_type *type, const char *name);

/* By index (borrowed; NULL: not set) and by name (false: no such field). set takes a reference of
 * its own. */
static inline OURO_BORROWED ouro_object *ouro_record_get(const ouro_record *record, size_t index) {
  return record->fields[index];
}
static inline void ouro_record_set(ouro_record *record, size_t index, void *value) {
  ouro_assign(&record->fields[index], value);
}
OURO_API bool ouro_record_get_named(const ouro_record *record, const char *name,
                                    OURO_BORROWED ouro_object **value);
OURO_API bool ouro_record_set_named(ouro_record *record, const char *name, void *value);

OURO_END_DECLS

#endif
