/* SPDX-License-Identifier: MIT */
/* How much a snapshot tells of what the program holds (dump.h). Python code passes the number. */
#ifndef OURO_EXT_SNAP_TELLS_H
#define OURO_EXT_SNAP_TELLS_H

typedef enum snaptells {
  SNAPTELLS_KEYS,   /* what keys of dictionaries say */
  SNAPTELLS_NAMES,  /* redacted: of those only names in code */
  SNAPTELLS_VALUES, /* keys, and what leaves hold */
  SNAPTELLS_KINDS
} snaptells;

#endif
