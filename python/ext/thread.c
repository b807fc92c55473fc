/* SPDX-License-Identifier: MIT */
#include "compat.h" /* for what Python.h asks of the system headers */

#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

/* Room for the ledger's reading and for the static TLS of libraries, which glibc takes from the
 * stack. */
#define THREAD_STACK ((size_t)256 << 10)

int thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *argument) {
  pthread_attr_t attributes;
  sigset_t all, before;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return error;
  pthread_attr_setstacksize(&attributes, THREAD_STACK);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* the thread inherits the mask */
  error = pthread_create(out, &attributes, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (error == 0) pthread_setname_np(*out, name);
  return error;
}

unsigned thread_count(void) {
  struct stat tasks;
  return stat("/proc/self/task", &tasks) == 0 ? (unsigned)tasks.st_nlink - 2 : 0;
}

void thread_settle(unsigned most) {
  const struct timespec moment = {.tv_nsec = 20000};
  for (int i = 0; i < 20 && thread_count() > most; i++) nanosleep(&moment, NULL);
}
