/* SPDX-License-Identifier: MIT */
/* A snapshot's file, opened and worked out as far as a verb needs it. What takes longer than two
 * seconds tells how far it is, on a terminal's stderr. A failure ends the process with one line. */
#ifndef OURO_CLI_HEAPFILE_H
#define OURO_CLI_HEAPFILE_H

#include "analyze/reach.h"

typedef enum heapfile_need { HEAPFILE_GRAPH, HEAPFILE_CLASSES, HEAPFILE_ALL } heapfile_need;

/* The line on the terminal. */
typedef struct heapfile_progress {
  double began;
  bool shown;
} heapfile_progress;

typedef struct heapfile {
  const char *path;
  snapshot *from;
  graph graph;
  reach reach; /* zero but for HEAPFILE_CLASSES and HEAPFILE_ALL */
  heapfile_need has;
  heapfile_progress progress;
} heapfile;

/* A file that its writer did not finish is used as far as it goes, after a warning line. */
void heapfile_open(heapfile *h, const char *path, heapfile_need need);
void heapfile_close(heapfile *h);

/* Works out more of an open one. */
void heapfile_want(heapfile *h, heapfile_need need);

/* The bytes of all its objects. */
uint64_t heapfile_bytes(const heapfile *h);

/* For other analyses of it; heapfile_progress_end wipes what stands on the terminal. */
graph_progress heapfile_progress_of(heapfile *h);
void heapfile_progress_end(heapfile *h);

/* --- What the user named --- */

/* Objects that a TYPE or an ADDRESS stands for. */
typedef struct heaptarget {
  graph_node node; /* of an address; else GRAPH_NONE */
  uint8_t *wanted; /* of a type: 1 at each id that has the name; else NULL */
  uint64_t objects, bytes;
} heaptarget;

/* `text` is an address (0x...), a type's whole name, or the part after its last dot where only one
 * name has it. Anything else ends the process with one line that names the nearest ones. */
void heaptarget_find(heaptarget *t, const heapfile *h, const char *text);
void heaptarget_free(heaptarget *t);

static inline bool heaptarget_has(const heaptarget *t, const graph *g, graph_node n) {
  return t->wanted != NULL ? t->wanted[g->type[n]] != 0 : n == t->node;
}

#endif
