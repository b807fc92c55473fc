/* SPDX-License-Identifier: MIT */
/* Weak references. Order and details of clearing are CPython's: Objects/weakrefobject.c
 * (PyObject_ClearWeakRefs) and Python/gc.c (handle_weakrefs). */
#include "weak.h"

#include "retry.h"
#include "state.h"
#include "weakmap.h"
#include "weaktable.h"

/* The state of the part: behind PART_WEAK. */
static weakmap *weak_map(ouro_heap *heap) { return *runtime_slot(heap, PART_WEAK); }

static weakmap *ensure_map(ouro_heap *heap) {
  void **slot = runtime_slot(heap, PART_WEAK);
  if (!*slot) *slot = ouro_calloc(heap, 1, sizeof(weakmap));
  return *slot;
}

static bool has_weak(const ouro_object *o) { return o->flags & OURO_FLAG_WEAK; }

static bool in_entry(const weak_link *link) { return link->callback == weaktable_entry_mark; }

static ouro_weak *weak_of(weak_link *link) {
  return (ouro_weak *)(void *)((char *)link - offsetof(ouro_weak, link));
}

bool weak_allowed(const ouro_object *referent) {
  runtime *rt = runtime_of(referent);
  if (type_of(rt, referent)->spec.flags & OURO_NO_WEAKREF)
    return runtime_fail(&rt->heap->open, "the type allows no weak references");
  if (!header_alive(referent))
    return runtime_fail(&rt->heap->open, "the object is being destroyed");
  return true;
}

/* --- Chains ----------------------------------------------------------------------------------- */

bool weak_link_alive(const weak_link *link) {
  return link->referent && header_alive(link->referent);
}

static weak_link *first_of(ouro_heap *heap, const ouro_object *referent) {
  return has_weak(referent) ? *weakmap_find(weak_map(heap), referent) : NULL;
}

static void set_first(ouro_heap *heap, ouro_object *referent, weak_link *first) {
  weakmap *map = weak_map(heap);
  if (first && has_weak(referent)) {
    *weakmap_find(map, referent) = first;
  } else if (first) {
    weakmap_put(heap, map, referent, first);
    referent->flags |= OURO_FLAG_WEAK;
    type_in(ouro_type_of(referent))->special = true;
  } else {
    weakmap_remove(heap, map, referent);
    referent->flags &= (uint8_t)~OURO_FLAG_WEAK;
  }
}

/* A weak reference that tells nobody: one is enough for everybody who asks for such. */
static bool is_plain(const weak_link *link) {
  return !link->callback && !weak_of((weak_link *)(uintptr_t)link)->closure;
}

static bool room_in_map(ouro_heap *heap) {
  weakmap *map = ensure_map(heap);
  return map && weakmap_reserve(heap, map);
}

/* Puts the link first, or behind the plain one that is: that one stays where it is found at once.
 */
bool weak_attach(ouro_heap *heap, weak_link *link, ouro_object *referent) {
  for (bool tried = false; !room_in_map(heap);)
    if (!retry_after_collection(heap, &tried)) return false;
  weak_link *first = first_of(heap, referent);
  weak_link *newer = first && is_plain(first) ? first : NULL;
  weak_link *older = newer ? newer->older : first;
  link->referent = referent;
  link->newer = newer;
  link->older = older;
  if (older) older->newer = link;
  if (newer) newer->older = link;
  else set_first(heap, referent, link);
  return true;
}

void weak_detach(ouro_heap *heap, weak_link *link) {
  if (!link->referent) return;
  if (link->older) link->older->newer = link->newer;
  if (link->newer) link->newer->older = link->older;
  else set_first(heap, link->referent, link->older);
  link->referent = NULL;
  link->newer = link->older = NULL;
}

/* --- Weak reference objects ------------------------------------------------------------------- */

static void clear_weak(void *self) {
  ouro_weak *weak = self;
  weak_detach(ouro_heap_of(weak), &weak->link);
}

