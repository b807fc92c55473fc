/* SPDX-License-Identifier: MIT */
/* How the threads of the service are made: small, named, and deaf to signals, which are the
 * program's. */
#ifndef OURO_EXT_THREAD_H
#define OURO_EXT_THREAD_H

#include <pthread.h>

/* 0 or an errno value. */
int thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *argument);

/* Threads of this process as the kernel counts them; 0 where it does not say. */
unsigned thread_count(void);

/* Waits, up to a millisecond, until the kernel counts no more than `most`. A thread that was joined
 * is counted for some microseconds more, and CPython 3.12+ looks at that number after a fork. */
void thread_settle(unsigned most);

#endif
