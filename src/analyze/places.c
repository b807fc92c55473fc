/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../base/assert.h"
#include "array.h"
#include "places.h"

/* The entry of a piece, or the empty one where it belongs. */
static places_piece *places_entry(const graph_places *p, uint64_t number) {
  size_t i = places_hash(number) & (p->room - 1);
  while (p->pieces[i].present && p->pieces[i].number != number) i = (i + 1) & (p->room - 1);
  return &p->pieces[i];
}

static bool places_grow(graph_places *p) {
  graph_places larger = {.room = p->room ? 2 * p->room : 64};
  larger.pieces = array_make(larger.room, sizeof *larger.pieces);
  if (!larger.pieces) return false;
  for (size_t i = 0; i < p->room; i++)
    if (p->pieces[i].present) *places_entry(&larger, p->pieces[i].number) = p->pieces[i];
  array_free(p->pieces, p->room, sizeof *p->pieces);
  p->pieces = larger.pieces;
  p->room = larger.room;
  p->last = 0;
  return true;
}

bool places_note(graph_places *p, uint64_t address) {
  uint64_t number = address >> PLACES_PIECE_BITS;
  uint32_t line = 1u << ((address >> PLACES_LINE_BITS) & 31);
  if (2 * p->used >= p->room && !places_grow(p)) return false;
  places_piece *piece = &p->pieces[p->last];
  if (!piece->present || piece->number != number) {
    piece = places_entry(p, number);
    p->last = (size_t)(piece - p->pieces);
    p->used += piece->present == 0;
    piece->number = number;
  }
  piece->present |= line;
  return true;
}

static int places_order(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static uint64_t *places_numbers(const graph_places *p) {
  uint64_t *numbers = array_make(p->used, sizeof *numbers);
  if (!numbers) return NULL;
  size_t n = 0;
  for (size_t i = 0; i < p->room; i++)
    if (p->pieces[i].present) numbers[n++] = p->pieces[i].number;
  qsort(numbers, n, sizeof *numbers, places_order);
  return numbers;
}

/* Lines lie in the order of their addresses. */
static void places_lay_piece(graph_places *p, places_piece *piece, size_t *next) {
  piece->line = (uint32_t)*next;
  for (uint32_t left = piece->present; left; left &= left - 1)
    p->lines[(*next)++].number = piece->number * 32 + ouro_lowest_bit(left);
}

bool places_lay(graph_places *p) {
  if (p->room == 0 && !places_grow(p)) return false;
  uint64_t *numbers = places_numbers(p);
  if (!numbers) return false;
  for (size_t i = 0; i < p->room; i++) p->count += bits_count(p->pieces[i].present);
  p->lines = p->count < PLACES_NONE ? array_make(p->count, sizeof *p->lines) : NULL;
  size_t next = 0;
  for (size_t i = 0; p->lines && i < p->used; i++)
    places_lay_piece(p, places_entry(p, numbers[i]), &next);
  array_free(numbers, p->used, sizeof *numbers);
  return p->lines != NULL;
}

bool places_set(graph_places *p, uint64_t address) {
  places_line *line = places_line_of(p, address);
  OURO_ASSERT(line);
  uint64_t *word = &line->bits[(address >> (PLACES_GRAIN_BITS + 6)) & (PLACES_WORDS - 1)];
  uint64_t bit = (uint64_t)1 << ((address >> PLACES_GRAIN_BITS) & 63);
  if (*word & bit) return false;
  *word |= bit;
  return true;
}

uint64_t places_rank(graph_places *p) {
  uint64_t before = 0;
  for (size_t i = 0; i < p->count; i++) {
    places_line *line = &p->lines[i];
    line->first = (uint32_t)before;
    unsigned here = 0;
    for (unsigned w = 0; w < PLACES_WORDS; w++) {
      line->below[w] = (uint8_t)here;
      here += bits_count(line->bits[w]);
    }
    before += here;
  }
  return before < PLACES_NONE ? before : UINT64_MAX;
}

void places_finish(graph_places *p) {
  array_free(p->pieces, p->room, sizeof *p->pieces);
  if (p->lines) array_free(p->lines, p->count, sizeof *p->lines);
  *p = (graph_places){0};
}

/* The last line that begins with object n or one before it. */
static const places_line *places_line_with(const graph_places *p, uint32_t n) {
  size_t low = 0, high = p->count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (p->lines[middle].first <= n) low = middle;
    else high = middle;
  }
  return &p->lines[low];
}

static unsigned places_nth_bit(uint64_t word, unsigned n) {
  while (n-- > 0) word &= word - 1;
  return ouro_lowest_bit(word);
}

uint64_t places_address(const graph_places *p, uint32_t n) {
  const places_line *line = places_line_with(p, n);
  unsigned nth = n - line->first, word = PLACES_WORDS - 1;
  while (line->below[word] > nth) word--;
  unsigned bit = word * 64 + places_nth_bit(line->bits[word], nth - line->below[word]);
  return (line->number << PLACES_LINE_BITS) + ((uint64_t)bit << PLACES_GRAIN_BITS);
}
