/* SPDX-License-Identifier: MIT */
/* Valgrind and AddressSanitizer see Ouro's blocks as blocks. MISUSE is the path of the program
 * misuse. */
#include "test.h"

#include "support/tools.h"

typedef struct outcome {
  int status;
  char said[32768];
} outcome;

static outcome run(const char *tool, const char *what) {
  outcome o = {0};
  char command[1024];
  snprintf(command, sizeof command, "%s %s %s 2>&1", tool, MISUSE, what);
  FILE *out = popen(command, "r");
  CHECK(out);
  o.said[fread(o.said, 1, sizeof o.said - 1, out)] = 0;
  while (fgetc(out) != EOF) {}
  o.status = pclose(out);
  return o;
}

/* --- Valgrind --- */

#define MEMCHECK "valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=all"

static void need_valgrind(void) {
  if (under_sanitizer()) SKIP("valgrind cannot run sanitized programs");
  if (system("valgrind --version >/dev/null 2>&1") != 0) SKIP("valgrind is not installed");
}

static void memcheck_says(const char *what, const char *message) {
  need_valgrind();
  outcome o = run(MEMCHECK, what);
  if (!strstr(o.said, message)) TEST_FAIL("want \"%s\", got: %s", message, o.said);
  CHECK(WIFEXITED(o.status));
  CHECK_EQ(WEXITSTATUS(o.status), 9);
}

TEST(memcheck_reports_a_read_after_free) {
  memcheck_says("read_after_free", "Invalid read of size 1");
}

TEST(memcheck_says_whose_block_it_was) {
  memcheck_says("read_after_free", "50 bytes inside a block of size 1");
}

TEST(memcheck_reports_a_write_after_free) {
  memcheck_says("write_after_free", "Invalid write of size 1");
}

TEST(memcheck_reports_a_read_after_a_remote_free) {
  memcheck_says("read_after_remote_free", "Invalid read of size 1");
}

TEST(memcheck_reports_a_read_after_realloc) {
  memcheck_says("read_after_realloc", "Invalid read of size 1");
}

TEST(memcheck_reports_a_write_past_the_end) {
  memcheck_says("write_past_end", "Invalid write of size 1");
}

TEST(memcheck_reports_a_write_past_the_end_of_a_large_block) {
  memcheck_says("write_past_end_of_large", "Invalid write of size 1");
}

TEST(memcheck_reports_a_read_of_a_pool_given_back) {
  memcheck_says("read_after_destroyed_pool", "Invalid read of size 1");
}

TEST(memcheck_knows_that_new_blocks_are_unset) {
  memcheck_says("branch_on_unset", "depends on uninitialised value");
}

TEST(memcheck_reports_a_lost_block) { memcheck_says("lose_a_block", "definitely lost"); }

TEST(memcheck_has_no_complaint_about_good_behaviour) {
  need_valgrind();
  outcome o = run(MEMCHECK, "behave destroy");
  if (o.status != 0) TEST_FAIL("status %d: %s", o.status, o.said);
  CHECK_STR(o.said, "end\n");
}

/* --- AddressSanitizer: misuse is built with it where this test is --- */

static void asan_says(const char *what, const char *message) {
  if (!under_asan()) SKIP("not an asan build");
  outcome o = run("", what);
  if (!strstr(o.said, message)) TEST_FAIL("want \"%s\", got: %s", message, o.said);
  CHECK(o.status != 0);
}

TEST(asan_reports_a_read_after_free) { asan_says("read_after_free", "use-after-poison"); }

TEST(asan_reports_a_write_after_free) { asan_says("write_after_free", "use-after-poison"); }

TEST(asan_reports_a_read_after_a_remote_free) {
  asan_says("read_after_remote_free", "use-after-poison");
}

TEST(asan_reports_a_read_after_realloc) { asan_says("read_after_realloc", "use-after-poison"); }

TEST(asan_reports_a_write_past_the_end) { asan_says("write_past_end", "use-after-poison"); }

TEST(asan_reports_a_write_past_the_end_of_a_large_block) {
  asan_says("write_past_end_of_large", "heap-buffer-overflow");
}

TEST(asan_reports_a_read_of_a_pool_given_back) {
  asan_says("read_after_destroyed_pool", "use-after-poison");
}

TEST(asan_has_no_complaint_about_good_behaviour) {
  if (!under_asan()) SKIP("not an asan build");
  outcome o = run("", "behave destroy");
  CHECK_STR(o.said, "end\n");
  CHECK_EQ(o.status, 0);
}
