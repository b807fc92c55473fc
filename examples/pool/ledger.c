/* SPDX-License-Identifier: MIT */
/* What is alive, what is free but pinned by what is alive, and what goes back: numbers that add up.
 */
#include <ouro/pool.h>
#include <stdio.h>

enum { BLOCKS = 200000, KEPT_EACH = 1000 };

typedef unsigned long long number;

/* Every byte the heap has resident is in exactly one of these rows. */
static bool print_ledger(const char *when, const ouro_heap *heap) {
  ouro_heap_stats s;
  ouro_heap_stats_read(heap, &s);
  uint64_t sum = s.live + s.held + s.purgeable + s.pinned + s.waste + s.metadata;
  printf("%-18s live %8llu  held %6llu  purgeable %8llu  pinned %8llu  own %7llu  resident %8llu\n",
         when, (number)s.live, (number)s.held, (number)s.purgeable, (number)s.pinned,
         (number)(s.waste + s.metadata), (number)s.resident);
  return sum == s.resident && s.live == s.requested + s.rounding;
}

/* The position holds no pointer: the heap may be used between two calls. */
static size_t walk(ouro_heap *heap, size_t *bytes) {
  ouro_walk position = {0};
  ouro_block found[256];
  size_t blocks = 0, count;
  *bytes = 0;
  while ((count = ouro_walk_next(heap, &position, found, 256)) != 0) {
    for (size_t i = 0; i < count; i++) *bytes += found[i].size;
    blocks += count;
  }
  return blocks;
}

int main(void) {
  static void *block[BLOCKS];
  ouro_heap *heap = ouro_heap_new(NULL);
  if (!heap) return 1;
  for (int i = 0; i < BLOCKS; i++)
    if (!(block[i] = ouro_alloc(heap, 24 + (size_t)(i % 8) * 16))) return 1;
  bool adds_up = print_ledger("all alive", heap);

  for (int i = 0; i < BLOCKS; i++)
    if (i % KEPT_EACH) ouro_free(heap, block[i]);
  adds_up = print_ledger("few alive", heap) && adds_up;

  size_t bytes, blocks = walk(heap, &bytes);
  printf("a walk finds %zu blocks of %zu bytes\n", blocks, bytes);

  size_t back = ouro_heap_give_back(heap);
  adds_up = print_ledger("given back", heap) && adds_up;
  printf("%zu bytes went back, although a block lives in nearly every pool\n", back);

  ouro_heap_destroy(heap);
  return !(adds_up && blocks == BLOCKS / KEPT_EACH && back != 0);
}
