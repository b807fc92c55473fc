/* SPDX-License-Identifier: MIT */
/* Small programs that misuse a block, one per argument, for the tools that watch memory. Prints
 * "end" if nobody stopped it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ouro/pool.h>

static volatile char sink;

static void read_after_free(ouro_heap *heap) {
  char *p = ouro_alloc(heap, 100);
  memset(p, 1, 100);
  ouro_free(heap, p);
  sink = p[50];
}

static void write_after_free(ouro_heap *heap) {
  char *p = ouro_alloc(heap, 40);
  ouro_free(heap, p);
  p[0] = 1;
}

static void read_after_remote_free(ouro_heap *heap) {
  char *p = ouro_alloc(heap, 100);
  memset(p, 1, 100);
  ouro_free_remote(heap, p);
  ouro_heap_adopt(heap);
  sink = p[50];
}

static void read_after_realloc(ouro_heap *heap) {
  char *p = ouro_alloc(heap, 100);
  memset(p, 1, 100);
  char *q = ouro_realloc(heap, p, 400);
  sink = q ? p[50] : 0;
}

static void write_past_end(ouro_heap *heap) {
  char *p = ouro_alloc(heap, 112);
  p[112] = 1;
}

static void write_past_end_of_large(ouro_heap *heap) {
  char *p = ouro_alloc(heap, 2000);
  p[2000] = 1;
}

static void read_after_destroyed_pool(ouro_heap *heap) {
  char *p = ouro_alloc(heap, 300);
  memset(p, 1, 300);
  ouro_free(heap, p);
  ouro_heap_give_back(heap);
  sink = p[50];
}

static void branch_on_unset(ouro_heap *heap) {
  char *p = ouro_alloc(heap, 100);
  if (p[10] == 'x') puts("x");
}

/* The heap itself may remember where the first block of a pool is. */
static void lose_a_block(ouro_heap *heap) {
  for (int i = 0; i < 3; i++) sink = ouro_alloc(heap, 77) != NULL;
}

/* Nothing wrong in here: everything a heap does, and no tool may complain. */
static void behave(ouro_heap *heap) {
  static char *blocks[3000];
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 3000; i++) {
      size_t size = (size_t)(i * 7 % 700);
      blocks[i] = i % 3 ? ouro_alloc(heap, size) : ouro_calloc(heap, 1, size);
      if (i % 3 == 0)
        for (size_t k = 0; k < size; k++) sink = blocks[i][k] ? 1 : 0;
      memset(blocks[i], 1, size);
    }
    ouro_block seen[64];
    ouro_walk at = {0};
    size_t count = 0, n;
    while ((n = ouro_walk_next(heap, &at, seen, 64)) != 0) count += n;
    if (count != 3000 || ouro_heap_check(heap)) exit(3);
    for (int i = 0; i < 3000; i += 2)
      blocks[i] = ouro_realloc(heap, blocks[i], (size_t)(i * 11 % 900));
    ouro_free(heap, ouro_alloc_aligned(heap, 256, 100));
    for (int i = 0; i < 3000; i++) (i % 5 ? ouro_free : ouro_free_remote)(heap, blocks[i]);
    ouro_heap_tick(heap, 1000000);
    ouro_heap_give_back(heap);
  }
}

static const struct {
  const char *name;
  void (*run)(ouro_heap *);
} cases[] = {
    {"read_after_free", read_after_free},
    {"write_after_free", write_after_free},
    {"read_after_remote_free", read_after_remote_free},
    {"read_after_realloc", read_after_realloc},
    {"write_past_end", write_past_end},
    {"write_past_end_of_large", write_past_end_of_large},
    {"read_after_destroyed_pool", read_after_destroyed_pool},
    {"branch_on_unset", branch_on_unset},
    {"lose_a_block", lose_a_block},
    {"behave", behave},
};

int main(int argc, char **argv) {
  ouro_heap *heap = ouro_heap_new(NULL);
  if (argc < 2 || !heap) return 2;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (strcmp(cases[i].name, argv[1]) == 0) cases[i].run(heap);
  if (argc > 2) ouro_heap_destroy(heap);
  puts("end");
  return 0;
}
