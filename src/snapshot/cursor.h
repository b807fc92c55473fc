/* SPDX-License-Identifier: MIT */
/* The decoder of objects, inline: every analysis runs through all of them. Included by reader.h. */
#ifndef OURO_SRC_SNAPSHOT_CURSOR_H
#define OURO_SRC_SNAPSHOT_CURSOR_H

#include "reader.h"
#include "varint.h"

/* Addresses in the file are divided; undivided ones have 64 bits. */
#define CURSOR_ADDRESS_END ((uint64_t)1 << 61)

/* Ends the cursor for good. Returns false. */
OURO_COLD bool cursor_damage(snapshot_cursor *c);

static inline bool cursor_number(snapshot_cursor *c, uint64_t *value) {
  return varint_get(&c->at, c->end, value);
}

/* A number with a limit. */
static inline bool cursor_below(snapshot_cursor *c, uint64_t limit, uint64_t *value) {
  return varint_get(&c->at, c->end, value) && OURO_LIKELY(*value < limit);
}

/* The object's address, from the one before. */
static inline bool cursor_address(snapshot_cursor *c) {
  uint64_t difference, address = c->object.address / SNAPSHOT_GRAIN;
  if (!cursor_number(c, &difference)) return false;
  address += varint_unfold(difference);
  c->object.address = address * SNAPSHOT_GRAIN;
  c->before[0] = c->before[1] = address;
  return OURO_LIKELY(address - 1 < CURSOR_ADDRESS_END - 1); /* nor is it 0 */
}

/* A target that was met: what follows the zero says which. */
static inline bool cursor_known(snapshot_cursor *c, uint64_t before, uint64_t *target) {
  if (c->at == c->end || *c->at > SNAPSHOT_SAME) return false;
  unsigned slot = *c->at++;
  *target = SNAPSHOT_GRAIN * (slot == SNAPSHOT_SAME ? before : c->far[slot]);
  return true;
}

static inline bool cursor_target(snapshot_cursor *c, uint64_t *target) {
  uint64_t difference, *before = &c->before[c->kind == SNAPSHOT_VALUE];
  if (!cursor_number(c, &difference)) return false;
  if (difference == 0) return cursor_known(c, *before, target);
  uint64_t address = *before + varint_unfold(difference);
  *before = address;
  if (OURO_UNLIKELY(difference >= SNAPSHOT_FAR)) c->far[snapshot_far_slot(address)] = address;
  *target = address * SNAPSHOT_GRAIN;
  return OURO_LIKELY(address < CURSOR_ADDRESS_END);
}

static inline cursor_last *cursor_last_of(snapshot_cursor *c, uint32_t type) {
  cursor_last *last = &c->last[type];
  if (OURO_UNLIKELY(last->begun != c->begun)) *last = (cursor_last){.begun = c->begun};
  return last;
}

static inline bool cursor_digest(snapshot_cursor *c) {
  if (c->end - c->at < 4) return false;
  c->object.digest = varint_fixed32(c->at);
  c->at += 4;
  return true;
}

/* What the header byte says is there, after it. */
static inline bool cursor_fields(snapshot_cursor *c, unsigned has) {
  cursor_last *last = cursor_last_of(c, c->object.type);
  uint64_t flags = last->flags, size = last->size, count = last->count;
  c->object.digest = 0;
  if (has & SNAPSHOT_HAS_FLAGS && !cursor_below(c, (uint64_t)UINT32_MAX + 1, &flags)) return false;
  if (has & SNAPSHOT_HAS_SIZE && !cursor_number(c, &size)) return false;
  if (has & SNAPSHOT_HAS_COUNT && !cursor_number(c, &count)) return false;
  if (has & SNAPSHOT_HAS_DIGEST && !cursor_digest(c)) return false;
  c->object.flags = last->flags = (uint32_t)flags;
  c->object.size = last->size = size;
  c->object.count = last->count = count;
  return true;
}

static inline bool cursor_more(snapshot_cursor *c, unsigned has) {
  const snapshot_object *o = &c->object;
  c->object = (snapshot_object){.address = o->address, .type = o->type, .more = true};
  return (has & ~(unsigned)SNAPSHOT_HAS_RUNS) == SNAPSHOT_MORE;
}

static inline bool cursor_record(snapshot_cursor *c) {
  uint64_t type;
  snapshot_object *o = &c->object;
  if (!cursor_address(c)) return false;
  if (!cursor_below(c, c->types, &type) || c->at == c->end) return false;
  o->type = (uint32_t)type;
  o->more = false;
  unsigned has = *c->at++;
  if (OURO_UNLIKELY(has >= SNAPSHOT_MORE)) {
    if (!cursor_more(c, has)) return false;
  } else if (!cursor_fields(c, has)) return false;
  return !(has & SNAPSHOT_HAS_RUNS) || cursor_number(c, &c->runs_left);
}

static inline bool cursor_run(snapshot_cursor *c) {
  uint64_t head;
  c->runs_left--;
  if (!cursor_number(c, &head)) return false;
  c->kind = (snapshot_label_kind)(head % SNAPSHOT_LABEL_ROOM);
  uint64_t many = head / SNAPSHOT_LABEL_ROOM;
  bool keys = c->kind == SNAPSHOT_KEY;
  c->paired = keys && many % 2;
  c->edges_left = keys ? many / 2 << c->paired : many;
  return c->kind != SNAPSHOT_INDEX || cursor_number(c, &c->next_index);
}

static inline bool cursor_edge(snapshot_cursor *c, snapshot_edge *edge) {
  while (c->edges_left == 0) {
    if (c->runs_left == 0) return false;
    if (OURO_UNLIKELY(!cursor_run(c))) return cursor_damage(c);
  }
  c->edges_left--;
  if (c->paired) c->kind = c->edges_left % 2 ? SNAPSHOT_KEY : SNAPSHOT_VALUE;
  edge->kind = c->kind;
  edge->label = 0;
  if (snapshot_label_named(c->kind)) {
    if (OURO_UNLIKELY(!cursor_number(c, &edge->label))) return cursor_damage(c);
  } else if (c->kind == SNAPSHOT_INDEX) edge->label = c->next_index++;
  else if (c->kind == SNAPSHOT_VALUE) edge->label = c->last_key;
  if (OURO_UNLIKELY(!cursor_target(c, &edge->target))) return cursor_damage(c);
  if (c->kind == SNAPSHOT_KEY) c->last_key = edge->target;
  return true;
}

static inline bool cursor_object(snapshot_cursor *c) {
  snapshot_edge unread;
  while (c->edges_left | c->runs_left)
    if (!cursor_edge(c, &unread)) break;
  if (c->at == c->end) return false;
  c->last_key = 0;
  return OURO_LIKELY(cursor_record(c)) || cursor_damage(c);
}

#endif
