/* SPDX-License-Identifier: MIT */
/*
 * One pass over /proc/self/smaps. The kernel says how much of each mapping is resident; to whom the
 * mapping belongs follows, strongest first, from
 *
 *   claims       ranges whose owner is known beforehand: Ouro's heap, loaded libraries, arenas
 * noted its name     [heap], [stack], a file's path its contents what glibc and the interpreter
 * write at the start of what they map (glibc.h, frame chunks) its place    memory right above an
 * inaccessible guard is a thread's stack its owner    a library whose variables hold the address at
 * which it starts
 *
 * A mapping with several owners is cut into pieces, and its resident bytes are divided by the
 * resident pages of each piece (/proc/self/pagemap; by length where that is not readable).
 */
#include "ledger.h"

#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>

#include "arenas.h"
#include "glibc.h"
#include "procfs.h"

enum {
  CLAIMS = 8192,            /* most libraries and heap ranges looked at */
  PIECES = 2048,            /* most pieces of one mapping */
  PROBES = 8192,            /* most look-ups in /proc/self per reading: at about 1 us each */
  STRAY_BYTES = 256 * 1024, /* so much unknown memory is worth looking for its owners */
  STRAYS = 256,             /* most pieces for which an owner is looked for */
  VARIABLES = 2048,         /* most mappings of variables looked through for them */
};

#define LEDGER_ROW_TEXT(id, key, parent, label) {key, parent, label},
const ledger_row ledger_rows[LEDGER_ROW_COUNT] = {LEDGER_ROWS(LEDGER_ROW_TEXT)};
#undef LEDGER_ROW_TEXT

#define LEDGER_MEMO_TEXT(id, key, unit, label) {key, unit, label},
const ledger_memo ledger_memos[LEDGER_MEMO_COUNT] = {LEDGER_MEMOS(LEDGER_MEMO_TEXT)};
#undef LEDGER_MEMO_TEXT

/* A range of addresses and the row its resident bytes belong to. */
typedef struct piece {
  uintptr_t start, end;
  int row;
} piece;

/* A piece that nothing but a pointer to its start can attribute. */
typedef struct stray {
  uintptr_t start;
  uint64_t bytes;
} stray;

typedef struct reading {
  ledger *out;
  procfs_memory memory;
  unsigned probes;            /* left */
  uintptr_t guard_end;        /* where the last inaccessible mapping ended */
  uintptr_t mapping_end;      /* of the mapping at hand */
  uintptr_t block, block_end; /* the pages that `resident` describes */
  size_t claim_count, claim_at;
  size_t piece_count, stray_count, variable_count;
  bool resident[PROCFS_PAGES];
  piece claims[CLAIMS];       /* by address, no overlaps */
  piece pieces[PIECES];       /* of the mapping at hand, by address */
  stray strays[STRAYS];       /* by address */
  piece variables[VARIABLES]; /* libraries' writable mappings */
  procfs_smaps smaps;
} reading;

/* --- Dividing ------------------------------------------------------------------------------- */

/* Adds `amount` to parts[], divided in proportion to weights[], without losing a byte. */
static void divide(uint64_t amount, const uint64_t *weights, uint64_t **parts, size_t count) {
  uint64_t total = 0, given = 0;
  size_t largest = 0;
  for (size_t i = 0; i < count; i++) {
    total += weights[i];
    if (weights[i] > weights[largest]) largest = i;
  }
  for (size_t i = 0; i < count && total > 0; i++) {
    uint64_t share = (uint64_t)((unsigned __int128)amount * weights[i] / total);
    *parts[i] += share;
    given += share;
  }
  *parts[largest] += amount - given;
}

/* --- Claims --------------------------------------------------------------------------------- */

/* Whole pages, as far as they are touched. */
static void claim(reading *r, uintptr_t start, uintptr_t end, int row) {
  uintptr_t page = r->memory.page;
  start = start / page * page;
  end = (end + page - 1) / page * page;
  if (r->claim_count == CLAIMS || start >= end) return;
  size_t at = r->claim_count;
  while (at > 0 && r->claims[at - 1].start > start) at--;
  memmove(r->claims + at + 1, r->claims + at, (r->claim_count - at) * sizeof *r->claims);
  r->claims[at] = (piece){start, end, row};
  r->claim_count++;
}

