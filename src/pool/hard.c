/* SPDX-License-Identifier: MIT */
#include "hard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/annotate.h"
#include "pool.h"

typedef struct trailer {
  uint32_t requested, seal;
} trailer;

_Static_assert(sizeof(trailer) == HARD_TRAILER_BYTES, "the trailer is what blocks reserve");

static const char *kind_text(ouro_misuse_kind kind) {
  switch (kind) {
  case OURO_DOUBLE_FREE: return "double free";
  case OURO_FOREIGN_FREE: return "free of something that is no block of this heap";
  case OURO_WRITE_PAST_END: return "write past the end";
  case OURO_WRITE_AFTER_FREE: return "write after free";
  case OURO_WRONG_THREAD: return "call from a thread that does not own the heap";
  }
  return "misuse";
}

static void print_and_abort(const ouro_misuse *m) {
  char text[256];
  int n = snprintf(text, sizeof text, "ouro: heap \"%s\": %s: address %p", m->heap_name,
                   kind_text(m->kind), m->address);
  if (m->pool)
    snprintf(text + n, sizeof text - (size_t)n,
             ", block %p of size class %zu (%zu requested) in pool %p", m->block, m->block_size,
             m->requested, m->pool);
  fprintf(stderr, "%s\n", text);
  abort();
}

void hard_report(const heap *h, ouro_misuse_kind kind, const void *p, const ouro_pool *pool,
                 size_t requested) {
  ouro_misuse what = {
      .kind = kind, .heap_name = h->name, .address = p, .block = p, .requested = requested};
  if (pool) {
    what.block = pool_block(pool, pool_index_of(pool, p));
    what.pool = pool_start(pool);
    what.block_size = pool->size;
  }
  if (h->on_misuse) h->on_misuse(h->misuse_ctx, &what);
  else print_and_abort(&what);
}

bool hard_owner(const heap *h, const void *p) {
  if (!h->hardened || h->locked_by_caller || h->owner == os_thread_id()) return true;
  const ouro_pool *pool = p ? heap_pool_at(h, p) : NULL;
  hard_report(h, OURO_WRONG_THREAD, p, pool, 0);
  return false;
}

static trailer *trailer_of(const ouro_pool *pool, const void *block) {
  return (trailer *)((uintptr_t)block + pool->size - sizeof(trailer));
}

static uint32_t seal_of(const heap *h, const void *block, size_t requested, bool live) {
  uint64_t mix = (h->secret ^ (uintptr_t)block) + requested * 2 + live;
  mix = (mix ^ mix >> 31) * 0x9E3779B97F4A7C15u;
  return (uint32_t)(mix >> 32);
}

void hard_seal(heap *h, ouro_pool *pool, void *block, size_t requested, bool zeroed) {
  trailer *t = trailer_of(pool, block);
  memset(block, zeroed ? 0 : HARD_UNSET, requested);
  memset((char *)block + requested, HARD_FENCE, (size_t)((char *)t - (char *)block) - requested);
  *t = (trailer){(uint32_t)requested, seal_of(h, block, requested, true)};
  pool->requested += (uint32_t)requested;
}

bool hard_is_live(const heap *h, const ouro_pool *pool, const void *block) {
  trailer t = *trailer_of(pool, block);
  return t.seal != seal_of(h, block, t.requested, false);
}

/* Whether all bytes of [from, to) have the value. */
static bool all_bytes(const void *from, const void *to, int value) {
  for (const unsigned char *b = from; b < (const unsigned char *)to; b++)
    if (*b != value) return false;
  return true;
}

bool hard_is_start(const ouro_pool *pool, const void *p) {
  if (pool->size == 0) return false;
  unsigned index = pool_index_of(pool, p);
  return index >= pool->first && index < pool->end && pool_block(pool, index) == p;
}

/* The requested bytes of a block whose trailer and fence are whole; SIZE_MAX otherwise. */
static size_t intact(const heap *h, const ouro_pool *pool, const void *p) {
  const trailer *t = trailer_of(pool, p);
  size_t requested = t->requested, room = pool->size - sizeof(trailer);
  if (requested > room || t->seal != seal_of(h, p, requested, true)) return SIZE_MAX;
  return all_bytes((const char *)p + requested, t, HARD_FENCE) ? requested : SIZE_MAX;
}

