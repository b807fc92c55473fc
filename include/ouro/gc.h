/* SPDX-License-Identifier: MIT */
/*
 * The cycle collector of Ouro's objects: what it does, when, and what it found.
 *
 * New objects are of generation 0; those that survive a collection of their generation move up, to
 * 2 at most. Generations 0 and 1 are collected in one go, small by construction. Generation 2 is
 * collected in *slices* of a *budget* that the program chooses, while it runs on; nothing asks it
 * for write barriers. Memory is bounded too: garbage not yet collected stays below a share of the
 * live heap, and where both cannot be had the bound on memory wins and an event says so.
 */
#ifndef OURO_GC_H
#define OURO_GC_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

#define OURO_GENERATIONS 3

/* --- Collecting ------------------------------------------------------------------------------- */

/* Collects generations 0 to `generation` now, in one go. Complete for 2: whatever nothing outside
 * holds at the call is destroyed when it returns (a cycle in progress is replaced). Returns how
 * many unreachable objects were found, uncollectable ones and those that a finalizer then made
 * reachable again included; -1: out of memory for the
 * collector's tables, nothing lost. 0 if a collection is already running. */
OURO_API int64_t ouro_collect(ouro_heap *heap, int generation);

/* What one slice did. */
typedef struct ouro_step_report {
  bool finished;       /* no cycle is in progress now */
  bool out_of_memory;  /* the cycle was given up, nothing lost */
  uint64_t examined;   /* objects looked at */
  uint64_t found;      /* unreachable objects found */
  uint64_t elapsed_ns; /* this call */
  uint64_t longest_ns; /* longest part that could not be divided */
  const char *longest; /* what that was: a phase; static text */
} ouro_step_report;

/* Works on the collection of generation 2 for about `budget_ns`, beginning a cycle if none is in
 * progress. For idle moments. */
OURO_API ouro_step_report ouro_step(ouro_heap *heap, uint64_t budget_ns);

/* --- When ------------------------------------------------------------------------------------- */

/* Automatic collection, on by default (rule C4). ouro_collect and ouro_step work in any case. */
OURO_API void ouro_gc_enable(ouro_heap *heap, bool enabled);
OURO_API bool ouro_gc_is_enabled(const ouro_heap *heap);

/* Generation 0 is collected when it has more than threshold[0] new objects net of dead ones,
 * generation 1 with every threshold[1]th of these, a cycle of generation 2 may begin with every
 * threshold[2]th of those. 0 in [0]: no automatic collection. Default 10,000, 3, 10. */
OURO_API void ouro_gc_set_thresholds(ouro_heap *heap, const uint32_t threshold[OURO_GENERATIONS]);
OURO_API void ouro_gc_thresholds(const ouro_heap *heap, uint32_t threshold[OURO_GENERATIONS]);
OURO_API void ouro_gc_counts(const ouro_heap *heap, uint64_t count[OURO_GENERATIONS]);

/* The budget of automatic slices, default 1,000,000 ns (0: a cycle runs in one go), and the most
 * that the old generation may grow between two cycles, as a share of what was live after the last
 * one (of 16 MiB at least), default 0.25: so much garbage may float. */
OURO_API void ouro_gc_set_pause(ouro_heap *heap, uint64_t budget_ns);
OURO_API void ouro_gc_set_garbage_limit(ouro_heap *heap, double share);

/* Tells the heap that objects of its own hold `delta` bytes more (or less) elsewhere, so that
 * collections are paced by what they would free. */
OURO_API void ouro_gc_external(ouro_heap *heap, int64_t delta);

/* Where marking may begin: `roots` visits objects from which most of the heap can be reached (the
 * program's globals, its stacks). A missing root costs time only, never safety. NULL: none. */
typedef void (*ouro_roots_fn)(void *ctx, ouro_visit_fn visit, void *arg);
OURO_API void ouro_gc_set_roots(ouro_heap *heap, ouro_roots_fn roots, void *ctx);

/* For tests: collects generation 2 at every n-th allocation of an object (0: not). */
OURO_API void ouro_gc_set_stress(ouro_heap *heap, uint32_t n);

/* --- What happened ---------------------------------------------------------------------------- */

typedef struct ouro_generation_stats {
  uint64_t collections, candidates, collected, uncollectable;
  uint64_t elapsed_ns, longest_ns;
} ouro_generation_stats;

typedef struct ouro_gc_stats {
  ouro_generation_stats generation[OURO_GENERATIONS];
  uint64_t tracked; /* objects of types that can be part of a cycle, about */
  /* After the last full collection: tracked objects, blocks that are no objects, external ones. */
  uint64_t live_bytes;
  uint64_t pending_bytes;  /* promoted to generation 2 since then, external included */
  uint64_t floating_bytes; /* freed as garbage by the last cycle: what floated until then */
  uint64_t slices, escalations, given_up;
  uint64_t longest_atomic_ns;
  const char *longest_atomic; /* the phase that took it */
} ouro_gc_stats;
OURO_API void ouro_gc_stats_read(const ouro_heap *heap, ouro_gc_stats *out);

