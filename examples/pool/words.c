/* SPDX-License-Identifier: MIT */
/* A word counter whose words come from a heap of its own: allocate, resize, free. */
#include <ouro/pool.h>
#include <stdio.h>
#include <string.h>

typedef struct word {
  struct word *next;
  unsigned count;
  char text[];
} word;

static word *find(word *list, const char *text, size_t length) {
  for (; list; list = list->next)
    if (strlen(list->text) == length && memcmp(list->text, text, length) == 0) return list;
  return NULL;
}

/* Every allocation may return NULL; the heap is as before then. */
static bool count(ouro_heap *heap, word **list, const char *text, size_t length) {
  word *w = find(*list, text, length);
  if (!w) {
    w = ouro_alloc(heap, sizeof *w + length + 1);
    if (!w) return false;
    memcpy(w->text, text, length);
    w->text[length] = '\0';
    w->count = 0;
    w->next = *list;
    *list = w;
  }
  w->count++;
  return true;
}

static void free_words(ouro_heap *heap, word *list) {
  while (list) {
    word *next = list->next;
    ouro_free(heap, list);
    list = next;
  }
}

int main(void) {
  const char *text = "the snake that eats its tail is the snake that needs no other food";
  ouro_heap *heap = ouro_heap_new(NULL);
  word *words = NULL;
  if (!heap) return 1;

  for (const char *p = text; *p;) {
    size_t length = strcspn(p, " ");
    if (!count(heap, &words, p, length)) return 1;
    p += length + strspn(p + length, " ");
  }
  for (const word *w = words; w; w = w->next)
    if (w->count > 1) printf("%s: %u times\n", w->text, w->count);

  /* Blocks know their size, and a resized one stays where it is if the new size fits. */
  char *line = ouro_alloc(heap, 20);
  if (!line) return 1;
  printf("asked for 20 bytes, may use %zu\n", ouro_usable_size(heap, line));
  char *longer = ouro_realloc(heap, line, 30);
  if (!longer) return 1;
  printf("30 bytes: %s\n", longer == line ? "same place" : "moved");
  ouro_free(heap, longer);

  free_words(heap, words);
  ouro_heap_stats stats;
  ouro_heap_stats_read(heap, &stats);
  printf("blocks left: %llu\n", (unsigned long long)stats.live_blocks);
  ouro_heap_destroy(heap);
  return stats.live_blocks != 0;
}
