/* SPDX-License-Identifier: MIT */
#include "compat.h"

#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "thread.h"

/* A client that takes longer to ask, or to read the reply, is let go. */
#define CLIENT_PATIENCE_MS 2000

/* How often a thread that waits for a client looks whether it is to end. */
#define CLIENT_LOOK_MS 50

/* Clients that may wait; a watch, a monitor and a few people at a time. */
#define QUEUE 32

/* How long the end of a thread that cannot be woken is waited for. */
#define ABANDON_SECONDS 1

/* Our descriptor is moved up to here, where programs that count on the lowest free number do not
 * miss it. */
#define DESCRIPTOR_LEAST 992
#define DESCRIPTORS_FOR_PROGRAM 64

/* --- The descriptor --- */

static int moved_up(int fd) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return fd;
  rlim_t top = limit.rlim_cur < DESCRIPTOR_LEAST + 1 ? limit.rlim_cur : DESCRIPTOR_LEAST + 1;
  if (top <= DESCRIPTORS_FOR_PROGRAM) return fd;
  int above = fcntl(fd, F_DUPFD_CLOEXEC, (int)top - 1);
  if (above < 0) return fd;
  close(fd);
  return above;
}

static bool is_ours(const server *s) {
  struct stat info;
  return s->listener >= 0 && fstat(s->listener, &info) == 0 && S_ISSOCK(info.st_mode) &&
         info.st_dev == s->device && info.st_ino == s->inode;
}

static void drop_listener(server *s) {
  if (is_ours(s)) close(s->listener);
  s->listener = -1;
}

/* --- The socket's file --- */

/* Nobody listens there any more: its process ended without a chance to remove it, or became another
 * program. Asked of the socket itself, as the number may be of another container's process. */
static bool is_stale(int dir, const char *name) {
  int fd = rundir_connect(dir, name);
  if (fd >= 0) close(fd);
  return fd == -ECONNREFUSED;
}

static void remove_stale(int dir) {
  int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
  if (folder == NULL) {
    if (copy >= 0) close(copy);
    return;
  }
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    pid_t pid = rundir_socket_pid(entry->d_name);
    if (pid == 0 || kill(pid, 0) == 0 || errno != ESRCH) continue;
    if (is_stale(dir, entry->d_name)) unlinkat(dir, entry->d_name, 0);
  }
  closedir(folder);
}

static int bind_in(int dir, const char *name, int fd) {
  struct sockaddr_un address;
  rundir_address(dir, name, &address);
  if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0) return 0;
  if (errno != EADDRINUSE || !is_stale(dir, name)) return -1;
  unlinkat(dir, name, 0);
  return bind(fd, (const struct sockaddr *)&address, sizeof address);
}

static int listen_in(server *s, int dir) {
  struct stat info;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  /* The mode of the socket before bind is that of its file; the umask is the whole process's, and
   * other threads may be making files. */
  bool open = fchmod(fd, 0600) == 0 && bind_in(dir, s->name, fd) == 0 && listen(fd, QUEUE) == 0 &&
              fstat(fd, &info) == 0;
  if (!open) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  s->device = info.st_dev;
  s->inode = info.st_ino;
  s->listener = moved_up(fd);
  return 0;
}

static int open_in(server *s, const rundir *place, char why[SERVER_WHY]) {
  int dir = rundir_open(place, geteuid(), true, why, SERVER_WHY);
  if (dir < 0) return -1;
  remove_stale(dir);
  int result = listen_in(s, dir);
  if (result == 0) s->place = *place;
  else snprintf(why, SERVER_WHY, "%.511s/%s: %s", place->path, s->name, strerror(errno));
  close(dir);
  return result;
}

int server_open(server *s, char why[SERVER_WHY]) {
  rundir places[RUNDIR_PLACES];
  rundir_env env = rundir_env_own();
  size_t count = rundir_places(&env, places);
  snprintf(why, SERVER_WHY, "the path in OURO_DIR is too long");
  rundir_socket_name(getpid(), s->name, sizeof s->name);
  s->listener = -1;
  for (size_t i = 0; i < count; i++)
    if (open_in(s, &places[i], why) == 0) return 0;
  return -1;
}

