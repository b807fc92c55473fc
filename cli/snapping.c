/* SPDX-License-Identifier: MIT */
#include "snapping.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "size.h"
#include "snapshot/reader.h"

/* For the answer only. A program that cannot make a child answers when it has written. */
#define ANSWER_PATIENCE_MS 120000

#define LOOK_MS 200
#define QUIET_MS 2000 /* before progress is shown */

/* --- Names --- */

/* Arguments of a process, cut to what fits, each with a NUL behind it. */
static size_t read_arguments(pid_t pid, char *out, size_t room) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = file >= 0 ? read(file, out, room - 1) : 0;
  if (file >= 0) close(file);
  if (got < 0) got = 0;
  out[got] = '\0';
  return (size_t)got;
}

/* The first argument that is no option names the program; what follows -m does too. */
static const char *script_of(const char *arguments, size_t length) {
  const char *at = arguments + strlen(arguments) + 1, *end = arguments + length;
  while (at < end && at[0] == '-' && strcmp(at, "-c") != 0) at += strlen(at) + 1;
  if (at >= end || at[0] == '-') at = arguments;
  const char *slash = strrchr(at, '/');
  return slash != NULL && slash[1] != '\0' ? slash + 1 : at;
}

static void script_name(pid_t pid, char *out, size_t room) {
  char arguments[4096];
  size_t length = read_arguments(pid, arguments, sizeof arguments), used = 0;
  const char *script = length > 0 ? script_of(arguments, length) : "python";
  const char *dot = strrchr(script, '.');
  const char *end = dot != NULL && strcmp(dot, ".py") == 0 ? dot : script + strlen(script);
  for (; script < end && used + 1 < room; script++)
    out[used++] = isalnum((unsigned char)*script) || strchr("_-.", *script) ? *script : '_';
  out[used] = '\0';
}

void snapping_name(pid_t pid, char out[SNAPPING_PATH]) {
  char script[64];
  script_name(pid, script, sizeof script);
  for (unsigned n = 1; n < 1000000; n++) {
    snprintf(out, SNAPPING_PATH, "ouro-%s.%ld.%u.snap", script, (long)pid, n);
    if (access(out, F_OK) != 0) return;
  }
}

/* --- The file --- */

/* Written under another name where it replaces one: that stays until the program writes. */
typedef struct place {
  const char *path;
  char first[SNAPPING_PATH + 32];
  int file;
} place;

static bool place_open(place *at, const char *path, bool replace, char *why) {
  struct stat there;
  at->path = path;
  bool taken = lstat(path, &there) == 0;
  if (taken && !replace)
    return channel_complain(why, "%s is there already; name another file with -o, or add -f", path);
  if (taken && !S_ISREG(there.st_mode)) return channel_complain(why, "%s is no file", path);
  if (taken) snprintf(at->first, sizeof at->first, "%s.%ld.part", path, (long)getpid());
  else snprintf(at->first, sizeof at->first, "%s", path);
  at->file = open(at->first, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return at->file >= 0 || channel_complain(why, "cannot make %s: %s", path, strerror(errno));
}

static bool place_settle(const place *at, char *why) {
  if (strcmp(at->first, at->path) == 0 || rename(at->first, at->path) == 0) return true;
  return channel_complain(why, "cannot replace %s: %s", at->path, strerror(errno));
}

/* --- Waiting --- */

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void show_progress(int file) {
  struct stat info;
  char size[SIZE_TEXT];
  if (fstat(file, &info) != 0) return;
  fprintf(stderr, "\r\033[Kouro: %s written", size_format((uint64_t)info.st_size, false, size));
  fflush(stderr);
}

/* Until the writer has told how it went, or is gone: both make the pipe readable. */
static void await_end(int status, int file, bool progress) {
  long quiet_until = now_ms() + QUIET_MS;
  bool shown = false;
  struct pollfd end = {.fd = status, .events = POLLIN};
  while (poll(&end, 1, LOOK_MS) <= 0) {
    if (!progress || now_ms() < quiet_until || !isatty(STDERR_FILENO)) continue;
    show_progress(file);
    shown = true;
  }
  if (shown) fputs("\r\033[K", stderr);
}

static bool read_status(int status, pid_t pid, const char *path, char *why) {
  int32_t error = 0;
  ssize_t got = read(status, &error, sizeof error);
  if (got != (ssize_t)sizeof error)
    return channel_complain(
        why,
        "the snapshot's writer was killed; %s is readable as far as it goes. Is there "
        "memory left for process %ld?",
        path, (long)pid);
  if (error == 0) return true;
  return channel_complain(why, "writing %s failed: %s; it is readable as far as it goes", path,
                          strerror(error));
}

/* --- All together --- */

static bool look_at(const char *path, snapping *out, char *why) {
  char damage[SNAPSHOT_WHY];
  snapshot *s = snapshot_open(path, damage);
  if (s == NULL) return channel_complain(why, "cannot read what was written, %s: %s", path, damage);
  snapshot_totals totals = snapshot_count(s);
  bool complete = snapshot_complete(s);
  out->values = snapshot_holds_contents(s);
  out->bytes = snapshot_file_bytes(s);
  out->objects = totals.objects;
  out->edges = totals.edges;
  snapshot_close(s);
  return complete || channel_complain(why, "%s is not complete; take it again", path);
}

static const char *word_of(const snapping_options *how) {
  return how->redact ? "snapshot redact" : how->values ? "snapshot values" : "snapshot";
}

static bool ask(pid_t pid, const snapping_options *how, const int passed[2], snapping *out,
                char *why) {
  channel_answer answer;
  const channel_request request = {.word = word_of(how), .passed = passed, .count = 2};
  if (!channel_request_ask(pid, &request, ANSWER_PATIENCE_MS, &answer, why)) return false;
  const char *mode = reply_value(&answer.parsed, "snapshot.mode");
  out->in_place = mode != NULL && strcmp(mode, "in place") == 0;
  reply_number(&answer.parsed, "snapshot.pause_ns", &out->pause_ns);
  channel_forget(&answer);
  return true;
}

/* Our end of the pipe that is passed must be closed for the other one to end. */
static bool ask_and_wait(pid_t pid, const place *at, const snapping_options *how, snapping *out,
                         char *why) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return channel_complain(why, "cannot make a pipe: %s", strerror(errno));
  const int passed[2] = {at->file, ends[1]};
  bool begun = ask(pid, how, passed, out, why);
  close(ends[1]);
  if (!begun) unlink(at->first);
  bool done = begun && place_settle(at, why);
  if (done) await_end(ends[0], at->file, how->progress);
  done = done && read_status(ends[0], pid, at->path, why);
  close(ends[0]);
  return done;
}

bool snapping_take(pid_t pid, const char *path, const snapping_options *how, snapping *out,
                   char why[CHANNEL_WHY]) {
  place at;
  *out = (snapping){.bytes = 0};
  if (!place_open(&at, path, how->replace, why)) return false;
  bool done = ask_and_wait(pid, &at, how, out, why);
  close(at.file);
  return done && look_at(path, out, why);
}
