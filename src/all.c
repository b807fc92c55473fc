/* SPDX-License-Identifier: MIT */
/*
 * Every file of the core, lower floors first, for builds of one command:
 *
 *     cc -O2 -Iinclude -Isrc -c src/all.c
 *
 * `./dev lint` checks that the list is complete and compiles: no two files may share a static name.
 */

#define _GNU_SOURCE 1

#include "base/addrmap.c"
#include "base/assert.c"

#include "os/annotate.c"
#include "os/os_linux.c"

#include "pool/arena.c"
#include "pool/block.c"
#include "pool/check.c"
#include "pool/hard.c"
#include "pool/heap.c"
#include "pool/large.c"
#include "pool/pool.c"
#include "pool/purge.c"
#include "pool/remote.c"
#include "pool/stats.c"
#include "pool/walk.c"
#include "pool/window.c"
