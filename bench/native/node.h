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

static inline double peak_bytes(void) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  unsigned long kib = 0;
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "VmHWM: %lu kB", &kib) == 1) break;
  if (file == NULL || kib == 0) fail("cannot read /proc/self/status");
  fclose(file);
  return (double)kib * 1024;
}

/* The last thing a program does: what still lives goes with the process. */
static inline void end(void) {
  printf("peak %.0f\n", peak_bytes());
  fflush(stdout);
  _Exit(0);
}

#endif
