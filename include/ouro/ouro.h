/* SPDX-License-Identifier: MIT */
/* All of Ouro: pools, objects, the collector, containers. */
#ifndef OURO_OURO_H
#define OURO_OURO_H

#include <ouro/base.h>
#include <ouro/pool.h>
#include <ouro/object.h>
#include <ouro/gc.h>
#include <ouro/weak.h>
#include <ouro/list.h>
#include <ouro/tuple.h>
#include <ouro/dict.h>
#include <ouro/set.h>
#include <ouro/str.h>
#include <ouro/bytes.h>
#include <ouro/number.h>
#include <ouro/record.h>
#include <ouro/snapshot.h>

#endif
