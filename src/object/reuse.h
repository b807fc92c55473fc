/* SPDX-License-Identifier: MIT */
/* Object pools (rule P5), as destruction sees them. */
#ifndef OURO_SRC_OBJECT_REUSE_H
#define OURO_SRC_OBJECT_REUSE_H

#include "runtime.h"

/* The object's last reference is gone: the pool keeps it, reset, if it has room. */
bool reuse_keep(ouro_reuse *pool, ouro_object *o);

#endif
