/* SPDX-License-Identifier: MIT */
/*
 * How near this process is to a limit of its memory: its control group's and those above (versions
 * 1 and 2), RLIMIT_AS, RLIMIT_DATA and the heap's own. Without the GIL and any allocator.
 */
#ifndef OURO_EXT_SNAP_LIMITS_H
#define OURO_EXT_SNAP_LIMITS_H

#include <ouro/pool.h>

#define LIMITS_PATH 1024

typedef struct limits {
  char group[LIMITS_PATH]; /* the control group's directory; empty: there is none */
  size_t top;              /* length of the part of it that the groups lie in */
  bool first;              /* version 1 */
} limits;

typedef struct limits_use {
  uint64_t used, limit; /* bytes; limit 0: there is none */
  const char *name;     /* of the limit, static */
} limits_use;

/* Finds the control group. `root`: what stands before /proc and before its mount points, for tests;
 * else "". */
void limits_find(limits *out, const char *root);

/* The limit of the control groups that is used most. What the kernel can drop, the cache of files,
 * does not count as used. */
limits_use limits_group(const limits *of);

/* Of all limits the one that is used most. `heap_limit`: the heap's; 0: none. */
limits_use limits_read(const limits *of, const ouro_heap *heap, size_t heap_limit);

/* What RLIMIT_AS leaves; SIZE_MAX: there is no such limit. */
size_t limits_address_space(void);

/* Used, in thousandths of the limit. */
unsigned limits_permille(const limits_use *of);

#endif
