/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "os/os.h"
#include "support/rss.h"

#define MIB ((size_t)1 << 20)

TEST(reservations_are_aligned_and_take_no_memory) {
  for (size_t alignment = MIB; alignment <= 1024 * MIB; alignment *= 4) {
    char *p = os_reserve(4 * MIB, alignment);
    CHECK(p);
    CHECK_EQ((uintptr_t)p % alignment, 0u);
    CHECK_EQ(rss_between((uintptr_t)p, (uintptr_t)p + 4 * MIB), 0u);
    os_release(p, 4 * MIB);
    CHECK_EQ(mapped_between((uintptr_t)p, (uintptr_t)p + 4 * MIB), 0u);
  }
}

static void touch(volatile char *p) { *p = 1; }

TEST(reserved_pages_may_not_be_touched) {
  char *p = os_reserve(MIB, MIB);
  CHECK_DEATH(touch(p), "");
}

TEST(sizes_are_made_whole_pages) {
  size_t page = os_page_size();
  CHECK_EQ(os_whole_pages(0), 0u);
  CHECK_EQ(os_whole_pages(1), page);
  CHECK_EQ(os_whole_pages(page), page);
  CHECK_EQ(os_whole_pages(2 * page + 1), 3 * page);
}

TEST(committed_pages_are_zero_and_purged_pages_are_zero_again) {
  size_t page = os_page_size();
  char *p = os_reserve(MIB, MIB);
  CHECK(os_commit(p, MIB));
  for (size_t i = 0; i < MIB; i++) CHECK_EQ(p[i], 0);
  memset(p, 7, MIB);
  CHECK_EQ(os_resident(p, MIB), MIB);
  os_purge(p + page, page);
  CHECK_EQ(os_resident(p, MIB), MIB - page);
  for (size_t i = 0; i < MIB; i++) CHECK_EQ(p[i], i / page == 1 ? 0 : 7);
  p[page] = 1;
  CHECK_EQ(p[page], 1);
}

TEST(a_place_that_is_taken_is_refused_and_left_alone) {
  char *p = os_reserve(2 * MIB, MIB);
  CHECK(os_commit(p, MIB));
  memset(p, 9, MIB);
  CHECK(!os_reserve_at(p, MIB));
  CHECK(!os_reserve_at(p + MIB, MIB));
  CHECK_EQ(p[100], 9);
  os_release(p, 2 * MIB);
  CHECK(os_reserve_at(p, 2 * MIB));
  os_release(p, 2 * MIB);
}

TEST(resident_counts_pages_in_memory_over_long_ranges) {
  size_t page = os_page_size(), size = 8 * MIB;
  char *p = os_reserve(size, MIB);
  CHECK(os_commit(p, size));
  os_huge(p, size, false);
  for (size_t at = 0; at < size; at += 4 * page) p[at] = 1;
  CHECK_EQ(os_resident(p, size), size / 4);
}

TEST(clocks_do_not_go_back) {
  uint64_t before = os_clock_ns(), coarse = os_clock_coarse_ns();
  for (int i = 0; i < 10000; i++) {
    uint64_t now = os_clock_ns(), now_coarse = os_clock_coarse_ns();
    CHECK_LE(before, now);
    CHECK_LE(coarse, now_coarse);
    before = now, coarse = now_coarse;
  }
  CHECK_LT(coarse, before + 1);
  CHECK_LT(before - coarse, 1000000000u);
}

static void *thread_id(void *out) { return *(uintptr_t *)out = os_thread_id(), NULL; }

TEST(threads_have_numbers_of_their_own) {
  uintptr_t other = 0;
  pthread_t thread;
  CHECK_EQ(os_thread_id(), os_thread_id());
  CHECK_EQ(pthread_create(&thread, NULL, thread_id, &other), 0);
  pthread_join(thread, NULL);
  CHECK_NE(other, 0u);
  CHECK_NE(other, os_thread_id());
}

TEST(random_numbers_differ) {
  uint64_t a = os_random(), b = os_random(), c = os_random();
  CHECK(a != b && b != c && a != c);
}

TEST(what_is_written_is_mapped) {
  static char text[3 * 1000 * 1000];
  char path[] = "/tmp/ouro-test-os-XXXXXX";
  const void *at = text;
  size_t size = 1;
  int file = mkstemp(path);
  CHECK_EQ(os_map_file(path, &at, &size), 0);
  CHECK(!at);
  CHECK_EQ(size, 0u);
  os_unmap_file(at, size);
  for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 31 >> 3);
  CHECK_EQ(os_write_all(file, text, sizeof text), 0);
  CHECK_EQ(os_map_file(path, &at, &size), 0);
  CHECK_EQ(size, sizeof text);
  CHECK(memcmp(at, text, size) == 0);
  os_unmap_file(at, size);
  close(file);
  unlink(path);
  CHECK_EQ(os_map_file(path, &at, &size), ENOENT);
  CHECK_EQ(os_write_all(-1, text, 1), EBADF);
}

TEST(what_is_no_file_is_not_mapped) {
  const void *at;
  size_t size;
  CHECK_EQ(os_map_file("/", &at, &size), EISDIR);
  CHECK_EQ(os_map_file("/dev/null", &at, &size), ESPIPE);
}
