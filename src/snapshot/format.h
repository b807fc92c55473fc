/* SPDX-License-Identifier: MIT */
/*
 * The snapshot file: what was alive in one process at one moment, and who held it. This header is
 * the only truth; docs/snapshot-format.md is its prose.
 *
 *     file   = header block* end-block
 *     header = magic, 8 bytes, then version u32, then 0 u32
 *     block  = kind u32, length u32, crc32 u32 (of kind, length, payload), 0 u32, payload[length],
 *              0 to 7 zero bytes up to a multiple of 8
 *
 * Fixed numbers are little-endian. Blocks are written one after another and each is complete in
 * itself: a writer that is killed loses the last one, a reader skips kinds it does not know. The
 * order of blocks means nothing, except that the end block is the last.
 *
 * Inside a payload numbers are varints (LEB128: seven bits each, low ones first), "signed" ones
 * zigzag. A text is its length and its bytes, UTF-8 as far as the program's text was.
 *
 *   facts    (key text, value text)*            about process, interpreter, collector, ledger
 *   types    (id, kind, flags, address, size, name text)*
 *   names    (id, text)*                        attributes, locals and other words of code
 *   objects  object*                            below
 *   texts    base address, then                 what an object is called, or holds as a key
 *            (address signed minus the base, text kind, text)*
 *   roots    (root kind, target address, text)*
 *   end      objects, edges, types, names, texts, roots: how many there were
 *   contents base address, then                 what a leaf holds; only where that was asked for
 *            (address signed minus the base, content form, text)*
 *
 * Ids of types and names count from 0. Addresses are addresses divided by SNAPSHOT_GRAIN, since no
 * object is aligned to less.
 *
 *     object = address signed (minus the one before in this block, at first minus 0)
 *              type, header byte (SNAPSHOT_HAS_*), [flags] [size in bytes] [count] [digest u32
 *              fixed] [run count, run*]
 *     run    = label kind + SNAPSHOT_LABEL_ROOM * number of edges, [first index, of INDEX runs],
 *              edge*
 *            | KEY + SNAPSHOT_LABEL_ROOM * (2 * number of keys, + 1 if each has its VALUE behind
 *              it), edge*
 *     edge   = [label], target
 *     target = address signed (minus that of the edge before it in this record, at first the
 *              object's; values apart from other kinds), not 0
 *            | 0, slot byte: the far target in that slot, which is no edge before for the next one
 *            | 0, SNAPSHOT_SAME: the same as the edge before
 *
 * What many objects far from each other hold (a type, None) is far but once: a target whose
 * difference took SNAPSHOT_FAR or more as an unsigned number is remembered by both sides, until the
 * block ends or another one takes its slot (snapshot_far_slot).
 *
 * What the header byte says is absent is what it was for the last object of the same type in the
 * block (flags, size, count), at first 0; an object without runs has no edges. An object with more
 * edges than fit a block continues: a record of the same address with SNAPSHOT_MORE, which counts
 * as the same object and brings edges only. A record never ends between a key and its value.
 */
#ifndef OURO_SRC_SNAPSHOT_FORMAT_H
#define OURO_SRC_SNAPSHOT_FORMAT_H

#include <ouro/base.h>

#define SNAPSHOT_MAGIC "ouroheap"
#define SNAPSHOT_VERSION 1
#define SNAPSHOT_GRAIN 8
#define SNAPSHOT_BLOCK_MAX (1u << 20) /* payload bytes; a reader takes no more */

typedef struct snapshot_header {
  char magic[8];
  uint32_t version, zero;
} snapshot_header;

typedef struct snapshot_block {
  uint32_t kind, length, crc32, zero;
} snapshot_block;

OURO_STATIC_ASSERT(sizeof(snapshot_header) == 16, "the file begins with it");
OURO_STATIC_ASSERT(sizeof(snapshot_block) == 16, "each block begins with it");

typedef enum snapshot_block_kind {
  SNAPSHOT_FACTS = 1,
  SNAPSHOT_TYPES,
  SNAPSHOT_NAMES,
  SNAPSHOT_OBJECTS,
  SNAPSHOT_TEXTS,
  SNAPSHOT_ROOTS,
  SNAPSHOT_END,
  SNAPSHOT_CONTENTS, /* a kind of its own: readers that do not know it skip it */
  SNAPSHOT_BLOCK_KINDS
} snapshot_block_kind;

/* The header byte of an object. */
enum {
  SNAPSHOT_HAS_FLAGS = 1,
  SNAPSHOT_HAS_SIZE = 2,
  SNAPSHOT_HAS_COUNT = 4,
  SNAPSHOT_HAS_DIGEST = 8,
  SNAPSHOT_HAS_RUNS = 16,
  SNAPSHOT_MORE = 32
};

/* An object's flags. */
enum {
  SNAPSHOT_GENERATION = 3,     /* mask; of a tracked object: 0 young to 2 old, 3 frozen */
  SNAPSHOT_TRACKED = 4,        /* the cycle collector knows it */
  SNAPSHOT_IMMORTAL = 8,       /* its count is none */
  SNAPSHOT_STATIC = 16,        /* not from a heap */
  SNAPSHOT_PSEUDO = 32,        /* a running frame or the like: no object, it has no count */
  SNAPSHOT_FINALIZED = 64,     /* its finalizer has run */
  SNAPSHOT_UNCOLLECTABLE = 128 /* the collector gave it up (gc.garbage) */
};

