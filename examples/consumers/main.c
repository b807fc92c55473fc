/* SPDX-License-Identifier: MIT */
/* The program every consumer builds: proof that headers and library arrive. */
#include <ouro/pool.h>
#include <stdio.h>

int main(void) {
  ouro_heap *heap = ouro_heap_new(NULL);
  void *block = heap ? ouro_alloc(heap, 48) : NULL;
  if (!block) return 1;
  printf("ouro %s: a block of %zu bytes\n", OURO_VERSION, ouro_usable_size(heap, block));
  ouro_free(heap, block);
  ouro_heap_destroy(heap);
  return 0;
}
