/* SPDX-License-Identifier: MIT */
/*
 * Ouro objects: reference counts, types, finalizers.
 *
 * An *object* is a struct that begins with an `ouro_object`. It lives in a heap (<ouro/pool.h>) and
 * has a *type*, which says where its references to other objects lie. Each reference is counted;
 * when the last one is dropped the object is destroyed on that statement. Objects that only hold
 * each other are found by the collector (<ouro/gc.h>).
 *
 * Ownership, in every prototype of these headers:
 *     OURO_NEW       the result is a reference of the caller's, who drops it with ouro_unref;
 *     OURO_BORROWED  the result lives as long as something else holds it;
 *     OURO_STOLEN    the argument's reference passes to the callee, also where the call fails;
 *     an argument without a mark is borrowed for the time of the call.
 *
 * Threads: as for the heap, one owner at a time. An object is used with the heap it came from.
 *
 * Failure: calls that make something return NULL where memory is refused, after a full collection
 * did not help; nothing is lost.
 */
#ifndef OURO_OBJECT_H
#define OURO_OBJECT_H

#include <ouro/pool.h>

OURO_BEGIN_DECLS

#define OURO_NEW
#define OURO_BORROWED
#define OURO_STOLEN

/* What every object begins with. `user` is the program's own byte; the rest is Ouro's. */
typedef struct ouro_object {
  uint32_t count; /* references; from OURO_IMMORTAL on it never changes */
  uint16_t type;  /* index of the type in its heap */
  uint8_t flags;
  uint8_t user;
} ouro_object;

#define OURO_IMMORTAL ((uint32_t)1 << 31)

typedef struct ouro_type ouro_type;

/* The object that a pointer to any struct beginning with one is. */
#define OURO_OBJECT(pointer) ((ouro_object *)(void *)(pointer))

/* --- Types ---------------------------------------------------------------------------------- */

/* Called for each reference of an object. */
typedef void (*ouro_visit_fn)(ouro_object *referent, void *arg);

/* An array of references within an object: `length` is where its size_t count of items lies, `at`
 * where the array lies (OURO_ITEMS_INLINE) or a pointer to it (OURO_ITEMS_POINTED: NULL or a block
 * of ouro_alloc on the object's heap, which Ouro frees with the object). References may be NULL. */
typedef enum ouro_items_kind {
  OURO_NO_ITEMS,
  OURO_ITEMS_INLINE,
  OURO_ITEMS_POINTED
} ouro_items_kind;
typedef struct ouro_items {
  ouro_items_kind kind;
  uint16_t at, length;
  uint16_t stride;   /* bytes from one item to the next; 0: sizeof(void *) */
  uint16_t offset;   /* of an item's first reference in the item */
  uint16_t per_item; /* references side by side in each item; 0: 1 */
} ouro_items;

typedef enum ouro_type_flags {
  OURO_ACYCLIC = 1,      /* its objects can never be part of a cycle: not tracked (rule C10) */
  OURO_NO_WEAKREF = 2,   /* no weak references to its objects */
  OURO_UNCOLLECTABLE = 4 /* in a garbage cycle: kept, listed by ouro_garbage, never destroyed */
} ouro_type_flags;

/* What a type is. Only `name` and `size` must be given; say where references lie with `refs` and
 * `items`, and with `traverse` where neither can. All functions get the object first and are
 * called by the owner; `traverse`, `length`, `hash` and `name_ref` must not allocate or change
 * anything. */
typedef struct ouro_type_spec {
  const char *name;     /* in reports; copied */
  uint32_t size;        /* bytes of an object, the ouro_object included */
  uint32_t item_size;   /* bytes of each item behind that; 0: all objects have the same size */
  uint32_t flags;       /* of ouro_type_flags */
  const uint16_t *refs; /* offsets of its ouro_object * fields, ended by 0; copied; NULL: none */
  const char *const *ref_names; /* their names for reports, in the same order; borrowed for ever */
  ouro_items items;

  /* Further references: visits those numbered [from, to). `length` says how many there are; where
   * it is NULL, `traverse` is always called with 0 and SIZE_MAX and visits all. Each reference
   * that the object owns is visited exactly once, nothing else is. */
  void (*traverse)(const void *self, size_t from, size_t to, ouro_visit_fn visit, void *arg);
  size_t (*length)(const void *self);

  /* Drops what `traverse` visits and what memory the object owns elsewhere (blocks of its heap are
   * freed with ouro_free). Called before the object's memory is freed, once; `refs` and `items`
   * are dropped after it, items last to first, then fields in order. */
  void (*clear)(void *self);

  /* Called once in an object's life, before its references are dropped, all of them still valid.
   * May do anything, also make the object reachable again (PEP 442). */
  void (*finalize)(void *self);

  /* For keys of dictionaries and sets. Both NULL: identity. `equal` returns 1, 0 or -1 (error: the
   * operation that compares fails); equal objects have equal hashes. */
  uint64_t (*hash)(const void *self);
  int (*equal)(const void *self, const void *other);

  /* The name of reference `index` of `traverse`'s, for reports: writes a text into `out`. */
  void (*name_ref)(const void *self, size_t index, char *out, size_t room);

  uint32_t free_list; /* most dead objects kept for the next ones; 0: Ouro's choice, at most 32 */
} ouro_type_spec;