/* --- A client --- */

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* False: the time is over, or the server is to end. */
static bool ready(server *s, int fd, short events, long deadline) {
  unsigned turn = atomic_load(&s->turn);
  while (turn == atomic_load(&s->turn)) {
    struct pollfd wanted = {.fd = fd, .events = events};
    long left = deadline - now_ms();
    if (left <= 0) return false;
    int n = poll(&wanted, 1, left < CLIENT_LOOK_MS ? (int)left : CLIENT_LOOK_MS);
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
  return false;
}

/* --- Descriptors that a client passes --- */

/* One more than any request has, so that too many are noticed. */
#define PASSED_ROOM (REQUEST_PASSED + 1)

typedef struct passed {
  int fd[PASSED_ROOM];
  size_t count;
} passed;

static void close_passed(passed *from) {
  for (size_t i = 0; i < from->count; i++) close(from->fd[i]);
  from->count = 0;
}

/* The room of a message is the room of all: what comes with a second one is too many. */
static void take_passed(struct msghdr *message, passed *to) {
  for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL; at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
      if (to->count < PASSED_ROOM) to->fd[to->count++] = fd;
      else close(fd);
    }
  }
}

static ssize_t receive_some(int fd, char *text, size_t room, passed *also) {
  union {
    char bytes[CMSG_SPACE(PASSED_ROOM * sizeof(int))];
    struct cmsghdr aligned;
  } control;
  struct iovec into = {.iov_base = text, .iov_len = room};
  struct msghdr message = {.msg_iov = &into,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  if (got >= 0) take_passed(&message, also);
  return got;
}

static bool is_file(int fd) {
  struct stat info;
  int mode = fcntl(fd, F_GETFL);
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && mode >= 0 &&
         (mode & O_ACCMODE) != O_RDONLY;
}

static bool is_pipe(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode);
}

/* NULL, or what is wrong with what came along. */
static const char *refused(request_kind what, const passed *given) {
  size_t wanted = request_is_snapshot(what) ? REQUEST_PASSED : 0;
  if (given->count < wanted) return "the request lacks its descriptors, a file and a pipe";
  if (given->count > wanted) return "the request has too many descriptors";
  if (wanted > 0 && !is_file(given->fd[0])) return "the snapshot's file is no file to write to";
  if (wanted > 0 && !is_pipe(given->fd[1])) return "the request's second descriptor is no pipe";
  return NULL;
}

/* --- A conversation --- */

static request_kind receive(server *s, int fd, passed *also) {
  char text[REQUEST_BYTES_MAX];
  size_t length = 0;
  request_kind kind = REQUEST_INCOMPLETE;
  long deadline = now_ms() + CLIENT_PATIENCE_MS;
  while (kind == REQUEST_INCOMPLETE) {
    if (!ready(s, fd, POLLIN, deadline)) return REQUEST_INCOMPLETE;
    ssize_t got = receive_some(fd, text + length, sizeof text - length, also);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) return REQUEST_INCOMPLETE;
    length += (size_t)got;
    kind = request_parse(text, length);
  }
  return kind;
}

static void deliver(server *s, int fd) {
  const char *at = s->reply.text;
  size_t left = s->reply.used;
  long deadline = now_ms() + CLIENT_PATIENCE_MS;
  while (left > 0 && ready(s, fd, POLLOUT, deadline)) {
    ssize_t sent = send(fd, at, left, MSG_NOSIGNAL);
    if (sent <= 0 && errno != EAGAIN && errno != EINTR) return;
    if (sent > 0) at += sent, left -= (size_t)sent;
  }
}

/* Closing a socket with unread bytes would reset the connection, and the client could lose the
 * reply. */
static void discard(int fd) {
  char rest[1024];
  shutdown(fd, SHUT_WR);
  for (int i = 0; i < 64 && recv(fd, rest, sizeof rest, 0) > 0; i++) continue;
}

static bool may_ask(int fd) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == geteuid() || peer.uid == 0;
}