static int claim_library(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  reading *r = context;
  uintptr_t start = UINTPTR_MAX, end = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD) continue;
    uintptr_t from = info->dlpi_addr + segment->p_vaddr;
    if (from < start) start = from;
    if (from + segment->p_memsz > end) end = from + segment->p_memsz;
  }
  if (end > 0) claim(r, start, end, LEDGER_LIBRARIES);
  return 0;
}

static void claim_heap(reading *r, const ouro_heap *heap) {
  enum { RANGES = 64 * 3 }; /* of a heap of 1 TiB */
  ouro_range ranges[RANGES];
  size_t count = heap ? ouro_heap_ranges(heap, ranges, RANGES) : 0;
  for (size_t i = 0; i < count && i < RANGES; i++) {
    uintptr_t start = (uintptr_t)ranges[i].start;
    claim(r, start, start + ranges[i].size, LEDGER_HEAP);
  }
}

static void claim_arenas(reading *r) {
  arenas_range ranges[ARENAS_RANGES];
  size_t count = arenas_noted(ranges);
  for (size_t i = 0; i < count; i++) claim(r, ranges[i].start, ranges[i].end, LEDGER_PYTHON_ARENAS);
}

/* --- Pieces of one mapping ------------------------------------------------------------------ */

/* Appends a piece; what no longer fits is added to the last one, as unknown. */
static void piece_add(reading *r, uintptr_t start, uintptr_t end, int row) {
  if (start >= end) return;
  piece *last = r->piece_count ? &r->pieces[r->piece_count - 1] : NULL;
  if (r->piece_count == PIECES) row = last->row = LEDGER_UNKNOWN;
  if (last && last->row == row) last->end = end;
  else r->pieces[r->piece_count++] = (piece){start, end, row};
}

/* What is known of pages so far is of another mapping. */
static void look_at(reading *r, uintptr_t mapping_end) {
  r->mapping_end = mapping_end;
  r->block = r->block_end = 0;
}

/* Whether the page at `at` is resident; "yes" where that cannot be known. Looks ahead as far as the
 * mapping goes: behind it each page could be another one's. */
static bool page_resident(reading *r, uintptr_t at) {
  uintptr_t page = at / r->memory.page;
  if (page < r->block || page >= r->block_end) {
    if (r->probes == 0) return true;
    r->probes--;
    r->block = page;
    r->block_end = r->mapping_end / r->memory.page;
    if (r->block_end - page > PROCFS_PAGES) r->block_end = page + PROCFS_PAGES;
    if (!procfs_resident(&r->memory, at, r->block_end - page, r->resident))
      memset(r->resident, true, sizeof r->resident);
  }
  return r->resident[page - r->block];
}

/* Length of a chunk of a frame stack (3.11 and later, _PyThreadState_PushFrame): it starts with the
 * previous chunk's address, its length, and how many words are used. */
static size_t frame_chunk(const uint64_t *head, size_t room, size_t page) {
  enum { LEAST = 16 * 1024 };
  bool power = head[1] >= LEAST && (head[1] & (head[1] - 1)) == 0;
  return power && head[1] <= room && head[0] % page == 0 && head[2] <= head[1] / 8 ? head[1] : 0;
}

/* Length of what starts at `at` if its first words tell what it is, with its row; else 0. */
static size_t recognise(reading *r, uintptr_t at, uintptr_t end, int *row) {
  uint64_t head[GLIBC_HEAD_WORDS];
  if (!page_resident(r, at) || r->probes == 0) return 0;
  r->probes--;
  size_t size = glibc_heap_at(&r->memory, at, end);
  *row = LEDGER_MALLOC_USED;
  if (size > 0 || !procfs_memory_read(&r->memory, at, head, sizeof head)) return size;
  size = glibc_mapped_at(&r->memory, at, end, head);
  *row = LEDGER_MALLOC_MAPPED;
  if (size > 0) return size;
  *row = LEDGER_PYTHON_FRAMES;
  return frame_chunk(head, end - at, r->memory.page);
}

/* Cuts anonymous memory without a claim at what can be recognised; `rest` is the row of a first
 * part that cannot. */