/* What a type's objects are to a reader. */
typedef enum snapshot_type_kind {
  SNAPSHOT_OTHER,
  SNAPSHOT_INSTANCE, /* of a class of the program */
  SNAPSHOT_DICT,
  SNAPSHOT_LIST,
  SNAPSHOT_TUPLE,
  SNAPSHOT_SET,
  SNAPSHOT_STR,
  SNAPSHOT_BYTES,
  SNAPSHOT_NUMBER,
  SNAPSHOT_TYPE,
  SNAPSHOT_MODULE,
  SNAPSHOT_FUNCTION,
  SNAPSHOT_METHOD, /* bound */
  SNAPSHOT_CODE,
  SNAPSHOT_CELL,
  SNAPSHOT_FRAME,
  SNAPSHOT_TRACEBACK,
  SNAPSHOT_EXCEPTION,
  SNAPSHOT_GENERATOR, /* coroutines and asynchronous ones too */
  SNAPSHOT_TASK,      /* of asyncio; futures */
  SNAPSHOT_CONTEXT,   /* contextvars */
  SNAPSHOT_WEAKREF,
  SNAPSHOT_LRU_CACHE,
  SNAPSHOT_PARTIAL,
  SNAPSHOT_THREAD_LOCAL,
  SNAPSHOT_CAPSULE,
  SNAPSHOT_TYPE_KINDS
} snapshot_type_kind;

/* A type's flags. */
enum {
  SNAPSHOT_TYPE_HEAP = 1,      /* made at run time; its instances hold it */
  SNAPSHOT_TYPE_GC = 2,        /* its instances can be tracked */
  SNAPSHOT_TYPE_FINALIZER = 4, /* __del__ or a finalizer in C */
  SNAPSHOT_TYPE_OPAQUE = 8     /* may hold references that its traverse function does not show */
};

/* What a reference is called. The label in the file is the part in parentheses. */
typedef enum snapshot_label_kind {
  SNAPSHOT_UNNAMED,   /* () */
  SNAPSHOT_INDEX,     /* () counted from the run's first index */
  SNAPSHOT_KEY,       /* () a mapping's key */
  SNAPSHOT_VALUE,     /* () a mapping's value; the edge before it is its key */
  SNAPSHOT_ATTRIBUTE, /* (name) */
  SNAPSHOT_LOCAL,     /* (name) of a frame */
  SNAPSHOT_CELLVAR,   /* (name) of a closure */
  SNAPSHOT_INTERNAL,  /* (name) a field that code does not see under a name of its own */
  SNAPSHOT_LABEL_KINDS
} snapshot_label_kind;

#define SNAPSHOT_FAR ((uint64_t)1 << 28) /* takes five bytes */
#define SNAPSHOT_FAR_SLOTS 128
#define SNAPSHOT_SAME 128 /* no slot */

/* The slot of a far target, its address divided. */
static inline unsigned snapshot_far_slot(uint64_t target) {
  return (unsigned)(target * 0x9E3779B97F4A7C15u >> 57);
}

#define SNAPSHOT_LABEL_ROOM 8
OURO_STATIC_ASSERT(SNAPSHOT_LABEL_KINDS <= SNAPSHOT_LABEL_ROOM, "a run keeps it in 3 bits");

/* Whether an edge of such a run has a name in the file. */
static inline bool snapshot_label_named(snapshot_label_kind kind) {
  return kind >= SNAPSHOT_ATTRIBUTE;
}

typedef enum snapshot_text_kind {
  SNAPSHOT_TITLE, /* what code calls it: a module's, function's, type's name; where a frame is */
  SNAPSHOT_KEY_STR,
  SNAPSHOT_KEY_INT, /* in decimal digits */
  SNAPSHOT_TEXT_KINDS
} snapshot_text_kind;

/* How a content's text is to be read. A reader takes a form that it does not know for a word. */
typedef enum snapshot_content_form {
  SNAPSHOT_CONTENT_WORD = 1, /* as code has it: None, True, (1.0+2.0j), 0x1f of a large int */
  SNAPSHOT_CONTENT_STR,      /* the characters themselves */
  SNAPSHOT_CONTENT_BYTES,    /* what stands between the quotes of b'...' */
  SNAPSHOT_CONTENT_INT,      /* in decimal digits, of 64 bits with its sign */
  SNAPSHOT_CONTENT_FLOAT,    /* as many digits as tell it from all others; inf, nan */
  SNAPSHOT_CONTENT_FORMS
} snapshot_content_form;

#define SNAPSHOT_CONTENT_CUT 8 /* added to the form: there was more than the text has */

typedef enum snapshot_root_kind {
  SNAPSHOT_ROOT_MODULE,        /* text: its name in sys.modules */
  SNAPSHOT_ROOT_FRAME,         /* a call in progress; text: the thread's name or number */
  SNAPSHOT_ROOT_THREAD,        /* what a thread keeps otherwise; text: which */
  SNAPSHOT_ROOT_INTERPRETER,   /* text: the field */
  SNAPSHOT_ROOT_TYPE,          /* a static type; text: its name */
  SNAPSHOT_ROOT_NATIVE,        /* a native heap's root or a reference a program said it holds */
  SNAPSHOT_ROOT_UNCOLLECTABLE, /* in gc.garbage */
  SNAPSHOT_ROOT_KINDS
} snapshot_root_kind;

#endif
