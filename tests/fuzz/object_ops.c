/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: the bytes are the choices of the model of objects (tests/model/object_ops.h),
 * two per choice, the first two the heap's options. With clang:
 *
 *     clang -g -fsanitize=fuzzer,address -Iinclude -Isrc -Itests src/all.c tests/fuzz/object_ops.c
 */
#include <stdio.h>
#include <stdlib.h>

#include "model/object_ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void live_through(const ouro_heap_options *options, chooser *from, bool injection) {
  static world w;
  world_start(&w, options, from);
  for (int step = 0; !from->ended && !w.broken && step < 1000; step++) world_step(injection, true);
  if (!w.broken) world_end();
  if (!w.broken) world_check_end();
  if (w.broken) {
    fprintf(stderr, "object_ops: does not hold: %s\n", w.broken);
    abort();
  }
  world_stop();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  byte_chooser bytes = choose_from(data, size);
  ouro_heap_options o = quiet_options("fuzz");
  size_t bits = choose(&bytes.open, 16);
  o.hardened = bits & 1;
  o.limit = bits & 2 ? 3 * MIB : 0;
  o.quarantine = bits & 4 ? 4096 : 64 * KIB;
  live_through(&o, &bytes.open, bits & 8);
  return 0;
}
