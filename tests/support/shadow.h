/* SPDX-License-Identifier: MIT */
/*
 * The naive model of a heap: every block handed out, its size, and a tag from which its contents
 * follow. A block that overlaps another one, or that the heap writes into, no longer shows its
 * tag's bytes.
 */
#ifndef OURO_TESTS_SHADOW_H
#define OURO_TESTS_SHADOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct shadow_block {
  unsigned char *address;
  size_t size; /* as asked for */
  size_t alignment;
  uint32_t tag;
} shadow_block;

typedef struct shadow {
  shadow_block *blocks;
  size_t count, room;
  uint32_t next_tag;
} shadow;

static inline unsigned char shadow_byte(uint32_t tag, size_t i) {
  return (unsigned char)((tag * 2654435761u >> 24) + i * 31 + (i >> 8));
}

static inline void shadow_fill(const shadow_block *b) {
  for (size_t i = 0; i < b->size; i++) b->address[i] = shadow_byte(b->tag, i);
}

/* Whether the first `size` bytes of the block are still what its tag says. */
static inline bool shadow_intact(const shadow_block *b, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (b->address[i] != shadow_byte(b->tag, i)) return false;
  return true;
}

static inline shadow_block *shadow_add(shadow *s, void *address, size_t size, size_t alignment) {
  if (s->count == s->room) {
    s->room = s->room ? 2 * s->room : 256;
    s->blocks = realloc(s->blocks, s->room * sizeof *s->blocks);
    if (!s->blocks) abort();
  }
  shadow_block *b = &s->blocks[s->count++];
  *b = (shadow_block){address, size, alignment, s->next_tag++};
  shadow_fill(b);
  return b;
}

static inline void shadow_remove(shadow *s, size_t i) { s->blocks[i] = s->blocks[--s->count]; }

static inline bool shadow_all_intact(const shadow *s) {
  for (size_t i = 0; i < s->count; i++)
    if (!shadow_intact(&s->blocks[i], s->blocks[i].size)) return false;
  return true;
}

static inline int shadow_compare(const void *a, const void *b) {
  const shadow_block *x = a, *y = b;
  return (x->address > y->address) - (x->address < y->address);
}

static inline void shadow_sort(shadow *s) {
  if (s->count) qsort(s->blocks, s->count, sizeof *s->blocks, shadow_compare);
}

static inline void shadow_drop(shadow *s) {
  free(s->blocks);
  *s = (shadow){0};
}

/* A shadow that ends with its scope. */
#define SHADOW(name) __attribute__((cleanup(shadow_drop))) shadow name = {0}

#endif
