/* SPDX-License-Identifier: MIT */
/* walk BLOCKS dense|sparse: prints nanoseconds of CPU time per live block for a walk of a whole
 * heap. Dense: blocks of 16 to 128 bytes, all alive. Sparse: three of four freed at random first.
 */
#include <string.h>

#include <ouro/pool.h>

#include "common.h"

enum { ROOM = 256, REPEATS = 5 };

static void fill(ouro_heap *heap, size_t count, bool sparse) {
  uint64_t seed = 7;
  size_t total = sparse ? 4 * count : count;
  void **block = table_new(total * sizeof *block);
  for (size_t i = 0; i < total; i++) {
    block[i] = ouro_alloc(heap, 16 + random_next(&seed) % 113);
    if (block[i] == NULL) fail("out of memory");
  }
  for (size_t i = 0; sparse && i < total; i++)
    if (random_next(&seed) % 4 != 0) ouro_free(heap, block[i]);
  munmap(block, total * sizeof *block);
}

static size_t walk(ouro_heap *heap, uint64_t *sum) {
  ouro_block block[ROOM];
  ouro_walk position = {0};
  size_t seen = 0, got;
  while ((got = ouro_walk_next(heap, &position, block, ROOM)) != 0) {
    for (size_t i = 0; i < got; i++) *sum += (uintptr_t)block[i].address + block[i].size;
    seen += got;
  }
  return seen;
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage: walk BLOCKS dense|sparse");
  ouro_heap *heap = ouro_heap_new(NULL);
  if (heap == NULL) fail("no heap");
  fill(heap, strtoul(argv[1], NULL, 10), strcmp(argv[2], "sparse") == 0);
  double best = 1e300;
  uint64_t sum = 0;
  for (int i = 0; i < REPEATS; i++) {
    double start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    double seen = (double)walk(heap, &sum);
    double time = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / seen;
    if (time < best) best = time;
  }
  printf("ns %.4f\nsum %llu\n", best, (unsigned long long)(sum & 0xFFFF));
  return 0;
}
