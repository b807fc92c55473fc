/* SPDX-License-Identifier: MIT */
/* Choices for model tests, from random numbers or a fuzzer's bytes. */
#ifndef OURO_TESTS_CHOOSER_H
#define OURO_TESTS_CHOOSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where choices come from. `next` gives any number; it may set `ended` to stop after this step. */
typedef struct chooser {
  uint64_t (*next)(struct chooser *);
  bool ended;
} chooser;

static inline size_t choose(chooser *from, size_t bound) {
  return (size_t)(from->next(from) % bound);
}

/* A chooser that takes two bytes for each choice, until they are used up. */
typedef struct byte_chooser {
  chooser open; /* must be first */
  const uint8_t *at, *end;
} byte_chooser;

static inline uint64_t next_bytes(chooser *from) {
  byte_chooser *bytes = (byte_chooser *)from;
  if (bytes->end - bytes->at < 2) {
    from->ended = true;
    return 0;
  }
  uint64_t value = (uint64_t)bytes->at[0] << 8 | bytes->at[1];
  bytes->at += 2;
  return value;
}

static inline byte_chooser choose_from(const uint8_t *data, size_t size) {
  return (byte_chooser){.open.next = next_bytes, .at = data, .end = data + size};
}

#endif
