/* SPDX-License-Identifier: MIT */
/*
 * The process ledger: every resident byte of this process in exactly one row.
 *
 * The rows are a tree. A parent is the sum of its children, and `resident` is the sum of Rss over
 * /proc/self/smaps as it was read, so the sums hold exactly by construction; what cannot be told
 * apart is never spread over other rows, it is in LEDGER_UNKNOWN.
 *
 * Memos are facts about the same process that are no part of the sum.
 */
#ifndef OURO_EXT_LEDGER_H
#define OURO_EXT_LEDGER_H

#include <ouro/pool.h>

/* M(id, key, parent's key ("": the root), label). Parents come before their children. */
#define LEDGER_ROWS(M)                                                                             \
  M(RESIDENT, "resident", "", "resident")                                                          \
  M(HEAP, "heap", "resident", "Ouro's heap")                                                       \
  M(HEAP_REQUESTED, "heap.requested", "heap", "live blocks, as asked for")                         \
  M(HEAP_ROUNDING, "heap.rounding", "heap", "rounding up to size classes")                         \
  M(HEAP_HELD, "heap.held", "heap", "free, claimed for the next requests")                         \
  M(HEAP_PURGEABLE, "heap.purgeable", "heap", "free pages: can be given back")                     \
  M(HEAP_PINNED, "heap.pinned", "heap", "free, on pages that live blocks keep")                    \
  M(HEAP_WASTE, "heap.waste", "heap", "ends and colouring of pools")                               \
  M(HEAP_METADATA, "heap.metadata", "heap", "descriptors")                                         \
  M(HEAP_AHEAD, "heap.ahead", "heap", "touched ahead by huge pages")                               \
  M(PYTHON, "python", "resident", "the interpreter's own")                                         \
  M(PYTHON_ARENAS, "python.arenas", "python", "arenas from before Ouro")                           \
  M(PYTHON_FRAMES, "python.frames", "python", "frame stacks")                                      \
  M(MALLOC, "malloc", "resident", "system allocator")                                              \
  M(MALLOC_USED, "malloc.used", "malloc", "in use, in its arenas")                                 \
  M(MALLOC_MAPPED, "malloc.mapped", "malloc", "in use, mapped one by one")                         \
  M(MALLOC_FREE, "malloc.free", "malloc", "free and kept")                                         \
  M(STACKS, "stacks", "resident", "stacks")                                                        \
  M(STACKS_MAIN, "stacks.main", "stacks", "main thread")                                           \
  M(STACKS_THREADS, "stacks.threads", "stacks", "other threads")                                   \
  M(LIBRARIES, "libraries", "resident", "program and libraries")                                   \
  M(LIBRARIES_CODE, "libraries.code", "libraries", "code and constants")                           \
  M(LIBRARIES_DATA, "libraries.data", "libraries", "variables")                                    \
  M(LIBRARIES_MAPPED, "libraries.mapped", "libraries", "mapped by libraries themselves")           \
  M(FILES, "files", "resident", "mapped files")                                                    \
  M(SHARED, "shared", "resident", "shared memory")                                                 \
  M(READING, "reading", "resident", "taking this ledger")                                          \
  M(UNKNOWN, "unknown", "resident", "not attributed")

/* M(id, key, unit, label) */
#define LEDGER_MEMOS(M)                                                                            \
  M(PEAK, "peak", "bytes", "most resident at once")                                                \
  M(SWAP, "swap", "bytes", "swapped out")                                                          \
  M(PRIVATE, "private", "bytes", "resident, this process's alone")                                 \
  M(COMMON, "common", "bytes", "resident, in common with other processes")                         \
  M(FORK_SHARED, "fork_shared", "bytes", "not yet copied since a fork")                            \
  M(HUGE_PAGES, "huge_pages", "bytes", "in huge pages")                                            \
  M(HEAP_LIVE, "heap.live", "bytes", "live blocks of Ouro's heap at their class size")             \
  M(HEAP_LIVE_BLOCKS, "heap.live_blocks", "count", "live blocks of Ouro's heap")                   \
  M(HEAP_RESIDENT, "heap.resident", "bytes", "Ouro's heap by its own books")                       \
  M(HEAP_PEAK, "heap.peak", "bytes", "most in pools at once")                                      \
  M(HEAP_RETURNED, "heap.returned", "bytes", "given back to the system so far")                    \
  M(HEAP_LARGE, "heap.large", "bytes", "larger requests, passed on to the system allocator")       \
  M(HEAP_ARENAS, "heap.arenas", "count", "arenas in use")                                          \
  M(HEAP_PINNED_ARENAS, "heap.pinned_arenas", "count", "arenas of which half or more is free")     \
  M(MALLOC_FREE_TOTAL, "malloc.free_total", "bytes",                                               \
    "free in the system allocator, resident or not")                                               \
  M(THREADS, "threads", "count", "threads")                                                        \
  M(MAPPINGS, "mappings", "count", "mappings")

#define LEDGER_ROW_ID(id, key, parent, label) LEDGER_##id,
enum { LEDGER_ROWS(LEDGER_ROW_ID) LEDGER_ROW_COUNT };
#undef LEDGER_ROW_ID

#define LEDGER_MEMO_ID(id, key, unit, label) LEDGER_MEMO_##id,
enum { LEDGER_MEMOS(LEDGER_MEMO_ID) LEDGER_MEMO_COUNT };
#undef LEDGER_MEMO_ID

typedef struct ledger {
  uint64_t bytes[LEDGER_ROW_COUNT];
  uint64_t memo[LEDGER_MEMO_COUNT];
} ledger;

typedef struct ledger_row {
  const char *key, *parent, *label;
} ledger_row;

typedef struct ledger_memo {
  const char *key, *unit, *label;
} ledger_memo;

extern const ledger_row ledger_rows[LEDGER_ROW_COUNT];
extern const ledger_memo ledger_memos[LEDGER_MEMO_COUNT];

/* Fills `out` for the calling process. `heap` may be NULL. Any thread, with or without the GIL;
 * takes no memory from Python's or the system's allocator. 0, or an errno value (`out` is then all
 * zero). */
int ledger_read(const ouro_heap *heap, ledger *out);

/* Remembers where the interpreter's own arenas lie, from the addresses of the objects alive now.
 * Call once when the allocator hook goes in, with the GIL held. */
void ledger_note_interpreter(void);

#endif
