/* SPDX-License-Identifier: MIT */
/* What a snapshot says of the process, the interpreter, the collector and the ledger. */
#ifndef OURO_EXT_SNAP_FACTS_H
#define OURO_EXT_SNAP_FACTS_H

#include "dump.h"
#include "walk.h"

void snapfacts_write(const snapwalk *w, const snapdump_options *options);

#endif
