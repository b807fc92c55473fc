/* SPDX-License-Identifier: MIT */
/*
 * Writes a snapshot to a descriptor, one block at a time. Nothing is allocated: the writer is one
 * struct of about 1.4 MiB, so that a forked child of a program near its limit can have it in fresh
 * pages and no lock is needed. Errors stick: after one nothing is written and writer_end tells it.
 * One thread.
 *
 *     writer_begin; then in any order facts, types, names, texts, roots, contents and objects;
 *     writer_end
 *     writer_object, then its runs (writer_run, then exactly that many edges), writer_object_end
 */
#ifndef OURO_SRC_SNAPSHOT_WRITER_H
#define OURO_SRC_SNAPSHOT_WRITER_H

#include "format.h"

#define WRITER_BLOCK (1u << 18)      /* payload bytes before a block is written */
#define WRITER_TYPES_REMEMBERED 4096 /* types with larger ids repeat flags, size and count */

typedef struct writer_object_facts {
  uint64_t address; /* a multiple of SNAPSHOT_GRAIN, not 0 */
  uint32_t type, flags;
  uint64_t size;   /* bytes it keeps from other uses */
  uint64_t count;  /* references, as counted; 0 of pseudo objects */
  uint32_t digest; /* of equal contents equal; 0: none */
} writer_object_facts;

typedef struct writer writer;

/* Bytes a writer needs; writer_begin makes one of that much zeroed memory, aligned to 16, and
 * writes the file's header. The descriptor stays the caller's. */
size_t writer_size(void);
writer *writer_begin(void *memory, int descriptor);

void writer_fact(writer *w, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Ids count from 0, in the order of the calls; the caller keeps what got which. */
uint32_t writer_type(writer *w, snapshot_type_kind kind, uint32_t flags, uint64_t address,
                     uint64_t size, const char *name);
uint32_t writer_name(writer *w, const char *text, size_t length);

/* Texts longer than WRITER_TEXT_MAX bytes are cut there, between characters. */
#define WRITER_TEXT_MAX 120
void writer_text(writer *w, uint64_t address, snapshot_text_kind kind, const char *text,
                 size_t length);
/* What a leaf holds: a form, with SNAPSHOT_CONTENT_CUT where the caller has left something out. It
 * is added here for texts longer than this many bytes, which are cut there, between characters. */
#define WRITER_CONTENT_MAX 200
void writer_content(writer *w, uint64_t address, uint32_t form, const char *text, size_t length);

void writer_root(writer *w, snapshot_root_kind kind, uint64_t target, const char *text);

void writer_object(writer *w, const writer_object_facts *object);

/* The next `edges` edges have this kind of label; `first`: the first one's index, of INDEX runs.
 * How many there will be must be known; a run may be 0 edges long. */
void writer_run(writer *w, snapshot_label_kind kind, uint64_t first, uint64_t edges);
void writer_edge(writer *w, uint64_t target);                      /* kinds without a name */
void writer_named_edge(writer *w, uint32_t name, uint64_t target); /* kinds with one */
void writer_object_end(writer *w);

/* Writes what is left and the end block. 0, or the errno value of the first write that failed. */
int writer_end(writer *w);

/* So far: for progress, and for limits. */
uint64_t writer_objects(const writer *w);
uint64_t writer_bytes(const writer *w);

#endif
