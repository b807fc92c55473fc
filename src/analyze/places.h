/* SPDX-License-Identifier: MIT */
/*
 * Which addresses begin objects, as a set with ranks: the object at an address is the n-th of all.
 *
 *     line  = a bit for each place of 2 KiB where an object may begin, and how many begin before
 *     piece = the lines of 64 KiB of addresses that have any, one after another
 *
 * Pieces are found by hashing. Per object of 64 bytes that takes 1.5 bytes, against 16 and more in
 * a table of addresses, and objects next to each other share lines of the cache.
 *
 * It is filled in steps: places_note for each address, places_lay, places_set for each address
 * again, places_rank; then it can be asked.
 */
#ifndef OURO_SRC_ANALYZE_PLACES_H
#define OURO_SRC_ANALYZE_PLACES_H

#include "../base/bits.h"
#include "../snapshot/format.h"

#define PLACES_NONE UINT32_MAX

enum {
  PLACES_PIECE_BITS = 16,
  PLACES_LINE_BITS = 11,
  PLACES_GRAIN_BITS = 3,
  PLACES_WORDS = 1 << (PLACES_LINE_BITS - PLACES_GRAIN_BITS - 6)
};

OURO_STATIC_ASSERT(1 << PLACES_GRAIN_BITS == SNAPSHOT_GRAIN, "a bit per grain");
OURO_STATIC_ASSERT(1 << (PLACES_PIECE_BITS - PLACES_LINE_BITS) == 32, "a piece's lines fit a word");

typedef struct places_line {
  uint64_t bits[PLACES_WORDS];
  uint64_t number;             /* its first address / its length */
  uint32_t first;              /* objects in the lines before */
  uint8_t below[PLACES_WORDS]; /* objects in this line's words before each */
} places_line;

OURO_STATIC_ASSERT((PLACES_WORDS - 1) * 64 <= UINT8_MAX, "places_line.below holds it");

typedef struct places_piece {
  uint64_t number;  /* address / its length */
  uint32_t present; /* which of its lines are there; 0: the entry is empty */
  uint32_t line;    /* the first one */
} places_piece;

typedef struct graph_places {
  places_piece *pieces; /* open addressing; at most half of the room is used */
  size_t room, used;
  size_t last; /* the entry that was noted last */
  places_line *lines;
  size_t count; /* of lines */
} graph_places;

/* An address that will be set, a multiple of SNAPSHOT_GRAIN. False: out of memory. All zero is an
 * empty set. */
bool places_note(graph_places *p, uint64_t address);

/* Once all are noted. False: out of memory. */
bool places_lay(graph_places *p);

/* An object begins at an address that was noted. False: another one did before. */
bool places_set(graph_places *p, uint64_t address);

/* Once all are set: how many there are; UINT64_MAX: 2^32 - 1 or more. */
uint64_t places_rank(graph_places *p);

void places_finish(graph_places *p);

static inline size_t places_hash(uint64_t number) {
  return (size_t)(number * 0x9E3779B97F4A7C15u >> 24);
}

/* The line of an address, or NULL. */
static inline places_line *places_line_of(const graph_places *p, uint64_t address) {
  uint64_t number = address >> PLACES_PIECE_BITS;
  unsigned nth = (unsigned)(address >> PLACES_LINE_BITS) & 31;
  for (size_t i = places_hash(number) & (p->room - 1); p->pieces[i].present;
       i = (i + 1) & (p->room - 1)) {
    const places_piece *piece = &p->pieces[i];
    if (piece->number != number) continue;
    if (!(piece->present >> nth & 1)) return NULL;
    return &p->lines[piece->line + bits_count(piece->present & bits_below(nth))];
  }
  return NULL;
}

/* Which object of its line begins at an address, or PLACES_NONE. */
static inline uint32_t places_in_line(const places_line *line, uint64_t address) {
  unsigned word = (unsigned)(address >> (PLACES_GRAIN_BITS + 6)) & (PLACES_WORDS - 1);
  unsigned bit = (unsigned)(address >> PLACES_GRAIN_BITS) & 63;
  if (!(line->bits[word] >> bit & 1)) return PLACES_NONE;
  return line->first + line->below[word] + bits_count(line->bits[word] & bits_below(bit));
}

/* Which object begins at an address, or PLACES_NONE. */
static inline uint32_t places_find(const graph_places *p, uint64_t address) {
  if (address & (SNAPSHOT_GRAIN - 1)) return PLACES_NONE;
  const places_line *line = places_line_of(p, address);
  return line ? places_in_line(line, address) : PLACES_NONE;
}

/* Where the n-th object begins; there are more than n. */
uint64_t places_address(const graph_places *p, uint32_t n);

#endif