/* Makes a type of this heap; it lives as long as the heap. NULL: out of memory, more than 65,535
 * types, or an impossible spec (ouro_heap_error says which). */
OURO_API OURO_BORROWED ouro_type *ouro_type_new(ouro_heap *heap, const ouro_type_spec *spec);

OURO_API OURO_BORROWED ouro_type *ouro_type_of(const void *object);
OURO_API const char *ouro_type_name(const ouro_type *type);
OURO_API ouro_heap *ouro_type_heap(const ouro_type *type);

/* Why the last call on this heap that returned failure did so: a static one-line text. */
OURO_API const char *ouro_heap_error(const ouro_heap *heap);

/* --- Objects -------------------------------------------------------------------------------- */

/* A new object of a fixed-size type: count 1, everything behind the header zero. NULL: out of
 * memory. May collect. */
static inline OURO_NEW void *ouro_new(ouro_type *type);

/* The same where the struct is known: OURO_MAKE(struct point, point_type). Faster. */
#define OURO_MAKE(Struct, type) ((Struct *)ouro_new_sized((type), sizeof(Struct)))

/* A new object with room for `items` items behind its `size`. The caller stores the length. */
OURO_API OURO_NEW void *ouro_new_items(ouro_type *type, size_t items);

/* One more reference; returns the object. NULL: none. */
static inline OURO_NEW void *ouro_ref(void *object);

/* One reference less; the last one destroys the object now: finalizer, weak references, its
 * references in order, its memory. Uses bounded stack however long the chain. NULL: none. */
static inline void ouro_unref(void *object);

/* The number of references to the object, none added for asking (rule R5). OURO_IMMORTAL and more:
 * never destroyed. */
static inline uint32_t ouro_count(const void *object);

/* *field = value, dropping what was there after the change, so that a finalizer sees the new state.
 * ouro_assign keeps the caller's reference to `value` his, ouro_assign_new takes it. */
static inline void ouro_assign(void *field, void *value);
static inline void ouro_assign_new(void *field, OURO_STOLEN void *value);

/* The object and its references live until the heap ends; its count is no longer written. */
OURO_API void ouro_immortalize(void *object);

/* Whether the object's finalizer has run (it runs once). */
OURO_API bool ouro_is_finalized(const void *object);

OURO_API ouro_heap *ouro_heap_of(const void *object);

/* Bytes the object occupies, blocks that it owns elsewhere not included. */
OURO_API size_t ouro_object_size(const void *object);

/* Hash and equality as dictionaries use them. -1: the type's `equal` failed. */
OURO_API uint64_t ouro_hash(const void *object);
OURO_API int ouro_equal(const void *a, const void *b);

/* Runs the finalizer of every live object that has one and has not run it: for an orderly end
 * before ouro_heap_destroy, which runs none. Returns how many ran. */
OURO_API size_t ouro_finalize_all(ouro_heap *heap);

/* --- Free lists and object pools -------------------------------------------------------------- */

/* Dead objects of the type kept for the next new ones; a full collection empties it (rule P4). */
OURO_API size_t ouro_free_list_length(const ouro_type *type);
OURO_API size_t ouro_free_list_cap(const ouro_type *type);

/* An object pool (rule P5): keeps up to `cap` objects of a type alive after their last reference is
 * gone, `reset` called instead of their end, and hands them out again without constructing them.
 * `construct` makes a new object ready once, `reset` brings a used one back to that state; both
 * may be NULL; construct returns false to fail. The pool lives until ouro_reuse_free, which
 * destroys what it keeps; objects in use then die as usual. */
typedef struct ouro_reuse ouro_reuse;
typedef struct ouro_reuse_stats {
  uint64_t constructed, reused, kept; /* counts: made, handed out again, at hand now */
} ouro_reuse_stats;
OURO_API ouro_reuse *ouro_reuse_new(ouro_type *type, size_t cap, bool (*construct)(void *self),
                                    void (*reset)(void *self));
OURO_API OURO_NEW void *ouro_reuse_take(ouro_reuse *pool);
OURO_API ouro_reuse_stats ouro_reuse_stats_of(const ouro_reuse *pool);
OURO_API void ouro_reuse_free(ouro_reuse *pool);

#include <ouro/object_inline.h>

OURO_END_DECLS

#endif
