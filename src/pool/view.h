/* SPDX-License-Identifier: MIT */
/* What a pool's descriptor, its bin and the remote frees say together. */
#ifndef OURO_SRC_POOL_VIEW_H
#define OURO_SRC_POOL_VIEW_H

#include "remote.h"

/* Bits of a word that the bin of the pool's class has claimed and not handed out. */
static inline uint64_t view_claimed_word(const ouro_pool *pool, unsigned word) {
  const ouro_bin *bin = heap_bin_of(pool);
  if (bin->pool != pool || bin->bits == 0) return 0;
  return pool_index_of(pool, bin->base) / 64 == word ? bin->bits : 0;
}

/* Bits of the blocks of a word that the program holds. */
static inline uint64_t view_live_word(const ouro_pool *pool, unsigned word) {
  return pool_usable_word(pool, word) & ~pool_words(pool)[word] & ~view_claimed_word(pool, word) &
         ~remote_word(pool, word);
}

#endif
