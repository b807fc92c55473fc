/* SPDX-License-Identifier: MIT */
/*
 * In builds with checks (OURO_CHECK_LEVEL 2 and up): what CPython's collector says of a batch is
 * compared with what counting its references says. Not for users: it doubles the work.
 */
#ifndef OURO_EXT_GC_SELFCHECK_H
#define OURO_EXT_GC_SELFCHECK_H

#include "list.h"

typedef struct selfcheck {
  bool known;     /* there was memory for it */
  bool special;   /* finalizers and weak references may make a difference: not compared */
  size_t garbage; /* members that only members refer to */
} selfcheck;

/* Looks at the members of a list that is about to be judged. */
selfcheck selfcheck_expect(const gclink *members);

/* Ends the process with a message where CPython found more of them unreachable than expected, or,
 * where all references are counted, fewer. */
void selfcheck_compare(const selfcheck *expected, size_t found);

#endif
