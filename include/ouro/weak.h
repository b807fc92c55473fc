/* SPDX-License-Identifier: MIT */
/* Weak references and the containers made of them. */
#ifndef OURO_WEAK_H
#define OURO_WEAK_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

/* A weak reference is an object itself. It reads as gone from the moment its referent dies, and
 * its callback is called then, once, if the weak reference is still alive: after the referent's
 * finalizer, before its references are dropped. `closure` is held strongly until then.
 *
 * Callbacks may do anything. All weak references to an object read as gone before the first
 * callback; the youngest is told first, and each one that was alive then is told, whatever earlier
 * callbacks drop. Of a garbage cycle all weak references are cleared and told before the
 * first finalizer; those that are garbage themselves are not told (rule W5). */
typedef struct ouro_weak ouro_weak;
typedef void (*ouro_weak_fn)(ouro_weak *weak, ouro_object *closure);

/* A weak reference to `referent`; `callback` and `closure` may be NULL; where both are, it may be
 * one that others have too. NULL: out of memory, the type has OURO_NO_WEAKREF, or the object is
 * being destroyed (see ouro_heap_error). */
OURO_API OURO_NEW ouro_weak *ouro_weak_new(void *referent, ouro_weak_fn callback, void *closure);

/* The referent, or NULL once it is gone. */
OURO_API OURO_NEW void *ouro_weak_get(ouro_weak *weak);
OURO_API bool ouro_weak_is_gone(const ouro_weak *weak);

/* How many weak references to the object there are, those of weak containers included. */
OURO_API size_t ouro_weak_count(const void *object);

/* --- A dictionary whose entries disappear with their value (W2) or their key (W3) ------------- */

/* Keys and values as in <ouro/dict.h>; weak ones are of types that allow weak references. In a
 * weak-key dictionary values are strong: a value that refers to its own key keeps the entry for
 * ever. `put` keeps references of its own to what is strong; false: out of memory, no weak
 * references to the object are possible, or `equal` failed. Results of `get` are 1: found, *out
 * new; 0: not; -1: `equal` failed. `remove` and `has`: 1, 0 or -1.
 *
 * Entries leave at the death of what they refer to, before any callback is called; then what they
 * held strongly is dropped in the order of callbacks, keys behind the last one.
 *
 * `next`: the next live entry behind *position (0 at first), as new references; false: the end.
 * Entries may die or be removed during a visit; one during which others are put may miss some. */
typedef struct ouro_weakvaluedict ouro_weakvaluedict;
OURO_API OURO_NEW ouro_weakvaluedict *ouro_weakvaluedict_new(ouro_heap *heap);
OURO_API bool ouro_weakvaluedict_put(ouro_weakvaluedict *dict, void *key, void *value);
OURO_API int ouro_weakvaluedict_get(ouro_weakvaluedict *dict, const void *key,
                                    OURO_NEW ouro_object **out);
OURO_API int ouro_weakvaluedict_remove(ouro_weakvaluedict *dict, const void *key);
OURO_API size_t ouro_weakvaluedict_length(const ouro_weakvaluedict *dict);
OURO_API bool ouro_weakvaluedict_next(ouro_weakvaluedict *dict, size_t *position,
                                      OURO_NEW ouro_object **key, OURO_NEW ouro_object **value);

typedef struct ouro_weakkeydict ouro_weakkeydict;
OURO_API OURO_NEW ouro_weakkeydict *ouro_weakkeydict_new(ouro_heap *heap);
OURO_API bool ouro_weakkeydict_put(ouro_weakkeydict *dict, void *key, void *value);
OURO_API int ouro_weakkeydict_get(ouro_weakkeydict *dict, const void *key,
                                  OURO_NEW ouro_object **out);
OURO_API int ouro_weakkeydict_remove(ouro_weakkeydict *dict, const void *key);
OURO_API size_t ouro_weakkeydict_length(const ouro_weakkeydict *dict);
OURO_API bool ouro_weakkeydict_next(ouro_weakkeydict *dict, size_t *position,
                                    OURO_NEW ouro_object **key, OURO_NEW ouro_object **value);

typedef struct ouro_weakset ouro_weakset;
OURO_API OURO_NEW ouro_weakset *ouro_weakset_new(ouro_heap *heap);
OURO_API bool ouro_weakset_add(ouro_weakset *set, void *member);
OURO_API int ouro_weakset_has(ouro_weakset *set, const void *member);
OURO_API int ouro_weakset_remove(ouro_weakset *set, const void *member);
OURO_API size_t ouro_weakset_length(const ouro_weakset *set);
OURO_API bool ouro_weakset_next(ouro_weakset *set, size_t *position, OURO_NEW ouro_object **member);

OURO_END_DECLS

#endif
