/* SPDX-License-Identifier: MIT */
#include "whysnap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "snapping.h"

/* Signals that end the wait stay blocked elsewhere, so that no file is left behind. */
static sigset_t ends(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

static bool take_file(pid_t pid, const char *path) {
  const snapping_options how = {0};
  char why[CHANNEL_WHY];
  snapping taken;
  bool done = snapping_take(pid, path, &how, &taken, why);
  if (!done) cli_say(CLI_FAILED, "%s", why);
  return done;
}

/* Gives the file up, but for a descriptor that this process keeps. */
static bool take_name_away(char path[WHYSNAP_PATH]) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  unlink(path);
  snprintf(path, WHYSNAP_PATH, "/proc/self/fd/%d", descriptor);
  return descriptor >= 0;
}

static bool take_one(whysnap *s, pid_t pid, const char *folder, bool keep) {
  char *path = s->path[s->count];
  int length = snprintf(path, WHYSNAP_PATH, "%s/why-%ld.%zu.snap", folder, (long)pid, s->count + 1);
  if (length >= WHYSNAP_PATH) return false;
  bool taken = take_file(pid, path);
  if (!taken && !keep) unlink(path);
  if (taken && !keep) taken = take_name_away(path);
  if (taken) s->count++;
  return taken;
}

static void tell(const whysnap *s, uint64_t ms) {
  if (!isatty(STDERR_FILENO)) return;
  fprintf(stderr, "\r\033[Ksnapshot %zu of %d is taken; the next in %.0f s (Ctrl-C: do with these)",
          s->count, WHYSNAP_FILES, (double)ms / 1000);
  fflush(stderr);
}

static void wipe(void) {
  if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
}

/* Whether the user had enough. */
static bool wait_ended(uint64_t ms) {
  sigset_t set = ends();
  struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
  return sigtimedwait(&set, NULL, &time) > 0;
}

static bool take_all(whysnap *s, pid_t pid, uint64_t ms, const char *folder, bool keep) {
  uint64_t between = ms / (WHYSNAP_FILES - 1);
  if (!take_one(s, pid, folder, keep)) return false;
  while (s->count < WHYSNAP_FILES) {
    tell(s, between);
    bool enough = wait_ended(between);
    wipe();
    if (enough) return true;
    if (!take_one(s, pid, folder, keep)) return false;
  }
  return true;
}

void whysnap_take(whysnap *s, pid_t pid, uint64_t ms, const char *keep) {
  char folder[WHYSNAP_PATH - 64];
  sigset_t set = ends(), before;
  const char *place = getenv("TMPDIR");
  s->count = 0;
  if (place == NULL || place[0] != '/') place = "/tmp";
  if (keep != NULL) snprintf(folder, sizeof folder, "%s", keep);
  else snprintf(folder, sizeof folder, "%.3900s/ouro-why-XXXXXX", place);
  bool made = keep != NULL ? mkdir(folder, 0700) == 0 || errno == EEXIST : mkdtemp(folder) != NULL;
  if (!made) cli_die(CLI_FAILED, "cannot make the folder %s: %s", folder, strerror(errno));
  sigprocmask(SIG_BLOCK, &set, &before);
  bool taken = take_all(s, pid, ms, folder, keep != NULL);
  if (keep == NULL) rmdir(folder);
  sigprocmask(SIG_SETMASK, &before, NULL);
  if (!taken) exit(CLI_FAILED); /* the line is written */
}