typedef enum ouro_gc_event_kind {
  OURO_GC_START,      /* a collection of `generation` begins */
  OURO_GC_SLICE,      /* one slice of a cycle is done: elapsed_ns */
  OURO_GC_STOP,       /* a collection has ended: found, uncollectable, elapsed_ns */
  OURO_GC_ESCALATION, /* the bound on garbage won over the budget: elapsed_ns, reason */
  OURO_GC_GIVEN_UP,   /* a cycle was given up for want of memory: reason */
  OURO_GC_MISUSE      /* a rule was broken: reason names object, type and rule */
} ouro_gc_event_kind;

typedef struct ouro_gc_event {
  ouro_gc_event_kind kind;
  int generation;
  uint64_t found, uncollectable, elapsed_ns;
  const char *reason; /* a text that lives for the call */
} ouro_gc_event;

/* Called by the owner; must not use the heap from OURO_GC_SLICE on to the next event. Without a
 * listener OURO_GC_MISUSE prints its reason to stderr and aborts. */
typedef void (*ouro_gc_event_fn)(void *ctx, const ouro_gc_event *event);
typedef struct ouro_listener {
  ouro_gc_event_fn event;                       /* NULL: none */
  void (*message)(void *ctx, const char *line); /* of the debug flags; NULL: to stderr */
  void *ctx;
} ouro_listener;
OURO_API void ouro_gc_listen(ouro_heap *heap, const ouro_listener *listener);

typedef enum ouro_debug_flags {
  OURO_DEBUG_STATS = 1,         /* a line about each collection */
  OURO_DEBUG_COLLECTABLE = 2,   /* a line for each unreachable object that is destroyed */
  OURO_DEBUG_UNCOLLECTABLE = 4, /* for each that is not */
  OURO_DEBUG_SAVEALL = 32,      /* unreachable objects go to the garbage list, not destroyed */
  OURO_DEBUG_LEAK = 38          /* all but STATS */
} ouro_debug_flags;
OURO_API void ouro_gc_set_debug(ouro_heap *heap, unsigned flags);
OURO_API unsigned ouro_gc_debug(const ouro_heap *heap);

/* The garbage list (rule C6): uncollectable objects, and all unreachable ones with
 * OURO_DEBUG_SAVEALL. ouro_garbage_clear drops the list's references. */
OURO_API size_t ouro_garbage_length(const ouro_heap *heap);
OURO_API OURO_BORROWED ouro_object *ouro_garbage(const ouro_heap *heap, size_t index);
OURO_API void ouro_garbage_clear(ouro_heap *heap);

/* --- Looking at objects ---------------------------------------------------------------------- */

OURO_API bool ouro_is_tracked(const void *object);
OURO_API int ouro_generation_of(const void *object); /* 0-2; 3: frozen; -1: not tracked */

/* Takes an object of a tracked type out of the collector's care, until ouro_track: for one that
 * is known to hold nothing that could lead back to it. */
OURO_API void ouro_untrack(void *object);
OURO_API void ouro_track(void *object);

/* Moves all tracked objects to a permanent generation that no collection looks at, and back to
 * generation 2. Before a fork: the child then dirties no page of theirs. */
OURO_API void ouro_gc_freeze(ouro_heap *heap);
OURO_API void ouro_gc_unfreeze(ouro_heap *heap);
OURO_API size_t ouro_gc_frozen_count(const ouro_heap *heap);

/* The visitors below get borrowed references and must not change the heap; returning false ends
 * the visit. */
typedef bool (*ouro_object_fn)(void *ctx, ouro_object *object);

/* Visits the tracked objects of a generation (0-2; 3: frozen; -1: all). */
OURO_API void ouro_each_object(ouro_heap *heap, int generation, ouro_object_fn visit, void *ctx);

/* Visits what the object refers to, with the reference's name ("left", "[3]", "key 3"). */
typedef bool (*ouro_reference_fn)(void *ctx, ouro_object *other, const char *name);
OURO_API void ouro_each_referent(const void *object, ouro_reference_fn visit, void *ctx);

/* Visits the objects that refer to `object`, with the name of the reference: looks through the
 * whole heap, untracked objects with references included. */
OURO_API void ouro_each_referrer(const void *object, ouro_reference_fn visit, void *ctx);

/* A shortest path of references to the object from one that something outside the heap's objects
 * holds (its count is higher than the references found). */
typedef struct ouro_path_step {
  ouro_object *object; /* borrowed */
  char name[32];       /* of the reference to the next step; empty in the last */
} ouro_path_step;
/* Writes up to `room` steps, from the root to `object`, and returns how many the path has; 0: held
 * from nowhere (garbage); -1: out of memory. */
OURO_API int64_t ouro_path_to_root(const void *object, ouro_path_step *out, size_t room);

/* Live objects by type (rule M3). */
typedef struct ouro_type_count {
  const ouro_type *type;
  uint64_t objects, bytes;
} ouro_type_count;
/* Writes up to `room` rows, most bytes first, and returns how many types have live objects. */
OURO_API size_t ouro_census(ouro_heap *heap, ouro_type_count *out, size_t room);

/* Checks every invariant of the objects: NULL, or a static text naming the first that fails. */
OURO_API const char *ouro_objects_check(ouro_heap *heap);

OURO_END_DECLS

#endif