static void cut_anonymous(reading *r, uintptr_t start, uintptr_t end, int rest) {
  uintptr_t run = start;
  for (uintptr_t at = start; at < end && r->probes > 0;) {
    int row;
    size_t size = recognise(r, at, end, &row);
    if (size == 0) {
      at += r->memory.page;
      continue;
    }
    piece_add(r, run, at, rest);
    piece_add(r, at, at + size, row);
    rest = LEDGER_UNKNOWN;
    run = at += size;
  }
  piece_add(r, run, end, rest);
}

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int row_of_file(const mapping *entry) {
  bool shared_memory = starts_with(entry->name, "/dev/shm/") ||
                       starts_with(entry->name, "/memfd:") ||
                       starts_with(entry->name, "/dev/zero") || starts_with(entry->name, "/SYSV");
  return shared_memory ? LEDGER_SHARED : LEDGER_FILES;
}

/* A part of a mapping that nobody has claimed. */
static void cut_unclaimed(reading *r, const mapping *entry, uintptr_t start, uintptr_t end) {
  if (start >= end) return;
  if (entry->inode != 0 || entry->name[0] == '/') {
    piece_add(r, start, end, row_of_file(entry));
  } else if (starts_with(entry->name, "[heap]")) {
    piece_add(r, start, end, LEDGER_MALLOC_USED);
  } else if (starts_with(entry->name, "[stack")) {
    piece_add(r, start, end, LEDGER_STACKS_MAIN);
  } else if (starts_with(entry->name, "[v")) {
    piece_add(r, start, end, LEDGER_LIBRARIES_CODE);
  } else if (entry->stack) {
    piece_add(r, start, end, LEDGER_STACKS_THREADS);
  } else {
    bool above_guard = start == entry->start && start == r->guard_end;
    cut_anonymous(r, start, end, above_guard ? LEDGER_STACKS_THREADS : LEDGER_UNKNOWN);
  }
}

static int row_of_claim(const mapping *entry, int row) {
  if (row != LEDGER_LIBRARIES) return row;
  return entry->permissions[1] == 'w' ? LEDGER_LIBRARIES_DATA : LEDGER_LIBRARIES_CODE;
}

static void cut_mapping(reading *r, const mapping *entry) {
  uintptr_t at = entry->start;
  r->piece_count = 0;
  look_at(r, entry->end);
  while (r->claim_at < r->claim_count && r->claims[r->claim_at].end <= at) r->claim_at++;
  for (size_t i = r->claim_at; i < r->claim_count && r->claims[i].start < entry->end; i++) {
    const piece *known = &r->claims[i];
    uintptr_t start = known->start > at ? known->start : at;
    uintptr_t end = known->end < entry->end ? known->end : entry->end;
    cut_unclaimed(r, entry, at, start);
    piece_add(r, start, end, row_of_claim(entry, known->row));
    if (end > at) at = end;
  }
  cut_unclaimed(r, entry, at, entry->end);
}

/* --- Bytes of one mapping ------------------------------------------------------------------- */

static uint64_t resident_bytes(reading *r, const piece *part) {
  uint64_t pages = 0;
  for (uintptr_t at = part->start; at < part->end; at += r->memory.page)
    pages += page_resident(r, at);
  return pages * r->memory.page;
}

static void note_stray(reading *r, const piece *part, uint64_t bytes) {
  if (part->row == LEDGER_UNKNOWN && bytes > 0 && r->stray_count < STRAYS)
    r->strays[r->stray_count++] = (stray){part->start, bytes};
}

static void book_pieces(reading *r, uint64_t rss) {
  if (r->piece_count == 1) {
    r->out->bytes[r->pieces[0].row] += rss;
    note_stray(r, &r->pieces[0], rss);
    return;
  }
  uint64_t weights[LEDGER_ROW_COUNT] = {0}, *parts[LEDGER_ROW_COUNT];
  for (size_t i = 0; i < LEDGER_ROW_COUNT; i++) parts[i] = &r->out->bytes[i];
  for (size_t i = 0; i < r->piece_count; i++) {
    uint64_t bytes = resident_bytes(r, &r->pieces[i]);
    weights[r->pieces[i].row] += bytes;
    note_stray(r, &r->pieces[i], bytes);
  }
  divide(rss, weights, parts, LEDGER_ROW_COUNT);
}

