/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "pool/sizeclass.h"

TEST(every_size_gets_the_smallest_class_that_holds_it) {
  CHECK_EQ(class_of(0), 1u);
  for (size_t size = 1; size <= OURO_SMALL_MAX; size++) {
    unsigned class = class_of(size);
    CHECK_LE(size, class_size(class));
    CHECK_LT(class_size(class - 1), size);
  }
  CHECK_EQ(class_of(OURO_SMALL_MAX), OURO_CLASSES);
}

TEST(the_reciprocal_divides_every_offset_of_a_pool_exactly) {
  for (unsigned class = 1; class <= OURO_CLASSES; class ++) {
    uint64_t size = class_size(class), reciprocal = class_reciprocal(size);
    for (uint64_t offset = 0; offset < OURO_POOL_BYTES; offset++)
      if (offset * reciprocal >> 32 != offset / size)
        TEST_FAIL("offset %" PRIu64 " / size %" PRIu64, offset, size);
  }
}

TEST(the_last_block_of_every_class_ends_within_its_pool) {
  for (unsigned class = 1; class <= OURO_CLASSES; class ++) {
    size_t end = OURO_POOL_BYTES / class_size(class);
    CHECK_LE(end * class_size(class), OURO_POOL_BYTES);
    CHECK_LE(end, OURO_POOL_WORDS * 64);
  }
}
