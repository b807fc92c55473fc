/* SPDX-License-Identifier: MIT */
#include "crc32.h"

#include "varint.h"

#define CRC32_POLYNOMIAL 0xEDB88320u /* bits reversed */

void crc32_make(crc32_table *table) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
    table->of[0][i] = crc;
  }
  for (int step = 1; step < 8; step++)
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t before = table->of[step - 1][i];
      table->of[step][i] = before >> 8 ^ table->of[0][before & 255];
    }
}

uint32_t crc32_of(const crc32_table *table, uint32_t crc, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  const uint32_t(*t)[256] = table->of;
  crc = ~crc;
  for (; size >= 8; size -= 8, at += 8) {
    uint32_t low = varint_fixed32(at) ^ crc, high = varint_fixed32(at + 4);
    crc = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24] ^
          t[3][high & 255] ^ t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
  }
  for (; size > 0; size--) crc = crc >> 8 ^ t[0][(crc ^ *at++) & 255];
  return ~crc;
}
