/* SPDX-License-Identifier: MIT */
/* Brings up and down the two threads; see service.h and docs/design/channel.md. */
#include "compat.h"

#include "service.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "server.h"
#include "snap/dump.h"
#include "snap/schedule.h"
#include "snap/take.h"
#include "thread.h"
#include "ticker.h"

/* How long a client waits for work that needs the GIL; less than the client's own patience. */
#define GIL_PATIENCE_MS 3000
#define SNAPSHOT_PATIENCE_MS 5000

/* One per process, as the hook is. */
static struct service {
  bool started;
  ouro_heap *heap;
  service_options options;
  service_given_back given; /* what the last job of that kind has returned */
  ticker ticker;
  server server;
  bool warned;
  /* Held from before a fork until after it, and while the threads end: waiting for them lets go of
   * the GIL, and another thread may fork meanwhile. `forker` holds it: a thread, 0: none. */
  pthread_mutex_t forking;
  pid_t forker;
  compat_call fork;      /* the last one */
  atomic_bool dismissed; /* the thread that this process ends with has ended */
  pthread_key_t key;     /* in that thread, for its destructor */
  bool has_key;
} service = {.forking = PTHREAD_MUTEX_INITIALIZER};

static void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Once: the same trouble would come back after every fork. */
static void warn(const char *format, ...) {
  char line[SERVER_WHY + 160];
  va_list arguments;
  if (!service.options.main || service.warned) return;
  service.warned = true;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  dprintf(STDERR_FILENO, "ouro: %s\n", line);
}

/* --- Answers, in the server's thread --- */

static void answer_ping(reply_text *to) {
  reply_begin(to);
  reply_put(to, "pid", "%ld", (long)getpid());
  reply_put(to, "version", "%s", OURO_VERSION);
  reply_put(to, "python", "%d.%d.%d", PY_MAJOR_VERSION, PY_MINOR_VERSION, PY_MICRO_VERSION);
  reply_end(to);
}

static void answer_ledger(reply_text *to) {
  ledger book;
  int error = ledger_read(service.heap, &book);
  if (error != 0) {
    reply_error(to, "cannot read /proc/self/smaps: %s", strerror(error));
    return;
  }
  reply_begin(to);
  reply_ledger(to, &book);
  reply_end(to);
}

static void answer_gc(reply_text *to) {
  gcnumbers numbers;
  gcnumbers_read(&numbers);
  reply_begin(to);
  reply_gc(to, &numbers, os_clock_ns());
  reply_end(to);
}

static void give_back(void *unused) {
  (void)unused;
  service.given = service.options.give_back(service.heap);
}

static void answer_give_back(reply_text *to) {
  if (!ticker_do(&service.ticker, TICKER_GIVE_BACK, give_back, NULL, GIL_PATIENCE_MS, true)) {
    reply_error(to, "busy in one long call of C code; it gives back as soon as that call returns");
    return;
  }
  reply_begin(to);
  reply_given_back(to, service.given);
  reply_end(to);
}

typedef struct snapshot_job {
  int file;
  snaptake_options options;
  snaptaken taken;
  int error;
} snapshot_job;

static void take_snapshot(void *argument) {
  snapshot_job *job = argument;
  snapdump_prepare();
  job->error = snaptake(service.heap, job->file, &job->options, &job->taken);
  if (job->taken.child > 0) snaptake_leave(job->taken.child);
}

static void reply_taken(reply_text *to, const snapshot_job *job) {
  bool forked = job->taken.child > 0;
  reply_begin(to);
  reply_put(to, "snapshot.mode", "%s", forked ? "fork" : "in place");
  reply_put(to, "snapshot.pause_ns", "%" PRIu64, job->taken.pause_ns);
  if (forked) reply_put(to, "snapshot.writer", "%ld", (long)job->taken.child);
  reply_end(to);
}

