/* SPDX-License-Identifier: MIT */
/* What Python code sees of the collector, as functions of the extension; ouro.gc is the rest. */
#ifndef OURO_EXT_GC_API_H
#define OURO_EXT_GC_API_H

#include "../compat.h"

extern PyMethodDef gcapi_methods[];

#endif
