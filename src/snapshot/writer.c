/* SPDX-License-Identifier: MIT */
/*
 * Each kind of block fills a buffer of its own, so that a type or a name may be met in the middle
 * of an object. An object's runs are staged until their number is known.
 */
#include "writer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crc32.h"
#include "varint.h"
#include "../os/os.h"

enum {
  SMALL_BLOCK = 1 << 16, /* of the kinds that are not objects */
  ENTRY_ROOM = 4096,     /* a fact, the longest entry of these: two texts */
  TEXT_MOST = 1024,      /* of facts, names of types and attributes, roots */
  RUN_HEAD = 2 * VARINT_MAX,
  EDGE_ROOM = 2 * VARINT_MAX,
  STAGE_SLACK = RUN_HEAD + EDGE_ROOM, /* a value that must stay with its key */
  OBJECT_HEAD = 7 * VARINT_MAX,
  PAIR = SNAPSHOT_LABEL_ROOM, /* in the head of a run of keys: they have values */
  ONE_KEY = 2 * SNAPSHOT_LABEL_ROOM,
  PAIRS_MOST = 127 - ONE_KEY, /* a head with room for one more in its byte */
  BLOCK_HEAD = sizeof(snapshot_block),
  BLOCK_PADDING = 8
};
OURO_STATIC_ASSERT(2 * WRITER_BLOCK + STAGE_SLACK + OBJECT_HEAD <= SNAPSHOT_BLOCK_MAX,
                   "a block that was not quite full and an object fit");
OURO_STATIC_ASSERT(2 * TEXT_MOST + 8 * VARINT_MAX <= ENTRY_ROOM, "an entry is two texts at most");

/* The payload of a block to be, with room for its head before it. */
typedef struct block_buffer {
  snapshot_block_kind kind;
  size_t used;
  uint8_t *at;
} block_buffer;

typedef struct remembered_object {
  uint64_t size, count;
  uint32_t flags, block;
} remembered_object;

struct writer {
  int descriptor, error;
  uint64_t written;
  uint64_t objects, edges, types, names, texts, roots;

  block_buffer blocks[SNAPSHOT_BLOCK_KINDS]; /* by kind */
  uint32_t block;                            /* of objects, from 1 */
  uint64_t last_address;                     /* in it, divided */
  uint64_t far[SNAPSHOT_FAR_SLOTS];          /* of it */
  uint64_t bases[2];                         /* of the blocks of texts and of contents, divided */

  /* The object that is being written. */
  writer_object_facts object;
  uint8_t *staged; /* the end of what is staged of its runs */
  uint64_t runs;
  bool more; /* a part of it was written */
  snapshot_label_kind kind, staged_kind;
  uint64_t run_left, chunk_left, index;
  uint8_t *key, *pairs; /* heads: of the run that is staged last, of one key; of pairs before it */
  uint64_t before[2];   /* targets, divided: the last one, the last value */

  crc32_table crc;
  remembered_object last[WRITER_TYPES_REMEMBERED];
  uint8_t stage[WRITER_BLOCK + STAGE_SLACK];
  uint8_t object_bytes[BLOCK_HEAD + 2 * WRITER_BLOCK + STAGE_SLACK + OBJECT_HEAD + BLOCK_PADDING];
  uint8_t small_bytes[SNAPSHOT_BLOCK_KINDS - 1]
                     [BLOCK_HEAD + SMALL_BLOCK + ENTRY_ROOM + BLOCK_PADDING];
};

size_t writer_size(void) { return sizeof(writer); }

static void write_bytes(writer *w, const void *bytes, size_t size) {
  if (!w->error) w->error = os_write_all(w->descriptor, bytes, size);
  if (!w->error) w->written += size;
}

static uint32_t block_checksum(const writer *w, const uint8_t *head, const block_buffer *b) {
  return crc32_of(&w->crc, crc32_of(&w->crc, 0, head, 8), b->at, b->used);
}

static void write_block(writer *w, block_buffer *b) {
  uint8_t *head = b->at - BLOCK_HEAD;
  size_t padding = (0 - b->used) % BLOCK_PADDING;
  varint_put_fixed(varint_put_fixed(head, b->kind, 4), b->used, 4);
  varint_put_fixed(varint_put_fixed(head + 8, block_checksum(w, head, b), 4), 0, 4);
  memset(b->at + b->used, 0, padding);
  write_bytes(w, head, BLOCK_HEAD + b->used + padding);
  b->used = 0;
}

