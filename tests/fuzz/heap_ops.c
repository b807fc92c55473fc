/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: the bytes are the choices of the model (tests/model/ops.h), two per choice, the
 * first four the heap's options; the checker runs after each step. With clang:
 *
 *     clang -g -fsanitize=fuzzer,address -Iinclude -Isrc -Itests src/all.c tests/fuzz/heap_ops.c
 */
#include <stdio.h>
#include <stdlib.h>

#include "model/ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ouro_heap_options choose_options(chooser *from) {
  ouro_heap_options o = quiet_options("fuzz");
  size_t bits = choose(from, 256);
  o.hardened = bits & 1;
  o.locked_by_caller = bits & 2;
  o.decay_ms = bits & 4 ? 1 : 0;
  o.keep = bits & 8 ? 0 : MIB;
  o.limit = bits & 16 ? MIB : 0;
  o.quarantine = bits & 32 ? 4096 : 64 * KIB;
  return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  byte_chooser bytes = choose_from(data, size);
  ouro_heap_options options = choose_options(&bytes.open);
  bool injection = choose(&bytes.open, 2);
  model m;
  model_start(&m, &options, &bytes.open);
  for (int step = 0; !bytes.open.ended && !m.broken && step < 3000; step++)
    model_step(&m, injection, true);
  if (!shadow_all_intact(&m.live)) model_must(&m, false, "nobody writes into a live block");
  if (m.broken) {
    fprintf(stderr, "heap_ops: does not hold: %s\n", m.broken);
    abort();
  }
  model_stop(&m);
  return 0;
}