/* The ledger is read before, since the program need not wait for that. */
static void answer_snapshot(const request *what, reply_text *to) {
  ledger book;
  bool known = ledger_read(service.heap, &book) == 0;
  snapshot_job job = {.file = what->passed[0],
                      .options = {.tells = request_tells(what->kind),
                                  .in_place = true,
                                  .status = what->passed[1],
                                  .ledger = known ? &book : NULL}};
  if (!ticker_do(&service.ticker, TICKER_SNAPSHOT, take_snapshot, &job, SNAPSHOT_PATIENCE_MS,
                 false))
    reply_error(to,
                "it has not run Python code for %d s, it is in one long call of C code; try "
                "again, or see what needs no turn: ouro ledger %ld",
                SNAPSHOT_PATIENCE_MS / 1000, (long)getpid());
  else if (job.error != 0) reply_error(to, "cannot write the snapshot: %s", strerror(job.error));
  else reply_taken(to, &job);
}

static void answer(const request *what, reply_text *to) {
  switch (what->kind) {
  case REQUEST_LEDGER: answer_ledger(to); break;
  case REQUEST_GC: answer_gc(to); break;
  case REQUEST_GIVE_BACK: answer_give_back(to); break;
  case REQUEST_SNAPSHOT:
  case REQUEST_SNAPSHOT_REDACTED:
  case REQUEST_SNAPSHOT_VALUES: answer_snapshot(what, to); break;
  default: answer_ping(to);
  }
}

/* --- Up and down --- */

static int start_server(void) {
  char why[SERVER_WHY];
  if (service.server.listener < 0 && server_open(&service.server, why) != 0) {
    warn("no control channel, `ouro ledger` cannot ask this program: %s; set OURO_DIR to a private "
         "directory",
         why);
    return -1;
  }
  int error = server_start(&service.server);
  if (error != 0) warn("no control channel: cannot start a thread: %s", strerror(error));
  return error != 0 ? -1 : 0;
}

/* For a child, from its ticker. */
static void start_server_later(void) {
  if (!atomic_load(&service.dismissed)) start_server();
  if (atomic_load(&service.dismissed)) server_dismiss(&service.server);
}

static int start_ticker(void (*later)(void)) {
  bool watching = trigger_armed() || schedule_armed();
  if (service.options.decay_ms == 0 && !service.options.channel && !watching) return 0;
  int error = ticker_start(&service.ticker, later);
  if (error != 0) warn("idle memory is not given back: cannot start a thread: %s", strerror(error));
  return error != 0 ? -1 : 0;
}

int service_start(ouro_heap *heap, const service_options *options) {
  if (service.started) return 0;
  service.started = true;
  service.heap = heap;
  service.options = *options;
  service.warned = false;
  service.server.answer = answer;
  service.server.listener = -1;
  ticker_init(&service.ticker, heap, options);
  if (!options->main) return start_ticker(options->channel ? start_server_later : NULL);
  /* The channel first: its high descriptor makes the kernel's table grow, for which it waits a
   * grace period (13 ms) if threads share the table. */
  int channel = options->channel ? start_server() : 0;
  int ticks = start_ticker(NULL);
  return ticks != 0 && channel != 0 ? -1 : 0;
}

/* Where another thread forks meanwhile, the end of that starts what is missing. */
static void start_watching(void) {
  if (pthread_mutex_trylock(&service.forking) == 0) {
    if (!service.ticker.running) start_ticker(NULL);
    pthread_mutex_unlock(&service.forking);
  }
  ticker_nudge(&service.ticker);
}

int service_watch(trigger_options *options, char why[TRIGGER_WHY]) {
  if (!service.started) {
    snprintf(why, TRIGGER_WHY, "Ouro is not installed: use `ouro run` or ouro.install()");
    return -1;
  }
  options->heap_limit = service.options.limit;
  if (trigger_set(service.heap, options, why) != 0) return -1;
  if (options->limit_permille != 0 && trigger_limit().limit == 0)
    warn("no limit of memory is set (control group, RLIMIT_AS, RLIMIT_DATA, --limit): there is "
         "nothing yet for --on-limit to watch");
  start_watching();
  return 0;
}

