/* SPDX-License-Identifier: MIT */
/* What heaps ask of the kernel: huge pages by policy, and names. */
#include "test.h"

#include "pool/tune.h"
#include "support/heaps.h"
#include "support/tools.h"

static ouro_heap *heap_with(ouro_huge huge) {
  ouro_heap_options options = quiet_options("pages by policy");
  options.huge = huge;
  return ouro_heap_new(&options);
}

static void take(ouro_heap *heap, size_t bytes) {
  for (size_t i = 0; i < bytes / 512; i++) CHECK(ouro_alloc(heap, 512));
}

/* Bytes of the heap's mappings with a flag ("hg": huge pages wanted, "nh": not wanted). */
static size_t bytes_with_flag(const ouro_heap *heap, const char *flag) {
  FILE *file = fopen("/proc/self/smaps", "r");
  char line[512];
  uintptr_t low = 0, high = 0, start = (uintptr_t)heap;
  size_t sum = 0;
  CHECK(file);
  while (fgets(line, sizeof line, file)) {
    if (rss_range_line(line, &low, &high)) continue;
    bool ours = low >= start && high <= start + ((uintptr_t)1 << OURO_WINDOW_SHIFT);
    if (ours && !strncmp(line, "VmFlags:", 8) && strstr(line, flag)) sum += high - low;
  }
  fclose(file);
  return sum;
}

static void need_huge_pages(void) {
  if (access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK)) SKIP("no huge pages here");
}

TEST(off_asks_for_none) {
  need_huge_pages();
  ouro_heap *heap = heap_with(OURO_HUGE_OFF);
  take(heap, 80 * MIB);
  CHECK_EQ(bytes_with_flag(heap, " hg"), 0u);
  CHECK_LE(80 * MIB, bytes_with_flag(heap, " nh"));
}

TEST(always_asks_from_the_first_arena_on) {
  need_huge_pages();
  ouro_heap *heap = heap_with(OURO_HUGE_ALWAYS);
  take(heap, MIB);
  CHECK_LE(2 * MIB, bytes_with_flag(heap, " hg"));
}

TEST(auto_asks_when_the_heap_is_large) {
  need_huge_pages();
  ouro_heap *heap = heap_with(OURO_HUGE_AUTO);
  take(heap, TUNE_HUGE_HEAP * 2 / 3);
  CHECK_EQ(bytes_with_flag(heap, " hg"), 0u);
  take(heap, 60 * MIB);
  size_t huge = bytes_with_flag(heap, " hg");
  CHECK(huge >= 20 * MIB && huge <= 64 * MIB);
}

TEST(a_heaps_name_shows_in_the_maps) {
  ouro_heap *heap = heap_with(OURO_HUGE_OFF);
  take(heap, MIB);
  FILE *file = fopen("/proc/self/maps", "r");
  char line[512];
  bool any = false, ours = false;
  while (file && fgets(line, sizeof line, file)) {
    any |= strstr(line, "[anon:") != NULL;
    ours |= strstr(line, "pages by policy") != NULL;
  }
  if (file) fclose(file);
  if (!any) SKIP("the kernel does not name mappings");
  CHECK(ours);
}
