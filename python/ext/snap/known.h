/* SPDX-License-Identifier: MIT */
/*
 * What is found out about the interpreter before a snapshot, in the program itself, as a child of
 * one thread must not ask. Nothing of it is taken for granted: what does not look as expected is
 * not used, and the snapshot says so.
 */
#ifndef OURO_EXT_SNAP_KNOWN_H
#define OURO_EXT_SNAP_KNOWN_H

#include "../gc/layout.h"
#include "compat.h"

typedef enum snapknown_state { SNAPKNOWN_NOT_YET, SNAPKNOWN_YES, SNAPKNOWN_NO } snapknown_state;

typedef struct snapknown {
  bool lists; /* generations and permanent are where the collector keeps them */
  gcgeneration *generation[3];
  gclink *permanent;
  snapknown_state frames;
  uint64_t collections[3], collected[3], uncollectable;
  PyObject *garbage; /* gc.garbage, borrowed from the module */
  bool enabled;
  bool modules;       /* they are laid out as in compat.h */
  PyObject *interned; /* a string that the table of interned ones has, and nobody else */
  PyObject *spare;    /* its blocks are kept for the writer; NULL: they are free */
} snapknown;

/* One per process, as the main interpreter is. */
extern snapknown snapknown_all;

/* Fills it; see snapdump_prepare. */
void snapknown_find(void);

/* Frees the blocks that were kept: what asking for a size takes, one at a time, has room in them.
 * Before the first such question. */
void snapknown_make_room(void);

#endif
