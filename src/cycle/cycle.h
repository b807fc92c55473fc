/* SPDX-License-Identifier: MIT */
/*
 * The state of a collector; all zero is an idle one. The calls are made by template.h for each
 * instance.
 *
 * A *cycle* collects all old objects in slices, between which the program runs:
 *
 *   ROOTS     marks what the embedder knows to be alive
 *   MARK      and what can be reached from there: none of it is looked at again
 *   WALK      old objects without a mark form the residual
 *   SUBTRACT  each counter: the object's count less the references found within the residual
 *   WEIGH     a counter above 0 means a reference from outside: a mark
 *   HELD      and marks for what can be reached from there within the residual
 *   SWEEP     in one go the rest is garbage, and ends here; else
 *   UNION     the rest falls into components, connected by references in either direction
 *   ASSIGN    each component's members are put side by side
 *   BATCHES   whole components, some thousand members at a time: tested exactly and destroyed
 *   GATHER    a component too large for that, a giant, is made a batch,
 *   TEST      tested exactly in one go,
 *   HOLD      and as nobody can reach it, destroyed in slices: its members are held,
 *   CLEAR     their references are dropped,
 *   RELEASE   and their memory is freed
 *   CLEAN     the tables are given back
 *
 * Everything up to ASSIGN only proposes. What it believes may be outdated, as the program went on;
 * the exact test of a batch, in one go, looks at the present: all references to its members come
 * from its members. Garbage cannot be changed by anyone, so what was garbage when the cycle began
 * is proposed and passes.
 */
#ifndef OURO_SRC_CYCLE_CYCLE_H
#define OURO_SRC_CYCLE_CYCLE_H

#include "set.h"

typedef enum cycle_phase {
  CYCLE_IDLE,
  CYCLE_ROOTS,
  CYCLE_MARK,
  CYCLE_WALK,
  CYCLE_SUBTRACT,
  CYCLE_WEIGH,
  CYCLE_HELD,
  CYCLE_SWEEP,
  CYCLE_UNION,
  CYCLE_ASSIGN,
  CYCLE_BATCHES,
  CYCLE_GATHER,
  CYCLE_TEST,
  CYCLE_HOLD,
  CYCLE_CLEAR,
  CYCLE_RELEASE,
  CYCLE_CLEAN
} cycle_phase;

static inline const char *cycle_phase_name(cycle_phase phase) {
  static const char names[][9] = {"idle", "roots", "mark",  "walk",    "subtract", "weigh",
                                  "held", "sweep", "union", "assign",  "batches",  "gather",
                                  "test", "hold",  "clear", "release", "clean"};
  return names[phase];
}

/* Choices that tests make smaller; 0: as in tune.h. */
typedef struct cycle_limits {
  uint32_t units, piece, batch, clear;
} cycle_limits;

typedef struct cycle_report {
  bool finished;       /* no cycle is in progress */
  bool out_of_memory;  /* the cycle was given up; nothing is lost */
  uint64_t examined;   /* objects scanned or taken into the residual */
  uint64_t candidates; /* objects left to be tested exactly; each is counted once in a cycle */
  uint64_t found;      /* unreachable, before finalizers ran */
  uint64_t destroyed;  /* of these */
  uint64_t elapsed_ns; /* this call */
  uint64_t longest_ns; /* between two looks at the clock */
  cycle_phase longest; /* the phase that took so long */
  uint64_t longest_at; /* a slot that was looked at when it ended; UINT64_MAX: none */
} cycle_report;

/* Some objects and where their test puts the unreachable ones. */
typedef struct cycle_batch {
  cycle_set set;
  cycle_table words;   /* of set.chunk_of */
  cycle_table garbage; /* of OBJECT; during the test a stack of reached members */
  size_t found;        /* objects in `garbage` */
} cycle_batch;

typedef struct cycle {
  cycle_phase phase;
  bool running; /* a call of this collector is on the stack: program code must not start another */
  bool over;    /* the slice's budget is used up */
  bool failed;  /* out of memory */
  bool undisturbed; /* no slice has ended since the cycle began */
  cycle_limits limits;

  /* The slice. */
  uint64_t began, budget, looked, units;
  cycle_report report;

  /* The cycle. */
  cycle_table tables; /* of `marks` and residual.chunk_of */
  cycle_marks marks;
  cycle_set residual;  /* members & ~marked is what may be garbage */
  cycle_table order;   /* uint32_t ranks in the residual, components side by side */
  uint32_t candidates; /* how many */
  cycle_batch batch;
  uint64_t batch_ns; /* what a member of the last batches took, in 1/16 ns */

  /* Where the phase is: a word, chunk or index, the members left there, the next reference. */
  uint64_t at, rest;
  size_t position;
  size_t end; /* of the component in `order` that is being gathered */

  cycle_batch young; /* kept between collections */
} cycle;

#endif