static void book_memos(ledger *out, const mapping *entry) {
  bool private = entry->permissions[3] == 'p';
  out->memo[LEDGER_MEMO_SWAP] += entry->swap;
  out->memo[LEDGER_MEMO_HUGE_PAGES] += entry->huge;
  out->memo[LEDGER_MEMO_COMMON] += entry->shared;
  out->memo[LEDGER_MEMO_PRIVATE] += entry->rss - entry->shared;
  out->memo[LEDGER_MEMO_MAPPINGS]++;
  if (!private) return;
  uint64_t dirty = entry->inode == 0 ? entry->shared : entry->shared_dirty;
  out->memo[LEDGER_MEMO_FORK_SHARED] += dirty < entry->anonymous ? dirty : entry->anonymous;
}

static void note_variables(reading *r, const mapping *entry) {
  if (r->variable_count < VARIABLES)
    r->variables[r->variable_count++] = (piece){entry->start, entry->end, LEDGER_LIBRARIES_DATA};
}

static void book_mapping(reading *r, const mapping *entry) {
  ledger *out = r->out;
  bool guard = starts_with(entry->permissions, "---p") && entry->inode == 0;
  book_memos(out, entry);
  if (entry->rss > 0) {
    uint64_t data = out->bytes[LEDGER_LIBRARIES_DATA];
    uint64_t code = out->bytes[LEDGER_LIBRARIES_CODE];
    cut_mapping(r, entry);
    book_pieces(r, entry->rss);
    /* Pages of a read-only segment that the loader has written (relocations) are this process's
     * own. */
    if (out->bytes[LEDGER_LIBRARIES_DATA] > data) note_variables(r, entry);
    code = out->bytes[LEDGER_LIBRARIES_CODE] - code;
    uint64_t relocated = code < entry->anonymous ? code : entry->anonymous;
    out->bytes[LEDGER_LIBRARIES_CODE] -= relocated;
    out->bytes[LEDGER_LIBRARIES_DATA] += relocated;
  }
  if (guard) r->guard_end = entry->end;
}

/* --- Memory that libraries map themselves --------------------------------------------------- */

/* Numeric libraries and other allocators take memory from the kernel directly. What they took is in
 * a table among their variables. */
static void match_stray(reading *r, uintptr_t word) {
  size_t low = 0, high = r->stray_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (r->strays[middle].start < word) low = middle + 1;
    else high = middle;
  }
  if (low == r->stray_count || r->strays[low].start != word) return;
  uint64_t bytes = r->strays[low].bytes, unknown = r->out->bytes[LEDGER_UNKNOWN];
  if (bytes > unknown) bytes = unknown;
  r->out->bytes[LEDGER_UNKNOWN] -= bytes;
  r->out->bytes[LEDGER_LIBRARIES_MAPPED] += bytes;
  r->strays[low].bytes = 0;
}

static void search_variables(reading *r, const piece *where) {
  uintptr_t *words = (uintptr_t *)(void *)r->smaps.text.bytes;
  uintptr_t first = r->strays[0].start, last = r->strays[r->stray_count - 1].start;
  look_at(r, where->end);
  for (uintptr_t at = where->start; at < where->end; at += r->memory.page) {
    if (!page_resident(r, at) || !procfs_memory_read(&r->memory, at, words, r->memory.page))
      continue;
    for (size_t i = 0; i < r->memory.page / sizeof *words; i++)
      if (words[i] >= first && words[i] <= last && words[i] % r->memory.page == 0)
        match_stray(r, words[i]);
  }
}

/* Only where it matters: it takes a look at every page of variables. */
static void find_owners(reading *r) {
  if (r->out->bytes[LEDGER_UNKNOWN] < STRAY_BYTES || r->memory.page > sizeof r->smaps.text.bytes)
    return;
  for (size_t i = 0; i < r->variable_count && r->stray_count > 0; i++)
    search_variables(r, &r->variables[i]);
}

/* --- What the allocators say about their part ----------------------------------------------- */

