/* SPDX-License-Identifier: MIT */
#include "compat.h"

#include "ticker.h"

#include <time.h>

#include "hook.h"
#include "snap/schedule.h"
#include "snap/take.h"
#include "snap/trigger.h"
#include "thread.h"

/* A program that does nothing is woken this often. */
#define IDLE_MS 1000

/* Children that write snapshots, and what starts them, are looked after this often. */
#define OFTEN_MS TRIGGER_MS

/* A program that runs, or has freed something lately, is looked at twice per decay time, but not
 * more often than this. */
#define LEAST_MS 20

/* Looks without a reason before a program counts as idle: freed memory is first marked, and goes
 * back a decay time later, so the end of the work is not yet the end of ours. */
#define QUIET_LOOKS 8

/* A program that took more than this part of a processor since the last look is not idle. Virtual
 * machines charge up to 1 % to a program that only sleeps. */
#define BUSY_PART 50

/* One tick holds the GIL for this long at most. */
#define TICK_BUDGET_NS 1000000u

/* Between two ticks of one round: short where the GIL is free, for the round to end soon; longer
 * where the program wants it, for it to get 5/6 of the time. */
#define GAP_FREE_NS 200000u
#define GAP_WANTED_NS 5000000u
#define GIL_FREE_NS 100000u

typedef struct pace {
  uint64_t at;    /* the last look */
  uint64_t cpu;   /* of the process then */
  bool ticked;    /* the last look found work */
  unsigned quiet; /* looks since the program or we did something */
  bool often;     /* something waits that does not wake us */
} pace;

