/* SPDX-License-Identifier: MIT */
/*
 * The thread that gives idle memory back, and does other work that needs the GIL on behalf of the
 * channel.
 *
 * It waits for the GIL like any thread of the program, so it may be held up for as long as one C
 * call of the program takes; nobody waits for it longer than said below.
 */
#ifndef OURO_EXT_TICKER_H
#define OURO_EXT_TICKER_H

#include <pthread.h>

#include "service.h"

typedef enum ticker_state { TICKER_IDLE, TICKER_WANTED, TICKER_RUNNING, TICKER_DONE } ticker_state;

typedef enum ticker_job_name { TICKER_GIVE_BACK, TICKER_SNAPSHOT, TICKER_JOBS } ticker_job_name;

/* What somebody else's thread wants done with the GIL held. */
typedef struct ticker_job {
  ticker_state state;
  void (*run)(void *argument);
  void *argument;
} ticker_job;

typedef struct ticker {
  ouro_heap *heap;
  service_options options;
  /* Called once in the thread, a moment after its start, without the GIL; NULL: nothing. */
  void (*later)(void);
  pthread_t thread;
  bool running;
  pthread_mutex_t lock; /* guards what follows; never held while waiting for the GIL */
  pthread_cond_t changed;
  bool stopping;
  bool nudged; /* there is something new to look for */
  bool at_gil; /* waiting for the GIL, or holding it */
  ticker_job job[TICKER_JOBS];
} ticker;

void ticker_init(ticker *t, ouro_heap *heap, const service_options *options);

/* 0 or an errno value. */
int ticker_start(ticker *t, void (*later)(void));

/* Has the thread look, and find out how often it is to. Any thread. */
void ticker_nudge(ticker *t);

/* Lets the thread end, without waiting for it. True: it needs the GIL for that. Any thread. */
bool ticker_dismiss(ticker *t);

/* Ends the thread. Call it without the GIL, unless ticker_dismiss said that it may be held. */
void ticker_stop(ticker *t);

/* Has `run` called in the thread, with the GIL held. False: the GIL was not to be had within
 * `patience_ms`, or the thread does not run. Then the job is dropped; with `stays` it is done when
 * the GIL is there, so that the argument must live on. A job that has begun is waited for. Any
 * thread without the GIL, one at a time for each name. */
bool ticker_do(ticker *t, ticker_job_name which, void (*run)(void *), void *argument,
               int patience_ms, bool stays);

#endif
