/* SPDX-License-Identifier: MIT */
#include "known.h"

#include "os/os.h"
#include "pool/pool.h"

/* One per process, as the allocators are. */
gcknown gcknown_all;

#define NEAR_BYTES (OURO_WINDOW_BYTES / 16 / 8)
#define FAR_BYTES (GCKNOWN_REGIONS * GCKNOWN_REGION_WORDS * sizeof(uint64_t))
#define PLACES_BYTES (GCKNOWN_PLACES * sizeof(uint64_t))
#define NUMBERS_BYTES (GCKNOWN_REGIONS * sizeof(uint64_t))
#define ALL_BYTES (NEAR_BYTES + FAR_BYTES + PLACES_BYTES + NUMBERS_BYTES)

bool gcknown_start(const ouro_heap *heap, bool debug) {
  gcknown *k = &gcknown_all;
  k->offsets = debug ? 7 : 3;
  if (k->window) return true;
  /* a page more, as a look at the last block reads a byte beyond */
  char *tables = os_map(ALL_BYTES + os_page_size());
  if (!tables) return false;
  os_name(tables, ALL_BYTES, "ouro collector");
  k->near = (uint64_t *)(void *)tables;
  k->far = (uint64_t *)(void *)(tables + NEAR_BYTES);
  k->places = (uint64_t *)(void *)(tables + NEAR_BYTES + FAR_BYTES);
  k->numbers = k->places + GCKNOWN_PLACES;
  k->window = (uintptr_t)heap;
  return true;
}

size_t gcknown_bytes(void) {
  const gcknown *k = &gcknown_all;
  size_t near = k->highest > 0 ? k->highest * sizeof(uint64_t) : 0;
  size_t first = OURO_FIRST_ARENA * OURO_ARENA_BYTES / 16 / 8;
  return (near > first ? near - first : 0) + k->regions * GCKNOWN_REGION_WORDS * sizeof(uint64_t);
}

/* --- Objects elsewhere ------------------------------------------------------------------------ */

static uint32_t make_region(uintptr_t address) {
  gcknown *k = &gcknown_all;
  uintptr_t number = address >> GCKNOWN_REGION_SHIFT;
  if (k->regions == GCKNOWN_REGIONS || number >> 48) return GCKNOWN_REGIONS;
  uint64_t i = gcknown_place(number);
  while (k->places[i]) i = (i + 1) % GCKNOWN_PLACES;
  k->places[i] = (uint64_t)number << 16 | (k->regions + 1);
  k->numbers[k->regions] = number;
  return k->regions++;
}

/* The word and bit that stand for an address. */
static uint64_t *far_word(uint32_t region, uintptr_t address) {
  size_t offset = address & (((uintptr_t)1 << GCKNOWN_REGION_SHIFT) - 1);
  return &gcknown_all.far[region * GCKNOWN_REGION_WORDS + offset / 16 / 64];
}

static uint64_t *near_word(uintptr_t address) {
  return &gcknown_all.near[(address ^ gcknown_all.window) / 16 / 64];
}

static uint64_t bit_of(uintptr_t address) { return (uint64_t)1 << (address / 16 % 64); }

static bool is_near(uintptr_t address) {
  return (address ^ gcknown_all.window) >> OURO_WINDOW_SHIFT == 0;
}

/* NULL: the address lies in no region. */
static uint64_t *word_of(uintptr_t address) {
  if (is_near(address)) return near_word(address);
  uint32_t region = gcknown_region(address);
  return region < GCKNOWN_REGIONS ? far_word(region, address) : NULL;
}

/* --- In and out ------------------------------------------------------------------------------- */

static uint64_t *place_for(uintptr_t head) {
  if (is_near(head)) return NULL; /* it was refused already */
  uint32_t region = gcknown_region(head);
  if (region == GCKNOWN_REGIONS) region = make_region(head);
  return region < GCKNOWN_REGIONS ? far_word(region, head) : NULL;
}

void gcknown_add_slowly(PyObject *o) {
  uintptr_t head = (uintptr_t)gclink_of(o);
  bool ours = head % 16 == 0 && Py_TYPE(o)->tp_free == PyObject_GC_Del;
  uint64_t *word = ours ? place_for(head) : NULL;
  if (!word) {
    gcknown_all.strangers++;
    return;
  }
  gcknown_set(word, head / 16);
}

void gcknown_forget(const PyObject *o) {
  uintptr_t head = (uintptr_t)gclink_of(o);
  uint64_t *word = word_of(head);
  if (!word || !(*word & bit_of(head))) return;
  *word &= ~bit_of(head);
  gcknown_all.count--;
}

/* A small block that ends with its pool has no object, but the next pool's first may be one. Blocks
 * of the system's may lie across the border. */
static bool may_be_inside(const void *block, uintptr_t head) {
  if ((((uintptr_t)block ^ head) & ~(uintptr_t)(OURO_POOL_BYTES - 1)) == 0) return true;
  return !ouro_owns((const ouro_heap *)gcknown_all.window, block);
}

void gcknown_freed(const void *block) {
  for (unsigned i = 0; i < GCKNOWN_OFFSETS; i++) {
    uintptr_t head = (uintptr_t)block + i * 16;
    if (!(gcknown_all.offsets >> i & 1) || !may_be_inside(block, head)) continue;
    gcknown_forget((const PyObject *)(head + sizeof(gclink)));
  }
}

void gcknown_forget_all(void) {
  gcknown *k = &gcknown_all;
  size_t page = os_page_size(), near = (k->highest * sizeof(uint64_t) + page - 1) & ~(page - 1);
  if (near) os_purge(k->near, near);
  if (k->regions) os_purge(k->far, k->regions * GCKNOWN_REGION_WORDS * sizeof(uint64_t));
  k->count = k->highest = 0;
}
