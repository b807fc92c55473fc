/* SPDX-License-Identifier: MIT */
#include "large.h"

#include <stdlib.h>
#include <string.h>

#include "hard.h"

static bool grow_records(heap *h) {
  uint32_t room = h->large_room ? h->large_room * 2 : TUNE_TABLE_FIRST;
  large *records = realloc(h->large, room * sizeof *records);
  if (!records) return false;
  h->large = records;
  h->large_room = room;
  return true;
}

/* Makes sure that the next block can be recorded. */
static bool reserve_record(heap *h) {
  if (!addrmap_reserve(&h->large_map)) return false;
  return h->large_free != ADDRMAP_NONE || h->large_end < h->large_room || grow_records(h);
}

static void record(heap *h, void *p, size_t size) {
  uint32_t i = h->large_free;
  if (i != ADDRMAP_NONE) h->large_free = h->large[i].next_free;
  else i = h->large_end++;
  h->large[i] = (large){.address = p, .size = size, .live = true};
  addrmap_put(&h->large_map, p, i);
  h->large_bytes += size;
  h->large_count++;
}

static void *system_alloc(size_t alignment, size_t size, bool zeroed) {
  if (alignment <= 16) return zeroed ? calloc(1, size) : malloc(size);
  void *p = NULL;
  if (posix_memalign(&p, alignment, size) != 0) return NULL;
  return zeroed ? memset(p, 0, size) : p;
}

/* What the system allocator is asked for: a freed block has room for the link of ouro_free_remote.
 */
static size_t system_size(const heap *h, size_t size) {
  return hard_large_end(size) + (h->hardened ? HARD_TRAILER_BYTES : 0);
}

void *large_alloc(heap *h, size_t alignment, size_t size, bool zeroed) {
  if (size > PTRDIFF_MAX - HARD_TRAILER_BYTES || !heap_allows(h, size) || !reserve_record(h))
    return NULL;
  void *p = system_alloc(alignment, system_size(h, size), zeroed);
  if (!p) return NULL;
  record(h, p, size);
  h->events++;
  if (h->hardened) hard_seal_large(h, p, size);
  return p;
}

uint32_t large_find(const heap *h, const void *p) { return addrmap_get(&h->large_map, p); }

bool large_free(heap *h, void *p) {
  uint32_t i = addrmap_take(&h->large_map, p);
  if (i == ADDRMAP_NONE) return false;
  large *r = &h->large[i];
  if (h->hardened) hard_check_large(h, p, r->size);
  h->large_bytes -= r->size;
  h->large_count--;
  *r = (large){.next_free = h->large_free};
  h->large_free = i;
  h->events++;
  free(p);
  return true;
}

/* The record keeps its index, so that a walk in progress still sees the block once. */
void *large_realloc(heap *h, uint32_t i, size_t size) {
  large *r = &h->large[i];
  size_t old = r->size;
  if (size > PTRDIFF_MAX - HARD_TRAILER_BYTES || (size > old && !heap_allows(h, size - old)))
    return NULL;
  if (h->hardened) hard_check_large(h, r->address, old);
  addrmap_take(&h->large_map, r->address);
  void *p = realloc(r->address, system_size(h, size));
  if (p) {
    r->address = p;
    r->size = size;
    h->large_bytes += size - old;
    if (h->hardened) hard_seal_large(h, p, size);
  }
  addrmap_put(&h->large_map, r->address, i); /* there is room: one key was just taken out */
  return p;
}

void large_free_all(heap *h) {
  for (uint32_t i = 0; i < h->large_end; i++)
    if (h->large[i].live) free(h->large[i].address);
  free(h->large);
  addrmap_finish(&h->large_map);
}
