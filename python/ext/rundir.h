/* SPDX-License-Identifier: MIT */
/* The private directory that holds the control sockets; the service makes it, the command looks in
 * it. */
#ifndef OURO_RUNDIR_H
#define OURO_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RUNDIR_PATH_MAX 512

/* What the place depends on; strings may be NULL. Of this process, or of one that is to be asked.
 */
typedef struct rundir_env {
  const char *dir;     /* OURO_DIR */
  const char *runtime; /* XDG_RUNTIME_DIR */
  uid_t uid;
} rundir_env;

typedef struct rundir {
  char path[RUNDIR_PATH_MAX];
} rundir;

#define RUNDIR_PLACES 2

rundir_env rundir_env_own(void);

/* Where the directory may be, best first: OURO_DIR alone where it is set, else
 * $XDG_RUNTIME_DIR/ouro and /tmp/ouro-<uid>. The service takes the first it can use. Returns how
 * many; paths too long are left out. */
size_t rundir_places(const rundir_env *env, rundir out[RUNDIR_PLACES]);

/* Opens the directory: a directory, no symbolic link, of user `owner` or root, closed to all
 * others. `make`: makes it if it is not there. A descriptor (close-on-exec), or -1 with the reason
 * in `why`. */
int rundir_open(const rundir *dir, uid_t owner, bool make, char *why, size_t room);

/* Name of a process's socket in the directory, and the process of a name (0: it is no such name).
 */
void rundir_socket_name(pid_t pid, char *out, size_t room);
pid_t rundir_socket_pid(const char *name);

/* A stream socket connected to `name` in the open directory, or a negative errno. Addressed through
 * the descriptor: no path is too long, and the directory cannot be exchanged meanwhile. */
int rundir_connect(int dir_fd, const char *name);

/* The address as rundir_connect builds it, for bind. */
struct sockaddr_un;
void rundir_address(int dir_fd, const char *name, struct sockaddr_un *out);

#endif
