/* SPDX-License-Identifier: MIT */
#include "interpreter.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

extern char **environ;

static bool runnable(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

static bool in_folder(const char *folder, int length, const char *name, interpreter *out) {
  int written = snprintf(out->path, sizeof out->path, "%.*s/%s", length, folder, name);
  return written > 0 && (size_t)written < sizeof out->path && runnable(out->path);
}

static bool on_path(const char *name, interpreter *out) {
  const char *path = getenv("PATH");
  if (path == NULL) path = "/usr/local/bin:/usr/bin:/bin";
  for (;;) {
    int length = (int)strcspn(path, ":");
    const char *folder = length > 0 ? path : ".";
    if (in_folder(folder, length > 0 ? length : 1, name, out)) return true;
    if (path[length] == '\0') return false;
    path += length + 1;
  }
}

/* Beside this executable, wherever it is installed: a wheel puts it into its environment's bin. */
static bool beside_us(interpreter *out) {
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0) return false;
  while (length > 0 && self[length - 1] != '/') length--;
  if (length == 0) return false;
  return in_folder(self, (int)length - 1, "python3", out) ||
         in_folder(self, (int)length - 1, "python", out);
}

static bool in_active_environment(interpreter *out) {
  const char *folder = getenv("VIRTUAL_ENV");
  if (folder == NULL || folder[0] == '\0') return false;
  return in_folder(folder, (int)strlen(folder), "bin/python3", out);
}

static bool wanted_one(const char *wanted, interpreter *out) {
  if (strchr(wanted, '/') == NULL) return on_path(wanted, out);
  int written = snprintf(out->path, sizeof out->path, "%s", wanted);
  return written > 0 && (size_t)written < sizeof out->path && runnable(wanted);
}

bool interpreter_find(const char *wanted, interpreter *out) {
  if (wanted != NULL) return wanted_one(wanted, out);
  return beside_us(out) || in_active_environment(out) || on_path("python3", out) ||
         on_path("python", out);
}

/* --- The package --- */

/* Installed in the environment of which this interpreter is a part. */
static bool package_in_sight(const interpreter *chosen) {
  char pattern[PATH_MAX + 64];
  const char *slash = strrchr(chosen->path, '/');
  int folder = slash != NULL ? (int)(slash - chosen->path) : 0;
  if (folder == 0) return false;
  snprintf(pattern, sizeof pattern, "%.*s/../lib/python3.*/site-packages/ouro_boot.pth", folder,
           chosen->path);
  glob_t found;
  bool yes = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;
  globfree(&found);
  return yes;
}

/* What the probe's exit status says, and what to tell the user. */
enum {
  PROBE_READY = 40,
  PROBE_NO_PACKAGE,
  PROBE_NO_BOOT,
  PROBE_OLD,
  PROBE_FREE_THREADED,
  PROBE_OTHER
};

/* In order of what makes the rest pointless. Must parse in any Python, also in 2.7. Started as a
 * child on Ouro is, so that it sees whether the start-up file did its work. */
static const char probe[] = "import sys\n"
                            "if sys.version_info < (3, 10): sys.exit(43)\n"
                            "if sys.implementation.name != 'cpython': sys.exit(45)\n"
                            "if 'free-threading' in sys.version: sys.exit(44)\n"
                            "if 'ouro._boot' in sys.modules: sys.exit(40)\n"
                            "import importlib.util\n"
                            "sys.exit(42 if importlib.util.find_spec('ouro') else 41)\n";

/* The interpreter's exit status; -1: it did not run or was killed. */
static int ask(const interpreter *chosen) {
  posix_spawn_file_actions_t silent;
  posix_spawn_file_actions_init(&silent);
  for (int fd = 0; fd < 3; fd++)
    posix_spawn_file_actions_addopen(&silent, fd, "/dev/null", O_RDWR, 0);
  char *arguments[] = {(char *)chosen->path, (char *)"-c", (char *)probe, NULL};
  pid_t pid;
  int status = 0;
  setenv("OURO_RUN", "quiet=1,channel=0", 1);
  int error = posix_spawn(&pid, chosen->path, &silent, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&silent);
  if (error != 0) return -1;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void interpreter_require_package(const interpreter *chosen) {
  const char *path = chosen->path;
  if (package_in_sight(chosen)) return;
  switch (ask(chosen)) {
  case PROBE_READY: return;
  case PROBE_NO_PACKAGE:
    cli_die(CLI_FAILED, "%s has no ouro package; run: %s -m pip install ouro", path, path);
  case PROBE_NO_BOOT:
    cli_die(CLI_FAILED,
            "%s finds the ouro package but not its ouro_boot.pth; run: "
            "%s -m pip install --force-reinstall ouro",
            path, path);
  case PROBE_OLD:
    cli_die(CLI_FAILED, "%s is older than Python 3.10; choose another with --python PATH", path);
  case PROBE_FREE_THREADED:
    cli_die(CLI_FAILED,
            "%s is a free-threaded build, which Ouro cannot run on; choose a standard one with "
            "--python PATH",
            path);
  case PROBE_OTHER:
    cli_die(CLI_FAILED, "%s is not CPython; choose another with --python PATH", path);
  default:
    cli_die(CLI_FAILED,
            "%s does not work as a Python interpreter; choose another with --python PATH", path);
  }
}
