/* SPDX-License-Identifier: MIT */
/* The checksum of a snapshot's blocks: CRC-32 as in Ethernet, gzip and PNG, eight bytes a step. */
#ifndef OURO_SRC_SNAPSHOT_CRC32_H
#define OURO_SRC_SNAPSHOT_CRC32_H

#include <ouro/base.h>

/* Whoever checks has one; 8 KiB. */
typedef struct crc32_table {
  uint32_t of[8][256];
} crc32_table;

void crc32_make(crc32_table *table);

/* Goes on from `crc` over more bytes; at first 0. */
uint32_t crc32_of(const crc32_table *table, uint32_t crc, const void *bytes, size_t size);

#endif
