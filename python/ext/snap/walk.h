/* SPDX-License-Identifier: MIT */
/*
 * Objects and their references, written one after another. Each object once, each reference that it
 * owns once: what tp_traverse shows of it, with the names that its readable parts say they have,
 * and what is known to be owned besides (compat.h, kinds.c).
 */
#ifndef OURO_EXT_SNAP_WALK_H
#define OURO_EXT_SNAP_WALK_H

#include "kinds.h"

/* A reference of the object that is being written. */
typedef struct snaptarget {
  PyObject *object;
  uint32_t name; /* or its index */
  uint8_t label; /* snapshot_label_kind, or SNAPTARGET_GONE */
} snaptarget;

#define SNAPTARGET_GONE 255 /* written in another way, or none */

typedef struct snapwalk {
  writer *out;
  const ouro_heap *heap;
  bool redact, values; /* as in snaptells: none of both, or one */
  bool complete;       /* the collector's lists were read: who is tracked is in `seen` */
  uint32_t salt;
  snappages pages;
  snapset seen;    /* written, or to be */
  snapset titled;  /* has a text; as a tuple of cells: written */
  snapset garbage; /* in gc.garbage */
  bool any_garbage;
  snapnames names;
  snaptypes types;
  snaparray targets;  /* snaptarget */
  size_t cursor;      /* behind the last one that was matched */
  snaparray pending;  /* PyObject *: seen, and not yet written */
  snaparray closures; /* PyObject *: functions that have one */
  snaparray tuples;   /* PyObject *: of cells, which may be closures */
} snapwalk;

/* Prepares an all-zero walk. False: no memory. */
bool snapwalk_begin(snapwalk *w, writer *out, const ouro_heap *heap);
void snapwalk_finish(snapwalk *w);

/* Remembers an object that something refers to, unless it is known, and writes it later. */
void snapwalk_reach(snapwalk *w, PyObject *o);

/* An object that the collector tracks: known from now on, and written, with its generation (0 to
 * 3), by snapwalk_tracked. */
void snapwalk_know(snapwalk *w, PyObject *o);
void snapwalk_tracked(snapwalk *w, PyObject *o, uint32_t generation);

/* Writes all that is remembered, and what that reaches. */
void snapwalk_drain(snapwalk *w);
/* The end: tuples that could have been closures. */
void snapwalk_last(snapwalk *w);

/* --- For an object of another kind (roots.c) --- */

/* Its references so far are none; one more; written with a head that the caller wrote. */
void snapwalk_clear(snapwalk *w);
void snapwalk_add(snapwalk *w, PyObject *target, snapshot_label_kind label, uint32_t name);
void snapwalk_write_targets(snapwalk *w);

#endif
