/* SPDX-License-Identifier: MIT */
/*
 * The test harness: one executable per file, each TEST in a forked process of its own.
 *
 *     TEST(block_is_reused) { CHECK_EQ(ouro_owns(heap, p), true); }
 *     TEST(double_free_dies) { CHECK_DEATH(twice(), "double free"); }
 *
 * Run `test_x`, `test_x part-of-a-name ...`, `test_x --list`, or `test_x --here name` (no fork, for
 * a debugger). Random tests draw from test_random(); OURO_SEED=n replays a run. Including this
 * defines main.
 */
#ifndef OURO_TEST_H
#define OURO_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* CHECK_EQ(count, 3) is meant to work for integers of any type. */
#pragma GCC diagnostic ignored "-Wsign-compare"

typedef struct test_case {
  const char *name;
  void (*run)(void);
  struct test_case *next;
} test_case;

static test_case *test_first, **test_last = &test_first;
static const char *test_running = "?";
static uint64_t test_seed;

#define TEST(name)                                                                                 \
  static void name(void);                                                                          \
  __attribute__((constructor)) static void name##_register(void) {                                 \
    static test_case self = {#name, name, NULL};                                                   \
    *test_last = &self;                                                                            \
    test_last = &self.next;                                                                        \
  }                                                                                                \
  static void name(void)

/* Next number of the test's random sequence (splitmix64). */
static inline uint64_t test_random(void) {
  uint64_t z = test_seed += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

#define TEST_FAIL(...)                                                                             \
  do {                                                                                             \
    fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, test_running);                              \
    fprintf(stderr, __VA_ARGS__);                                                                  \
    fputc('\n', stderr);                                                                           \
    _exit(1);                                                                                      \
  } while (0)
#define TEST_SKIPPED 77 /* the exit status that ctest knows */
#define SKIP(why) (printf("skip %s: %s\n", test_running, why), fflush(stdout), _exit(TEST_SKIPPED))

#include "test_check.h"
#include "test_death.h"

/* Runs one test in a child process. Leaves by exit so that a leak checker sees the child's heap. */
static inline int test_run(const test_case *test) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    test->run();
    exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    fprintf(stderr, "%s: killed by signal %d\n", test->name, WTERMSIG(status));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static inline bool test_wanted(const test_case *test, int words, char **word) {
  for (int i = 0; i < words; i++)
    if (strstr(test->name, word[i])) return true;
  return words == 0;
}

static inline uint64_t test_seed_of_run(void) {
  const char *given = getenv("OURO_SEED");
  return given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000 + (uint64_t)getpid() % 1000;
}

int main(int argc, char **argv) {
  bool list = argc > 1 && !strcmp(argv[1], "--list"), here = argc > 1 && !strcmp(argv[1], "--here");
  int first = 1 + (list || here), run = 0, failed = 0, skipped = 0;
  test_seed = test_seed_of_run();
  for (test_case *test = test_first; test; test = test->next) {
    if (!test_wanted(test, argc - first, argv + first)) continue;
    int status = 0;
    test_running = test->name;
    if (list) puts(test->name);
    else if (here) test->run();
    else status = test_run(test);
    run++;
    if (status == TEST_SKIPPED) skipped++;
    else if (status != 0) failed++, fprintf(stderr, "FAILED %s (status %d)\n", test->name, status);
  }
  if (list) return 0;
  printf("%d tests, %d failed, %d skipped, OURO_SEED=%" PRIu64 "\n", run, failed, skipped,
         test_seed);
  return failed || !run ? 1 : skipped == run ? TEST_SKIPPED : 0;
}

#endif
