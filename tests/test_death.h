/* SPDX-License-Identifier: MIT */
/* Part of test.h: checks that a statement ends its process and says why. */
#ifndef OURO_TEST_DEATH_H
#define OURO_TEST_DEATH_H

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Forks. The child gets 0, its stderr goes to the parent's `*from`, and it leaves no core file. */
static inline pid_t test_death_start(FILE **from) {
  int ends[2];
  if (pipe(ends)) return -1;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
  }
  close(ends[1]);
  *from = fdopen(ends[0], "r");
  return child;
}

/* Collects what the child said. Returns whether it died: by a signal or with a failing status. */
static inline bool test_death_end(pid_t child, FILE *from, char *said, size_t room) {
  int status = 0;
  said[fread(said, 1, room - 1, from)] = 0;
  fclose(from);
  return waitpid(child, &status, 0) == child && status != 0;
}

/* The statement must end its process and say `message` on stderr. */
#define CHECK_DEATH(statement, message)                                                            \
  do {                                                                                             \
    char said[16384];                                                                              \
    FILE *from;                                                                                    \
    pid_t child = test_death_start(&from);                                                         \
    if (child < 0) TEST_FAIL("no child process for a death test");                                 \
    if (child == 0) {                                                                              \
      statement;                                                                                   \
      _exit(0);                                                                                    \
    }                                                                                              \
    if (!test_death_end(child, from, said, sizeof said)) TEST_FAIL("survived: %s", #statement);    \
    if (!strstr(said, message)) TEST_FAIL("want death by \"%s\", got: %s", message, said);         \
  } while (0)

#endif
