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

#endif