bool service_schedule(const char *prefix, snaptells tells, unsigned first_ms) {
  if (!service.started || !schedule_begin(service.heap, prefix, tells, first_ms)) return false;
  start_watching();
  return true;
}

/* The ticker first: it may be about to start the server. A client that waits for the ticker is let
 * go. */
static void pause_threads(void) {
  ticker_stop(&service.ticker);
  server_pause(&service.server);
}

static void end_fork(void) {
  if (service.forker != gettid()) return; /* a fork in C that told only of its end */
  service.forker = 0;
  pthread_mutex_unlock(&service.forking);
}

void service_stop(void) {
  if (!service.started) return;
  service.started = false;
  PyThreadState *state = PyEval_SaveThread();
  pthread_mutex_lock(&service.forking);
  pause_threads();
  pthread_mutex_unlock(&service.forking);
  PyEval_RestoreThread(state);
  server_close(&service.server);
}

static void pause_for_fork(bool locked) {
  if (!locked) pthread_mutex_lock(&service.forking);
  service.forker = gettid();
  unsigned ours = (unsigned)service.ticker.running + (unsigned)service.server.running;
  unsigned all = thread_count();
  pause_threads();
  if (all > ours) thread_settle(all - ours);
}

/* The GIL is let go of only if it must be: another thread would get ahead of the fork, and if that
 * begins to end the interpreter, the child of CPython 3.12.1 may start no threads. */
void service_before_fork(void) {
  if (!service.started) return;
  bool locked = pthread_mutex_trylock(&service.forking) == 0;
  if (locked && !ticker_dismiss(&service.ticker)) {
    pause_for_fork(locked);
    return;
  }
  Py_BEGIN_ALLOW_THREADS pause_for_fork(locked);
  Py_END_ALLOW_THREADS
}

static void resume_threads(void) {
  if (!service.started || atomic_load(&service.dismissed)) return;
  if (!service.ticker.running) start_ticker(NULL);
  if (service.options.channel && !service.server.running) start_server();
}

/* Where another fork is under way, its end resumes them. Hooks in Python run pending calls too. */
static int resume_pending(void *unused) {
  if (compat_inside(service.fork) && Py_AddPendingCall(resume_pending, unused) == 0) return 0;
  if (pthread_mutex_trylock(&service.forking) != 0) return 0;
  resume_threads();
  pthread_mutex_unlock(&service.forking);
  return 0;
}

/* Not at once: from 3.13 on os.fork() counts the threads after this, and would warn of ours. Where
 * the program forks in a thread of its own the warning is due anyway, and the main thread, which
 * runs pending calls, may be waiting for long. */
void service_after_fork_parent(void) {
  bool at_once = gettid() != getpid();
  if (!at_once) service.fork = compat_calling();
  if (at_once || Py_AddPendingCall(resume_pending, NULL) < 0) resume_threads();
  end_fork();
}

/* A child's first thread need not be its program's main one: forked in another, it ends by
 * returning from that, and the process with its last thread. Ours must not be it. */
static void dismiss_threads(void *unused) {
  (void)unused;
  atomic_store(&service.dismissed, true);
  ticker_dismiss(&service.ticker);
  server_dismiss(&service.server);
}

/* The destructor runs where the thread returns, not where the process exits. */
static void end_with_this_thread(void) {
  if (!service.has_key) service.has_key = pthread_key_create(&service.key, dismiss_threads) == 0;
  if (service.has_key) pthread_setspecific(service.key, &service);
}

void service_after_fork_child(void) {
  pthread_mutex_init(&service.forking, NULL);
  service.forker = 0;
  atomic_store(&service.dismissed, false);
  if (!service.started) return;
  service.options.main = false;
  trigger_after_fork();
  schedule_after_fork();
  server_forget(&service.server);
  ticker_init(&service.ticker, service.heap, &service.options);
  end_with_this_thread();
  start_ticker(service.options.channel ? start_server_later : NULL);
}
