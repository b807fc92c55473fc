/* SPDX-License-Identifier: MIT */
#include "window.h"

#include "../os/annotate.h"

#define TABLE_PIECE (TUNE_TABLE_ARENAS * OURO_ARENA_POOLS * sizeof(ouro_pool))
#define LEAST_ARENAS (TUNE_LEAST_RESERVE / OURO_ARENA_BYTES)

/* Small windows are placed by trying addresses: these lie between where Linux puts programs and
 * where it puts mappings of its own choice. */
#define PLACE_FROM ((uintptr_t)1 << 44)
#define PLACE_TRIES 4096u

static size_t table_bytes(uint32_t arenas) { return arenas * OURO_ARENA_POOLS * sizeof(ouro_pool); }

static size_t headers_bytes(void) { return table_bytes(OURO_FIRST_ARENA); }

static window *window_at(char *base) { return (window *)(void *)(base + WINDOW_HEADER_AT); }

/* Reserves arenas [from, to) of a window that is not reserved as a whole, and both tables for
 * them. */
static bool reserve_piece(char *base, uint32_t from, uint32_t to) {
  size_t table_at = table_bytes(from), table = table_bytes(to) - table_at;
  size_t arena_at = from * OURO_ARENA_BYTES, arenas = to * OURO_ARENA_BYTES - arena_at;
  if (!os_reserve_at(base + table_at, table)) return false;
  if (!os_reserve_at(base + OURO_TABLE_BYTES + table_at, table)) goto release_table;
  if (!os_reserve_at(base + arena_at, arenas)) goto release_remote;
  return true;
release_remote:
  os_release(base + OURO_TABLE_BYTES + table_at, table);
release_table:
  os_release(base + table_at, table);
  return false;
}

static bool reserve_small_at(char *base) {
  if (!os_reserve_at(base, headers_bytes())) return false;
  if (reserve_piece(base, OURO_FIRST_ARENA, OURO_FIRST_ARENA + LEAST_ARENAS)) return true;
  os_release(base, headers_bytes());
  return false;
}

static char *reserve_small(void) {
  uintptr_t slot = os_random() % PLACE_TRIES;
  for (uint32_t i = 0; i < PLACE_TRIES; i++, slot = (slot + 1) % PLACE_TRIES) {
    char *base = (char *)(PLACE_FROM + slot * OURO_WINDOW_BYTES);
    if (reserve_small_at(base)) return base;
    if (i == 8) break; /* refused for want of memory, not of this address */
  }
  return NULL;
}

window *window_new(uint32_t number) {
  uint32_t reserved = OURO_WINDOW_ARENAS;
  char *base = os_reserve(OURO_WINDOW_BYTES, OURO_WINDOW_BYTES);
  if (!base) {
    base = reserve_small();
    reserved = OURO_FIRST_ARENA + LEAST_ARENAS;
  }
  if (!base) return NULL;
  window *w = window_at(base);
  if (!os_commit(base, headers_bytes())) {
    os_release(base, reserved == OURO_WINDOW_ARENAS ? OURO_WINDOW_BYTES : headers_bytes());
    return NULL;
  }
  os_huge(base, headers_bytes(), false);
  annotate_roots(base, OURO_WINDOW_BYTES);
  w->number = number;
  w->reserved = reserved;
  w->committed = w->tabled = OURO_FIRST_ARENA;
  w->open_from = OURO_WINDOW_ARENAS / 64;
  return w;
}

void window_free(window *w) {
  char *base = window_base(w);
  uint32_t reserved = w->reserved;
  annotate_no_roots(base, OURO_WINDOW_BYTES);
  annotate_access(base + OURO_FIRST_ARENA * OURO_ARENA_BYTES,
                  (w->committed - OURO_FIRST_ARENA) * OURO_ARENA_BYTES);
  if (reserved == OURO_WINDOW_ARENAS) {
    os_release(base, OURO_WINDOW_BYTES);
    return;
  }
  os_release(base + OURO_TABLE_BYTES + headers_bytes(), table_bytes(reserved) - headers_bytes());
  os_release(base + OURO_FIRST_ARENA * OURO_ARENA_BYTES,
             (reserved - OURO_FIRST_ARENA) * OURO_ARENA_BYTES);
  os_release(base, table_bytes(reserved));
}

static bool extend_reservation(window *w) {
  uint32_t to = w->reserved + LEAST_ARENAS;
  if (to > OURO_WINDOW_ARENAS || !reserve_piece(window_base(w), w->reserved, to)) return false;
  w->reserved = to;
  return true;
}

static bool commit_tables(window *w) {
  char *at = window_base(w) + table_bytes(w->tabled);
  if (!os_commit(at, TABLE_PIECE) || !os_commit(at + OURO_TABLE_BYTES, TABLE_PIECE)) return false;
  w->tabled += TUNE_TABLE_ARENAS;
  return true;
}

arena *window_grow(window *w) {
  uint32_t next = w->committed;
  if (next == w->reserved && !extend_reservation(w)) return NULL;
  if (next == w->tabled && !commit_tables(w)) return NULL;
  if (!os_commit(window_base(w) + next * OURO_ARENA_BYTES, OURO_ARENA_BYTES)) return NULL;
  w->committed = next + 1;
  w->arenas[next].free = UINT32_MAX;
  w->open[next / 64] |= (uint64_t)1 << (next % 64);
  if (next / 64 < w->open_from) w->open_from = next / 64;
  return &w->arenas[next];
}
