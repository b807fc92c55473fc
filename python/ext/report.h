/* SPDX-License-Identifier: MIT */
/* What the end screen asks for, as functions of the module: see report.c. */
#ifndef OURO_EXT_REPORT_H
#define OURO_EXT_REPORT_H

#include "compat.h"

extern PyMethodDef report_methods[];

#endif