static void split_heap(const ouro_heap *heap, ledger *out) {
  ouro_heap_stats stats;
  if (!heap) return;
  ouro_heap_stats_read(heap, &stats);
  uint64_t rss = out->bytes[LEDGER_HEAP], ahead = rss > stats.resident ? rss - stats.resident : 0;
  const uint64_t books[] = {stats.requested, stats.rounding, stats.held,    stats.purgeable,
                            stats.pinned,    stats.waste,    stats.metadata};
  uint64_t *rows[sizeof books / sizeof *books];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    rows[i] = &out->bytes[LEDGER_HEAP_REQUESTED + i];
  out->bytes[LEDGER_HEAP] = 0;
  out->bytes[LEDGER_HEAP_AHEAD] = ahead;
  divide(rss - ahead, books, rows, sizeof rows / sizeof *rows);
  out->memo[LEDGER_MEMO_HEAP_LIVE] = stats.live;
  out->memo[LEDGER_MEMO_HEAP_LIVE_BLOCKS] = stats.live_blocks;
  out->memo[LEDGER_MEMO_HEAP_RESIDENT] = stats.resident;
  out->memo[LEDGER_MEMO_HEAP_PEAK] = stats.peak_pools;
  out->memo[LEDGER_MEMO_HEAP_RETURNED] = stats.returned;
  out->memo[LEDGER_MEMO_HEAP_LARGE] = stats.large;
  out->memo[LEDGER_MEMO_HEAP_ARENAS] = stats.arenas;
  out->memo[LEDGER_MEMO_HEAP_PINNED_ARENAS] = stats.pinned_arenas;
}

_Static_assert(LEDGER_HEAP_METADATA - LEDGER_HEAP_REQUESTED == 6,
               "the heap's rows in split_heap's order");

/* glibc counts free bytes whether or not their pages are resident; what it has in use is taken to
 * be. */
static void split_malloc(ledger *out) {
  uint64_t used, free, rss = out->bytes[LEDGER_MALLOC_USED];
  glibc_arena_bytes(&used, &free);
  out->memo[LEDGER_MEMO_MALLOC_FREE_TOTAL] = free;
  if (used + free == 0 || used >= rss) return;
  out->bytes[LEDGER_MALLOC_USED] = used;
  out->bytes[LEDGER_MALLOC_FREE] = rss - used;
}

static size_t row_index(const char *key) {
  size_t i = 0;
  while (strcmp(ledger_rows[i].key, key) != 0) i++;
  return i;
}

static void sum_parents(ledger *out) {
  for (size_t i = LEDGER_ROW_COUNT - 1; i > 0; i--)
    out->bytes[row_index(ledger_rows[i].parent)] += out->bytes[i];
}

/* --- The reading ---------------------------------------------------------------------------- */

static int read_smaps(reading *r) {
  mapping entry;
  if (!procfs_smaps_open(&r->smaps)) return errno;
  while (procfs_smaps_next(&r->smaps, &entry)) book_mapping(r, &entry);
  find_owners(r);
  procfs_smaps_close(&r->smaps);
  return 0;
}

static void read_status(reading *r) {
  ledger *out = r->out;
  uint64_t peak = procfs_status(&r->smaps.text, "VmHWM:") * 1024;
  uint64_t now = out->bytes[LEDGER_RESIDENT];
  /* The kernel's own counters may lag behind the pages. */
  out->memo[LEDGER_MEMO_PEAK] = peak > now ? peak : now;
  out->memo[LEDGER_MEMO_THREADS] = procfs_status(&r->smaps.text, "Threads:");
}

int ledger_read(const ouro_heap *heap, ledger *out) {
  memset(out, 0, sizeof *out);
  reading *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (r == MAP_FAILED) return errno;
  r->out = out;
  r->probes = PROBES;
  procfs_memory_open(&r->memory);
  claim(r, (uintptr_t)r, (uintptr_t)r + sizeof *r, LEDGER_READING);
  claim_heap(r, heap);
  claim_arenas(r);
  dl_iterate_phdr(claim_library, r);
  int error = read_smaps(r);
  if (!error) {
    split_heap(heap, out);
    split_malloc(out);
    sum_parents(out);
    read_status(r);
  }
  procfs_memory_close(&r->memory);
  munmap(r, sizeof *r);
  return error;
}