static void write_if_any(writer *w, snapshot_block_kind kind) {
  if (w->blocks[kind].used) write_block(w, &w->blocks[kind]);
}

/* With all that its objects refer to and that came before them, lest a killed writer leave objects
 * without their types. */
static void write_objects(writer *w) {
  for (int kind = SNAPSHOT_FACTS; kind < SNAPSHOT_BLOCK_KINDS; kind++)
    if (kind != SNAPSHOT_OBJECTS && kind != SNAPSHOT_END) write_if_any(w, kind);
  write_if_any(w, SNAPSHOT_OBJECTS);
  memset(w->far, 0, sizeof w->far);
  w->block++;
  w->last_address = 0;
}

writer *writer_begin(void *memory, int descriptor) {
  writer *w = memory;
  uint8_t header[sizeof(snapshot_header)] = SNAPSHOT_MAGIC;
  w->descriptor = descriptor;
  w->block = 1;
  w->staged = w->stage;
  crc32_make(&w->crc);
  for (int kind = SNAPSHOT_FACTS; kind < SNAPSHOT_BLOCK_KINDS; kind++)
    w->blocks[kind] = (block_buffer){.kind = kind, .at = w->small_bytes[kind - 1] + BLOCK_HEAD};
  w->blocks[SNAPSHOT_OBJECTS].at = w->object_bytes + BLOCK_HEAD;
  varint_put_fixed(header + 8, SNAPSHOT_VERSION, 4);
  write_bytes(w, header, sizeof header);
  return w;
}

/* ---- what is not objects ---- */

static uint8_t *entry_begin(writer *w, snapshot_block_kind kind) {
  return w->blocks[kind].at + w->blocks[kind].used;
}

static void entry_end(writer *w, snapshot_block_kind kind, const uint8_t *end) {
  block_buffer *b = &w->blocks[kind];
  b->used = (size_t)(end - b->at);
  if (b->used >= SMALL_BLOCK) write_block(w, b);
}

/* Shortened to `most` bytes, between two characters of UTF-8. */
static uint8_t *put_text(uint8_t *at, const char *text, size_t length, size_t most) {
  if (length > most)
    for (length = most; length > 0 && ((uint8_t)text[length] & 0xC0) == 0x80;) length--;
  at = varint_put(at, length);
  if (length) memcpy(at, text, length);
  return at + length;
}

static uint8_t *put_string(uint8_t *at, const char *text) {
  return put_text(at, text, text ? strlen(text) : 0, TEXT_MOST);
}

void writer_fact(writer *w, const char *key, const char *format, ...) {
  char value[TEXT_MOST + 1];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(value, sizeof value, format, arguments);
  va_end(arguments);
  uint8_t *at = put_string(entry_begin(w, SNAPSHOT_FACTS), key);
  entry_end(w, SNAPSHOT_FACTS, put_string(at, value));
}

uint32_t writer_type(writer *w, snapshot_type_kind kind, uint32_t flags, uint64_t address,
                     uint64_t size, const char *name) {
  uint8_t *at = varint_put(entry_begin(w, SNAPSHOT_TYPES), w->types);
  at = varint_put(varint_put(at, kind), flags);
  at = varint_put(varint_put(at, address / SNAPSHOT_GRAIN), size);
  entry_end(w, SNAPSHOT_TYPES, put_string(at, name));
  return (uint32_t)w->types++;
}

uint32_t writer_name(writer *w, const char *text, size_t length) {
  uint8_t *at = varint_put(entry_begin(w, SNAPSHOT_NAMES), w->names);
  entry_end(w, SNAPSHOT_NAMES, put_text(at, text, length, TEXT_MOST));
  return (uint32_t)w->names++;
}

/* Behind its address, which is taken from the first one in the block. */
static uint8_t *addressed_begin(writer *w, snapshot_block_kind kind, uint64_t address) {
  uint8_t *at = entry_begin(w, kind);
  uint64_t *base = &w->bases[kind == SNAPSHOT_CONTENTS];
  address /= SNAPSHOT_GRAIN;
  if (w->blocks[kind].used == 0) at = varint_put(at, *base = address);
  return varint_put(at, varint_fold((int64_t)(address - *base)));
}

void writer_text(writer *w, uint64_t address, snapshot_text_kind kind, const char *text,
                 size_t length) {
  uint8_t *at = addressed_begin(w, SNAPSHOT_TEXTS, address);
  entry_end(w, SNAPSHOT_TEXTS, put_text(varint_put(at, kind), text, length, WRITER_TEXT_MAX));
  w->texts++;
}

