/* SPDX-License-Identifier: MIT */
/*
 * Dictionaries: keys to values, in the order in which keys were first put. Keys compare by their
 * type's `hash` and `equal` (identity by default; numbers, strings, bytes and tuples by value, and
 * only with their own type). Safe under mutation by callbacks: `equal` and finalizers may change
 * the dictionary that is at work. Values may be NULL, keys not.
 */
#ifndef OURO_DICT_H
#define OURO_DICT_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

typedef struct ouro_dict ouro_dict;

OURO_API OURO_NEW ouro_dict *ouro_dict_new(ouro_heap *heap);
OURO_API bool ouro_is_dict(const void *object);
OURO_API size_t ouro_dict_length(const ouro_dict *dict);

/* The dictionary takes references of its own to key and value; an old value is dropped. False: out
 * of memory, or `equal` failed. */
OURO_API bool ouro_dict_put(ouro_dict *dict, void *key, void *value);

/* 1: found, *value borrowed; 0: no such key, *value NULL; -1: `equal` failed. */
OURO_API int ouro_dict_get(ouro_dict *dict, const void *key, OURO_BORROWED ouro_object **value);

/* 1: removed; 0: no such key; -1: `equal` failed. */
OURO_API int ouro_dict_remove(ouro_dict *dict, const void *key);
OURO_API void ouro_dict_clear(ouro_dict *dict);

/* The next entry behind *position (0 at first). False: the end. Between two calls entries may be
 * removed, which are not seen then, and values of keys that are there be put. A new key may be seen
 * or not, and may make the iteration miss others. */
OURO_API bool ouro_dict_next(const ouro_dict *dict, size_t *position,
                             OURO_BORROWED ouro_object **key, OURO_BORROWED ouro_object **value);

/* Shortcuts with text keys (see <ouro/str.h>): `text` ends with a zero byte. */
OURO_API bool ouro_dict_put_text(ouro_dict *dict, const char *text, void *value);
OURO_API int ouro_dict_get_text(ouro_dict *dict, const char *text,
                                OURO_BORROWED ouro_object **value);

OURO_END_DECLS

#endif
