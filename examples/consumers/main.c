/* SPDX-License-Identifier: MIT */
/* The program every consumer builds: proof that headers and library arrive. */
#include <ouro/ouro.h>
#include <stdio.h>

int main(void) {
  ouro_heap *heap = ouro_heap_new(NULL);
  ouro_list *list = heap ? ouro_list_new(heap) : NULL;
  if (!list || !ouro_list_append(list, list)) return 1;
  ouro_unref(list); /* it holds itself */
  printf("ouro %s: %d unreachable object\n", OURO_VERSION, (int)ouro_collect(heap, 2));
  ouro_heap_destroy(heap);
  return 0;
}
