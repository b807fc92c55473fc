/* SPDX-License-Identifier: MIT */
/* What ouro.snapshot() is made of, as functions of the extension. */
#ifndef OURO_EXT_SNAP_API_H
#define OURO_EXT_SNAP_API_H

#include "../compat.h"

extern PyMethodDef snapapi_methods[];

#endif