static ouro_type *weak_type(ouro_heap *heap) {
  static const uint16_t refs[] = {offsetof(ouro_weak, closure), 0};
  static const char *const names[] = {"closure"};
  static const ouro_type_spec spec = {
      .name = "weak",
      .size = sizeof(ouro_weak),
      .flags = OURO_NO_WEAKREF,
      .refs = refs,
      .ref_names = names,
      .clear = clear_weak,
  };
  return runtime_type(heap, BUILTIN_WEAK, &spec);
}

static ouro_weak *shared_weak(ouro_heap *heap, const ouro_object *referent) {
  weak_link *first = first_of(heap, referent);
  if (!first || !is_plain(first) || !header_alive(&weak_of(first)->object)) return NULL;
  return ouro_ref(weak_of(first));
}

static ouro_weak *make_weak(ouro_heap *heap, ouro_object *referent, ouro_weak_fn callback,
                            void *closure) {
  ouro_type *type = weak_type(heap);
  ouro_weak *weak = type ? OURO_MAKE(ouro_weak, type) : NULL;
  if (!weak) return NULL;
  weak->link.callback = callback;
  weak->closure = ouro_ref(closure);
  if (weak_attach(heap, &weak->link, referent)) return weak;
  ouro_unref(weak);
  return NULL;
}

ouro_weak *ouro_weak_new(void *referent, ouro_weak_fn callback, void *closure) {
  if (!weak_allowed(referent)) return NULL;
  ouro_heap *heap = ouro_heap_of(referent);
  ouro_weak *shared = callback || closure ? NULL : shared_weak(heap, referent);
  return shared ? shared : make_weak(heap, referent, callback, closure);
}

void *ouro_weak_get(ouro_weak *weak) {
  return weak_link_alive(&weak->link) ? ouro_ref(weak->link.referent) : NULL;
}

bool ouro_weak_is_gone(const ouro_weak *weak) { return !weak_link_alive(&weak->link); }

size_t ouro_weak_count(const void *object) {
  size_t n = 0;
  for (weak_link *link = first_of(ouro_heap_of(object), object); link; link = link->older) n++;
  return n;
}

/* --- A referent dies -------------------------------------------------------------------------- */

/* Links of dead referents, to be dealt with in the order of `older`. Nobody else has them: each
 * weak reference is held, each entry has left its container. */
typedef struct weak_queue {
  weak_link *first, **end;
  weak_link *done; /* called already, dropped behind all others, the last one first */
  bool keys_last;  /* what entries held as keys goes to `done` at once */
} weak_queue;

static void queue_add(weak_queue *queue, weak_link *link) {
  link->older = NULL;
  *queue->end = link;
  queue->end = &link->older;
}

static void queue_done(weak_queue *queue, weak_link *link) {
  link->older = queue->done;
  queue->done = link;
}

static weak_link *take_link(weak_link **first) {
  weak_link *link = *first;
  if (link) *first = link->older;
  if (link) link->older = NULL;
  return link;
}

/* Whether the weak reference has to be told: it is alive, and no garbage itself. */
static bool wants_call(weak_link *link) {
  ouro_object *weak = &weak_of(link)->object;
  if (!link->callback || !header_alive(weak) || weak->flags & OURO_FLAG_OWN) return false;
  ouro_ref(weak);
  return true;
}

static void let_go_link(ouro_heap *heap, weak_link *link, weak_queue *queue) {
  link->referent = NULL;
  link->newer = link->older = NULL;
  weak_lost lost = in_entry(link)     ? weaktable_lost(heap, link)
                   : wants_call(link) ? LOST_VALUE
                                      : LOST_NOTHING;
  if (lost == LOST_KEY && queue->keys_last) queue_done(queue, link);
  else if (lost != LOST_NOTHING) queue_add(queue, link);
}

/* From here on the referent's weak references read as gone. Runs none of the program's code. */
static void let_go(ouro_heap *heap, ouro_object *referent, weak_queue *queue) {
  weak_link *older, *link = first_of(heap, referent);
  set_first(heap, referent, NULL);
  for (; link; link = older) {
    older = link->older;
    let_go_link(heap, link, queue);
  }
}

