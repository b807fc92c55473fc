/* SPDX-License-Identifier: MIT */
/*
 * The collector of a heap's objects: an instance of the template, and when it works.
 *
 *     growth     bytes promoted less those that died by their count, at least TUNE_GROSS of those
 *                promoted
 *     allowance  garbage_limit * live, at least that of a heap of TUNE_LEAST_OLD_BYTES
 *
 * A cycle begins when growth since the last one began has passed the allowance, or TUNE_START_SHARE
 * of it after threshold[2] collections of generation 1. Until it ends, growth may use up what is
 * left of the allowance, TUNE_LATE of it in any case: a cycle that falls behind gets more slices,
 * and is finished in one go where that was not enough. docs/design/object.md says what this bounds.
 */
#ifndef OURO_SRC_OBJECT_COLLECTOR_H
#define OURO_SRC_OBJECT_COLLECTOR_H

#include "../cycle/cycle.h"
#include "state.h"

struct collector {
  cycle cycle;
  bool running; /* a collection is on the stack; no other may begin */

  /* What the program chose. */
  bool disabled;
  uint32_t threshold[OURO_GENERATIONS];
  uint64_t pause_ns;
  double garbage_limit;
  ouro_roots_fn roots;
  void *roots_ctx;
  uint32_t stress, stress_left; /* collect at every n-th allocation; those until the next */
  unsigned debug;
  ouro_listener listener;

  /* Counts of collections since the next older generation's. */
  uint64_t since[OURO_GENERATIONS];

  /* Pacing, in bytes of tracked objects, external ones included. */
  uint64_t live;                            /* after the last cycle */
  uint64_t external;                        /* reported by the program */
  uint64_t pending;                         /* promoted since it began */
  uint64_t died;                            /* of old objects that died by their count since then */
  uint64_t pending_at_start, died_at_start; /* when the present one began */
  uint64_t expected;                        /* objects the present cycle will examine, about */
  uint64_t examined;                        /* so far */
  uint64_t slice_ended;                     /* clock */
  uint64_t young_ns;                        /* what the last young collection took */
  uint64_t next_slice;                      /* of a late cycle: with so many young objects */
  double passes;                            /* examined / live objects in the last cycle */

  uint64_t released, released_at_start; /* bytes of garbage freed so far */

  /* The present cycle. */
  uint64_t found, uncollectable, elapsed_ns;

  object_list garbage; /* uncollectable objects, a reference each */
  ouro_gc_stats stats;
};

/* --- report.c: telling the program --- */
void report_event(runtime *rt, const ouro_gc_event *event);
void report_line(runtime *rt, const char *format, ...) __attribute__((format(printf, 2, 3)));
void report_object(runtime *rt, const char *what, const ouro_object *o);

/* Puts the object, with a reference, on the garbage list. */
void garbage_add(runtime *rt, ouro_object *o);

/* --- generations.c: who is of which generation --- */

/* The bins of tracked objects give back what they have at hand, so that what is used is alive. */
void generations_rest(runtime *rt);

/* Whether bits of page_used are exactly the live, tracked objects; else each must be asked. */
static inline bool generations_exact(const runtime *rt) {
  return rt->depth == 0 && !rt->heap->slow_frees && !rt->untracked;
}

/* Live tracked objects among the slots of a word. */
uint64_t generations_live(const runtime *rt, uint64_t word, uint64_t bits);

/* Visits the words with objects up to the generation, 0 or 1, which are at rest. False: a visit
 * returned false. */
typedef bool (*generations_word_fn)(void *ctx, uint64_t word, uint64_t bits);
bool generations_each(runtime *rt, int generation, generations_word_fn visit, void *ctx);

/* Generation 0 moves up: their bits before the collection, so that what is made meanwhile is not
 * taken for one of them, the headers of those that survived it after. */
void generations_age_begin(runtime *rt);
void generations_age_end(runtime *rt);

/* Moves everything young to generation 2. Returns the bytes. */
uint64_t generations_merge(runtime *rt);

/* Live young objects, and used slots of tracked types, as counts. */
uint64_t generations_young(const runtime *rt);
uint64_t generations_tracked(const runtime *rt);

/* Bytes of an object and of the array that it points to. */
uint64_t object_bytes(const type *t, const ouro_object *o);

/* --- freeze.c --- */
uint64_t frozen_word(const runtime *rt, uint64_t word);
bool frozen_is(const runtime *rt, uint64_t slot);
void frozen_forget(runtime *rt, uint64_t word, uint64_t bits); /* these slots are dead */

#endif
