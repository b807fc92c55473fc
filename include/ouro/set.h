/* SPDX-License-Identifier: MIT */
/* Sets: members compare as the keys of dictionaries do, and keep their order of arrival. */
#ifndef OURO_SET_H
#define OURO_SET_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

typedef struct ouro_set ouro_set;

OURO_API OURO_NEW ouro_set *ouro_set_new(ouro_heap *heap);
OURO_API bool ouro_is_set(const void *object);
OURO_API size_t ouro_set_length(const ouro_set *set);

/* The set takes a reference of its own to a new member. 1: added; 0: was there; -1: out of memory,
 * or `equal` failed. */
OURO_API int ouro_set_add(ouro_set *set, void *member);
/* 1, 0, or -1: `equal` failed. */
OURO_API int ouro_set_has(ouro_set *set, const void *member);
OURO_API int ouro_set_remove(ouro_set *set, const void *member);
OURO_API void ouro_set_clear(ouro_set *set);
/* As ouro_dict_next. */
OURO_API bool ouro_set_next(const ouro_set *set, size_t *position,
                            OURO_BORROWED ouro_object **member);

OURO_END_DECLS

#endif
