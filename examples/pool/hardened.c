/* SPDX-License-Identifier: MIT */
/* A hardened heap names what is wrong. Here the report is a function, so that the program goes on;
 * without one, the heap prints a line and aborts. */
#include <ouro/pool.h>
#include <stdio.h>
#include <stdlib.h>

enum { KINDS = OURO_WRONG_THREAD + 1 };

static const char *const kind_name[KINDS] = {
    [OURO_DOUBLE_FREE] = "double free",
    [OURO_FOREIGN_FREE] = "free of a foreign block",
    [OURO_WRITE_PAST_END] = "write past the end",
    [OURO_WRITE_AFTER_FREE] = "write after free",
    [OURO_WRONG_THREAD] = "call from a thread that is not the owner",
};

static void report(void *ctx, const ouro_misuse *what) {
  unsigned *seen = ctx;
  *seen |= 1u << what->kind;
  printf("%s: %s", what->heap_name, kind_name[what->kind]);
  if (what->block_size)
    printf(", a block of %zu bytes at %p in the pool at %p", what->block_size, what->block,
           what->pool);
  if (what->requested) printf(", of which %zu were asked for", what->requested);
  printf("\n");
}

static ouro_heap *hardened_heap(unsigned *seen) {
  ouro_heap_options options;
  ouro_heap_options_init(&options);
  options.name = "sessions";
  options.hardened = true;
  options.on_misuse = report;
  options.misuse_ctx = seen;
  return ouro_heap_new(&options);
}

int main(void) {
  unsigned seen = 0;
  ouro_heap *heap = hardened_heap(&seen);
  if (!heap) return 1;

  char *name = ouro_alloc(heap, 20);
  if (!name) return 1;
  name[20] = '!'; /* one too far: found when the block is freed */
  ouro_free(heap, name);

  char *token = ouro_alloc(heap, 40);
  if (!token) return 1;
  ouro_free(heap, token);
  ouro_free(heap, token);

  char *elsewhere = malloc(16);
  ouro_free(heap, elsewhere);
  free(elsewhere);

  unsigned wanted = 1u << OURO_WRITE_PAST_END | 1u << OURO_DOUBLE_FREE | 1u << OURO_FOREIGN_FREE;
  ouro_heap_destroy(heap);
  return seen != wanted;
}
