/* SPDX-License-Identifier: MIT */
#include "aside.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MOST 16

/* How the child in between ends where the command could not be started. */
#define NOT_STARTED 255

/* Made before there is a child, in which another thread's malloc may be amid something for ever. */
typedef struct aside_command {
  char *argv[WORDS_MOST + 1];
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
} aside_command;

/* A signal number as an exit status, as shells have it. */
#define BY_SIGNAL 128

extern char **environ;

/* --- In the child in between ------------------------------------------------------------------ */

/* Every program that is executed gets an exit signal: the command's goes to this child. */
static int run_here(const aside_command *command) {
  pid_t child;
  int status;
  if (posix_spawn(&child, command->argv[0], &command->files, &command->how, command->argv,
                  environ) != 0)
    return NOT_STARTED;
  if (waitpid(child, &status, 0) < 0) return NOT_STARTED;
  return WIFEXITED(status) ? WEXITSTATUS(status) : BY_SIGNAL + WTERMSIG(status);
}

/* --- In the program --------------------------------------------------------------------------- */

/* All signals stay blocked there: it ends when the command does. */
static pid_t start(const aside_command *command) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
  if (child == 0) _exit(run_here(command));
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return child;
}

/* The exit status of the child in between; -1 with an exception, of a signal's handler too. */
static int wait_for(pid_t child) {
  int status = 0;
  pid_t ended;
  do {
    Py_BEGIN_ALLOW_THREADS ended = waitpid(child, &status, __WALL);
    Py_END_ALLOW_THREADS if (ended < 0 && errno == EINTR && PyErr_CheckSignals() < 0) return -1;
  } while (ended < 0 && errno == EINTR);
  if (ended < 0 || !WIFEXITED(status)) return 0; /* a program that waits for clones too */
  return WEXITSTATUS(status);
}

/* The interpreter has these ignored, which the command would inherit. */
static void prepare_signals(aside_command *command) {
  sigset_t none, ignored;
  sigemptyset(&none);
  sigemptyset(&ignored);
  sigaddset(&ignored, SIGPIPE);
  sigaddset(&ignored, SIGXFSZ);
  posix_spawnattr_setsigmask(&command->how, &none);
  posix_spawnattr_setsigdefault(&command->how, &ignored);
  posix_spawnattr_setflags(&command->how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* A descriptor put onto itself stays open in the command. */
static int add_file(aside_command *command, int from, int to) {
  errno = posix_spawn_file_actions_adddup2(&command->files, from, to);
  if (errno == 0) return 0;
  PyErr_SetFromErrno(PyExc_OSError);
  return -1;
}

static int prepare(aside_command *command, PyObject *argv, PyObject *files) {
  if (PyTuple_GET_SIZE(argv) == 0 || PyTuple_GET_SIZE(argv) > WORDS_MOST) {
    PyErr_SetString(PyExc_ValueError, "too many words, or none");
    return -1;
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(argv); i++)
    if ((command->argv[i] = PyBytes_AsString(PyTuple_GET_ITEM(argv, i))) == NULL) return -1;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(files); i++) {
    int file = (int)PyLong_AsLong(PyTuple_GET_ITEM(files, i));
    if ((file < 0 && PyErr_Occurred()) || add_file(command, file, file) < 0) return -1;
  }
  prepare_signals(command);
  return add_file(command, STDERR_FILENO, STDOUT_FILENO);
}

static PyObject *run(const aside_command *command) {
  pid_t child = start(command);
  if (child < 0) return PyErr_SetFromErrno(PyExc_OSError);
  int status = wait_for(child);
  if (status < 0) return NULL;
  if (status != NOT_STARTED)
    return PyLong_FromLong(status > BY_SIGNAL ? BY_SIGNAL - status : status);
  return PyErr_Format(PyExc_OSError, "cannot start %s", command->argv[0]);
}

PyObject *aside_run(PyObject *Py_UNUSED(module), PyObject *args) {
  PyObject *argv, *files;
  aside_command command = {.argv = {NULL}};
  if (!PyArg_ParseTuple(args, "O!O!:_run_aside", &PyTuple_Type, &argv, &PyTuple_Type, &files))
    return NULL;
  posix_spawn_file_actions_init(&command.files);
  posix_spawnattr_init(&command.how);
  PyObject *status = prepare(&command, argv, files) < 0 ? NULL : run(&command);
  posix_spawnattr_destroy(&command.how);
  posix_spawn_file_actions_destroy(&command.files);
  return status;
}
