/* SPDX-License-Identifier: MIT */
/*
 * The node that every program makes: two references and what the program adds. A header system_*.h
 * brings it in and gives, for one way of managing memory,
 *
 *     world_open          whatever has to be set up once
 *     node_new            a new node, which takes over both references
 *     node_ref            one more reference to it
 *     node_drop           drops a reference to a tree
 *     node_cut            drops the last reference to a node that its `left` refers back to
 *     array_new, _drop    bytes without references
 *     world_collect       a full collection; returns how many were found, where that is known
 *
 * "By hand" is what a C program does that manages memory itself: it knows when a tree is dead and
 * frees it by recursion, and it knows its own cycles.
 */
#ifndef BENCH_NODE_H
#define BENCH_NODE_H

#include <string.h>

#include "../pool/common.h"

typedef struct node {
  SYSTEM_HEAD
  struct node *left, *right;
  NODE_EXTRA
} node;

static inline node *node_made(node *made, node *left, node *right) {
  if (made == NULL) fail("out of memory");
  made->left = left;
  made->right = right;
  return made;
}

/* The compiler must take it for used. */
static inline void escape(const void *pointer) { __asm__ volatile("" : : "r"(pointer) : "memory"); }

/* A line of /proc/self/FILE that has the format, in bytes. */
static inline double status_bytes(const char *name, const char *format) {
  char path[64], line[256];
  unsigned long kib = 0;
  bool seen = false;
  snprintf(path, sizeof path, "/proc/self/%s", name);
  FILE *file = fopen(path, "r");
  while (file != NULL && !seen && fgets(line, sizeof line, file) != NULL)
    seen = sscanf(line, format, &kib) == 1;
  if (!seen) fail("cannot read what the process occupies");
  fclose(file);
  return (double)kib * 1024;
}

static inline double peak_bytes(void) { return status_bytes("status", "VmHWM: %lu kB"); }

/* The last thing a program does: what still lives goes with the process. */
static inline void end(void) {
  printf("peak %.0f\n", peak_bytes());
  fflush(stdout);
  _Exit(0);
}

#endif