static uint64_t clock_ns(clockid_t which) {
  struct timespec now;
  clock_gettime(which, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct timespec after_ns(uint64_t ns) {
  uint64_t until = clock_ns(CLOCK_MONOTONIC) + ns;
  return (struct timespec){.tv_sec = (time_t)(until / 1000000000u),
                           .tv_nsec = (long)(until % 1000000000u)};
}

/* --- Work under the GIL --- */

static bool is_stopping(ticker *t) {
  pthread_mutex_lock(&t->lock);
  bool stopping = t->stopping;
  pthread_mutex_unlock(&t->lock);
  return stopping;
}

static void tick(void *argument) {
  const ticker *t = argument;
  ouro_heap_tick(t->heap, TICK_BUDGET_NS);
}

static void set_state(ticker *t, ticker_job *job, ticker_state state) {
  pthread_mutex_lock(&t->lock);
  job->state = state;
  pthread_cond_broadcast(&t->changed);
  pthread_mutex_unlock(&t->lock);
}

/* Whoever wanted it may have gone while the GIL was waited for. */
static ticker_job *next_job(ticker *t) {
  ticker_job *found = NULL;
  pthread_mutex_lock(&t->lock);
  for (int i = 0; i < TICKER_JOBS && found == NULL; i++)
    if (t->job[i].state == TICKER_WANTED) found = &t->job[i];
  if (found != NULL) found->state = TICKER_RUNNING;
  pthread_mutex_unlock(&t->lock);
  return found;
}

static void do_jobs(void *argument) {
  ticker *t = argument;
  for (ticker_job *job; (job = next_job(t)) != NULL;) {
    job->run(job->argument);
    set_state(t, job, TICKER_DONE);
  }
}

/* False: the thread is to end, and whoever ends it may hold the GIL while it waits. */
static bool turn_to_gil(ticker *t) {
  pthread_mutex_lock(&t->lock);
  t->at_gil = !t->stopping;
  bool may = t->at_gil;
  pthread_mutex_unlock(&t->lock);
  return may;
}

static void leave_gil(ticker *t) {
  pthread_mutex_lock(&t->lock);
  t->at_gil = false;
  pthread_mutex_unlock(&t->lock);
}

/* One slice. Returns how long the GIL was waited for. */
static uint64_t with_gil(ticker *t, void (*run)(void *), void *argument) {
  if (!compat_has_threads() || !turn_to_gil(t)) return 0;
  uint64_t asked = clock_ns(CLOCK_MONOTONIC);
  PyGILState_STATE state = PyGILState_Ensure();
  uint64_t waited = clock_ns(CLOCK_MONOTONIC) - asked;
  if (!is_stopping(t)) run(argument);
  PyGILState_Release(state);
  leave_gil(t);
  return waited;
}

/* Under tracemalloc the heap is left to its own ticks. A program that cleared its atexit functions
 * has not stopped this thread: the interpreter may be gone. */
static bool wants_tick(const ticker *t) {
  return ouro_heap_wants_tick(t->heap) && !hook_raw_watched() && compat_running();
}

/* Ticks until the round is over. */
static void run_round(ticker *t) {
  while (wants_tick(t) && !is_stopping(t)) {
    uint64_t gap = with_gil(t, tick, t) < GIL_FREE_NS ? GAP_FREE_NS : GAP_WANTED_NS;
    if (!wants_tick(t)) return;
    nanosleep(&(struct timespec){.tv_nsec = (long)gap}, NULL);
  }
}

/* --- Waiting --- */

static uint64_t next_look_ns(const ticker *t, pace *p) {
  uint64_t at = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  bool busy = cpu - p->cpu > (at - p->at) / BUSY_PART;
  p->quiet = p->ticked || busy ? 0 : p->quiet + 1;
  uint64_t often = t->options.decay_ms / 2;
  if (often < LEAST_MS) often = LEAST_MS;
  p->at = at;
  p->cpu = cpu;
  bool idle = p->quiet > QUIET_LOOKS && often < IDLE_MS;
  return (idle && !p->often ? IDLE_MS : often < OFTEN_MS ? often : OFTEN_MS) * 1000000u;
}

static bool has_job(const ticker *t) {
  for (int i = 0; i < TICKER_JOBS; i++)
    if (t->job[i].state == TICKER_WANTED) return true;
  return false;
}

/* Until the time is over, a job is wanted or the thread is to end. Returns whether it goes on. */
static bool wait_for_work(ticker *t, pace *p, bool *job) {
  struct timespec until = after_ns(next_look_ns(t, p));
  bool forever = t->options.decay_ms == 0 && t->later == NULL && !p->often;
  int result = 0;
  pthread_mutex_lock(&t->lock);
  while (!t->stopping && !t->nudged && !has_job(t) && result == 0)
    result = forever ? pthread_cond_wait(&t->changed, &t->lock)
                     : pthread_cond_timedwait(&t->changed, &t->lock, &until);
  bool going_on = !t->stopping;
  t->nudged = false;
  *job = has_job(t);
  pthread_mutex_unlock(&t->lock);
  return going_on;
}

static void *run(void *argument) {
  ticker *t = argument;
  pace p = {.ticked = true};
  bool job;
  while (wait_for_work(t, &p, &job)) {
    void (*later)(void) = t->later;
    t->later = NULL;
    if (later != NULL) later();
    if (job) with_gil(t, do_jobs, t);
    if (trigger_look() && compat_running()) with_gil(t, trigger_take, t->heap);
    if (schedule_look() && compat_running()) with_gil(t, schedule_take, t->heap);
    p.often = snaptake_reap() || trigger_armed() || schedule_armed();
    p.ticked = t->options.decay_ms > 0 && wants_tick(t);
    if (p.ticked) run_round(t);
  }
  return NULL;
}

/* --- Start and end --- */

void ticker_init(ticker *t, ouro_heap *heap, const service_options *options) {
  pthread_condattr_t monotonic;
  *t = (ticker){.heap = heap, .options = *options};
  pthread_mutex_init(&t->lock, NULL);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&t->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
}

int ticker_start(ticker *t, void (*later)(void)) {
  t->stopping = false;
  t->later = later;
  int error = thread_start(&t->thread, "ouro-tick", run, t);
  t->running = error == 0;
  return error;
}

void ticker_nudge(ticker *t) {
  pthread_mutex_lock(&t->lock);
  t->nudged = true;
  pthread_cond_broadcast(&t->changed);
  pthread_mutex_unlock(&t->lock);
}

bool ticker_dismiss(ticker *t) {
  pthread_mutex_lock(&t->lock);
  t->stopping = true;
  bool needs_gil = t->at_gil;
  pthread_cond_broadcast(&t->changed);
  pthread_mutex_unlock(&t->lock);
  return needs_gil;
}

void ticker_stop(ticker *t) {
  if (!t->running) return;
  ticker_dismiss(t);
  pthread_join(t->thread, NULL);
  t->running = false;
}

/* Whether it was done. A job whose turn has come is under the GIL and ends by itself. */
static bool await_job(ticker *t, ticker_job *job, const struct timespec *until) {
  int result = 0;
  while (!t->stopping && job->state == TICKER_WANTED && result == 0)
    result = pthread_cond_timedwait(&t->changed, &t->lock, until);
  while (job->state == TICKER_RUNNING) pthread_cond_wait(&t->changed, &t->lock);
  return job->state == TICKER_DONE;
}

bool ticker_do(ticker *t, ticker_job_name which, void (*run_it)(void *), void *argument,
               int patience_ms, bool stays) {
  struct timespec until = after_ns((uint64_t)patience_ms * 1000000u);
  ticker_job *job = &t->job[which];
  pthread_mutex_lock(&t->lock);
  if (!t->stopping) *job = (ticker_job){TICKER_WANTED, run_it, argument};
  pthread_cond_broadcast(&t->changed);
  bool done = await_job(t, job, &until);
  if (done || !stays) job->state = TICKER_IDLE;
  pthread_mutex_unlock(&t->lock);
  return done;
}
