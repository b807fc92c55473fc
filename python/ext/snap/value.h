/* SPDX-License-Identifier: MIT */
/* What leaves hold, for snapshots that were asked for it. */
#ifndef OURO_EXT_SNAP_VALUE_H
#define OURO_EXT_SNAP_VALUE_H

#include "walk.h"

/* Writes what a str, bytes, bytearray, int, float, complex, None or the like holds, of exactly such
 * a type: of all else nothing is known without asking it. At most WRITER_CONTENT_MAX bytes, read
 * where they lie: nothing is called and no memory taken. Between two objects. */
void snapvalue_write(snapwalk *w, PyObject *o);

#endif
