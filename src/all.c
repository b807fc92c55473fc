/* SPDX-License-Identifier: MIT */
/*
 * Every file of the core, lower floors first, for builds of one command:
 *
 *     cc -O2 -Iinclude -c src/all.c
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

#include "cycle/tables.c"

#include "snapshot/crc32.c"
#include "snapshot/reader.c"
#include "snapshot/writer.c"

#include "object/big.c"
#include "object/bytes.c"
#include "object/check.c"
#include "object/control.c"
#include "object/destroy.c"
#include "object/dict.c"
#include "object/freeze.c"
#include "object/garbage.c"
#include "object/gc.c"
#include "object/generations.c"
#include "object/hash.c"
#include "object/hashtable.c"
#include "object/inspect.c"
#include "object/list.c"
#include "object/new.c"
#include "object/number.c"
#include "object/objectlist.c"
#include "object/page.c"
#include "object/path.c"
#include "object/record.c"
#include "object/report.c"
#include "object/reuse.c"
#include "object/runtime.c"
#include "object/set.c"
#include "object/snapshot.c"
#include "object/str.c"
#include "object/tuple.c"
#include "object/type.c"
#include "object/utf8.c"
#include "object/weak.c"
#include "object/weakkeydict.c"
#include "object/weakmap.c"
#include "object/weakset.c"
#include "object/weaktable.c"
#include "object/weakvaluedict.c"

#include "analyze/array.c"
#include "analyze/audit.c"
#include "analyze/dominators.c"
#include "analyze/cycles.c"
#include "analyze/graph.c"
#include "analyze/labels.c"
#include "analyze/load.c"
#include "analyze/path.c"
#include "analyze/places.c"
#include "analyze/reach.c"
#include "analyze/scc.c"
#include "analyze/waste.c"
