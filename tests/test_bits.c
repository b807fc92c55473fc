/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/bits.h"

TEST(count_lowest_and_highest_agree_with_single_bits) {
  for (unsigned i = 0; i < 64; i++) {
    uint64_t one = (uint64_t)1 << i;
    CHECK_EQ(bits_count(one), 1u);
    CHECK_EQ(ouro_lowest_bit(one | (uint64_t)1 << 63), i);
    CHECK_EQ(bits_highest(one | 1), i);
  }
}

TEST(below_and_range_hold_the_numbers_they_name) {
  for (unsigned n = 0; n <= 64; n++)
    for (unsigned i = 0; i < 64; i++) CHECK_EQ((bits_below(n) >> i & 1) == 1, i < n);
  for (unsigned from = 0; from < 64; from++)
    for (unsigned to = from; to < 64; to++) {
      CHECK_EQ(bits_count(bits_range(from, to)), to - from + 1);
      CHECK_EQ(ouro_lowest_bit(bits_range(from, to)), from);
    }
}

TEST(run_is_the_length_of_the_ones_from_a_bit) {
  for (unsigned from = 0; from < 64; from++)
    for (unsigned to = from; to < 64; to++) {
      CHECK_EQ(bits_run(bits_range(from, to), from), to - from + 1);
      CHECK_EQ(bits_run(~bits_range(from, to), from), 0u);
    }
}