void writer_content(writer *w, uint64_t address, uint32_t form, const char *text, size_t length) {
  uint8_t *at = addressed_begin(w, SNAPSHOT_CONTENTS, address);
  if (length > WRITER_CONTENT_MAX) form |= SNAPSHOT_CONTENT_CUT;
  entry_end(w, SNAPSHOT_CONTENTS, put_text(varint_put(at, form), text, length, WRITER_CONTENT_MAX));
}

void writer_root(writer *w, snapshot_root_kind kind, uint64_t target, const char *text) {
  uint8_t *at = varint_put(entry_begin(w, SNAPSHOT_ROOTS), kind);
  entry_end(w, SNAPSHOT_ROOTS, put_string(varint_put(at, target / SNAPSHOT_GRAIN), text));
  w->roots++;
}

/* ---- objects ---- */

/* Which of flags, size and count differ from the last object of its type; remembers them. */
static unsigned what_is_new(writer *w, const writer_object_facts *o) {
  const unsigned all = SNAPSHOT_HAS_FLAGS | SNAPSHOT_HAS_SIZE | SNAPSHOT_HAS_COUNT;
  if (o->type >= WRITER_TYPES_REMEMBERED) return all;
  remembered_object *last = &w->last[o->type];
  if (last->block != w->block) *last = (remembered_object){.block = w->block};
  unsigned new = (last->flags != o->flags ? SNAPSHOT_HAS_FLAGS : 0) |
                 (last->size != o->size ? SNAPSHOT_HAS_SIZE : 0) |
                 (last->count != o->count ? SNAPSHOT_HAS_COUNT : 0);
  *last = (remembered_object){o->size, o->count, o->flags, w->block};
  return new;
}

static uint8_t *put_object_head(writer *w, uint8_t *at) {
  const writer_object_facts *o = &w->object;
  unsigned has = w->more ? SNAPSHOT_MORE : what_is_new(w, o);
  if (o->digest && !w->more) has |= SNAPSHOT_HAS_DIGEST;
  if (w->runs) has |= SNAPSHOT_HAS_RUNS;
  at = varint_put(at, varint_fold((int64_t)(o->address / SNAPSHOT_GRAIN - w->last_address)));
  at = varint_put(at, o->type);
  *at++ = (uint8_t)has;
  if (has & SNAPSHOT_HAS_FLAGS) at = varint_put(at, o->flags);
  if (has & SNAPSHOT_HAS_SIZE) at = varint_put(at, o->size);
  if (has & SNAPSHOT_HAS_COUNT) at = varint_put(at, o->count);
  if (has & SNAPSHOT_HAS_DIGEST) at = varint_put_fixed(at, o->digest, 4);
  return w->runs ? varint_put(at, w->runs) : at;
}

static void begin_record(writer *w) {
  w->staged = w->stage;
  w->key = w->pairs = NULL;
  w->runs = 0;
  w->before[0] = w->before[1] = w->object.address / SNAPSHOT_GRAIN;
}

/* The object as far as it is staged becomes a record; what follows will be MORE of it. */
static void put_record(writer *w) {
  block_buffer *b = &w->blocks[SNAPSHOT_OBJECTS];
  size_t staged = (size_t)(w->staged - w->stage);
  uint8_t *at = put_object_head(w, b->at + b->used);
  memcpy(at, w->stage, staged);
  b->used = (size_t)(at + staged - b->at);
  w->last_address = w->object.address / SNAPSHOT_GRAIN;
  w->more = true;
  begin_record(w);
  if (b->used >= WRITER_BLOCK) write_objects(w);
}

void writer_object(writer *w, const writer_object_facts *object) {
  w->object = *object;
  w->more = false;
  w->staged_kind = SNAPSHOT_UNNAMED;
  w->objects++;
  begin_record(w);
}

/* The caller's mistake: the file would not say what was meant. Nothing more is written. */
OURO_COLD static void writer_misused(writer *w) {
  if (!w->error) w->error = EINVAL;
}

void writer_run(writer *w, snapshot_label_kind kind, uint64_t first, uint64_t edges) {
  if (OURO_UNLIKELY(w->run_left)) writer_misused(w);
  w->kind = kind;
  w->index = first;
  w->run_left = edges;
  w->chunk_left = 0;
}

