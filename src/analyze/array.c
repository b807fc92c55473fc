/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../os/os.h"
#include "array.h"

#define ARRAY_PAGES ((size_t)1 << 20) /* bytes; below, malloc's */
#define ARRAY_HUGE ((size_t)8 << 20)  /* a huge page more or less is little beside it */
#define ARRAY_FIRST ((size_t)256)     /* elements of a list that begins */
#define ARRAY_MOST ((size_t)1 << 46)  /* no machine has more */

/* 0: too many. */
static size_t array_bytes(size_t count, size_t each) {
  if (count > ARRAY_MOST / each) return 0;
  return count ? count * each : each;
}

static bool array_has_pages(size_t bytes) { return bytes >= ARRAY_PAGES; }

static void *array_map(size_t bytes) {
  size_t size = os_whole_pages(bytes);
  void *at = os_map(size);
  if (at && size >= ARRAY_HUGE) os_huge(at, size, true);
  return at;
}

void *array_make(size_t count, size_t each) {
  size_t bytes = array_bytes(count, each);
  if (bytes == 0) return NULL;
  return array_has_pages(bytes) ? array_map(bytes) : calloc(1, bytes);
}

static void *array_move(void *array, size_t old_count, size_t count, size_t each) {
  void *moved = array_make(count, each);
  if (!moved) return NULL;
  memcpy(moved, array, (old_count < count ? old_count : count) * each);
  array_free(array, old_count, each);
  return moved;
}

/* What a smaller array leaves of its last page is zeroed, so that it reads as zero if it grows. */
static void *array_remap(void *array, size_t old_bytes, size_t bytes) {
  size_t old_size = os_whole_pages(old_bytes), size = os_whole_pages(bytes);
  if (size > bytes && bytes < old_bytes) {
    size_t end = old_bytes < size ? old_bytes : size;
    memset((char *)array + bytes, 0, end - bytes);
  }
  void *moved = old_size == size ? array : os_remap(array, old_size, size);
  if (moved && moved != array && size >= ARRAY_HUGE) os_huge(moved, size, true);
  return moved;
}

void *array_resize(void *array, size_t old_count, size_t count, size_t each) {
  size_t old_bytes = array_bytes(old_count, each), bytes = array_bytes(count, each);
  if (bytes == 0) return NULL;
  if (array_has_pages(old_bytes) && array_has_pages(bytes))
    return array_remap(array, old_bytes, bytes);
  return array_move(array, old_count, count, each);
}

void *array_widen_slow(void *array, size_t *room, size_t each) {
  size_t wider = *room ? *room * 2 : ARRAY_FIRST;
  void *at = realloc(array, wider * each);
  if (at) *room = wider;
  return at;
}

void array_free(void *array, size_t count, size_t each) {
  if (!array) return;
  size_t bytes = array_bytes(count, each);
  if (array_has_pages(bytes)) os_release(array, os_whole_pages(bytes));
  else free(array);
}
