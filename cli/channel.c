/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <ouro/base.h>

#include "rundir.h"

/* What the process was started with. /proc shows the environment of its exec, and the place of the
 * socket depends on that one, not on ours. */
typedef struct target {
  pid_t pid;
  uid_t owner;
  char *environment; /* NUL-separated, an empty string at the end; NULL where it may not be read */
} target;

bool channel_complain(char *why, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(why, CHANNEL_WHY, format, arguments);
  va_end(arguments);
  return false;
}

/* --- The process --- */

/* The whole of a small file, with two NULs behind it, or NULL. */
static char *read_small(const char *path) {
  size_t room = (size_t)1 << 20, used = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  char *text = fd >= 0 ? malloc(room + 2) : NULL;
  ssize_t got = text != NULL ? 1 : -1;
  while (got > 0 && used < room) {
    got = read(fd, text + used, room - used);
    if (got > 0) used += (size_t)got;
  }
  if (fd >= 0) close(fd);
  if (got < 0) {
    free(text);
    return NULL;
  }
  text[used] = text[used + 1] = '\0';
  return text;
}

static const char *variable(const target *of, const char *name) {
  size_t length = strlen(name);
  for (const char *at = of->environment; at != NULL && *at != '\0'; at += strlen(at) + 1)
    if (strncmp(at, name, length) == 0 && at[length] == '=') return at + length + 1;
  return NULL;
}

bool channel_process_exists(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld", (long)pid);
  return access(path, F_OK) == 0;
}

static bool describe(pid_t pid, target *out) {
  char path[64];
  struct stat info;
  snprintf(path, sizeof path, "/proc/%ld", (long)pid);
  if (stat(path, &info) != 0) return false;
  snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
  *out = (target){.pid = pid, .owner = info.st_uid, .environment = read_small(path)};
  return true;
}

static bool is_stopped(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
  char *stat = read_small(path);
  const char *name_end = stat != NULL ? strrchr(stat, ')') : NULL;
  bool stopped = name_end != NULL && (name_end[2] == 'T' || name_end[2] == 't');
  free(stat);
  return stopped;
}

/* --- Connecting --- */

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool not_on_ouro(const target *of, char *why) {
  const char *settings = variable(of, "OURO_RUN");
  long pid = (long)of->pid;
  if (settings != NULL && strstr(settings, "channel=0") != NULL)
    return channel_complain(why, "process %ld was started with --no-channel and cannot be asked",
                            pid);
  if (settings != NULL)
    return channel_complain(
        why,
        "process %ld has no control channel (any more); see the programs that have one "
        "with: ouro ps",
        pid);
  return channel_complain(
      why, "process %ld does not run on Ouro; start the program with: ouro run SCRIPT", pid);
}

static bool others(const target *of, char *why) {
  struct passwd *user = getpwuid(of->owner);
  char name[32];
  snprintf(name, sizeof name, "%lu", (unsigned long)of->owner);
  return channel_complain(why, "process %ld belongs to user %s; ask as that user or as root",
                          (long)of->pid, user != NULL ? user->pw_name : name);
}

/* Who listens at the other end must be the process's user; a link in a shared directory could lead
 * to somebody else's socket. */
static bool is_owner(int fd, uid_t owner) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == owner || peer.uid == 0;
}

/* A connected socket or a negative errno. A full queue is waited for: others are being answered. */
static int connect_in(const rundir *place, const target *to, long deadline) {
  const struct timespec moment = {.tv_nsec = 20000000};
  char name[32], why[CHANNEL_WHY];
  rundir_socket_name(to->pid, name, sizeof name);
  int dir = rundir_open(place, to->owner, false, why, sizeof why);
  if (dir < 0) return -ENOENT;
  int fd = rundir_connect(dir, name);
  while (fd == -EAGAIN && now_ms() < deadline) {
    nanosleep(&moment, NULL);
    fd = rundir_connect(dir, name);
  }
  close(dir);
  if (fd < 0 || is_owner(fd, to->owner)) return fd;
  close(fd);
  return -EPERM;
}

/* Where the program may have put its socket, in its order: the first place may have been unusable
 * when it started. Then our own places, for programs that became another user after that. */
