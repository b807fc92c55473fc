/* SPDX-License-Identifier: MIT */
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

rundir_env rundir_env_own(void) {
  return (rundir_env){
      .dir = getenv("OURO_DIR"), .runtime = getenv("XDG_RUNTIME_DIR"), .uid = geteuid()};
}

static bool given(const char *value) { return value != NULL && value[0] != '\0'; }

static size_t place(rundir *out, const char *format, const char *base, unsigned long uid) {
  int length = base != NULL ? snprintf(out->path, sizeof out->path, format, base)
                            : snprintf(out->path, sizeof out->path, format, uid);
  return length > 0 && (size_t)length < sizeof out->path ? 1 : 0;
}

size_t rundir_places(const rundir_env *env, rundir out[RUNDIR_PLACES]) {
  if (given(env->dir)) return place(&out[0], "%s", env->dir, 0);
  size_t count = 0;
  if (given(env->runtime)) count += place(&out[count], "%s/ouro", env->runtime, 0);
  return count + place(&out[count], "/tmp/ouro-%lu", NULL, (unsigned long)env->uid);
}

static const char *unfit(const struct stat *info, uid_t owner) {
  if (info->st_uid != owner && info->st_uid != 0) return "belongs to another user";
  if ((info->st_mode & 077) != 0) return "is open to other users";
  return NULL;
}

int rundir_open(const rundir *dir, uid_t owner, bool make, char *why, size_t room) {
  if (make && mkdir(dir->path, 0700) != 0 && errno != EEXIST) {
    snprintf(why, room, "%s: %s", dir->path, strerror(errno));
    return -1;
  }
  int fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    /* O_DIRECTORY with O_NOFOLLOW reports a link as "not a directory", which it may well lead to.
     */
    bool link = errno == ENOTDIR || errno == ELOOP;
    snprintf(why, room, "%s: %s", dir->path, link ? "is no directory of its own" : strerror(errno));
    return -1;
  }
  struct stat info;
  const char *reason = fstat(fd, &info) != 0 ? strerror(errno) : unfit(&info, owner);
  if (reason == NULL) return fd;
  snprintf(why, room, "%s: %s", dir->path, reason);
  close(fd);
  return -1;
}

void rundir_socket_name(pid_t pid, char *out, size_t room) {
  snprintf(out, room, "%ld.sock", (long)pid);
}

pid_t rundir_socket_pid(const char *name) {
  char *end;
  if (name[0] < '1' || name[0] > '9') return 0;
  errno = 0;
  long pid = strtol(name, &end, 10);
  return errno == 0 && pid <= 0x7FFFFFFF && strcmp(end, ".sock") == 0 ? (pid_t)pid : 0;
}

void rundir_address(int dir_fd, const char *name, struct sockaddr_un *out) {
  *out = (struct sockaddr_un){.sun_family = AF_UNIX};
  snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", dir_fd, name);
}

int rundir_connect(int dir_fd, const char *name) {
  struct sockaddr_un address;
  rundir_address(dir_fd, name, &address);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}
