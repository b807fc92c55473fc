/* SPDX-License-Identifier: MIT */
/*
 * What Ouro does beside the program: two threads, both blocked from every signal.
 *
 *   "ouro"       answers the control channel; never takes the GIL, so that a program that is stuck
 *                in C code can still be asked where its memory is
 *   "ouro-tick"  gives idle memory back; the only one that takes the GIL, since the heap may only
 *                be changed while nobody else uses it
 *
 * All functions here are called with the GIL held. The state is one per process, as the hook is.
 */
#ifndef OURO_SERVICE_H
#define OURO_SERVICE_H

#include "snap/trigger.h"

/* What "give back now" returned to the system, in bytes. */
typedef struct service_given_back {
  size_t pools;  /* from the heap */
  size_t system; /* from the system allocator (malloc_trim) */
} service_given_back;

typedef struct service_options {
  bool channel; /* open the control channel */
  /* The program itself, not an interpreter it started: what does not work is told on stderr, in one
   * line, and the channel opens at once. Others open it a moment later, since most end before. */
  bool main;
  uint32_t decay_ms; /* as the heap's; 0: no ticks */
  size_t limit;      /* the heap's; 0: none */
  /* Runs with the GIL held, for a client that asks for it. */
  service_given_back (*give_back)(ouro_heap *heap);
} service_options;

/* Starts the threads and opens the channel. 0, or -1 where nothing could be started. A second call
 * before service_stop has no effect. */
int service_start(ouro_heap *heap, const service_options *options);

/* Takes snapshots when these say so, and no longer when those of an earlier call did; heap_limit is
 * filled in here. 0, or -1 with the reason. */
int service_watch(trigger_options *options, char why[TRIGGER_WHY]);

/* Begins the snapshots of the program's life as schedule_begin does; false before service_start. */
bool service_schedule(const char *prefix, snaptells tells, unsigned first_ms);

/* Ends both threads, waiting for them with the GIL released, and removes the socket. Call it before
 * the interpreter finalizes (an atexit function); afterwards no thread of ours touches the
 * interpreter. */
void service_stop(void);

/* For os.register_at_fork. Without threads of ours at the moment of the fork the child inherits no
 * lock that nobody will release, and CPython 3.12+ has no reason to warn of threads the program
 * never made. */
void service_before_fork(void);
void service_after_fork_parent(void);
/* The child gets ticks at once and a channel of its own a moment later: most children exec or end
 * before. Right also where before_fork was not called (a fork in C followed by
 * PyOS_AfterFork_Child). */
void service_after_fork_child(void);

#endif