static void answer(server *s, request_kind what, const passed *also) {
  if (what == REQUEST_TOO_LONG || what == REQUEST_UNKNOWN) {
    reply_error(&s->reply, "unknown request; this is Ouro " OURO_VERSION);
    return;
  }
  const char *wrong = refused(what, also);
  const request asked = {.kind = what, .passed = {also->fd[0], also->fd[1]}};
  if (wrong != NULL) reply_error(&s->reply, "%s", wrong);
  else s->answer(&asked, &s->reply);
  if (!s->reply.ok) reply_error(&s->reply, "the reply does not fit");
}

static void converse(server *s, int fd) {
  passed also = {.count = 0};
  request_kind what = may_ask(fd) ? receive(s, fd, &also) : REQUEST_INCOMPLETE;
  if (what != REQUEST_INCOMPLETE) answer(s, what, &also);
  close_passed(&also);
  if (what == REQUEST_INCOMPLETE) return;
  deliver(s, fd);
  discard(fd);
}

/* --- The thread --- */

static void wait_for_client(server *s) {
  struct pollfd wanted = {.fd = s->listener, .events = POLLIN};
  poll(&wanted, 1, -1);
}

/* Out of descriptors, as a rule: the client stays in the queue, and the wait must not spin on it.
 */
static void wait_for_better_times(void) {
  const struct timespec moment = {.tv_nsec = 100000000};
  nanosleep(&moment, NULL);
}

static void serve_one(server *s) {
  int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED) wait_for_better_times();
  if (fd < 0) return;
  converse(s, fd);
  close(fd);
}

/* What a thread is started with. Its turn is fixed by who starts it: one that begins to run only
 * when it is to end already must find that out. */
typedef struct duty {
  server *server;
  unsigned turn;
} duty;

static void *serve(void *argument) {
  duty given = *(duty *)argument;
  server *s = given.server;
  unsigned turn = given.turn;
  char why[SERVER_WHY];
  free(argument);
  while (turn == atomic_load(&s->turn)) {
    if (!is_ours(s) && server_open(s, why) != 0) break;
    wait_for_client(s);
    atomic_store(&s->busy, true);
    if (turn == atomic_load(&s->turn) && is_ours(s)) serve_one(s);
    atomic_store(&s->busy, false);
  }
  return NULL;
}

/* --- Start and end --- */

int server_start(server *s) {
  duty *given = malloc(sizeof *given);
  if (given == NULL) return ENOMEM;
  *given = (duty){.server = s, .turn = atomic_load(&s->turn)};
  int error = thread_start(&s->thread, "ouro", serve, given);
  if (error != 0) free(given);
  s->running = error == 0;
  return error;
}

/* Makes the listener readable. False: nothing can connect to it. */
static bool knock(const server *s) {
  char why[SERVER_WHY];
  int dir = rundir_open(&s->place, geteuid(), false, why, sizeof why);
  if (dir < 0) return false;
  int fd = rundir_connect(dir, s->name);
  if (fd >= 0) close(fd);
  close(dir);
  return fd >= 0 || fd == -EAGAIN; /* EAGAIN: a full queue */
}

/* False: it sleeps on a socket that nobody can reach. */
static bool join_soon(server *s) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += ABANDON_SECONDS;
  return pthread_timedjoin_np(s->thread, NULL, &until) == 0;
}

bool server_dismiss(server *s) {
  atomic_fetch_add(&s->turn, 1);
  return knock(s);
}

void server_pause(server *s) {
  if (!s->running) return;
  s->running = false;
  if (server_dismiss(s) || atomic_load(&s->busy)) {
    pthread_join(s->thread, NULL);
  } else if (!join_soon(s)) {
    pthread_detach(s->thread);
    drop_listener(s);
  }
}

void server_close(server *s) {
  char why[SERVER_WHY];
  if (!is_ours(s)) return;
  int dir = rundir_open(&s->place, geteuid(), false, why, sizeof why);
  if (dir >= 0) {
    unlinkat(dir, s->name, 0);
    close(dir);
  }
  drop_listener(s);
}

void server_forget(server *s) {
  drop_listener(s);
  s->running = false;
}