size_t hard_check(const heap *h, const ouro_pool *pool, const void *p) {
  if (!hard_is_start(pool, p)) {
    hard_report(h, OURO_FOREIGN_FREE, p, pool, 0);
    return SIZE_MAX;
  }
  bool released = pool_is_free(pool, pool_index_of(pool, p));
  if (released || !hard_is_live(h, pool, p)) {
    hard_report(h, OURO_DOUBLE_FREE, p, pool, released ? 0 : trailer_of(pool, p)->requested);
    return SIZE_MAX;
  }
  size_t requested = intact(h, pool, p);
  if (requested == SIZE_MAX) hard_report(h, OURO_WRITE_PAST_END, p, pool, 0);
  return requested;
}

/* The oldest withheld block becomes usable again. */
static void release_oldest(heap *h) {
  quarantine *q = &h->quarantine;
  void *block = q->ring[q->head++ & (q->room - 1)];
  ouro_pool *pool = heap_pool_at(h, block);
  const trailer *t = trailer_of(pool, block);
  q->bytes -= pool->size;
  pool->withheld--;
  if (h->annotated) annotate_access(block, pool->size);
  bool whole = t->requested <= pool->size - sizeof(trailer) &&
               (h->annotated || all_bytes(block, t, HARD_DEAD)) &&
               t->seal == seal_of(h, block, t->requested, false);
  if (!whole) hard_report(h, OURO_WRITE_AFTER_FREE, block, pool, t->requested);
  if (h->annotated) annotate_no_access(block, pool->size);
  pool_free_block(h, pool, pool_index_of(pool, block));
}

static bool grow_ring(quarantine *q) {
  size_t room = q->room ? q->room * 2 : TUNE_TABLE_FIRST;
  void **ring = malloc(room * sizeof *ring);
  if (!ring) return false;
  for (size_t i = q->head; i < q->tail; i++) ring[i - q->head] = q->ring[i & (q->room - 1)];
  free(q->ring);
  *q = (quarantine){.ring = ring, .room = room, .tail = q->tail - q->head, .bytes = q->bytes};
  return true;
}

/* Withholds a block. Where there is no memory for it the oldest one makes place, or this one is
 * not. */
static void withhold(heap *h, ouro_pool *pool, void *block) {
  quarantine *q = &h->quarantine;
  if (q->tail - q->head == q->room && !grow_ring(q)) {
    if (q->tail == q->head) {
      pool_free_block(h, pool, pool_index_of(pool, block));
      return;
    }
    release_oldest(h);
  }
  q->ring[q->tail++ & (q->room - 1)] = block;
  q->bytes += pool->size;
  pool->withheld++;
  while (q->bytes > h->quarantine_limit) release_oldest(h);
}

void hard_free(heap *h, ouro_pool *pool, void *p) {
  size_t requested = hard_check(h, pool, p);
  if (requested == SIZE_MAX) return;
  trailer *t = trailer_of(pool, p);
  pool->requested -= (uint32_t)requested;
  memset(p, HARD_DEAD, (size_t)((char *)t - (char *)p));
  *t = (trailer){(uint32_t)requested, seal_of(h, p, requested, false)};
  if (h->annotated) annotate_died(p, pool->size - sizeof(trailer));
  withhold(h, pool, p);
}

void hard_flush(heap *h) {
  while (h->quarantine.tail > h->quarantine.head) release_oldest(h);
}

void hard_seal_large(const heap *h, void *p, size_t size) {
  trailer t = {(uint32_t)size, seal_of(h, p, size, true)};
  memcpy((char *)p + hard_large_end(size), &t, sizeof t);
}

void hard_check_large(const heap *h, const void *p, size_t size) {
  trailer t;
  memcpy(&t, (const char *)p + hard_large_end(size), sizeof t);
  if (t.requested != (uint32_t)size || t.seal != seal_of(h, p, size, true))
    hard_report(h, OURO_WRITE_PAST_END, p, NULL, size);
}
