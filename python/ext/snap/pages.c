/* SPDX-License-Identifier: MIT */
#include "pages.h"

#include <string.h>

#include "os/os.h"

#define CHUNK_BYTES ((size_t)1 << 18)
#define NEAR_BYTES (((size_t)1 << OURO_WINDOW_SHIFT) / 16 / 8)

typedef struct snapchunk {
  struct snapchunk *older;
  size_t size;
} snapchunk;

static void *map(snappages *from, size_t size) {
  void *pages = os_map(size);
  if (pages) from->bytes += size;
  else from->failed = true;
  return pages;
}

static bool add_chunk(snappages *from, size_t size) {
  size_t whole = os_whole_pages(size + sizeof(snapchunk));
  if (whole < CHUNK_BYTES) whole = CHUNK_BYTES;
  snapchunk *chunk = map(from, whole);
  if (!chunk) return false;
  *chunk = (snapchunk){from->chunks, whole};
  from->chunks = chunk;
  from->at = (char *)(chunk + 1);
  from->end = (char *)chunk + whole;
  return true;
}

void *snappages_take(snappages *from, size_t size) {
  size = (size + 15) & ~(size_t)15;
  if ((size_t)(from->end - from->at) < size && !add_chunk(from, size)) return NULL;
  void *taken = from->at;
  from->at += size;
  return taken;
}

void snappages_finish(snappages *from) {
  for (snapchunk *chunk = from->chunks, *older; chunk; chunk = older) {
    older = chunk->older;
    os_release(chunk, chunk->size);
  }
  *from = (snappages){0};
}

bool snaparray_grow(snaparray *a, size_t size, size_t count, snappages *from) {
  size_t wanted = os_whole_pages((a->count + count) * size), room = a->room ? a->room * 2 : 1 << 16;
  if (room < wanted) room = wanted;
  void *wider = a->items ? os_remap(a->items, a->room, room) : os_map(room);
  if (!wider) {
    from->failed = true;
    return false;
  }
  from->bytes += room - a->room;
  a->items = wider;
  a->room = room;
  return true;
}

void snaparray_finish(snaparray *a) {
  if (a->items) os_release(a->items, a->room);
  *a = (snaparray){0};
}

/* --- Sets ------------------------------------------------------------------------------------- */

/* Where address space is short, as under a limit of it, the table has the window's too. */
void snapset_begin(snapset *set, uintptr_t window, snappages *pages) {
  *set = (snapset){.pages = pages, .window = window};
  if (window) set->near = os_map(NEAR_BYTES);
}

void snapset_finish(snapset *set) {
  if (set->near) os_release(set->near, NEAR_BYTES);
  *set = (snapset){0};
}

static size_t slot_of(const snapset *set, uintptr_t number) {
  size_t at = (size_t)(number * 0x9E3779B97F4A7C15u >> 20) & (set->room - 1);
  while (set->slots[at] && set->slots[at]->number != number) at = (at + 1) & (set->room - 1);
  return at;
}

static bool widen(snapset *set) {
  snapset wider = {.room = set->room ? set->room * 2 : 1024};
  wider.slots = snappages_take(set->pages, wider.room * sizeof *wider.slots);
  if (!wider.slots) return false;
  for (size_t i = 0; i < set->room; i++)
    if (set->slots[i]) wider.slots[slot_of(&wider, set->slots[i]->number)] = set->slots[i];
  set->slots = wider.slots;
  set->room = wider.room;
  return true;
}

static snapset_page *find_page(snapset *set, uintptr_t number) {
  if (set->count >= set->room / 4 * 3 && !widen(set)) return NULL;
  snapset_page **slot = &set->slots[slot_of(set, number)];
  if (*slot) return *slot;
  *slot = snappages_take(set->pages, sizeof **slot);
  if (!*slot) return NULL;
  (*slot)->number = number;
  set->count++;
  return *slot;
}

uint64_t *snapset_far_word(snapset *set, uintptr_t address) {
  uintptr_t number = address >> SNAPSET_PAGE_SHIFT;
  if (!set->last || set->last->number != number) {
    snapset_page *page = find_page(set, number);
    if (!page) return NULL;
    set->last = page;
  }
  return &set->last->bits[address / 16 / 64 % SNAPSET_PAGE_WORDS];
}
