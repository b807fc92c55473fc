/* SPDX-License-Identifier: MIT */
/*
 * Reads a snapshot, trusting nothing of it: every length, id and count is checked before use, and
 * what does not fit ends in a reason, never in a crash. A file whose writer was killed reads up to
 * its last whole block and says so. Blocks decode independently of each other, from several threads
 * if wanted; an open snapshot does not change.
 */
#ifndef OURO_SRC_SNAPSHOT_READER_H
#define OURO_SRC_SNAPSHOT_READER_H

#include "format.h"

#define SNAPSHOT_WHY 200

typedef struct snapshot snapshot;

typedef struct snapshot_text {
  const char *text; /* in the file: not terminated, may hold any bytes */
  uint32_t length;
} snapshot_text;

typedef struct snapshot_type {
  snapshot_type_kind kind;
  uint32_t flags;
  uint64_t address, size; /* of the type object, 0: none; of an instance without its items */
  snapshot_text name;     /* with its module, but for builtins */
} snapshot_type;

typedef struct snapshot_root {
  snapshot_root_kind kind;
  uint64_t target;
  snapshot_text text;
} snapshot_root;

typedef struct snapshot_object {
  uint64_t address, size, count;
  uint32_t type, flags, digest;
  bool more; /* continues an object met before: only its edges are new */
} snapshot_object;

typedef struct snapshot_edge {
  uint64_t target;
  snapshot_label_kind kind;
  uint64_t
      label; /* INDEX: the index; VALUE: its key's address; named kinds: the name's id; else 0 */
} snapshot_edge;

typedef struct snapshot_totals {
  uint64_t objects, edges, types, names, texts, roots;
} snapshot_totals;

/* Opens and checks the file's frame: blocks, checksums, types, names, texts, roots. Objects are
 * checked as they are read. NULL, with the reason, which does not repeat the path: no such file,
 * not a snapshot, a later version, damaged, out of memory. The caller closes it. */
snapshot *snapshot_open(const char *path, char why[SNAPSHOT_WHY]);
void snapshot_close(snapshot *s);

/* Whether the end block was there. If not, totals are what was found. Totals of objects and edges
 * are what the writer said, though never more than the file has room for. */
bool snapshot_complete(const snapshot *s);
snapshot_totals snapshot_count(const snapshot *s);
uint64_t snapshot_file_bytes(const snapshot *s);

/* Gives back the memory that the mapped file takes. What is asked afterwards is read from the file
 * again. */
void snapshot_forget(const snapshot *s);

/* The value of a fact, its text empty (NULL, 0) if it is not there; the n-th fact. */
snapshot_text snapshot_fact(const snapshot *s, const char *key);
bool snapshot_nth_fact(const snapshot *s, size_t n, snapshot_text *key, snapshot_text *value);
/* A fact that is a decimal number; `otherwise` if it is none. */
uint64_t snapshot_number(const snapshot *s, const char *key, uint64_t otherwise);

/* By id; ids beyond the totals give an empty type or text. */
snapshot_type snapshot_type_of(const snapshot *s, uint32_t id);
snapshot_text snapshot_name(const snapshot *s, uint64_t id);
snapshot_root snapshot_nth_root(const snapshot *s, size_t n);

/* What an object is called, and whether it has a text at all; of several the first. */
bool snapshot_text_of(const snapshot *s, uint64_t address, snapshot_text_kind *kind,
                      snapshot_text *text);

/* What a leaf holds (docs/snapshot-format.md), with its form and whether it was longer. False: it
 * was not asked for, or there is none of this object. */
typedef struct snapshot_content {
  snapshot_content_form form;
  bool cut;
  snapshot_text text;
} snapshot_content;
bool snapshot_content_of(const snapshot *s, uint64_t address, snapshot_content *content);

/* Whether the file has contents, or would have where it is not complete. */
bool snapshot_holds_contents(const snapshot *s);

/* Blocks of objects, from 0; each holds at most SNAPSHOT_BLOCK_MAX bytes. */
size_t snapshot_object_blocks(const snapshot *s);

/* What the last object of a type was, for the next one that does not say. */
typedef struct cursor_last {
  uint64_t size, count;
  uint32_t flags, begun;
} cursor_last;

/* A position in one of them. */
typedef struct snapshot_cursor {
  const snapshot *from;
  const uint8_t *at, *end;
  snapshot_object object;
  uint64_t runs_left, edges_left, next_index, last_key;
  snapshot_label_kind kind;
  bool paired;  /* the run is of keys, each with its value */
  bool damaged; /* what was read before it is good */

  uint64_t before[2];               /* targets, divided: the last one, the last value */
  uint64_t far[SNAPSHOT_FAR_SLOTS]; /* of this block */
  cursor_last *last;                /* by type; the cursor's */
  uint32_t types, types_room, begun;
} snapshot_cursor;

/* Begins a block; one cursor may begin one after another, of one snapshot or several. False: out of
 * memory. All zero at first. */
bool cursor_begin(snapshot_cursor *c, const snapshot *s, size_t block);
void cursor_finish(snapshot_cursor *c);

/* The next object, past the edges that were not read. Of one that continues only address and type
 * are set. False: the end, or `damaged`. */
static inline bool cursor_object(snapshot_cursor *c);
/* The next edge of this object. False: there is none, or `damaged`. */
static inline bool cursor_edge(snapshot_cursor *c, snapshot_edge *edge);

#include "cursor.h"

#endif