static size_t places_of(const target *to, rundir out[2 * RUNDIR_PLACES]) {
  rundir_env own = rundir_env_own();
  rundir_env its = {variable(to, "OURO_DIR"), variable(to, "XDG_RUNTIME_DIR"), to->owner};
  size_t count = to->environment != NULL ? rundir_places(&its, out) : 0;
  return count + rundir_places(&own, out + count);
}

static int connect_to(const target *to, long deadline) {
  rundir places[2 * RUNDIR_PLACES];
  size_t count = places_of(to, places);
  int fd = -ENOENT;
  for (size_t i = 0; i < count && fd < 0 && fd != -EAGAIN; i++)
    fd = connect_in(&places[i], to, deadline);
  return fd;
}

static bool not_connected(const target *to, char *why) {
  bool may = to->owner == geteuid() || geteuid() == 0;
  return may ? not_on_ouro(to, why) : others(to, why);
}

/* --- Asking --- */

/* Waits until the socket is ready or the time is over. */
static bool ready(int fd, short events, long deadline) {
  struct pollfd wanted = {.fd = fd, .events = events};
  for (;;) {
    long left = deadline - now_ms();
    if (left <= 0) return false;
    int n = poll(&wanted, 1, (int)left);
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

static ssize_t send_some(int fd, const char *text, size_t length, const channel_request *with) {
  union {
    char bytes[CMSG_SPACE(CHANNEL_PASSED_MAX * sizeof(int))];
    struct cmsghdr aligned;
  } control = {.bytes = {0}};
  size_t size = with->count * sizeof *with->passed;
  struct iovec from = {.iov_base = (char *)(uintptr_t)text, .iov_len = length};
  struct msghdr message = {.msg_iov = &from, .msg_iovlen = 1};
  if (with->count > 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(head), with->passed, size);
  }
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* The descriptors go with the first byte. */
static bool send_all(int fd, const char *text, size_t length, const channel_request *with,
                     long deadline) {
  static const channel_request nothing = {.count = 0};
  while (length > 0) {
    if (!ready(fd, POLLOUT, deadline)) return false;
    ssize_t sent = send_some(fd, text, length, with);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent > 0) text += sent, length -= (size_t)sent, with = &nothing;
  }
  return true;
}

typedef enum outcome { COMPLETE, LATE, BROKEN, TOO_LONG } outcome;

static outcome receive_all(int fd, char *text, size_t *length, long deadline) {
  *length = 0;
  while (*length < REPLY_BYTES_MAX) {
    if (!ready(fd, POLLIN, deadline)) return LATE;
    ssize_t got = recv(fd, text + *length, REPLY_BYTES_MAX - *length, 0);
    if (got == 0) return *length > 0 ? COMPLETE : BROKEN;
    if (got < 0 && errno != EAGAIN && errno != EINTR) return BROKEN;
    if (got > 0) *length += (size_t)got;
  }
  return TOO_LONG;
}

static outcome exchange(int fd, const channel_request *request, long deadline, char *text,
                        size_t *length) {
  char line[64];
  int size = snprintf(line, sizeof line, "%s\n", request->word);
  /* A program that is just shutting its channel may have closed it for reading; it may still
   * answer. */
  if (!send_all(fd, line, (size_t)size, request, deadline) && now_ms() >= deadline) return LATE;
  return receive_all(fd, text, length, deadline);
}

static bool explain(outcome how, const target *to, int patience_ms, char *why) {
  long pid = (long)to->pid;
  if (!channel_process_exists(to->pid)) return channel_complain(why, "process %ld has ended", pid);
  if (how == LATE && is_stopped(to->pid))
    return channel_complain(why, "process %ld is stopped; let it go on with: kill -CONT %ld", pid,
                            pid);
  if (how == LATE)
    return channel_complain(
        why, "process %ld did not answer within %d s; try again when the machine is less busy", pid,
        patience_ms / 1000);
  if (how == TOO_LONG)
    return channel_complain(why, "process %ld answers without end; is it Ouro?", pid);
  return channel_complain(why, "process %ld closed its channel without an answer; try again", pid);
}

static bool understand(channel_answer *out, size_t length, const target *from, char *why) {
  static const char unknown[] = "unknown request";
  const char *wrong = reply_parse(out->text, length, &out->parsed);
  if (wrong != NULL)
    return channel_complain(
        why,
        "cannot read the answer of process %ld: %s; is its Ouro another version than "
        "this command (" OURO_VERSION ")?",
        (long)from->pid, wrong);
  const char *said = out->parsed.error;
  if (said != NULL && strncmp(said, unknown, sizeof unknown - 1) == 0)
    return channel_complain(
        why,
        "process %ld cannot answer this: its Ouro is another version than this command "
        "(" OURO_VERSION "); start it again with this one",
        (long)from->pid);
  if (said != NULL) return channel_complain(why, "process %ld: %s", (long)from->pid, said);
  return true;
}

/* False: nobody listens. A program that has lost its listener to a closerange() makes a new one
 * when the next client knocks; that client gets no answer. Hence a second try. */
static bool ask_twice(const target *to, const channel_request *request, long deadline, char *text,
                      size_t *length, outcome *how) {
  *how = BROKEN;
  for (int attempt = 0; attempt < 2 && *how == BROKEN; attempt++) {
    if (attempt > 0) nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    int fd = connect_to(to, deadline);
    if (fd < 0 && fd != -EAGAIN) return false;
    *how = fd < 0 ? LATE : exchange(fd, request, deadline, text, length);
    if (fd >= 0) close(fd);
  }
  return true;
}

static bool ask(const target *to, const channel_request *request, int patience_ms,
                channel_answer *out, char *why) {
  outcome how;
  size_t length;
  if (!ask_twice(to, request, now_ms() + patience_ms, out->text, &length, &how))
    return not_connected(to, why);
  out->silent = how == LATE;
  return how == COMPLETE ? understand(out, length, to, why) : explain(how, to, patience_ms, why);
}

bool channel_request_ask(pid_t pid, const channel_request *request, int patience_ms,
                         channel_answer *out, char why[CHANNEL_WHY]) {
  target to;
  *out = (channel_answer){.text = NULL};
  if (!describe(pid, &to))
    return channel_complain(why, "there is no process %ld; see the programs on Ouro with: ouro ps",
                            (long)pid);
  out->text = malloc(REPLY_BYTES_MAX + 1);
  bool done = out->text != NULL ? ask(&to, request, patience_ms, out, why)
                                : channel_complain(why, "%s", strerror(errno));
  if (!done) channel_forget(out);
  free(to.environment);
  return done;
}

bool channel_ask(pid_t pid, const char *request, int patience_ms, channel_answer *out,
                 char why[CHANNEL_WHY]) {
  const channel_request plain = {.word = request};
  return channel_request_ask(pid, &plain, patience_ms, out, why);
}

void channel_forget(channel_answer *answer) {
  free(answer->text);
  answer->text = NULL;
}

/* --- Listing --- */

static void add_pid(pid_t pid, pid_t *out, size_t room, size_t *count) {
  for (size_t i = 0; i < *count; i++)
    if (out[i] == pid) return;
  if (*count < room && channel_process_exists(pid)) out[(*count)++] = pid;
}

static void list_folder(const char *path, pid_t *out, size_t room, size_t *count) {
  DIR *folder = opendir(path);
  if (folder == NULL) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    pid_t pid = rundir_socket_pid(entry->d_name);
    if (pid != 0) add_pid(pid, out, room, count);
  }
  closedir(folder);
}

static void list_pattern(const char *pattern, pid_t *out, size_t room, size_t *count) {
  glob_t found;
  if (glob(pattern, 0, NULL, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc; i++) list_folder(found.gl_pathv[i], out, room, count);
  globfree(&found);
}

size_t channel_list(pid_t *out, size_t room) {
  rundir places[RUNDIR_PLACES];
  rundir_env env = rundir_env_own();
  size_t count = 0, known = rundir_places(&env, places);
  for (size_t i = 0; i < known; i++) list_folder(places[i].path, out, room, &count);
  /* Programs started from a session with another environment. */
  char pattern[64];
  unsigned long uid = (unsigned long)env.uid;
  snprintf(pattern, sizeof pattern, uid == 0 ? "/run/user/*/ouro" : "/run/user/%lu/ouro", uid);
  list_pattern(pattern, out, room, &count);
  snprintf(pattern, sizeof pattern, uid == 0 ? "/tmp/ouro-*" : "/tmp/ouro-%lu", uid);
  list_pattern(pattern, out, room, &count);
  return count;
}