/* A value behind its key needs no head: the two are a pair, which begins a run or joins one. */
static bool join_pair(writer *w) {
  if (w->kind != SNAPSHOT_VALUE || w->run_left != 1 || !w->key) return false;
  if (w->pairs && *w->pairs <= PAIRS_MOST) {
    *w->pairs += ONE_KEY;
    memmove(w->key, w->key + 1, (size_t)(w->staged - w->key) - 1);
    w->staged--;
    w->runs--;
  } else {
    *w->key += PAIR;
    w->pairs = w->key;
  }
  w->key = NULL;
  w->chunk_left = 1;
  return true;
}

static uint8_t *put_run_head(writer *w, uint8_t *at, uint64_t edges) {
  bool keys = w->kind == SNAPSHOT_KEY, one = keys && edges == 1;
  w->key = one ? at : NULL;
  if (!one) w->pairs = NULL;
  at = varint_put(at, (uint64_t)w->kind + SNAPSHOT_LABEL_ROOM * edges * (keys ? 2 : 1));
  return w->kind == SNAPSHOT_INDEX ? varint_put(at, w->index) : at;
}

/* Begins a run of as many edges of the caller's run as surely fit. */
static void begin_chunk(writer *w) {
  if (join_pair(w)) return;
  ptrdiff_t room = w->stage + WRITER_BLOCK - w->staged;
  bool of_a_key = w->kind == SNAPSHOT_VALUE && w->staged_kind == SNAPSHOT_KEY;
  if (room < RUN_HEAD + EDGE_ROOM && !of_a_key) {
    put_record(w);
    room = WRITER_BLOCK;
  }
  ptrdiff_t fit = (room - RUN_HEAD) / EDGE_ROOM;
  uint64_t edges = fit > 0 ? (uint64_t)fit : 1;
  if (edges > w->run_left) edges = w->run_left;
  w->staged = put_run_head(w, w->staged, edges);
  w->staged_kind = w->kind;
  w->index += edges;
  w->chunk_left = edges;
  w->runs++;
}

static inline bool next_edge(writer *w) {
  if (OURO_UNLIKELY(w->run_left == 0)) return writer_misused(w), false;
  if (w->chunk_left == 0) begin_chunk(w);
  w->run_left--;
  w->chunk_left--;
  w->edges++;
  return true;
}

static inline void put_known(writer *w, unsigned slot) {
  *w->staged++ = 0;
  *w->staged++ = (uint8_t)slot;
}

static inline void put_target(writer *w, uint64_t address) {
  uint64_t target = address / SNAPSHOT_GRAIN, *before = &w->before[w->kind == SNAPSHOT_VALUE];
  uint64_t difference = varint_fold((int64_t)(target - *before));
  unsigned slot = snapshot_far_slot(target);
  if (difference == 0) put_known(w, SNAPSHOT_SAME);
  else if (difference >= SNAPSHOT_FAR && w->far[slot] == target) put_known(w, slot);
  else {
    if (difference >= SNAPSHOT_FAR) w->far[slot] = target;
    w->staged = varint_put(w->staged, difference);
    *before = target;
  }
}

void writer_edge(writer *w, uint64_t target) {
  if (OURO_UNLIKELY(snapshot_label_named(w->kind))) writer_misused(w);
  else if (next_edge(w)) put_target(w, target);
}

void writer_named_edge(writer *w, uint32_t name, uint64_t target) {
  if (OURO_UNLIKELY(!snapshot_label_named(w->kind))) writer_misused(w);
  else if (next_edge(w)) {
    w->staged = varint_put(w->staged, name);
    put_target(w, target);
  }
}

void writer_object_end(writer *w) {
  if (OURO_UNLIKELY(w->run_left)) writer_misused(w);
  if (!w->more || w->runs) put_record(w);
}

int writer_end(writer *w) {
  write_objects(w);
  uint8_t *at = entry_begin(w, SNAPSHOT_END);
  at = varint_put(varint_put(at, w->objects), w->edges);
  at = varint_put(varint_put(at, w->types), w->names);
  at = varint_put(varint_put(at, w->texts), w->roots);
  entry_end(w, SNAPSHOT_END, at);
  write_if_any(w, SNAPSHOT_END);
  return w->error;
}

uint64_t writer_objects(const writer *w) { return w->objects; }

uint64_t writer_bytes(const writer *w) {
  uint64_t bytes = w->written;
  for (int kind = SNAPSHOT_FACTS; kind < SNAPSHOT_BLOCK_KINDS; kind++)
    bytes += w->blocks[kind].used;
  return bytes;
}
