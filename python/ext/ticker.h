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

typedef enum ticker_job { TICKER_NO_JOB, TICKER_WANTED, TICKER_DONE } ticker_job;

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
  bool at_gil; /* waiting for the GIL, or holding it */
  ticker_job job;
  service_given_back given;
} ticker;

void ticker_init(ticker *t, ouro_heap *heap, const service_options *options);

/* 0 or an errno value. */
int ticker_start(ticker *t, void (*later)(void));

/* Lets the thread end, without waiting for it. True: it needs the GIL for that. Any thread. */
bool ticker_dismiss(ticker *t);

/* Ends the thread. Call it without the GIL, unless ticker_dismiss said that it may be held. */
void ticker_stop(ticker *t);

/* Has all free memory given back, in the thread. False: the GIL was not to be had within
 * `patience_ms` (the job stays, and is done when it is), or the thread does not run. Any thread
 * without the GIL, one at a time. */
bool ticker_give_back(ticker *t, int patience_ms, service_given_back *out);

#endif