/* The callback, once. */
static void call_link(weak_link *link) {
  ouro_weak *weak = weak_of(link);
  link->callback(weak, weak->closure);
}

/* A closure that has served need not live as long as the weak reference. */
static void drop_link(ouro_heap *heap, weak_link *link) {
  if (in_entry(link)) {
    weaktable_drop(heap, link);
  } else {
    ouro_weak *weak = weak_of(link);
    ouro_assign_new(&weak->closure, NULL);
    ouro_unref(weak);
  }
}

/* Weak references that nobody else holds, and keys of weak-value dictionaries, die behind the last
 * callback and in the opposite order, as they do with the tuple in which CPython keeps them. */
void weak_clear(ouro_object *referent) {
  ouro_heap *heap = ouro_heap_of(referent);
  weak_queue queue = {.end = &queue.first, .keys_last = true};
  weak_link *link;
  let_go(heap, referent, &queue);
  while ((link = take_link(&queue.first)) != NULL) {
    if (in_entry(link)) {
      drop_link(heap, link);
    } else {
      call_link(link);
      queue_done(&queue, link);
    }
  }
  while ((link = take_link(&queue.done)) != NULL) drop_link(heap, link);
}

/* --- A batch of garbage dies ------------------------------------------------------------------ */

/* OURO_FLAG_OWN of a weak reference says: a member of the batch at hand. */
static void mark_members(ouro_object *const *garbage, size_t n, bool member) {
  for (size_t i = 0; i < n; i++)
    if (runtime_is(garbage[i], BUILTIN_WEAK))
      garbage[i]->flags =
          (uint8_t)((garbage[i]->flags & ~OURO_FLAG_OWN) | (member ? OURO_FLAG_OWN : 0));
}

static size_t first_with_weak(ouro_object *const *garbage, size_t n) {
  size_t i = 0;
  while (i < n && !has_weak(garbage[i])) i++;
  return i;
}

bool weak_clear_batch(ouro_object *const *garbage, size_t n) {
  size_t start = first_with_weak(garbage, n);
  if (start == n) return false;
  ouro_heap *heap = ouro_heap_of(garbage[0]);
  weak_queue queue = {.end = &queue.first};
  weak_link *link;
  mark_members(garbage, n, true);
  for (size_t i = start; i < n; i++)
    if (has_weak(garbage[i])) let_go(heap, garbage[i], &queue);
  mark_members(garbage, n, false);
  bool ran = queue.first;
  for (; (link = take_link(&queue.first)) != NULL; drop_link(heap, link))
    if (!in_entry(link)) call_link(link);
  return ran;
}

void weak_each(const ouro_object *referent, ouro_visit_fn visit, void *arg) {
  weak_link *link = first_of(ouro_heap_of(referent), referent);
  for (; link; link = link->older)
    if (!in_entry(link)) visit(&weak_of(link)->object, arg);
}

/* --- Checking --------------------------------------------------------------------------------- */

static const char *check_chain(const ouro_object *referent, const weak_link *first) {
  if (!has_weak(referent)) return "a referent of the map has OURO_FLAG_WEAK";
  if (!first) return "a chain of weak references has a link";
  const weak_link *newer = NULL;
  for (const weak_link *link = first; link; newer = link, link = link->older) {
    if (link->referent != referent) return "a link is in the chain of its referent";
    if (link->newer != newer) return "the links of a chain are linked both ways";
  }
  return NULL;
}

const char *weak_check(ouro_heap *heap) {
  weakmap *map = runtime_in(heap) ? weak_map(heap) : NULL;
  size_t at = 0, count = 0;
  for (const weakmap_entry *e; map && (e = weakmap_next(map, &at)) != NULL; count++) {
    const char *broken = check_chain((const ouro_object *)e->referent, e->first);
    if (broken) return broken;
  }
  return !map || count == map->count ? NULL : "the map counts its entries";
}
